package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// hub holds the state of a session. Everything that happens is an event, and one
// goroutine handles them in turn, so that nothing here needs a lock. No event waits
// for anything: what takes its time runs elsewhere and comes back as an event.
type hub struct {
	o     Options
	paths paths
	// ctx ends with the session.
	ctx    context.Context
	events *queue[func()]
	editor *queue[[]byte]
	server *backend
	// starts counts the servers that were started.
	starts int
	// initialize is the editor's first request, for a server that is started again.
	initialize json.RawMessage
	ready      bool // the editor has been answered
	shutdown   bool // the editor asked for it
	ended      bool
	err        error
	client     capabilities
	documents  map[string]*document // by path
	recent     []string
	pending    map[string]*pendingRequest
	theirs     map[string][]json.RawMessage // what the server publishes, by path
	modules    map[string]*module
	planning   map[string]bool // by root and environment
	requests   int             // of our own
	background sync.WaitGroup
}

// pendingRequest is a request of the editor without a response so far.
type pendingRequest struct {
	id     json.RawMessage
	method string
	params json.RawMessage
	// forwarded: the server is to answer. merge takes its result and gives the one for
	// the editor; nil passes it on.
	forwarded bool
	merge     func(json.RawMessage) json.RawMessage
	// ours and its are what the two have to say, once they have; see [hub.merged].
	ours []any
	its  json.RawMessage
	have struct{ ours, its bool }
}

// capabilities of the editor that matter here.
type capabilities struct {
	showDocument bool
	watch        bool // it watches files that it is told of
}

func newHub(o Options) *hub {
	return &hub{
		o: o, paths: paths{o.Windows}, events: newQueue[func()](), editor: newQueue[[]byte](),
		documents: map[string]*document{}, pending: map[string]*pendingRequest{},
		theirs: map[string][]json.RawMessage{}, modules: map[string]*module{}, planning: map[string]bool{},
	}
}

// shutdownGrace is how long a server may take to end by itself, and an editor to read
// what is left for it.
const shutdownGrace = 2 * time.Second

func (h *hub) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h.ctx = ctx
	stop := context.AfterFunc(ctx, func() { h.events.push(func() { h.end(ctx.Err()) }) })
	defer stop()

	go h.readEditor()
	written := make(chan struct{})
	go func() { defer close(written); h.write(h.o.Out, h.editor) }()
	h.startServer()
	for !h.ended {
		f, ok := h.events.pop()
		if !ok {
			break
		}
		f()
	}
	cancel()
	h.stopServer()
	h.events.close()
	h.editor.close()
	select {
	case <-written:
	case <-time.After(shutdownGrace):
	}
	if c, ok := h.o.In.(io.Closer); ok {
		_ = c.Close() // ends its reader where the system can
	}
	h.background.Wait()
	return h.err
}

// end ends the session; the first reason counts.
func (h *hub) end(err error) {
	if !h.ended {
		h.ended, h.err = true, err
	}
}

// readEditor makes events of what the editor sends.
func (h *hub) readEditor() {
	r := newFrameReader(h.o.In)
	for {
		frame, err := r.read()
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = ErrExit
			}
			h.events.push(func() { h.end(err) })
			return
		}
		h.events.push(func() { h.fromEditor(frame) })
	}
}

// write sends what is in a queue until it is closed and empty, or nobody reads.
func (h *hub) write(w io.Writer, q *queue[[]byte]) {
	for {
		frame, ok := q.pop()
		if !ok {
			return
		}
		if err := writeFrame(w, frame); err != nil {
			h.events.push(func() { h.o.Log("writing: %v", err) })
			q.close() // a reader that is gone is noticed where its end is read
			return
		}
	}
}

// elsewhere runs what takes its time; f returns an event, or nil. A panic in it is a
// line in the log.
func (h *hub) elsewhere(f func() func()) {
	h.background.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				h.events.push(func() { h.defect(p) })
			}
		}()
		if event := f(); event != nil {
			h.events.push(event)
		}
	})
}

// defect reports a panic.
func (h *hub) defect(p any) { h.log(typeError, fmt.Sprintf("descope-mgmt: a defect: %v", p)) }

// ask sends a request of our own to the editor; its response is of no interest.
func (h *hub) ask(method string, params any) {
	h.requests++
	h.editor.push(request(fmt.Sprintf("%s%d", ownPrefix, h.requests), method, params))
}

// ownPrefix begins the ids of our requests, and the names of our commands.
const ownPrefix = "descope-mgmt."

func (h *hub) show(kind int, text string) {
	h.editor.push(notification(methodShowMessage, map[string]any{"type": kind, "message": text}))
}

func (h *hub) log(kind int, text string) {
	h.editor.push(notification(methodLogMessage, map[string]any{"type": kind, "message": text}))
}

// unsaved are the open files whose contents are not those on disk.
func (h *hub) unsaved() map[string][]byte {
	out := map[string][]byte{}
	for path, d := range h.documents {
		if disk, err := os.ReadFile(path); err != nil || string(disk) != string(d.text.data) {
			out[path] = d.text.data
		}
	}
	return out
}

// contents are those of a file as the editor shows it.
func (h *hub) contents(path string) *text {
	if d := h.documents[path]; d != nil {
		return d.text
	}
	return readText(path)
}

// readText reads a file; one that cannot be read is empty.
func readText(path string) *text {
	data, _ := os.ReadFile(path)
	return newText(data)
}

// open are the open files as they are now, for use outside of the hub.
func (h *hub) open() map[string]document {
	out := map[string]document{}
	for path, d := range h.documents {
		out[path] = *d // its text is replaced, never changed
	}
	return out
}

// uri is the address of a file, in the editor's own spelling where it is open.
func (h *hub) uri(path string) string {
	if d := h.documents[path]; d != nil {
		return d.uri
	}
	return h.paths.uri(path)
}

// maxRecent bounds how many files are remembered for the question which environment is
// in hand.
const maxRecent = 20

// touched makes a file the one that was worked on last.
func (h *hub) touched(path string) {
	h.recent = slices.DeleteFunc(h.recent, func(p string) bool { return p == path })
	h.recent = append([]string{path}, h.recent[:min(len(h.recent), maxRecent-1)]...)
}
