package api

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func TestJudge(t *testing.T) {
	const pretty = `{"errorCode":"E011003","errorDescription":"Request is invalid","errorMessage":"The name field is required","message":"The name field is required"}`
	for _, c := range []struct {
		status       int
		body         string
		kind         ErrorKind // "" is a success
		write, doubt bool
		want         string
	}{
		{200, `{}`, "", false, false, ""},
		{200, `{}`, "", true, false, ""},
		{200, ` {"id":"a"} `, "", true, false, ""},
		{200, ``, "", true, false, ""},
		{204, ``, "", true, false, ""},
		{201, `{"id":"a"}`, "", true, false, ""},
		{200, ``, KindBadReply, false, false, "with nothing instead of a JSON object"},
		{204, ``, KindBadReply, false, false, "without content"},
		{206, `{}`, KindBadReply, false, false, "without content"},
		{200, `<!DOCTYPE html><html>`, KindBadReply, false, false, "an HTML page (a proxy or a login page?)"},
		{200, `<!DOCTYPE html><html>`, KindBadReply, true, true, "may have taken effect"},
		{200, `{"tenants":[{"id":"a"`, KindBadReply, false, false, "cut off"},
		{200, `[]`, KindBadReply, true, true, "other JSON"},
		{200, `ok`, KindBadReply, true, true, "with text"},
		{400, pretty, KindValidation, true, false, "The name field is required (POST /p, HTTP 400, E011003, request rid-1)"},
		{400, ``, KindValidation, true, false, "HTTP 400 with nothing"},
		{400, `{}`, KindValidation, true, false, "without saying why"},
		{409, `{"errorCode":"E1","errorDescription":"exists"}`, KindValidation, true, false, "exists"},
		{401, `{"errorCode":"E111119","errorMessage":"Unauthorized"}`, KindAuth, false, false, "key K3fK… was refused for project " + testProject + " (GET /p, HTTP 401, E111119, Unauthorized, request rid-1); the key is from K in .env"},
		{401, `<html>`, KindAuth, true, false, "was refused"},
		{403, `{"errorCode":"E111703","errorMessage":"license"}`, KindLicence, true, false, "the licence of project " + testProject + " does not allow this (POST /p, HTTP 403, E111703, license, request rid-1)"},
		{403, `{"errorCode":"E1","errorMessage":"no rights"}`, KindAuth, true, false, "key K3fK… is not allowed to do this in project"},
		{404, `{"errorCode":"E011008","errorMessage":"x"}`, KindAuth, false, false, "project " + testProject + " is not known to Descope"},
		{400, `{"errorCode":"E011008"}`, KindAuth, false, false, "is not known to Descope"},
		{404, `{"errorCode":"E112202"}`, KindNotFound, false, false, "does not exist"},
		{400, `{"errorCode":"E112202","errorMessage":"Tenant not found"}`, KindNotFound, true, false, "Tenant not found"},
		{404, `{"errorCode":"E999999","errorMessage":"gone"}`, KindNotFound, false, false, "gone"},
		{404, `page not found`, KindBadReply, false, false, "no Descope API at http://127.0.0.1:8080"},
		{404, `<html>`, KindBadReply, true, false, "no Descope API"},
		{404, `{}`, KindBadReply, false, false, "no Descope API"},
		{429, ``, KindRate, true, false, "too many requests"},
		{400, `{"errorCode":"E130429"}`, KindRate, true, false, "too many requests"},
		{500, `{"errorCode":"E1","errorMessage":"boom"}`, KindServer, true, true, "boom"},
		{500, `{"errorCode":"E1","errorMessage":"boom"}`, KindServer, false, false, "boom"},
		{503, `<html>`, KindServer, true, true, "HTTP 503 with an HTML page"},
		{302, ``, KindBadReply, true, false, "redirects to evil.example, which is not followed"},
		{307, `{}`, KindBadReply, true, false, "redirects to evil.example"},
		{101, ``, KindBadReply, false, false, "redirects"},
		{400, `{"errorMessage":"bad \u001b[31mred\u202e ` + testKey + `"}`, KindValidation, true, false, `bad \x1b[31mred\u202e ***`},
		{400, `{"errorCode":"\u001b]0;x","errorMessage":"` + strings.Repeat("é", 9999) + `"}`, KindValidation, true, false, "é… (POST /p, HTTP 400, \\x1b]0;x"},
	} {
		cl := client(t, http.NotFoundHandler())
		r := request{method: http.MethodGet, path: "/p", write: c.write}
		if c.write {
			r.method = http.MethodPost
		}
		e := &Error{Method: r.method, Path: r.path, Status: c.status, RequestID: "rid-1", Project: testProject, Key: cl.config.Key.Hint(), KeyFrom: "K in .env"}
		ok := cl.judge(e, r, http.Header{"Location": {"https://evil.example/x?y"}}, []byte(c.body))
		name := fmt.Sprintf("%d %.60s (write %v)", c.status, c.body, c.write)
		if ok != (c.kind == "") {
			t.Errorf("%s: success %v", name, ok)
		}
		if ok {
			continue
		}
		text := e.Error()
		if e.Kind != c.kind || e.Unanswered() != c.doubt || !strings.Contains(text, c.want) {
			t.Errorf("%s:\nkind %s, doubt %v, %s\nwant %s, %v, %s", name, e.Kind, e.doubt, text, c.kind, c.doubt, c.want)
		}
		if len(text) > 1200 || strings.ContainsAny(text, "\x1b\n\u202e") || strings.Contains(text, testKey) {
			t.Errorf("%s: unfit to print: %q", name, text)
		}
		if IsAuth(e) != (c.kind == KindAuth) || IsNotFound(fmt.Errorf("x: %w", e)) != (c.kind == KindNotFound) || IsLicence(e) != (c.kind == KindLicence) {
			t.Errorf("%s: the helpers disagree", name)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 10, 5, 10, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "12": 12 * time.Second, " 3 ": 3 * time.Second, "0": time.Second, "1.5": 1500 * time.Millisecond,
		"-4": 0, "x": 0, "999999999999": maxPause, "1e300": maxPause, "NaN": 0, "Inf": maxPause,
		"Mon, 05 Oct 2026 10:00:30 GMT": 30 * time.Second, "Mon, 05 Oct 2026 09:00:00 GMT": time.Second, "Mon, 05 Oct 2099 10:00:00 GMT": maxPause,
	} {
		if got := retryAfter(http.Header{"Retry-After": {in}}, now); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestUnreachable(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, c := range []struct {
		err       error
		want      string
		retry     bool
		mayBeSent bool
	}{
		{dial(&net.DNSError{Name: "api.x", Err: "no such host", IsNotFound: true}), "the name api.x cannot be resolved: no such host", false, false},
		{dial(&net.DNSError{Name: "api.x", Err: "timeout", IsTimeout: true}), "cannot be resolved: timeout", true, false},
		{&tls.CertificateVerificationError{Err: errors.New("expired")}, "the certificate of 127.0.0.1:8080 is not trusted: expired", false, false},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "does not speak TLS", false, false},
		{fmt.Errorf("x: %w", http.ErrSchemeMismatch), "does not speak TLS", false, false},
		{dial(syscall.ECONNREFUSED), "127.0.0.1:8080 refuses the connection: nothing listens there", true, false},
		{dial(context.DeadlineExceeded), "no connection to 127.0.0.1:8080", true, false},
		{context.DeadlineExceeded, "no answer from 127.0.0.1:8080 within 30s", true, true},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, "reset the connection before it answered", true, true},
		{&net.OpError{Op: "write", Err: syscall.EPIPE}, "reset the connection before it answered", true, true},
		{io.ErrUnexpectedEOF, "closed the connection in the middle of its answer", true, true},
		{errTooLong, "longer than 64 MiB", false, true},
		{errors.New("odd \x1b " + testKey), `no answer from 127.0.0.1:8080: odd \x1b ***`, true, true},
	} {
		for _, write := range []bool{false, true} {
			e := &Error{Method: "GET", Path: "/p"}
			client(t, http.NotFoundHandler()).unreachable(e, request{write: write}, c.err)
			if !strings.Contains(e.Error(), c.want) || e.Retryable != c.retry || e.Unanswered() != (write && c.mayBeSent) || !errors.Is(e, c.err) {
				t.Errorf("%v (write %v): retry %v, doubt %v, %v", c.err, write, e.Retryable, e.doubt, e)
			}
		}
	}
}

func TestReads(t *testing.T) {
	f := newFake("a", "b")
	c := client(t, f)
	state, err := c.Read(t.Context(), model.Tenant)
	if err != nil || state.Len() != 2 || len(f.calls) != 1 {
		t.Fatalf("%d resources, %v, %d calls", state.Len(), err, len(f.calls))
	}
	if live, exists, err := c.Get(t.Context(), tenantKey("a")); err != nil || !exists || live.Attrs["name"] != "Name of a" {
		t.Error(live, exists, err)
	}
	if _, exists, err := c.Get(t.Context(), tenantKey("none")); err != nil || exists {
		t.Error(exists, err)
	}
	if _, _, err := c.Get(t.Context(), model.Key{Kind: "user", ID: "a"}); err == nil {
		t.Error("an unknown kind passes")
	}
	if _, err := c.Read(t.Context(), "user"); err == nil {
		t.Error("an unknown kind passes")
	}
	license, err := c.License(t.Context())
	if want := time.Date(2026, 10, 5, 10, 0, 0, 0, time.UTC); err != nil || license.Tier != "tier1" || !license.ServerTime.Equal(want) {
		t.Error(license, err)
	}
	settings, err := c.TenantSettings(t.Context(), "a")
	if err != nil || !json.Valid(settings) || !strings.Contains(string(settings), "a.com") {
		t.Error(string(settings), err)
	}
}

func TestReadsThatAreNotBelieved(t *testing.T) {
	for name, c := range map[string]struct {
		path, body, want string
		read             func(*Client) error
	}{
		"short list":     {"/all", `{"tenants":[{"id":"a","parent":"b"}]}`, "reading the tenants of project " + testProject + ": the list is short", readTenants},
		"empty object":   {"/all", `{}`, "missing", readTenants},
		"wrong tenant":   {"/tenant", `{"id":"b"}`, `tenant/a: asked for "a", got tenant "b"`, getA},
		"wrapped tenant": {"/tenant", `{"tenant":{"id":"a"}}`, "tenant/a: a tenant without an id", getA},
		"licence":        {"/license", `{"rateLimitTier":4}`, "licence is not understood", func(c *Client) error { _, err := c.License(context.Background()); return err }},
	} {
		f := newFake("a")
		f.hook = failing(c.path, 1, func(w http.ResponseWriter) { reply(w, 200, "%s", c.body) })
		err := c.read(client(t, f))
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != KindBadReply || e.Retryable || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", name, err, c.want)
		}
	}
}

