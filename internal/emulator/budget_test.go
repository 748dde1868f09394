package emulator

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// statuses sends n tenant writes at once and counts the answers by status.
func (h harness) statuses(n int, method, path, body string) map[int]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	counts := map[int]int{}
	for range n {
		wg.Go(func() {
			resp, _, err := h.send(method, path, body)
			if err != nil {
				h.t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			counts[resp.StatusCode]++
		})
	}
	wg.Wait()
	return counts
}

const writeBody = `{"id":"nobody","defaultRoles":[]}` // counts, and answers 404

func TestTenantWritesBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, Options{Budgets: DefaultBudgets(), Latency: 500 * time.Millisecond})
		write := func(n int) map[int]int { return h.statuses(n, "POST", rolesPath, writeBody) }
		begin := time.Now()
		h.equal("first", write(150), map[int]int{404: 150})
		h.equal("took", time.Since(begin), 500*time.Millisecond)
		time.Sleep(30 * time.Second)
		h.equal("second", write(50), map[int]int{404: 50})

		// A sliding log: the first 150 free their places a minute after they
		// came, the other 50 do not yet.
		time.Sleep(29 * time.Second) // the first are 60 s old, to the instant
		time.Sleep(time.Millisecond)
		h.equal("third", write(150), map[int]int{404: 150})

		// One too many: refused, and everything else for a minute.
		resp, text, err := h.send("POST", rolesPath, writeBody)
		if err != nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "60" || !strings.Contains(text, `"errorCode":"E130429"`) {
			t.Fatalf("%v %v %s", err, resp, text)
		}
		time.Sleep(30 * time.Second)
		resp, _, err = h.send("POST", rolesPath, writeBody)
		if err != nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "30" {
			t.Fatalf("in the penalty: %v %v", err, resp)
		}
		// Reads and other projects are not concerned.
		h.ok("GET", allPath, "")
		other := h
		other.bearer = "P3aAc4T2V93bddihGEx2Ryhc8e5Z:" + testKey
		h.equal("other project", other.statuses(1, "POST", rolesPath, writeBody), map[int]int{404: 1})

		time.Sleep(30 * time.Second)
		h.equal("after the penalty", write(200), map[int]int{404: 200})
		log := h.server.Requests()
		for _, e := range log {
			if (e.Status == 429) != (e.Budget == "tenant-writes") {
				t.Errorf("log: %+v", e)
			}
		}
	})
}

func TestWindowIncludesItsEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, Options{Budgets: DefaultBudgets()})
		h.statuses(200, "POST", rolesPath, writeBody)
		time.Sleep(time.Minute)
		h.equal("exactly a minute later", h.statuses(1, "POST", rolesPath, writeBody), map[int]int{429: 1})
		// Who waits as long as told gets through, at once and with everything.
		time.Sleep(time.Minute)
		h.equal("after the penalty", h.statuses(200, "POST", rolesPath, writeBody), map[int]int{404: 200})
		time.Sleep(time.Minute + time.Nanosecond)
		h.equal("after the window", h.statuses(200, "POST", rolesPath, writeBody), map[int]int{404: 200})
	})
}

func TestOtherBudgetIsPerClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, Options{Budgets: DefaultBudgets()})
		h.equal("reads", h.statuses(60, "GET", allPath, ""), map[int]int{200: 60})
		other := h
		other.bearer = "P3aAc4T2V93bddihGEx2Ryhc8e5Z:" + testKey
		h.equal("shared", other.statuses(50, "GET", allPath, ""), map[int]int{200: 40, 429: 10})
		h.equal("bad keys count", h.statuses(1, "GET", "/v1/mgmt/license", ""), map[int]int{429: 1})
		elsewhere := &http.Request{RemoteAddr: "198.51.100.7:99"}
		if got := clientOf(elsewhere); got != "198.51.100.7" {
			t.Errorf("client %q", got)
		}
		if got := clientOf(&http.Request{RemoteAddr: "pipe"}); got != "pipe" {
			t.Errorf("client %q", got)
		}
		if err := h.server.Reset(ResetRate); err != nil {
			t.Fatal(err)
		}
		h.ok("GET", allPath, "")
	})
}

func TestNoPenalty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, Options{Budgets: []Budget{{Name: "all", Limit: 2, Window: 10 * time.Second, Per: PerClient}}})
		h.ok("GET", allPath, "")
		time.Sleep(4 * time.Second)
		h.ok("GET", allPath, "")
		resp, _, err := h.send("GET", allPath, "")
		if err != nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "6" {
			t.Fatalf("%v %v", err, resp)
		}
		time.Sleep(6*time.Second + 1)
		h.ok("GET", allPath, "")
	})
}

// TestHonestClientIsNeverRefused is the property that a client is built on: a
// place that frees a window after the answer never meets a 429, however the
// latency varies.
func TestHonestClientIsNeverRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, Options{Budgets: DefaultBudgets(), Latency: 500 * time.Millisecond, Jitter: 450 * time.Millisecond})
		places := make(chan struct{}, 200)
		for range cap(places) {
			places <- struct{}{}
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		counts := map[int]int{}
		begin := time.Now()
		for range 400 {
			<-places
			wg.Go(func() {
				resp, _, err := h.send("POST", rolesPath, writeBody)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				counts[resp.StatusCode]++
				mu.Unlock()
				time.AfterFunc(time.Minute+50*time.Millisecond, func() { places <- struct{}{} })
			})
		}
		wg.Wait()
		h.equal("answers", counts, map[int]int{404: 400})
		if took := time.Since(begin); took > 63*time.Second {
			t.Errorf("took %v", took)
		}
		time.Sleep(2 * time.Minute) // let the timers end
	})
}

func TestJitterSpreads(t *testing.T) {
	s, err := New(Options{Latency: 500 * time.Millisecond, Jitter: 400 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	low, high := time.Hour, time.Duration(0)
	for serial := range uint64(1000) {
		before, after := s.latency(serial)
		low, high = min(low, before+after), max(high, before+after)
	}
	if low < 100*time.Millisecond || low > 110*time.Millisecond || high > 900*time.Millisecond || high < 890*time.Millisecond {
		t.Errorf("from %v to %v", low, high)
	}
}

func TestParseBudgets(t *testing.T) {
	show := func(budgets []Budget) (out string) {
		for _, b := range budgets {
			out += fmt.Sprintf("%s %d/%v %v;", b.Name, b.Limit, b.Window, b.Penalty)
		}
		return out
	}
	for text, want := range map[string]string{
		"off":                               "",
		"200/60s":                           show(DefaultBudgets()),
		"5/2s":                              "tenant-writes 5/2s 2s;other 100/1m0s 1m0s;",
		"tenant-writes=3/1s,other=1000/10s": "tenant-writes 3/1s 1s;other 1000/10s 10s;",
	} {
		got, err := ParseBudgets(text)
		if err != nil || show(got) != want {
			t.Errorf("%q is %s (%v), want %s", text, show(got), err, want)
		}
	}
	for _, text := range []string{"", "x", "200", "0/1s", "1/0s", "a/1s", "1/a", "some=1/1s"} {
		if _, err := ParseBudgets(text); err == nil {
			t.Errorf("%q passes", text)
		}
	}
}
