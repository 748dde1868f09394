package bench

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// TestCallOverhead measures what the client adds to a call that need not wait,
// limiter included, over the bare transport. The limiter alone is measured, and
// held to its budget of 1 ms, in internal/api.
func TestCallOverhead(t *testing.T) {
	const rounds = 25
	key := model.Key{Kind: model.Tenant, ID: "acme"}
	var bare, whole []time.Duration
	for range rounds {
		// The limiter lets as many calls pass at once as there are workers.
		w := newWorld(t, emulator.Options{Budgets: emulator.NoBudgets()})
		w.send(http.MethodPost, "/v1/mgmt/tenant/create", map[string]any{"id": key.ID, "name": "Acme"})
		transport := emulator.Transport(w.server)
		start := time.Now()
		for range workers {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/v1/mgmt/tenant?id="+key.ID, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+project+":"+managementKey)
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		between := time.Now()
		for range workers {
			if _, found, err := w.client.Get(t.Context(), key); !found || err != nil {
				t.Fatal(found, err)
			}
		}
		bare = append(bare, between.Sub(start)/workers)
		whole = append(whole, time.Since(between)/workers)
	}
	slices.Sort(bare)
	slices.Sort(whole)
	extra := whole[rounds/2] - bare[rounds/2]
	record(t, "a call: what the client adds, limiter included", extra.Round(time.Microsecond).String(), "1ms", extra < time.Millisecond)
}
