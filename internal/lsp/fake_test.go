package lsp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// fakeServer is a language server that a test scripts.
type fakeServer struct {
	t    *testing.T
	in   *io.PipeReader
	out  *io.PipeWriter
	got  chan message
	dead chan struct{}
	kill func()
}

func (f *fakeServer) send(frame []byte) {
	if err := writeFrame(f.out, frame); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		f.t.Error(err)
	}
}

// fakeChecker answers checks as a test says.
type fakeChecker struct {
	root    string
	check   func(context.Context, Change, func(Report)) Summary
	outline Outline
	// outlining, if not nil, runs before an outline is given.
	outlining func(context.Context)
	makes     map[string][]byte
}

func (f *fakeChecker) Root(file string) (string, bool) {
	return f.root, strings.HasPrefix(file, f.root+string(filepath.Separator))
}

func (f *fakeChecker) Check(ctx context.Context, c Change, report func(Report)) Summary {
	if f.check == nil {
		return Summary{}
	}
	return f.check(ctx, c, report)
}

func (f *fakeChecker) Outline(ctx context.Context, _ string, _ map[string][]byte) Outline {
	if f.outlining != nil {
		f.outlining(ctx)
	}
	return f.outline
}

func (f *fakeChecker) MakeDefault(context.Context, string, model.Diagnostic, map[string][]byte) map[string][]byte {
	return f.makes
}

// session is an editor with the proxy and a scripted server behind it.
type session struct {
	t       *testing.T
	in      *io.PipeWriter
	got     chan message
	servers chan *fakeServer
	checker *fakeChecker
	ended   chan error
	cancel  context.CancelFunc
}

// newSession starts the proxy. answers, if not nil, are what each server does with the
// messages that it gets.
func newSession(t *testing.T, o Options, answers func(*fakeServer, message)) *session {
	t.Helper()
	before := runtime.NumGoroutine()
	editorIn, in := io.Pipe()
	out, editorOut := io.Pipe()
	s := &session{t: t, in: in, got: make(chan message, 1000), servers: make(chan *fakeServer, 10), ended: make(chan error, 1)}
	s.checker = &fakeChecker{root: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(s.checker.root, "envs", "dev"), 0o755); err != nil {
		t.Fatal(err)
	}
	if o.Start == nil {
		o.Start = func() (*Server, error) {
			server, f := newFakeServer(t, answers)
			s.servers <- f
			return server, nil
		}
	}
	o.In, o.Out, o.Checker = editorIn, editorOut, s.checker
	if o.Pause == 0 {
		o.Pause = -1
	}
	o.Log = t.Logf
	ctx, cancel := context.WithCancel(t.Context())
	s.cancel = cancel
	go func() {
		err := Run(ctx, o)
		_ = editorOut.Close()
		s.ended <- err
		close(s.ended)
	}()
	go read(t, out, s.got)
	t.Cleanup(func() {
		cancel()
		_ = in.Close()
		for range s.ended {
		}
		for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<16)
				t.Fatalf("%d goroutines are left of %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
			}
		}
	})
	return s
}

func newFakeServer(t *testing.T, answers func(*fakeServer, message)) (*Server, *fakeServer) {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	f := &fakeServer{t: t, in: inR, out: outW, got: make(chan message, 1000), dead: make(chan struct{})}
	f.kill = sync.OnceFunc(func() {
		close(f.dead)
		_ = inR.Close()
		_ = outW.Close()
	})
	seen := make(chan message)
	go read(t, inR, seen)
	go func() {
		for m := range seen {
			f.got <- m
			if answers != nil {
				answers(f, m)
			}
			if m.Method == methodExit {
				f.kill()
			}
		}
		f.kill()
	}()
	return &Server{In: inW, Out: outR, Kill: f.kill, Wait: func() error {
		<-f.dead
		return errors.New("it ended")
	}}, f
}

// read hands on the messages of a stream until it ends.
func read(t *testing.T, r io.Reader, to chan<- message) {
	defer close(to)
	frames := frameReader{bufio.NewReader(r)}
	for {
		frame, err := frames.read()
		if err != nil {
			return
		}
		var m message
		if err := json.Unmarshal(frame, &m); err != nil {
			t.Errorf("no message: %s", frame)
			return
		}
		to <- m
	}
}

