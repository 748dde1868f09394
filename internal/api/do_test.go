package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// drain lets handlers come to their end that nobody waits for any more.
func drain() { time.Sleep(2 * time.Hour) }

// failing makes a hook that answers the first n requests to a path.
func failing(path string, n int, answer func(w http.ResponseWriter)) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, r *http.Request, i int) bool {
		if !strings.HasSuffix(r.URL.Path, path) || i >= n {
			return false
		}
		answer(w)
		return true
	}
}

func status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { reply(w, code, "error code: %d", code) }
}

func TestRetryClasses(t *testing.T) {
	lost := func(err error) func(http.ResponseWriter) { return func(http.ResponseWriter) { panic(err) } }
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for name, c := range map[string]struct {
		fail  func(http.ResponseWriter)
		retry bool
	}{
		"500":                {status(500), false},
		"501":                {status(501), false},
		"502":                {status(502), true},
		"503":                {status(503), true},
		"504":                {status(504), true},
		"505":                {status(505), false},
		"519":                {status(519), false},
		"520":                {status(520), true},
		"521":                {status(521), true},
		"522":                {status(522), true},
		"523":                {status(523), true},
		"524":                {status(524), true},
		"525":                {status(525), false},
		"530":                {status(530), true},
		"400":                {status(400), false},
		"401":                {status(401), false},
		"403":                {status(403), false},
		"404":                {status(404), false},
		"409":                {status(409), false},
		"301":                {status(301), false},
		"html":               {func(w http.ResponseWriter) { reply(w, 200, "<html>") }, false},
		"reset":              {lost(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), true},
		"closed":             {lost(io.ErrUnexpectedEOF), true},
		"refused":            {lost(dial(syscall.ECONNREFUSED)), true},
		"no such host":       {lost(dial(&net.DNSError{Name: "x", Err: "no such host", IsNotFound: true})), false},
		"resolver fails":     {lost(dial(&net.DNSError{Name: "x", Err: "server misbehaving"})), true},
		"no route":           {lost(dial(syscall.EHOSTUNREACH)), true},
		"scheme mismatch":    {lost(http.ErrSchemeMismatch), false},
		"something unheard":  {lost(errors.New("unheard")), true},
		"slower than 30 s":   {func(http.ResponseWriter) { time.Sleep(31 * time.Second) }, true},
		"5 of 4 allowed 503": {status(503), true},
	} {
		for _, kind := range []string{"read", "write"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					defer drain()
					f := newFake("old")
					path := map[string]string{"read": "/all", "write": "/create"}[kind]
					f.hook = failing(path, 4, c.fail)
					cl := client(t, f)
					start := time.Now()
					var err error
					if kind == "read" {
						_, err = cl.Read(t.Context(), model.Tenant)
					} else {
						_, err = cl.Do(t.Context(), creation(t, "new"), nil)
					}
					took := time.Since(start)
					switch sent := f.seen(path); {
					case c.retry && (err != nil || sent != 5):
						t.Errorf("%d sent, %v", sent, err)
					case c.retry && took < 11*time.Second:
						t.Errorf("only %v for waits of 1, 2, 4, 8 s", took)
					case !c.retry && (err == nil || sent != 1):
						t.Errorf("%d sent, %v", sent, err)
					}
					if e, ok := errors.AsType[*Error](err); !c.retry && (!ok || e.Retryable) {
						t.Errorf("%#v says that it is worth trying again", err)
					}
				})
			})
		}
	}
}

func TestFiveTriesAreTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer drain()
		f := newFake()
		f.hook = failing("/create", 99, status(503))
		var waits []Wait
		c := client(t, f, func(c *Config) { c.OnWait = func(w Wait) { waits = append(waits, w) } })
		attempts, err := c.Do(t.Context(), creation(t, "a"), nil)
		e, ok := errors.AsType[*Error](err)
		if attempts != 5 || !ok || e.Kind != KindServer || e.Status != 503 || !e.Retryable {
			t.Errorf("%d attempts, %v", attempts, err)
		}
		if e.Unanswered() {
			t.Errorf("it was looked up and is not there, so nothing is open: %v", err)
		}
		if len(waits) != 4 || waits[0].Reason != WaitRetry || waits[0].Err == nil {
			t.Errorf("told of %v", waits)
		}
	})
}

func TestServerMayAskForALongerWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer drain()
		f := newFake()
		f.hook = failing("/all", 1, func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "20")
			reply(w, 503, "")
		})
		start := time.Now()
		if _, err := client(t, f).Read(t.Context(), model.Tenant); err != nil || time.Since(start) != 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestAmbiguousWrites loses the answer of a write that took effect, or of one
// that did not, and expects each to have taken effect exactly once.
func TestAmbiguousWrites(t *testing.T) {
	pass := func(model.Resource, bool) error { return nil }
	notThere := func(_ model.Resource, exists bool) error {
		if exists {
			return errors.New("it exists")
		}
		return nil
	}
	steps := map[string]func(t *testing.T, c *Client) (model.Step, func(model.Resource, bool) error){
		"create": func(t *testing.T, _ *Client) (model.Step, func(model.Resource, bool) error) {
			return creation(t, "new"), notThere
		},
		"update": func(t *testing.T, c *Client) (model.Step, func(model.Resource, bool) error) {
			// As apply does: refuse if the object is not as it was.
			return update(t, c, "old", "Renamed"), func(live model.Resource, exists bool) error {
				if !exists || live.Attrs["name"] != "Name of old" {
					return fmt.Errorf("moved: %v", live.Attrs)
				}
				return nil
			}
		},
		"delete": func(*testing.T, *Client) (model.Step, func(model.Resource, bool) error) {
			return deletion("old"), pass
		},
		"updateDefaultRoles": func(*testing.T, *Client) (model.Step, func(model.Resource, bool) error) {
			return defaultRoles(tenantKey("old"), []any{"Admin"}), pass
		},
	}
	lose := map[string]func(http.ResponseWriter){
		"reset":   func(http.ResponseWriter) { panic(&net.OpError{Op: "read", Err: syscall.ECONNRESET}) },
		"timeout": func(http.ResponseWriter) { time.Sleep(31 * time.Second) },
		"524":     status(524),
		"500":     status(500),
		"html":    func(w http.ResponseWriter) { reply(w, 200, "<html>sign in</html>") },
	}
	for op, prepare := range steps {
		for fault, answer := range lose {
			t.Run(op+" "+fault+" after", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					defer drain()
					f := newFake("old")
					c := client(t, f)
					step, check := prepare(t, c)
					f.after = func(w http.ResponseWriter, r *http.Request, n int) {
						if strings.HasSuffix(r.URL.Path, "/"+op) && n == 0 {
							answer(w)
						}
					}
					attempts, err := c.Do(t.Context(), step, check)
					if err != nil || attempts != 1 || f.seen("/"+op) != 1 {
						t.Errorf("%d attempts, %d sent, %v", attempts, f.seen("/"+op), err)
					}
				})
			})
			if fault == "500" || fault == "html" {
				continue // not retried
			}
			t.Run(op+" "+fault+" before", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					defer drain()
					f := newFake("old")
					c := client(t, f)
					step, check := prepare(t, c)
					f.hook = failing("/"+op, 1, answer)
					attempts, err := c.Do(t.Context(), step, check)
					if err != nil || attempts != 2 {
						t.Errorf("%d attempts, %v", attempts, err)
					}
				})
			})
		}
	}
}

// TestNothingIsClaimedWithoutAnAnswer: if the look-up fails too, the effect is
// unknown and said to be.
func TestNothingIsClaimedWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer drain()
		f := newFake("old")
		dead := false
		f.hook = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
			if dead = dead || strings.HasSuffix(r.URL.Path, "/create"); dead {
				panic(io.ErrUnexpectedEOF)
			}
			return false
		}
		attempts, err := client(t, f).Do(t.Context(), creation(t, "new"), nil)
		e, ok := errors.AsType[*Error](err)
		if !ok || !e.Unanswered() || attempts != 1 {
			t.Errorf("%d attempts, %v", attempts, err)
		}
		if !strings.Contains(fmt.Sprint(err), "may have taken effect") {
			t.Errorf("the error does not say so: %v", err)
		}
	})
}

func TestTimeoutsLeaveTheEffectOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer drain()
		f := newFake("old")
		f.hook = failing("/delete", 99, func(http.ResponseWriter) { time.Sleep(time.Hour) })
		attempts, err := client(t, f).Do(t.Context(), deletion("old"), nil)
		if e, ok := errors.AsType[*Error](err); !ok || !e.Unanswered() || attempts != 5 {
			t.Errorf("%d attempts, %v", attempts, err)
		}
	})
}

func TestCreateThatFindsAnotherOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer drain()
		f := newFake()
		f.hook = func(_ http.ResponseWriter, r *http.Request, n int) bool {
			if strings.HasSuffix(r.URL.Path, "/create") && n == 0 {
				f.put("a", map[string]any{"id": "a", "name": "Somebody else's"})
				panic(io.ErrUnexpectedEOF)
			}
			return false
		}
		attempts, err := client(t, f).Do(t.Context(), creation(t, "a"), nil)
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindValidation || e.Unanswered() || attempts != 1 {
			t.Errorf("%d attempts, %v", attempts, err)
		}
		if f.tenants["a"]["name"] != "Somebody else's" {
			t.Error("it was overwritten")
		}
	})
}

func TestDeleteOfWhatIsGone(t *testing.T) {
	f := newFake()
	if _, err := client(t, f).Do(t.Context(), deletion("a"), nil); !IsNotFound(err) {
		t.Errorf("a first delete that finds nothing: %v", err)
	}
}

func TestCheckDecides(t *testing.T) {
	f := newFake("a")
	c := client(t, f)
	refusal := errors.New("stale")
	attempts, err := c.Do(t.Context(), deletion("a"), func(live model.Resource, exists bool) error {
		if !exists || live.Attrs["name"] != "Name of a" {
			t.Errorf("check got %v, %v", live, exists)
		}
		return refusal
	})
	if err != refusal || attempts != 0 || f.seen("/delete") != 0 { //nolint:errorlint // as it is
		t.Errorf("%d attempts, %v", attempts, err)
	}
	_, err = c.Do(t.Context(), creation(t, "new"), func(_ model.Resource, exists bool) error {
		if exists {
			t.Error("a tenant to be created exists")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestCheckDecidesAgain: what somebody changes while a write waits for its second
// try stops it, as it would have stopped the first.
func TestCheckDecidesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		f.hook = func(w http.ResponseWriter, r *http.Request, n int) bool {
			if !strings.HasSuffix(r.URL.Path, "/update") || n > 0 {
				return false
			}
			f.put("a", map[string]any{"id": "a", "name": "Moved"})
			reply(w, 503, "{}")
			return true
		}
		moved := errors.New("moved")
		step := model.Step{Op: model.TenantUpdate, Key: tenantKey("a"), Body: []byte(`{"id":"a","name":"Ours"}`)}
		attempts, err := client(t, f).Do(t.Context(), step, func(live model.Resource, _ bool) error {
			if live.Attrs["name"] != "Name of a" {
				return moved
			}
			return nil
		})
		if !errors.Is(err, moved) || attempts != 1 || f.tenants["a"]["name"] != "Moved" {
			t.Errorf("%d attempts, %v, and the name is %v", attempts, err, f.tenants["a"]["name"])
		}
	})
}

func TestFailedPreimageStopsTheWrite(t *testing.T) {
	f := newFake("a")
	f.hook = failing("/all", 99, func(w http.ResponseWriter) { reply(w, 200, `{"tenants":[{}]}`) })
	attempts, err := client(t, f).Do(t.Context(), deletion("a"), func(model.Resource, bool) error { return nil })
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindBadReply || attempts != 0 || f.seen("/delete") != 0 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
}

// TestWritesGoWhereTheyBelong: to the base URL, on this machine or not.
func TestWritesGoWhereTheyBelong(t *testing.T) {
	for _, base := range []string{"", "https://api.euc1.descope.com", "http://localhost:1"} {
		f := newFake()
		c := client(t, f, func(c *Config) { c.BaseURL = base })
		if _, err := c.Do(t.Context(), creation(t, "a"), func(model.Resource, bool) error { return nil }); err != nil || f.seen("/create") != 1 {
			t.Errorf("base %q: %v, %d calls", base, err, len(f.calls))
		}
	}
}

func TestForgedStepsAreRefused(t *testing.T) {
	f := newFake("a", "b")
	for name, s := range map[string]model.Step{
		"another tenant":  {Op: model.TenantDelete, Key: tenantKey("a"), Body: json.RawMessage(`{"id":"b"}`)},
		"other case":      {Op: model.TenantDelete, Key: tenantKey("a"), Body: json.RawMessage(`{"ID":"a","id":"b"}`)},
		"no id":           {Op: model.TenantDelete, Key: tenantKey("a"), Body: json.RawMessage(`{}`)},
		"empty id":        {Op: model.TenantDelete, Key: tenantKey(""), Body: json.RawMessage(`{"id":""}`)},
		"no JSON":         {Op: model.TenantDelete, Key: tenantKey("a"), Body: json.RawMessage(`id=a`)},
		"id of a number":  {Op: model.TenantDelete, Key: tenantKey("a"), Body: json.RawMessage(`{"id":1}`)},
		"unknown op":      {Op: "project.delete", Key: tenantKey("a"), Body: json.RawMessage(`{"id":"a"}`)},
		"another kind":    {Op: model.FlowDelete, Key: tenantKey("a"), Body: json.RawMessage(`{"id":"a"}`)},
		"unknown kind":    {Op: model.TenantDelete, Key: model.Key{Kind: "user", ID: "a"}, Body: json.RawMessage(`{"id":"a"}`)},
		"two flows":       {Op: model.FlowDelete, Key: model.Key{Kind: model.Flow, ID: "a"}, Body: json.RawMessage(`{"ids":["a","b"]}`)},
		"another flow":    {Op: model.FlowImport, Key: model.Key{Kind: model.Flow, ID: "a"}, Body: json.RawMessage(`{"flow":{"flowId":"b"}}`)},
		"a flow's string": {Op: model.FlowImport, Key: model.Key{Kind: model.Flow, ID: "a"}, Body: json.RawMessage(`"a"`)},
	} {
		if _, err := client(t, f).Do(t.Context(), s, nil); err == nil || len(f.calls) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInterruptWaitsForWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer drain()
		f := newFake()
		f.latency = func() time.Duration { return 10 * time.Second }
		c := client(t, f)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2*time.Second, cancel)
		if attempts, err := c.Do(ctx, creation(t, "a"), nil); err != nil || attempts != 1 {
			t.Errorf("sent before the interrupt: %d attempts, %v", attempts, err)
		}
		if attempts, err := c.Do(ctx, creation(t, "b"), nil); !errors.Is(err, context.Canceled) || attempts != 0 {
			t.Errorf("not sent before the interrupt: %d attempts, %v", attempts, err)
		}
		if f.seen("/create") != 1 || f.tenants["a"] == nil {
			t.Errorf("%d creates", f.seen("/create"))
		}
	})
}

