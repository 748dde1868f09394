package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/lsp"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// languageServer is the program as a language server, in a process of its own.
type languageServer struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
	all strings.Builder // all that it said
}

type lspMessage struct {
	ID     any             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

func (l *languageServer) send(m map[string]any) {
	l.t.Helper()
	m["jsonrpc"] = "2.0"
	b, err := json.Marshal(m)
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(l.in, "Content-Length: %d\r\n\r\n%s", len(b), b); err != nil {
		l.t.Fatal(err)
	}
}

// until reads messages until one fits.
func (l *languageServer) until(fits func(lspMessage) bool) lspMessage {
	l.t.Helper()
	for {
		header, err := textproto.NewReader(l.out).ReadMIMEHeader()
		if err != nil {
			l.t.Fatalf("%v after:\n%s", err, l.all.String())
		}
		n, _ := strconv.Atoi(header.Get("Content-Length"))
		body := make([]byte, n)
		if _, err := io.ReadFull(l.out, body); err != nil {
			l.t.Fatal(err)
		}
		l.all.Write(append(body, '\n'))
		var m lspMessage
		if err := json.Unmarshal(body, &m); err != nil {
			l.t.Fatal(err)
		}
		if fits(m) {
			return m
		}
	}
}

func (l *languageServer) reply(id int, method string, params any) lspMessage {
	l.t.Helper()
	l.send(map[string]any{"id": id, "method": method, "params": params})
	return l.until(func(m lspMessage) bool { return m.ID == float64(id) && m.Method == "" })
}

// TestLanguageServer drives the program with CUE's real server behind it: what that one
// knows comes through, a plan is made with the settings of the program, and the key is
// in nothing that is said.
func TestLanguageServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.mustRun(exitOK, "schema", "sync")
	cmd := w.command("lsp", "--log-level", "debug")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs output
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l := &languageServer{t: t, in: in, out: bufio.NewReader(out)}
	uri := func(name string) string {
		return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(w.dir, name))}).String()
	}
	l.reply(1, "initialize", map[string]any{"rootUri": uri(""), "capabilities": map[string]any{}, "workspaceFolders": []any{map[string]any{"uri": uri(""), "name": "it"}}})
	l.send(map[string]any{"method": "initialized", "params": map[string]any{}})
	document := map[string]any{"uri": uri("envs/tenants.cue"), "languageId": "cue", "version": 1, "text": "package envs\n\nimport \"example.com/identity/schema\"\n\ntenants: \"acme-corp\": schema.#Tenant & {\n\tname: 7\n}\n"}
	l.send(map[string]any{"method": "textDocument/didOpen", "params": map[string]any{"textDocument": document}})
	l.until(func(m lspMessage) bool {
		return m.Method == "textDocument/publishDiagnostics" && strings.Contains(string(m.Params), "tenant/acme-corp: name cannot be 7")
	})
	if m := l.reply(2, "textDocument/hover", map[string]any{"textDocument": document, "position": map[string]any{"line": 5, "character": 2}}); !strings.Contains(string(m.Result), "name") {
		t.Errorf("hover: %s %s", m.Result, m.Error)
	}
	var lenses []struct {
		Command map[string]any `json:"command"`
	}
	if err := json.Unmarshal(l.reply(3, "textDocument/codeLens", map[string]any{"textDocument": map[string]any{"uri": uri("envs/dev/dev.cue")}}).Result, &lenses); err != nil || len(lenses) != 1 {
		t.Fatalf("%v %v", err, lenses)
	}
	l.reply(4, "workspace/executeCommand", lenses[0].Command)
	l.until(func(m lspMessage) bool {
		return m.Method == "window/showMessage" && strings.Contains(string(m.Params), "dev: ")
	})
	contains(t, l.all.String(), "2 to create")
	l.reply(5, "shutdown", nil)
	l.send(map[string]any{"method": "exit"})
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &errs)
	}
	if said := l.all.String() + errs.String(); strings.Contains(said, testKey) {
		t.Errorf("the key is in what was said:\n%s", said)
	}
}

// checkOf is what the checker reports of a world, in the order in which it does.
func checkOf(t *testing.T, c *lspChecker, change lsp.Change) (reports []lsp.Report, s lsp.Summary) {
	t.Helper()
	s = c.Check(t.Context(), change, func(r lsp.Report) { reports = append(reports, r) })
	return reports, s
}

func TestLspCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	c := newLspChecker()
	file := func(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }
	root, ok := c.Root(file("envs/dev/dev.cue"))
	if !ok || root != w.dir {
		t.Fatalf("root %q %v", root, ok)
	}
	if root, ok := c.Root(filepath.Join(filepath.Dir(w.dir), "x.cue")); ok {
		t.Errorf("a file of no module is in %q", root)
	}

	// The overlay that was worked on last comes first; a file of the base does not count.
	change := lsp.Change{Root: w.dir, Recent: []string{file("envs/tenants.cue"), "/elsewhere/x.cue", file("envs/staging/staging.cue"), file("envs/dev/dev.cue")}}
	reports, s := checkOf(t, c, change)
	if len(reports) != 4 || reports[0].Environment != "staging" || !slices.Equal(s.Environments, []string{"dev", "prod", "staging"}) {
		t.Errorf("%+v %+v", reports, s)
	}
	contains(t, s.Notice, "descope-mgmt schema sync")
	for _, r := range reports {
		if len(r.Diagnostics) > 0 {
			t.Errorf("%+v", r)
		}
	}

	// What is not saved counts; environments that share a project are told of together.
	change.Unsaved = map[string][]byte{file("envs/dev/dev.cue"): []byte("package envs\nenvironment: {name: \"dev\", project_id: \"P2prodprodprodprodprodprodpr\"}\n")}
	reports, _ = checkOf(t, c, change)
	var found []string
	for _, r := range reports {
		for _, d := range r.Diagnostics {
			found = append(found, d.Code+" "+d.Origin.File)
		}
	}
	slices.Sort(found)
	if found = slices.Compact(found); !slices.Equal(found, []string{"shared-project envs/dev/dev.cue", "shared-project envs/prod/prod.cue"}) {
		t.Errorf("%q", found)
	}

	// The same is said as by validate.
	w.edit("envs/prod/prod.cue", "protected:  true", "protcted:  true")
	w.write("envs/prod/accepted-drift.json", "{")
	w.write("envs/dev/dev.cue", "package envs\nenvironment: name: \"dev\"\ntenants: \"acme-corp\": name: \"Other\"\ntenants: \"x-tenant\": {name: \"Acme Corporation\", parent: \"acme-crop\"}\n")
	reports, _ = checkOf(t, c, lsp.Change{Root: w.dir})
	var all model.Diagnostics
	for _, r := range reports {
		all = append(all, r.Diagnostics...)
	}
	var want struct{ Diagnostics model.Diagnostics }
	if err := json.Unmarshal([]byte(w.run("validate", "-o", "json").out), &want); err != nil {
		t.Fatal(err)
	}
	if got := all.Sort(); len(got) != len(want.Diagnostics) || len(got) < 2 {
		t.Errorf("%d mistakes, validate finds %d", len(got), len(want.Diagnostics))
	} else {
		for i := range got {
			if got[i].Raw = ""; fmt.Sprint(got[i].Origin, got[i].Summary, got[i].Fix) != fmt.Sprint(want.Diagnostics[i].Origin, want.Diagnostics[i].Summary, want.Diagnostics[i].Fix) {
				t.Errorf("%+v, validate says %+v", got[i], want.Diagnostics[i])
			}
		}
	}

	// A configuration that cannot be read at all says so in its module file.
	w.write("cue.mod/module.cue", "module: 7\n")
	if reports, _ = checkOf(t, c, lsp.Change{Root: w.dir}); len(reports) != 1 || reports[0].Main != "cue.mod/module.cue" || len(reports[0].Diagnostics) != 1 {
		t.Errorf("%+v", reports)
	}
}

func TestLspNoEnvironments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	for _, env := range []string{"dev", "prod", "staging"} {
		if err := os.RemoveAll(filepath.Join(w.dir, "envs", env)); err != nil {
			t.Fatal(err)
		}
	}
	if reports, _ := checkOf(t, newLspChecker(), lsp.Change{Root: w.dir}); len(reports) != 1 || reports[0].Diagnostics[0].Code != "unknown-environment" {
		t.Errorf("%+v", reports)
	}
}

// TestLspEndless: evaluations that do not end are given up, but only so many.
func TestLspEndless(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	c := newLspChecker()
	c.patience = 10 * time.Millisecond
	for range maxEvaluations {
		c.slots <- struct{}{}
	}
	if _, s := checkOf(t, c, lsp.Change{Root: w.dir}); !strings.Contains(s.Notice, "do not end") {
		t.Errorf("%+v", s)
	}
	c.patience = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s := c.Check(ctx, lsp.Change{Root: w.dir}, func(lsp.Report) { t.Error("a report") }); s.Notice != "" {
		t.Errorf("%+v", s)
	}
	<-c.slots
	if _, s := checkOf(t, c, lsp.Change{Root: w.dir}); len(s.Environments) != 3 {
		t.Errorf("%+v", s)
	}
}

func TestLspOutline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	c := newLspChecker()
	titles := func(name string, unsaved map[string][]byte) (out []string) {
		o := c.Outline(t.Context(), filepath.Join(w.dir, filepath.FromSlash(name)), unsaved)
		for _, l := range o.Lenses {
			out = append(out, fmt.Sprintf("%s %s %s", l.At, l.Title, l.Target))
		}
		for _, l := range o.Links {
			out = append(out, fmt.Sprintf("%s link %s %s", l.At, l.Text, l.Target))
		}
		return out
	}
	for name, want := range map[string][]string{
		"envs/tenants.cue":     {"envs/tenants.cue:5:10 changed in prod envs/prod/prod.cue:9:10", "envs/tenants.cue:5:10 changed in staging envs/staging/staging.cue:8:10"},
		"envs/dev/dev.cue":     {"envs/dev/dev.cue:3:1 plan dev "},
		"envs/prod/prod.cue":   {"envs/prod/prod.cue:3:1 plan prod ", "envs/prod/prod.cue:9:10 base envs/tenants.cue:5:10", `envs/prod/prod.cue:9:10 link "acme-corp" envs/tenants.cue:5:10`},
		"cue.mod/module.cue":   nil,
		"../elsewhere/x.cue":   nil,
		"envs/none/absent.cue": nil,
	} {
		if got := titles(name, nil); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	// While something is typed that does not parse, what was there stays.
	unsaved := map[string][]byte{filepath.Join(w.dir, "envs", "dev", "dev.cue"): []byte("package envs\n\nenvironment: {")}
	if got := titles("envs/dev/dev.cue", unsaved); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