func (s *session) send(frame []byte) {
	s.t.Helper()
	if err := writeFrame(s.in, frame); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) notify(method string, params any) { s.send(notification(method, params)) }

func (s *session) ask(id int, method string, params any) {
	s.send(marshal(message{Version: "2.0", ID: marshal(id), Method: method, Params: marshal(params)}))
}

// next waits for a message that fits.
func next(t *testing.T, from <-chan message, what string, fits func(message) bool) message {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case m, ok := <-from:
			if !ok {
				t.Fatalf("the stream ended before: %s", what)
			}
			if fits(m) {
				return m
			}
		case <-timeout:
			t.Fatalf("never: %s", what)
		}
	}
}

func (s *session) reply(id int) message {
	s.t.Helper()
	return next(s.t, s.got, fmt.Sprintf("a response to %d", id), func(m message) bool { return m.isResponse() && string(m.ID) == fmt.Sprint(id) })
}

func method(name string) func(message) bool {
	return func(m message) bool { return m.Method == name }
}

// start opens the session and returns the server and what initialize answered.
func (s *session) start() (*fakeServer, map[string]any) {
	s.t.Helper()
	f := <-s.servers
	s.ask(1, methodInitialize, map[string]any{"capabilities": map[string]any{}})
	var result map[string]any
	if err := json.Unmarshal(s.reply(1).Result, &result); err != nil {
		s.t.Fatal(err)
	}
	s.notify(methodInitialized, map[string]any{})
	return f, result
}

// initializes is a server that answers initialize and shutdown.
func initializes(f *fakeServer, m message) {
	switch m.Method {
	case methodInitialize:
		f.send(response(m.ID, map[string]any{"capabilities": map[string]any{"hoverProvider": true}, "serverInfo": map[string]any{"name": "fake"}}))
	case methodShutdown:
		f.send(response(m.ID, nil))
	}
}

func (s *session) path(name string) string {
	return filepath.Join(s.checker.root, filepath.FromSlash(name))
}

func (s *session) uri(name string) string {
	return paths{runtime.GOOS == "windows"}.uri(s.path(name))
}

// open writes a file and opens it.
func (s *session) open(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.notify(methodDidOpen, map[string]any{"textDocument": map[string]any{"uri": s.uri(name), "languageId": "cue", "version": 1, "text": text}})
}

// save saves the overlay, which is the file that most tests open.
func (s *session) save() {
	s.notify(methodDidSave, map[string]any{"textDocument": documentID{s.uri("envs/dev/dev.cue")}})
}

// published waits until exactly these messages are shown in a file, in any order, each
// with its beginning.
func (s *session) published(name string, beginnings ...string) []diagnostic {
	s.t.Helper()
	var list []diagnostic
	next(s.t, s.got, fmt.Sprintf("%s: %q", name, beginnings), func(m message) bool {
		var p struct {
			URI         string       `json:"uri"`
			Diagnostics []diagnostic `json:"diagnostics"`
		}
		if m.Method != methodPublish || json.Unmarshal(m.Params, &p) != nil || p.URI != s.uri(name) || len(p.Diagnostics) != len(beginnings) {
			return false
		}
		list = p.Diagnostics
		for _, b := range beginnings {
			if !slices.ContainsFunc(list, func(d diagnostic) bool { return strings.HasPrefix(d.Message, b) }) {
				return false
			}
		}
		return true
	})
	return list
}

// finish shuts the session down as an editor should.
func (s *session) finish() error {
	s.t.Helper()
	s.ask(99, methodShutdown, nil)
	s.reply(99)
	s.notify(methodExit, nil)
	select {
	case err := <-s.ended:
		return err
	case <-time.After(10 * time.Second):
		s.t.Fatal("the session does not end")
		return nil
	}
}

func mistake(summary string, line, column int) model.Diagnostic {
	return model.Diagnostic{Severity: model.Error, Code: "wrong", Summary: summary, Origin: model.Origin{File: "envs/dev/dev.cue", Line: line, Column: column}}
}

// reports is a check that reports the same each time.
func reports(list ...Report) func(context.Context, Change, func(Report)) Summary {
	return func(_ context.Context, _ Change, report func(Report)) Summary {
		s := Summary{}
		for _, r := range list {
			report(r)
			if r.Environment != "" {
				s.Environments = append(s.Environments, r.Environment)
			}
		}
		return s
	}
}
