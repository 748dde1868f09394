package lsp

import (
	"encoding/json"
	"errors"
	"io"
	"time"
)

// backend is the server behind the proxy.
type backend struct {
	server *Server
	out    *queue[[]byte]
	gone   chan struct{} // closed when it has ended
	// again: it was started in the place of another one, and has yet to be told what the
	// editor has open.
	again bool
}

const (
	// maxStarts bounds how often a server is started in a session.
	maxStarts = 3
	// restartID is the id of the request that initialises a server once more.
	restartID = ownPrefix + "restart"
)

// startServer starts the server; without one, h.server is nil.
func (h *hub) startServer() {
	h.starts++
	s, err := h.o.Start()
	if err != nil {
		h.server = nil
		h.o.Log("starting CUE's language server: %v", err)
		h.show(typeWarning, "CUE's language server could not be started ("+err.Error()+"); descope-mgmt goes on with diagnostics alone")
		return
	}
	b := &backend{server: s, out: newQueue[[]byte](), gone: make(chan struct{})}
	h.server = b
	h.background.Go(func() { h.write(s.In, b.out) })
	h.background.Go(func() {
		r := newFrameReader(s.Out)
		for {
			frame, err := r.read()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					h.events.push(func() { h.o.Log("CUE's language server: %v", err) })
				}
				s.Kill() // it can say no more
				return
			}
			h.events.push(func() { h.fromServer(b, frame) })
		}
	})
	h.background.Go(func() {
		err := s.Wait()
		close(b.gone)
		h.events.push(func() { h.serverEnded(b, err) })
	})
}

// stopServer lets the server end by itself, for a while.
func (h *hub) stopServer() {
	b := h.server
	if b == nil {
		return
	}
	h.server = nil
	b.out.close()
	if !h.shutdown {
		b.server.Kill()
	}
	select {
	case <-b.gone:
	case <-time.After(shutdownGrace):
		b.server.Kill()
	}
	_ = b.server.In.Close()
}

// serverEnded goes on with another server, or with none.
func (h *hub) serverEnded(b *backend, err error) {
	if h.server != b {
		return
	}
	h.server = nil
	b.out.close()
	_ = b.server.In.Close()
	if h.shutdown {
		return
	}
	h.o.Log("CUE's language server has ended: %v", err)
	for path := range h.theirs {
		delete(h.theirs, path)
		h.publish(path)
	}
	if h.ready && h.starts < maxStarts {
		h.log(typeWarning, "CUE's language server has ended, and is started again")
		if h.startServer(); h.server != nil {
			h.server.again = true
			h.server.out.push(request(restartID, methodInitialize, h.initialize))
		}
	} else {
		h.show(typeWarning, "CUE's language server has ended; descope-mgmt goes on with diagnostics alone. Restart the language server to have completion back")
	}
	for _, p := range h.pending {
		if p.forwarded {
			h.withoutServer(p)
		}
	}
}

// withoutServer answers a request that the server cannot answer any more.
func (h *hub) withoutServer(p *pendingRequest) {
	p.forwarded = false
	switch {
	case p.method == methodInitialize || p.method == methodShutdown:
		h.answer(p, json.RawMessage("null"))
	case p.merge != nil:
		h.answer(p, json.RawMessage("[]"))
	default:
		delete(h.pending, string(p.id))
		h.editor.push(failure(p.id, codeFailed, "CUE's language server is not running"))
	}
}

// toServer passes a frame on. One that is being started again is told later what is
// open, and nothing before.
func (h *hub) toServer(frame []byte) {
	if h.server != nil && !h.server.again {
		h.server.out.push(frame)
	}
}

// fromServer handles what the server sends.
func (h *hub) fromServer(b *backend, frame []byte) {
	if h.server != b {
		return
	}
	var m message
	if err := json.Unmarshal(frame, &m); err != nil {
		h.o.Log("CUE's language server sent no message: %v", err)
		return
	}
	switch {
	case m.isResponse() && b.again && string(m.ID) == string(marshal(restartID)):
		h.catchUp(b)
	case m.isResponse():
		p := h.pending[string(m.ID)]
		if p == nil || !p.forwarded {
			return // cancelled, and answered already
		}
		if len(m.Error) > 0 || p.merge == nil && p.method != methodInitialize {
			if p.merge != nil {
				h.o.Log("%s: %s", p.method, m.Error)
				h.answer(p, json.RawMessage("[]"))
				return
			}
			delete(h.pending, string(m.ID))
			h.editor.push(frame)
			return
		}
		h.answer(p, m.Result)
	case m.Method == methodPublish:
		h.fromTheirs(m.Params)
	default:
		h.editor.push(frame)
	}
}

// catchUp tells a server that was started again what is open.
func (h *hub) catchUp(b *backend) {
	b.again = false
	b.out.push(notification(methodInitialized, map[string]any{}))
	for _, d := range h.documents {
		b.out.push(notification(methodDidOpen, map[string]any{"textDocument": map[string]any{
			"uri": d.uri, "languageId": d.language, "version": d.version, "text": string(d.text.data),
		}}))
	}
}
