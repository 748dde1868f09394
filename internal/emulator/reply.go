package emulator

import (
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// gzipFrom is the size from which a reply is compressed for those who ask.
const gzipFrom = 1024

// reply is an answer before it is written.
type reply struct {
	status     int
	value      map[string]any // the JSON; nil where body is set
	body       []byte
	html       bool
	retryAfter int
	code       string // of an error
	requestID  string
	cut        bool // no answer: the connection ends
}

func errorReply(e *apiError) reply {
	return reply{status: e.status, value: e.body(), retryAfter: e.retryAfter, code: e.code}
}

func htmlReply(status int, title string) reply {
	page := fmt.Sprintf("<!DOCTYPE html>\n<html><head><title>%s</title></head><body><h1>%s</h1></body></html>\n", title, title)
	return reply{status: status, body: []byte(page), html: true}
}

// bytes is the body. Descope: an empty reply is {}, never nothing.
func (r reply) bytes() []byte {
	if r.body != nil {
		return r.body
	}
	if r.value == nil {
		return []byte("{}")
	}
	return model.CanonicalJSON(r.value)
}

func (r reply) write(w http.ResponseWriter, req *http.Request) {
	if r.cut {
		cutConnection(w)
		return
	}
	body, h := r.bytes(), w.Header()
	h.Set("Content-Type", "application/json")
	if r.html {
		h.Set("Content-Type", "text/html; charset=UTF-8")
	}
	h.Set("Cf-Ray", r.requestID)
	if r.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(r.retryAfter))
	}
	if len(body) >= gzipFrom && strings.Contains(req.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		w.WriteHeader(r.status)
		z := gzip.NewWriter(w)
		_, _ = z.Write(body) // the client is gone if this fails
		_ = z.Close()
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}

// cutConnection ends the connection without an answer, on TCP with a reset.
func cutConnection(w http.ResponseWriter) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
