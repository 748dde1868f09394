package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func TestForwards(t *testing.T) {
	s := newSession(t, Options{Version: "v1"}, func(f *fakeServer, m message) {
		initializes(f, m)
		if m.Method == "textDocument/hover" {
			f.send(request("from-server", "workspace/configuration", map[string]any{}))
			f.send(response(m.ID, "the hover"))
		}
	})
	f, able := s.start()
	c := able["capabilities"].(map[string]any)
	for _, ability := range []string{"hoverProvider", "codeActionProvider", "codeLensProvider", "documentLinkProvider", "executeCommandProvider"} {
		if c[ability] == nil {
			t.Errorf("no %s in %v", ability, c)
		}
	}
	if info := able["serverInfo"].(map[string]any); info["name"] != "descope-mgmt with fake" || info["version"] != "v1" {
		t.Errorf("serverInfo %v", info)
	}
	s.ask(2, "textDocument/hover", map[string]any{})
	next(t, s.got, "the server's request", method("workspace/configuration"))
	s.send(response(marshal("from-server"), []int{7}))
	if m := s.reply(2); string(m.Result) != `"the hover"` {
		t.Errorf("hover: %s", m.Result)
	}
	answer := next(t, f.got, "the editor's answer", func(m message) bool { return m.isResponse() })
	if string(answer.Result) != "[7]" {
		t.Errorf("answer %s", answer.Result)
	}
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

func TestUnion(t *testing.T) {
	s := newSession(t, Options{}, initializes)
	var now atomic.Pointer[func(context.Context, Change, func(Report)) Summary]
	set := func(f func(context.Context, Change, func(Report)) Summary) { now.Store(&f) }
	s.checker.check = func(ctx context.Context, c Change, report func(Report)) Summary { return (*now.Load())(ctx, c, report) }
	set(reports(Report{Environment: "dev", Diagnostics: model.Diagnostics{mistake("ours", 2, 5)}}))
	f, _ := s.start()
	s.open("envs/dev/dev.cue", "a: 1\n\"🦄\": b\n")
	s.published("envs/dev/dev.cue", "ours")
	theirs := func(texts ...string) {
		list := []diagnostic{}
		for _, text := range texts {
			list = append(list, diagnostic{Severity: 1, Source: "cue", Message: text})
		}
		f.send(notification(methodPublish, map[string]any{"uri": s.uri("envs/dev/dev.cue"), "diagnostics": list}))
	}
	theirs("theirs")
	s.published("envs/dev/dev.cue", "ours", "theirs")
	set(reports(Report{Environment: "dev", Diagnostics: model.Diagnostics{{Severity: model.Error, Code: "syntax", Summary: "syntax error: x", Origin: model.Origin{File: "envs/dev/dev.cue", Line: 1, Column: 1}}}}))
	s.save()
	s.published("envs/dev/dev.cue", "syntax error: x") // and theirs only once ours is gone
	set(reports(Report{Environment: "dev"}))
	s.save()
	s.published("envs/dev/dev.cue", "theirs")
	theirs()
	s.published("envs/dev/dev.cue")
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

// TestEnvironments: what several environments say alike is told once, with their names
// where it does not concern all; what has no position goes to a file of its environment.
func TestEnvironments(t *testing.T) {
	s := newSession(t, Options{}, initializes)
	base := model.Diagnostic{Severity: model.Warning, Code: "w", Summary: "in the base", Origin: model.Origin{File: "envs/base.cue", Line: 1, Column: 1}}
	all := base
	all.Summary = "everywhere"
	s.checker.check = reports(
		Report{Environment: "prod", Diagnostics: model.Diagnostics{base, all}, Main: "envs/prod/prod.cue"},
		Report{Environment: "dev", Diagnostics: model.Diagnostics{base, all, {Severity: model.Error, Code: "n", Summary: "nowhere"}}, Main: "envs/dev/dev.cue"},
		Report{Environment: "staging", Diagnostics: model.Diagnostics{all}, Main: "envs/staging/staging.cue"},
		Report{Diagnostics: model.Diagnostics{mistake("together", 1, 1)}},
	)
	s.start()
	s.open("envs/base.cue", "x: 1\n")
	list := s.published("envs/base.cue", "in the base\nenvironments: dev, prod", "everywhere")
	for _, d := range list {
		if d.Severity != 2 || d.Source != sourceName || strings.Contains(d.Message, "everywhere\n") {
			t.Errorf("%+v", d)
		}
	}
	found := s.published("envs/dev/dev.cue", "nowhere", "together")
	if found[0].Range != (span{}) {
		t.Errorf("nowhere is at %v", found[0].Range)
	}
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

// TestCancel: a check that does not end is given up by the next, and holds nothing up.
func TestCancel(t *testing.T) {
	s := newSession(t, Options{}, func(f *fakeServer, m message) {
		initializes(f, m)
		if m.Method == "textDocument/hover" {
			f.send(response(m.ID, nil))
		}
	})
	var n atomic.Int32
	s.checker.check = func(ctx context.Context, c Change, report func(Report)) Summary {
		switch n.Add(1) {
		case 1:
			<-ctx.Done()
			report(Report{Environment: "dev", Diagnostics: model.Diagnostics{mistake("too late", 1, 1)}})
			return Summary{Environments: []string{"dev"}}
		case 2:
			panic("a defect")
		}
		return reports(Report{Environment: "dev", Diagnostics: model.Diagnostics{mistake("in time", 1, 1)}})(ctx, c, report)
	}
	s.start()
	s.open("envs/dev/dev.cue", "x: 1\n")
	s.ask(2, "textDocument/hover", map[string]any{})
	s.reply(2)
	for n.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	s.save()
	next(t, s.got, "a word on the defect", func(m message) bool {
		return m.Method == methodLogMessage && strings.Contains(string(m.Params), "a defect")
	})
	s.save()
	s.published("envs/dev/dev.cue", "in time")
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

// TestTyping: what is typed is checked as it stands in the editor, after a pause.
func TestTyping(t *testing.T) {
	s := newSession(t, Options{Pause: time.Millisecond}, initializes)
	s.checker.check = func(_ context.Context, c Change, report func(Report)) Summary {
		r := Report{Environment: "dev"}
		if text, ok := c.Unsaved[s.path("envs/dev/dev.cue")]; ok {
			r.Diagnostics = model.Diagnostics{mistake(string(text), 1, 1)}
		}
		report(r)
		return Summary{Environments: []string{"dev"}}
	}
	s.start()
	s.open("envs/dev/dev.cue", "\"🦄\": 1\nb: 2\n")
	change := func(from, to position, text string) {
		s.notify(methodDidChange, map[string]any{"textDocument": map[string]any{"uri": s.uri("envs/dev/dev.cue"), "version": 2}, "contentChanges": []any{map[string]any{"range": span{from, to}, "text": text}}})
	}
	change(position{0, 3}, position{0, 4}, "x\"")
	s.published("envs/dev/dev.cue", "\"🦄x\": 1\nb: 2\n")
	change(position{1, 0}, position{2, 0}, "")
	s.published("envs/dev/dev.cue", "\"🦄x\": 1\n")
	s.notify(methodDidClose, map[string]any{"textDocument": documentID{s.uri("envs/dev/dev.cue")}})
	s.published("envs/dev/dev.cue")
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

func TestQuickFixes(t *testing.T) {
	s := newSession(t, Options{}, func(f *fakeServer, m message) {
		initializes(f, m)
		if m.Method == methodCodeAction {
			f.send(response(m.ID, []any{map[string]any{"title": "theirs"}}))
		}
	})
	at := model.Origin{File: "envs/dev/dev.cue", Line: 1, Column: 9}
	wrong := model.Diagnostic{Severity: model.Error, Code: "unknown-field", Summary: "s", Origin: at, Fix: &model.Fix{At: at, Old: "protcted", New: "protected"}}
	clash := mistake("clash", 2, 4)
	clash.Code, clash.Also = NeedsDefault, []model.Origin{{File: "envs/base.cue", Line: 1, Column: 4}}
	s.checker.check = reports(Report{Environment: "dev", Diagnostics: model.Diagnostics{wrong, clash}})
	s.checker.makes = map[string][]byte{"envs/base.cue": []byte("b: *1 | number\n")}
	s.start()
	s.open("envs/base.cue", "b: 1\n")
	s.open("envs/dev/dev.cue", "\"🦄\": protcted\nb: 2\n") // 4 bytes, 2 units
	s.published("envs/dev/dev.cue", "s", "clash")
	ask := func(id int, r span, only ...string) []codeAction {
		s.ask(id, methodCodeAction, map[string]any{"textDocument": documentID{s.uri("envs/dev/dev.cue")}, "range": r, "context": map[string]any{"diagnostics": []any{}, "only": only}})
		var list []codeAction
		if err := json.Unmarshal(s.reply(id).Result, &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	list := ask(2, span{position{0, 6}, position{0, 6}})
	want := textEdit{span{position{0, 6}, position{0, 14}}, "protected"}
	if len(list) != 2 || list[1].Title != "Change protcted to protected" || list[1].Edit.Changes[s.uri("envs/dev/dev.cue")][0] != want {
		t.Errorf("%+v", list)
	}
	s.notify(methodDidChange, map[string]any{"textDocument": map[string]any{"uri": s.uri("envs/dev/dev.cue"), "version": 2}, "contentChanges": []any{map[string]any{"text": "other: words\nb: 2\n"}}})
	if list := ask(5, span{position{0, 6}, position{0, 6}}); len(list) != 1 {
		t.Errorf("the word is not there any more: %+v", list)
	}
	list = ask(3, span{position{1, 3}, position{1, 4}})
	if len(list) != 2 || list[1].Title != "Make the value of the base a default (envs/base.cue)" {
		t.Fatalf("%+v", list)
	}
	edit := list[1].Edit.Changes[s.uri("envs/base.cue")]
	if len(edit) != 1 || edit[0].NewText != "*1 | number" && edit[0].NewText != "*" && !strings.Contains(edit[0].NewText, "| number") {
		t.Errorf("%+v", list[1].Edit)
	}
	if list := ask(4, span{position{1, 3}, position{1, 4}}, "refactor"); len(list) != 1 {
		t.Errorf("asked for refactorings: %+v", list)
	}
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

func TestCommands(t *testing.T) {
	planned := make(chan struct{})
	s := newSession(t, Options{Plan: func(ctx context.Context, _, env string) (string, error) {
		select {
		case <-planned:
		case <-ctx.Done():
		}
		if env == "prod" {
			return "", errors.New("no key")
		}
		return "+ tenant/acme\n\nPlan: 1 to create\n", nil
	}}, initializes)
	s.checker.outline = Outline{Root: s.checker.root, Lenses: []Lens{
		{At: model.Origin{File: "envs/dev/dev.cue", Line: 1, Column: 1}, Title: "plan dev", Plan: "dev"},
		{At: model.Origin{File: "envs/dev/dev.cue", Line: 1, Column: 1}, Title: "base", Target: model.Origin{File: "envs/base.cue", Line: 3, Column: 2}},
	}, Links: []Link{{At: model.Origin{File: "envs/dev/dev.cue", Line: 1, Column: 1}, Text: "tenants", Title: "t", Target: model.Origin{File: "envs/base.cue", Line: 3, Column: 2}}}}
	f, _ := s.start()
	s.open("envs/base.cue", "a: 1\nb: 1\n\"c\": 1\n")
	s.open("envs/dev/dev.cue", "tenants: x\n")
	s.ask(2, methodCodeLens, map[string]any{"textDocument": documentID{s.uri("envs/dev/dev.cue")}})
	next(t, f.got, "a request for lenses", method(methodCodeLens))
	f.send(failure(marshal(2), -32601, "no lenses"))
	var lenses []codeLens
	if err := json.Unmarshal(s.reply(2).Result, &lenses); err != nil || len(lenses) != 2 {
		t.Fatalf("%v %+v", err, lenses)
	}
	s.ask(3, methodDocumentLink, map[string]any{"textDocument": documentID{s.uri("envs/dev/dev.cue")}})
	var links []documentLink
	if err := json.Unmarshal(s.reply(3).Result, &links); err != nil || len(links) != 1 || links[0].Target != s.uri("envs/base.cue")+"#3,2" {
		t.Errorf("%v %+v", err, links)
	}
	message := func(text string) {
		t.Helper()
		next(t, s.got, text, func(m message) bool {
			return m.Method == methodShowMessage && strings.Contains(string(m.Params), text)
		})
	}
	s.ask(4, methodExecute, lenses[0].Command)
	s.reply(4)
	s.ask(5, methodExecute, lenses[0].Command)
	message("dev is being planned already")
	close(planned)
	message("dev: Plan: 1 to create")
	s.ask(6, methodExecute, lenses[1].Command)
	message("base.cue:3:2") // this editor cannot be made to show it
	prod := lenses[0].Command
	prod.Arguments = []any{planArgument{s.checker.root, "prod"}}
	s.ask(7, methodExecute, prod)
	message("prod: no key")
	for id, c := range []command{
		{Command: commandPlan},
		{Command: commandPlan, Arguments: []any{planArgument{"/somewhere/else", "dev"}}},
		{Command: commandPlan, Arguments: []any{3}},
		{Command: ownPrefix + "nothing", Arguments: []any{1}},
	} {
		s.ask(20+id, methodExecute, c)
		if m := s.reply(20 + id); len(m.Error) == 0 {
			t.Errorf("%+v: %s", c, m.Result)
		}
	}
	s.ask(8, methodExecute, command{Command: "cue.theirs"})
	m := next(t, f.got, "their command", method(methodExecute))
	f.send(response(m.ID, "done"))
	s.reply(8)
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

// TestRestart: a server that dies is started again and told what is open; after the
// third, diagnostics go on alone.
func TestRestart(t *testing.T) {
	s := newSession(t, Options{}, initializes)
	s.checker.check = reports(Report{Environment: "dev", Diagnostics: model.Diagnostics{mistake("ours", 1, 1)}})
	f, _ := s.start()
	s.open("envs/dev/dev.cue", "x: 1\n")
	s.published("envs/dev/dev.cue", "ours")
	for start := 2; start <= maxStarts; start++ {
		s.ask(start, "textDocument/hover", map[string]any{})
		next(t, f.got, "a hover", method("textDocument/hover"))
		f.kill()
		if m := s.reply(start); !strings.Contains(string(m.Error), "not running") {
			t.Errorf("hover: %s %s", m.Result, m.Error)
		}
		f = <-s.servers
		opened := next(t, f.got, "what is open", method(methodDidOpen))
		if !strings.Contains(string(opened.Params), `x: 1\n`) {
			t.Errorf("opened %s", opened.Params)
		}
	}
	f.kill()
	next(t, s.got, "a word", func(m message) bool {
		return m.Method == methodShowMessage && strings.Contains(string(m.Params), "diagnostics alone")
	})
	s.ask(50, "textDocument/hover", map[string]any{})
	if m := s.reply(50); len(m.Error) == 0 {
		t.Errorf("hover: %s", m.Result)
	}
	s.ask(51, methodCodeAction, map[string]any{"textDocument": documentID{s.uri("envs/dev/dev.cue")}})
	if m := s.reply(51); string(m.Result) != "[]" {
		t.Errorf("actions: %s %s", m.Result, m.Error)
	}
	s.checker.check = reports(Report{Environment: "dev"})
	s.save()
	s.published("envs/dev/dev.cue")
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

func TestWithoutServer(t *testing.T) {
	s := newSession(t, Options{Start: func() (*Server, error) { return nil, errors.New("no such program") }}, nil)
	s.checker.check = reports(Report{Environment: "dev", Diagnostics: model.Diagnostics{mistake("ours", 1, 1)}})
	s.ask(1, methodInitialize, map[string]any{})
	if m := s.reply(1); !strings.Contains(string(m.Result), commandPlan) {
		t.Errorf("%s", m.Result)
	}
	s.notify(methodInitialized, map[string]any{})
	s.open("envs/dev/dev.cue", "x: 1\n")
	s.published("envs/dev/dev.cue", "ours")
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

func TestEnds(t *testing.T) {
	for name, end := range map[string]func(*session){
		"exit without shutdown": func(s *session) { s.notify(methodExit, nil) },
		"the editor is gone":    func(s *session) { _ = s.in.Close() },
		"in the middle":         func(s *session) { _, _ = io.WriteString(s.in, "Content-Length: 100\r\n\r\n{"); _ = s.in.Close() },
		"interrupted":           func(s *session) { s.cancel() },
		"huge":                  func(s *session) { _, _ = io.WriteString(s.in, "Content-Length: 99999999999999\r\n\r\n") },
		"negative":              func(s *session) { _, _ = io.WriteString(s.in, "Content-Length: -1\r\n\r\n") },
		"no header":             func(s *session) { _, _ = io.WriteString(s.in, "GET / HTTP/1.1\r\n\r\n") },
		"no length":             func(s *session) { _, _ = io.WriteString(s.in, "Content-Type: x\r\n\r\n") },
		"endless header":        func(s *session) { go func() { _, _ = s.in.Write([]byte(strings.Repeat("x", 1<<20))) }() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSession(t, Options{}, initializes)
			f, _ := s.start()
			end(s)
			select {
			case err := <-s.ended:
				if err == nil {
					t.Error("no error")
				}
				t.Log(err)
			case <-time.After(10 * time.Second):
				t.Fatal("it goes on")
			}
			_ = s.in.Close()
			<-f.dead
		})
	}
}

// TestGarbage: what is no message, or has odd parameters, is answered or ignored.
func TestGarbage(t *testing.T) {
	s := newSession(t, Options{}, func(f *fakeServer, m message) {
		initializes(f, m)
		if m.Method == methodCodeLens {
			f.send(response(m.ID, "no list"))
		}
	})
	f, _ := s.start()
	s.send([]byte("{"))
	if m := next(t, s.got, "an error", func(m message) bool { return m.isResponse() }); !strings.Contains(string(m.Error), "-32700") {
		t.Errorf("%s", m.Error)
	}
	for _, params := range []string{`7`, `[]`, `{}`, `null`, `{"textDocument": 3}`, `{"textDocument": {"uri": "http://x/y"}}`, `{"textDocument": {"uri": "%"}}`, `{"textDocument":{"uri":"untitled:1"},"contentChanges":7}`} {
		for _, m := range []string{methodDidOpen, methodDidChange, methodDidSave, methodDidClose, methodWatched, methodCancel, "unknown/method"} {
			s.notify(m, json.RawMessage(params))
		}
	}
	for i, m := range []string{methodCodeAction, methodCodeLens, methodDocumentLink} {
		s.ask(10+i, m, json.RawMessage(`{"textDocument": 7}`))
		if m == methodCodeAction {
			got := next(t, f.got, m, method(m))
			f.send(response(got.ID, nil))
		}
		if got := s.reply(10 + i); string(got.Result) != "[]" {
			t.Errorf("%s: %s %s", m, got.Result, got.Error)
		}
	}
	f.send([]byte("{"))
	f.send(response(marshal(12345), nil))
	f.send(notification(methodPublish, map[string]any{"uri": "untitled:1", "diagnostics": []any{}}))
	next(t, s.got, "diagnostics of what is no file", method(methodPublish))
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

// TestFlood: 200 changes and saves against 200 requests, over pipes that hold nothing.
func TestFlood(t *testing.T) {
	s := newSession(t, Options{Pause: time.Millisecond}, func(f *fakeServer, m message) {
		initializes(f, m)
		if m.Method == "textDocument/completion" {
			f.send(response(m.ID, strings.Repeat("x", 10_000)))
		}
	})
	s.checker.check = reports(Report{Environment: "dev", Diagnostics: model.Diagnostics{mistake("ours", 1, 1)}})
	s.start()
	s.open("envs/dev/dev.cue", "x: 1\n")
	go func() {
		for i := range 200 {
			s.notify(methodDidChange, map[string]any{"textDocument": map[string]any{"uri": s.uri("envs/dev/dev.cue"), "version": i}, "contentChanges": []any{map[string]any{"text": fmt.Sprintf("x: %d\n", i)}}})
			s.save()
			s.ask(1000+i, "textDocument/completion", map[string]any{})
		}
	}()
	for i := range 200 {
		s.reply(1000 + i)
	}
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

// TestAnswersAll: a request is answered when what is ours panics, or is not wanted any
// more before it is known.
func TestAnswersAll(t *testing.T) {
	s := newSession(t, Options{}, func(f *fakeServer, m message) {
		initializes(f, m)
		if m.Method == methodCodeLens {
			f.send(response(m.ID, []any{"theirs"}))
		}
	})
	s.start()
	s.open("envs/dev/dev.cue", "x: 1\n")
	s.checker.outlining = func(context.Context) { panic("a defect") }
	s.ask(2, methodCodeLens, map[string]any{"textDocument": documentID{s.uri("envs/dev/dev.cue")}})
	if m := s.reply(2); string(m.Result) != `["theirs"]` {
		t.Errorf("%s %s", m.Result, m.Error)
	}
	s.checker.outlining = func(ctx context.Context) { <-ctx.Done() }
	s.ask(3, methodDocumentLink, map[string]any{"textDocument": documentID{s.uri("envs/dev/dev.cue")}})
	s.notify(methodCancel, map[string]any{"id": 3})
	if m := s.reply(3); !strings.Contains(string(m.Error), "cancelled") {
		t.Errorf("%s %s", m.Result, m.Error)
	}
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

// TestAbleEditor: one that watches files and can be made to show a document.
func TestAbleEditor(t *testing.T) {
	var checks atomic.Int32
	s := newSession(t, Options{}, func(f *fakeServer, m message) {
		if m.Method == methodInitialize {
			f.send(response(m.ID, map[string]any{"capabilities": map[string]any{
				"codeActionProvider":     map[string]any{"codeActionKinds": []any{"source.organizeImports"}},
				"executeCommandProvider": map[string]any{"commands": []any{"cue.theirs"}},
				"textDocumentSync":       1,
			}}))
			return
		}
		initializes(f, m)
	})
	s.checker.check = func(context.Context, Change, func(Report)) Summary {
		checks.Add(1)
		return Summary{Notice: "a notice", Environments: []string{"dev"}}
	}
	f := <-s.servers
	s.ask(1, methodInitialize, map[string]any{"capabilities": map[string]any{
		"window":    map[string]any{"showDocument": map[string]any{"support": true}},
		"workspace": map[string]any{"didChangeWatchedFiles": map[string]any{"dynamicRegistration": true}},
	}})
	able := string(s.reply(1).Result)
	for _, want := range []string{`["source.organizeImports","quickfix"]`, `["cue.theirs","descope-mgmt.plan","descope-mgmt.open"]`, `"openClose":true`} {
		if !strings.Contains(able, want) {
			t.Errorf("no %s in %s", want, able)
		}
	}
	s.notify(methodInitialized, map[string]any{})
	watch := next(t, s.got, "files to watch", method(methodRegister))
	s.send(response(watch.ID, nil)) // is not passed on
	s.open("envs/dev/dev.cue", "x: 1\n")
	next(t, s.got, "a notice", func(m message) bool { return strings.Contains(string(m.Params), "a notice") })
	was := checks.Load()
	s.notify(methodWatched, map[string]any{"changes": []any{map[string]any{"uri": s.uri("envs/flows/login.json"), "type": 2}}})
	for checks.Load() == was {
		time.Sleep(time.Millisecond)
	}
	s.ask(2, methodExecute, command{Command: commandOpen, Arguments: []any{openArgument{URI: s.uri("envs/dev/dev.cue")}}})
	next(t, s.got, "a document to show", method(methodShowDocument))
	s.reply(2)
	if err := s.finish(); err != nil {
		t.Error(err)
	}
	for len(f.got) > 0 {
		if m := <-f.got; m.isResponse() || strings.Contains(string(m.Params), "login.json") {
			t.Errorf("the server got %+v", m)
		}
	}
}