func readTenants(c *Client) error { _, err := c.Read(context.Background(), model.Tenant); return err }

func getA(c *Client) error { _, _, err := c.Get(context.Background(), tenantKey("a")); return err }

func TestHeaders(t *testing.T) {
	var got http.Header
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		reply(w, 200, `{"tenants":[]}`)
	}), func(c *Config) { c.Version = "1.2.3" })
	if err := readTenants(c); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer " + testProject + ":" + testKey, "User-Agent": "descope-mgmt/1.2.3", "Accept": "application/json",
		"X-Descope-Project-Id": testProject, "Content-Type": "",
	} {
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
}

func TestForecast(t *testing.T) {
	c := client(t, newFake())
	for n, want := range map[int]time.Duration{0: 0, 2: time.Second, 82: 3 * time.Second} {
		if got := c.Forecast(creations(t, n), 0); got.Calls != n || got.Duration != want {
			t.Errorf("%d steps: %+v, want %v", n, got, want)
		}
	}
	c.observe(4 * time.Second)
	c.observe(4 * time.Second)
	if got := c.Forecast(creations(t, 1), 0); got.Duration != 8*time.Second {
		t.Errorf("the observed latency does not count: %+v", got)
	}
	// 100 reads in 60 s; from then on each takes the place of one of before.
	c = client(t, newFake())
	if got := c.Forecast(creations(t, 1), 180); got.Calls != 1 || got.Duration.Round(time.Second) != 102*time.Second {
		t.Errorf("180 reads: %+v", got)
	}
	if got := c.Forecast([]model.Step{{Op: "unheard", Key: tenantKey("a")}}, 0); got.Calls != 1 {
		t.Errorf("%+v", got)
	}
}
