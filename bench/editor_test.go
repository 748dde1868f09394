package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	// editorTenants are in the configuration that is edited.
	editorTenants = 1000
	// inHand is how long the environment in hand may take after a save, allFive how
	// long all may.
	inHand, allFive = 250 * time.Millisecond, 800 * time.Millisecond
	// generous is how much longer a busy machine may take before the test fails.
	generous = 4
)

// editor is a session with the language server.
type editor struct {
	t     *testing.T
	in    io.WriteCloser
	out   *bufio.Reader
	pid   int
	start time.Time
}

// TestEditor measures how long after a save an editor has the diagnostics of 1 000
// tenants: of the environment in hand, and of all five.
func TestEditor(t *testing.T) {
	dir := generate(t, editorTenants)
	environments := []string{"prod", "dev", "devtest", "staging", "test"}
	write := func(name, text string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, env := range environments {
		if env != "prod" {
			write("envs/"+env+"/"+env+".cue", fmt.Sprintf("package envs\n\nenvironment: name: %q\n", env))
		}
		// The overlay says another number than the base: a mistake in each environment.
		write("envs/"+env+"/edited.cue", "package envs\n\ntenants: edited: custom_attributes: n: 0\n")
	}
	base := func(n int) string {
		return fmt.Sprintf("package envs\n\ntenants: edited: {name: \"Edited\", custom_attributes: n: %d}\n", n)
	}
	write("envs/edited.cue", base(1))

	e := openEditor(t, ours(t), dir)
	uri := func(name string) string { return (&url.URL{Scheme: "file", Path: filepath.Join(dir, name)}).String() }
	e.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri("envs/prod/edited.cue"), "languageId": "cue", "version": 1, "text": "package envs\n\ntenants: edited: custom_attributes: n: 0\n"}})
	e.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri("envs/edited.cue"), "languageId": "cue", "version": 1, "text": base(1)}})
	told := func(n int) (first, all took, order []string) {
		start := e.now()
		seen := map[string]bool{}
		for len(seen) < len(environments) {
			file, text := e.published()
			if strings.Contains(text, fmt.Sprintf("but %d in the base", n)) {
				env := filepath.Base(filepath.Dir(file))
				if len(seen) == 0 {
					first = e.now().since(start)
				}
				if !seen[env] {
					order = append(order, env)
				}
				seen[env] = true
			}
		}
		return first, e.now().since(start), order
	}
	told(1)
	var firsts, alls []took
	for round := range 9 {
		n := round + 2
		e.notify("textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": uri("envs/edited.cue"), "version": n}, "contentChanges": []any{map[string]any{"text": base(n)}}})
		write("envs/edited.cue", base(n))
		e.notify("textDocument/didSave", map[string]any{"textDocument": map[string]any{"uri": uri("envs/edited.cue")}})
		first, all, order := told(n)
		firsts, alls = append(firsts, first), append(alls, all)
		if order[0] != "prod" {
			t.Errorf("the environment in hand is prod, but %s came first", order[0])
		}
	}
	for _, m := range []struct {
		what   string
		took   []took
		budget time.Duration
	}{
		{"editor, 1 000 tenants: a save, the environment in hand", firsts, inHand},
		{"editor, 1 000 tenants: a save, all five environments", alls, allFive},
	} {
		var wall, cpu []time.Duration
		for _, x := range m.took {
			wall, cpu = append(wall, x.wall), append(cpu, x.cpu)
		}
		slices.Sort(wall)
		slices.Sort(cpu)
		t.Logf("%s: wall best %v, median %v; processor best %v, median %v", m.what, wall[0], wall[len(wall)/2], cpu[0], cpu[len(cpu)/2])
		median := wall[len(wall)/2]
		record(t, m.what, median.Round(time.Millisecond).String(), m.budget.String(), median <= m.budget)
		// A machine that is busy with other work makes it wait, but not work much more.
		if best := min(wall[0], max(cpu[0], tick)); best > generous*m.budget {
			t.Errorf("%s took %v at best, the budget is %v", m.what, best, m.budget)
		}
	}
}

// took is how long something took, and the processor time of the proxy meanwhile.
type took struct{ wall, cpu time.Duration }

func (t took) since(o took) took { return took{t.wall - o.wall, t.cpu - o.cpu} }

// now is the time since the session began; without processor time where the system
// does not say.
func (e *editor) now() took {
	wall := time.Since(e.start)
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", e.pid))
	if err != nil {
		return took{wall, wall}
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return took{wall, time.Duration(user+system) * tick}
}

func openEditor(t *testing.T, binary, dir string) *editor {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "lsp")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e := &editor{t, in, bufio.NewReader(out), cmd.Process.Pid, time.Now()}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	e.send(map[string]any{"id": 1, "method": "initialize", "params": map[string]any{"capabilities": map[string]any{}, "rootUri": (&url.URL{Scheme: "file", Path: dir}).String()}})
	for e.receive().ID == nil {
	}
	e.notify("initialized", map[string]any{})
	return e
}

func (e *editor) notify(method string, params any) {
	e.send(map[string]any{"method": method, "params": params})
}

func (e *editor) send(m map[string]any) {
	e.t.Helper()
	m["jsonrpc"] = "2.0"
	b, err := json.Marshal(m)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(e.in, "Content-Length: %d\r\n\r\n%s", len(b), b); err != nil {
		e.t.Fatal(err)
	}
}

type received struct {
	ID     any             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

func (e *editor) receive() received {
	e.t.Helper()
	header, err := textproto.NewReader(e.out).ReadMIMEHeader()
	if err != nil {
		e.t.Fatal(err)
	}
	n, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		e.t.Fatal(err)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(e.out, body); err != nil {
		e.t.Fatal(err)
	}
	var m received
	if err := json.Unmarshal(body, &m); err != nil {
		e.t.Fatal(err)
	}
	return m
}

// published waits for diagnostics: the file, and all that is said of it.
func (e *editor) published() (file, text string) {
	e.t.Helper()
	for {
		m := e.receive()
		if m.Method != "textDocument/publishDiagnostics" {
			continue
		}
		var p struct {
			URI         string          `json:"uri"`
			Diagnostics json.RawMessage `json:"diagnostics"`
		}
		if err := json.Unmarshal(m.Params, &p); err != nil {
			e.t.Fatal(err)
		}
		return p.URI, string(p.Diagnostics)
	}
}