// TestInterruptDuringARetry: the step failed in doubt, then came Ctrl-C. Its
// account is still exact.
func TestInterruptDuringARetry(t *testing.T) {
	for effect, want := range map[bool]string{true: "", false: "HTTP 503"} {
		synctest.Test(t, func(t *testing.T) {
			defer drain()
			f := newFake()
			ctx, cancel := context.WithCancel(t.Context())
			fail := func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "/create") {
					return false
				}
				time.AfterFunc(500*time.Millisecond, cancel)
				reply(w, 503, "")
				return true
			}
			if effect {
				f.after = func(w http.ResponseWriter, r *http.Request, _ int) { fail(w, r) }
			} else {
				f.hook = func(w http.ResponseWriter, r *http.Request, _ int) bool { return fail(w, r) }
			}
			attempts, err := client(t, f).Do(ctx, creation(t, "a"), nil)
			if attempts != 1 || (err == nil) != effect || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("effect %v: %d attempts, %v", effect, attempts, err)
			}
			if e, ok := errors.AsType[*Error](err); ok && e.Unanswered() {
				t.Errorf("effect %v: left open: %v", effect, err)
			}
		})
	}
}

func TestInterruptedReadIsNoFailureOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer drain()
		f := newFake()
		f.latency = func() time.Duration { return 10 * time.Second }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client(t, f).Read(ctx, model.Tenant)
		if !errors.Is(err, context.DeadlineExceeded) || f.seen("/all") != 0 || strings.Contains(err.Error(), "within 30s") {
			t.Errorf("%v", err)
		}
		f.hook = failing("/all", 9, status(503))
		f.latency = nil
		ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := client(t, f).Read(ctx, model.Tenant); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "503") {
			t.Errorf("%v", err)
		}
	})
}
