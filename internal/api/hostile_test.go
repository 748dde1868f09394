package api

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// overTCP makes a client with its own transport for a real server.
func overTCP(t *testing.T, h http.HandlerFunc, edit ...func(*Config)) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	edit = append([]func(*Config){func(c *Config) { c.Transport, c.BaseURL = nil, server.URL }}, edit...)
	c := client(t, nil, edit...)
	t.Cleanup(c.transport.(*http.Transport).CloseIdleConnections)
	return c
}

func kindOf(err error) ErrorKind {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return ""
	}
	return e.Kind
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		c := overTCP(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/v1/mgmt/tenant/all", code)
		})
		if err := readTenants(c); kindOf(err) != KindBadReply || !strings.Contains(err.Error(), strings.TrimPrefix(other.URL, "http://")) {
			t.Errorf("%d: %v", code, err)
		}
	}
	if elsewhere.Load() > 0 {
		t.Error("the key went to another host")
	}
}

func TestGzipIsUnderstoodAndBounded(t *testing.T) {
	compressed := func(r io.Reader) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) {
			if !strings.Contains(req.Header.Get("Accept-Encoding"), "gzip") {
				t.Error("gzip is not asked for")
			}
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.Copy(z, r)
			_ = z.Close()
		}
	}
	if err := readTenants(overTCP(t, compressed(strings.NewReader(`{"tenants":[]}`)))); err != nil {
		t.Error(err)
	}
	bomb := io.MultiReader(strings.NewReader(`{"tenants":[`), io.LimitReader(spaces{}, maxReply+1))
	if err := readTenants(overTCP(t, compressed(bomb))); kindOf(err) != KindBadReply || !strings.Contains(err.Error(), "longer than 64 MiB") {
		t.Error(err)
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestSlowDripIsBounded(t *testing.T) {
	c := overTCP(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}, func(c *Config) { c.Timeout = 30 * time.Millisecond })
	ctx := t.Context()
	w, err := c.limits.window(BudgetOther, c.base, testProject)
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := c.limits.take(ctx, w, nil)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, failed := c.exchange(ctx, w, ticket, request{method: http.MethodGet, path: "/x"})
	if failed == nil || failed.Kind != KindNetwork || !strings.Contains(failed.Message, "within 30ms") || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", failed, time.Since(start))
	}
}

func TestHugeHeadersAreBounded(t *testing.T) {
	c := overTCP(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3000 {
			w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 1000))
		}
	}, func(c *Config) { c.Timeout = 10 * time.Second })
	if failed := once(t, c); failed == nil || failed.Kind != KindNetwork || len(failed.Error()) > 1200 {
		t.Errorf("%v", failed)
	}
}

// once sends a request without retries.
func once(t *testing.T, c *Client) *Error {
	t.Helper()
	w, err := c.limits.window(BudgetOther, c.base, testProject)
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := c.limits.take(t.Context(), w, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ticket.release()
	_, failed := c.exchange(t.Context(), w, ticket, request{method: http.MethodGet, path: "/v1/mgmt/tenant/all"})
	return failed
}

func TestRealNetworkFailures(t *testing.T) {
	tlsServer := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = log.New(io.Discard, "", 0)
	tlsServer.StartTLS()
	defer tlsServer.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	cut, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer cut.Close() //nolint:errcheck // a test
	go func() {
		for {
			conn, err := cut.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 1000)
			_, _ = conn.Read(buf)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"tenants\":[")
			_ = conn.Close()
		}
	}()
	for base, want := range map[string]string{
		tlsServer.URL: "is not trusted",
		"https://" + strings.TrimPrefix(plain.URL, "http://"): "does not speak TLS",
		"http://" + refused:             "nothing listens there",
		"http://" + cut.Addr().String(): "closed the connection in the middle",
	} {
		c := client(t, nil, func(c *Config) { c.Transport, c.BaseURL = nil, base })
		if failed := once(t, c); failed == nil || failed.Kind != KindNetwork || !strings.Contains(failed.Error(), want) {
			t.Errorf("%s: %v; want %s", base, failed, want)
		}
	}
}

func TestConnectionsAreKept(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"tenants":[]}`) }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := client(t, nil, func(c *Config) { c.Transport, c.BaseURL = nil, server.URL })
	for range 10 {
		if err := readTenants(c); err != nil {
			t.Fatal(err)
		}
	}
	if connections.Load() != 1 {
		t.Errorf("%d connections for 10 calls in a row", connections.Load())
	}
}
