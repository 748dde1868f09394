package emulator

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var httpRequest = http.Request{Method: "GET", URL: &url.URL{Path: "/"}, Header: http.Header{}}

func TestTransport(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Host+" "+r.RequestURI+" "+r.RemoteAddr+" "+string(body))
		switch r.URL.Path {
		case "/cut":
			panic(http.ErrAbortHandler)
		case "/half":
			_, _ = w.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		case "/bug":
			panic("a bug")
		case "/created":
			w.WriteHeader(http.StatusCreated)
			w.WriteHeader(http.StatusTeapot)
			w.Header().Set("X-Late", "too late")
		}
	})
	post := func(path string) (answer, string, error) {
		req, err := http.NewRequest("POST", "http://example.test"+path, strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		return exchange(Transport(handler), req)
	}
	resp, _, err := post("/created?a=b")
	if err != nil || resp.StatusCode != 201 || resp.Header.Get("X-Late") != "" || resp.Length != 0 {
		t.Fatalf("%v %v", err, resp)
	}
	if got, want := resp.Header.Get("X-Seen"), "example.test /created?a=b 127.0.0.1:1 hello"; got != want {
		t.Errorf("the handler saw %q, want %q", got, want)
	}
	if resp, _, err := post("/silent"); err != nil || resp.StatusCode != 200 {
		t.Errorf("%v %v", err, resp)
	}
	if _, _, err := post("/cut"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %v", err)
	}
	if _, body, err := post("/half"); body != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half: %q %v", body, err)
	}
	defer func() {
		if recover() != "a bug" {
			t.Error("a panic of the handler is lost")
		}
	}()
	_, _, _ = post("/bug")
}

// TestServe runs the faults that differ on a socket.
func TestServe(t *testing.T) {
	s, err := New(Options{Budgets: NoBudgets()})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listener, s) }()

	send := func(method, path, body string) (answer, string, error) {
		req, err := http.NewRequest(method, "http://"+listener.Addr().String()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+testProject+":"+testKey)
		return exchange(&http.Transport{DisableKeepAlives: true}, req)
	}
	if err := s.SetFaults(Fault{Name: "reset", Count: 1}, Fault{Name: "drop-after-write", Count: 1}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if resp, _, err := send("POST", createPath, `{"id":"a","name":"A"}`); err == nil {
			t.Errorf("got %v", resp)
		}
	}
	// Large replies are compressed, and net/http unpacks them by itself.
	resp, data, err := send("GET", allPath, "")
	if err != nil || resp.Header.Get("Content-Type") != "application/json" || !strings.Contains(data, `"id":"a"`) {
		t.Errorf("%v %v %s", err, resp, data)
	}
	if _, _, err = send("POST", createPath, `{"id":"b","name":"`+strings.Repeat("b", 254)+`","selfProvisioningDomains":["`+strings.Repeat("x", 1000)+`"]}`); err != nil {
		t.Fatal(err)
	}
	resp, data, err = send("GET", allPath, "")
	if err != nil || !resp.Uncompressed || !strings.Contains(data, `"id":"b"`) {
		t.Errorf("%v %v %s", err, resp, data)
	}
	if resp.Header.Get("Cf-Ray") == "" {
		t.Error("no request id")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, _, err := send("GET", allPath, ""); err == nil {
		t.Error("it still answers")
	}
	if err := Serve(t.Context(), listener, s); err == nil {
		t.Error("serving on a closed listener passes")
	}
}

func TestGzipInProcess(t *testing.T) {
	h := start(t, Options{})
	h.create(`{"id":"b","name":"B","selfProvisioningDomains":["` + strings.Repeat("x", 2000) + `"]}`)
	_, plain, err := h.send("GET", allPath, "")
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("GET", "http://x"+allPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.bearer)
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := Transport(h.server).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(z)
	if err != nil || cmp.Diff(plain, string(unpacked)) != "" {
		t.Errorf("%v %s", err, unpacked)
	}
}
