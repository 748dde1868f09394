package emulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// inProcess is the address that requests through [Transport] come from.
const inProcess = "127.0.0.1:1"

// Transport sends requests to a handler in the same process, without a socket:
// it works under testing/synctest, where a listener would hang. Replies are
// buffered. A handler that cuts the connection gives an error that is
// io.ErrUnexpectedEOF; a handler that panics otherwise panics in RoundTrip.
// A request whose context ends returns at once; the handler sees the same
// context. It is safe for concurrent use.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		closeBody(req)
		return nil, err
	}
	in := req.Clone(ctx)
	in.RequestURI = req.URL.RequestURI()
	in.RemoteAddr = inProcess
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	done := make(chan *recording, 1)
	go func() {
		defer closeBody(req)
		done <- record(t.handler, in)
	}()
	select {
	case rec := <-done:
		return rec.response(req)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// recording is what a handler wrote and how it ended.
type recording struct {
	header, sent http.Header
	status       int
	body         bytes.Buffer
	panicked     any
}

func record(h http.Handler, r *http.Request) (rec *recording) {
	rec = &recording{header: http.Header{}}
	defer func() { rec.panicked = recover() }()
	h.ServeHTTP(rec, r)
	rec.WriteHeader(http.StatusOK) // unless it was called
	return rec
}

func (r *recording) Header() http.Header { return r.header }

func (r *recording) WriteHeader(status int) {
	if r.status == 0 {
		r.status, r.sent = status, r.header.Clone()
	}
}

func (r *recording) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// response is what the client gets. Where the handler cut the connection after
// it had begun to answer, reading the body fails.
func (r *recording) response(req *http.Request) (*http.Response, error) {
	if r.panicked != nil {
		err, _ := r.panicked.(error)
		if !errors.Is(err, http.ErrAbortHandler) {
			panic(r.panicked)
		}
		if r.status == 0 {
			return nil, fmt.Errorf("the connection was cut: %w", io.ErrUnexpectedEOF)
		}
	}
	var body io.Reader = &r.body
	length := int64(r.body.Len())
	if r.panicked != nil {
		body, length = io.MultiReader(body, broken{}), -1
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)),
		StatusCode: r.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        r.sent,
		Body:          io.NopCloser(body),
		ContentLength: length,
		Request:       req,
	}, nil
}

// broken is the end of a body that was cut off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
