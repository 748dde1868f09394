package api

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// sameAnswer gives one answer to every request.
type sameAnswer struct {
	status int
	header http.Header
	body   string
}

func (a sameAnswer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)), Request: req}, nil
}

// asks are the calls whose answers are read, by what they ask for. What a call returns
// is what of the answer comes back to the caller.
func asks(c *Client) map[string]func(context.Context) (any, error) {
	kinds := map[string]model.Key{
		"tenant": tenantKey("a"), "flow": {Kind: model.Flow, ID: "a"},
		"theme": {Kind: model.Theme, ID: model.ThemeID}, "project": {Kind: model.Project, ID: testProject},
	}
	out := map[string]func(context.Context) (any, error){
		"license":   func(ctx context.Context) (any, error) { return c.License(ctx) },
		"settings":  func(ctx context.Context) (any, error) { return c.TenantSettings(ctx, "a") },
		"sso":       func(ctx context.Context) (any, error) { return c.SSOSettings(ctx, "a") },
		"in use":    func(ctx context.Context) (any, error) { return c.InUse(ctx, "a") },
		"roles":     func(ctx context.Context) (any, error) { return c.Roles(ctx) },
		"projects":  func(ctx context.Context) (any, error) { return c.Projects(ctx) },
		"export":    func(ctx context.Context) (any, error) { return c.Export(ctx, "a") },
		"snapshot":  func(ctx context.Context) (any, error) { return c.ExportSnapshot(ctx) },
		"validate":  func(ctx context.Context) (any, error) { return c.ValidateSnapshot(ctx, map[string]any{}) },
		"clone":     func(ctx context.Context) (any, error) { return c.Clone(ctx, "n", "", nil) },
		"overwrite": func(ctx context.Context) (any, error) { return nil, c.ImportSnapshot(ctx, map[string]any{}) },
		"delete": func(ctx context.Context) (any, error) {
			_, err := c.Do(ctx, deletion("a"), func(model.Resource, bool) error { return nil })
			return nil, err
		},
	}
	for name, key := range kinds {
		out["all of "+name] = func(ctx context.Context) (any, error) {
			state, err := c.Read(ctx, key.Kind)
			return state.Resources(), err
		}
		out["one "+name] = func(ctx context.Context) (any, error) {
			r, _, err := c.Get(ctx, key)
			return r, err
		}
	}
	return out
}

// FuzzReplies answers every kind of call with the same bytes: none panics or waits for
// ever, what is taken for an answer is JSON again, and no error repeats the key, breaks
// a line or is long.
func FuzzReplies(f *testing.F) {
	for _, body := range []string{
		`{"tenants":[` + full + `],"total":"1"}`, `{"id":"a","name":"A","parent":"b","successors":["c"]}`,
		`{"flows":[{"id":"a","name":"A","etag":"e","version":"3"}],"total":1,"flow":{"flowId":"a","contents":{"tasks":{}}}}`,
		`{"theme":{"id":"a","cssTemplate":{},"componentsVersion":"2"},"files":{"a/b":{},"c":"x"}}`,
		`{"projects":[{"id":"` + testProject + `","name":"A","tags":[null],"environment":"production"}]}`,
		`{"users":[{"userId":"u","userTenants":[{"tenantId":"a"}]}],"total":1,"keys":[{"id":"k","keyTenants":[{"tenantId":"a"}]}],"SSOSettings":[]}`,
		`{"SSOSettings":[{"tenant":{"id":"a"},"saml":{"idpEntityId":"x"},"oidc":{"clientSecret":"` + testKey + `"}}]}`,
		`{"roles":[{"id":"1","name":"R"},{"name":"T","tenantId":"a"}],"ok":false,"failures":["` + testKey + `\u001b[2J"],"missingSecrets":{"\u202e":[{"id":"\u0007"}]}}`,
		`{"errorCode":"E011008","errorMessage":"` + testKey + `\u001b]0;x\u0007","errorDescription":"\u2028"}`,
		`{"errorCode":5}`, `<html>`, ``, `{"tenants":`, `[]`, `null`,
	} {
		f.Add(200, "", "", []byte(body))
		f.Add(400, "", testKey, []byte(body))
	}
	f.Add(429, "1e300", "", []byte(`{}`))
	f.Add(503, "Mon, 05 Oct 2026 10:00:00 GMT", "\x1b[1m", []byte(`x`))
	f.Add(307, "-1", "https://"+testKey+".example/\r\n", []byte(``))
	f.Add(99, "", "", []byte(``))
	f.Fuzz(func(t *testing.T, status int, after, named string, body []byte) {
		answer := sameAnswer{status, http.Header{
			"Retry-After": {after}, "Location": {named}, "X-Request-Id": {named}, "Date": {named},
		}, string(body)}
		synctest.Test(t, func(t *testing.T) {
			asks := asks(client(t, nil, func(c *Config) { c.Transport = answer }))
			for _, what := range slices.Sorted(maps.Keys(asks)) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				got, err := asks[what](ctx)
				cancel()
				if err == nil {
					if _, err := json.Marshal(got); err != nil {
						t.Errorf("%s: %v", what, err)
					}
					continue
				}
				text := err.Error()
				if strings.Contains(text, testKey) || len(text) > 3000 || strings.ContainsFunc(text, unicode.IsControl) {
					t.Errorf("%s: %q", what, text)
				}
			}
		})
	})
}

// FuzzBaseURL: no spelling of an address from a file makes the key go anywhere but to
// Descope over TLS, or stay on this machine.
func FuzzBaseURL(f *testing.F) {
	for _, seed := range []string{
		"https://api.descope.com", "http://api.descope.com", "https://API.euc1.Descope.com:443/", "https://descope.com.evil.example", "https://evildescope.com",
		"https://descope.com@evil.example", "https://evil.example#.descope.com", "https://evil.example?.descope.com", `https://evil.example\.descope.com`,
		"http://localhost:8080", "http://127.0.0.1", "http://[::1]:1", "http://[::ffff:127.0.0.1]", "http://localhost.evil.example", "http://0x7f.1", "https://[::1%25.descope.com]",
		"https://evil.example%2f.descope.com", "https:evil.example", "//descope.com", "https://evil.example\x00.descope.com", "https://evil.example:.descope.com",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if CheckBaseURL(text, false) != nil {
			return
		}
		// What the request would be sent to, taken apart in another way than the check does.
		u, err := parseBaseURL(text)
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequest(http.MethodGet, u.String()+"/v1/mgmt/tenant/all", nil)
		if err != nil {
			t.Fatalf("%q is taken, and cannot be asked: %v", text, err)
		}
		host, port, found := strings.Cut(request.URL.Host, "]")
		if !found {
			host, port, _ = strings.Cut(request.URL.Host, ":")
		}
		local := host == "localhost" || strings.HasPrefix(host, "127.") || strings.HasPrefix(host, "[") && strings.HasSuffix(host, "1")
		descope := request.URL.Scheme == "https" && (host == "descope.com" || strings.HasSuffix(host, ".descope.com"))
		if !local && !descope || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`/\@?#%`, r) }) || strings.Trim(port, ":0123456789") != "" {
			t.Fatalf("%q leads to %q", text, request.URL.Host)
		}
	})
}
