package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// A server (or a proxy's debug page) that repeats the key in its error code, its
// request id or the host it redirects to must not get it printed.
func TestEchoedKeyIsRedactedEverywhere(t *testing.T) {
	const key = "K2canarycanarycanarycanary"
	for name, h := range map[string]http.HandlerFunc{
		"code": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			_ = json.NewEncoder(w).Encode(map[string]string{"errorCode": key})
		},
		"request id": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Request-Id", key); w.WriteHeader(400) },
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://"+key+".example/")
			w.WriteHeader(302)
		},
	} {
		s := httptest.NewServer(h)
		c, err := api.New(api.Config{BaseURL: s.URL, ProjectID: "P2aaaaaaaaaaaaaaaaaaaaaaaaaa", Key: api.NewSecret(key)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Read(t.Context(), model.Tenant)
		if err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
}
