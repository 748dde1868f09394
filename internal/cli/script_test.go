package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"descope-mgmt": func() { os.Exit(Main()) },
	})
}

// TestScripts runs testdata/script. Each script has a directory and a state
// directory of its own, no network but an emulator of its own, and a clean
// environment.
func TestScripts(t *testing.T) {
	p := testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup:               setupScript,
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     cmdExits,
			"process":   cmdProcess,
			"emulate":   cmdEmulate,
			"fault":     cmdFault,
			"requests":  cmdRequests,
			"edit":      cmdEdit,
			"live":      cmdLive,
			"cpr":       cmdCopyTree,
			"live-set":  cmdLiveSet,
			"capture":   cmdCapture,
			"flip":      cmdFlip,
			"page":      cmdPage,
			"shows":     cmdShows,
			"writes":    cmdWrites,
			"told":      cmdTold,
			"fits":      cmdFits,
			"jobscript": cmdJobScript,
		},
	}
	if underRace {
		// Processes of their own, most of whose time is their start. These do work at the
		// same time; all of them are run without the detector.
		p.Dir = ""
		for _, name := range []string{"sync", "partial", "faults", "lock", "finish", "rollback"} {
			p.Files = append(p.Files, filepath.Join("testdata", "script", name+".txtar"))
		}
	} else if scripts, err := filepath.Glob(filepath.Join(p.Dir, "*.txtar")); err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts in %s (%v)", p.Dir, err)
	}
	testscript.Run(t, p)
}

func setupScript(env *testscript.Env) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	env.Setenv("REPO", root)
	env.Setenv("HOME", env.WorkDir+"/home")
	env.Setenv("DESCOPE_STATE_DIR", env.WorkDir+"/state")
	env.Setenv("TERM", "xterm")
	env.Values[pagesKey{}] = &pages{shown: map[string]int{}}
	// A configuration that most scripts can do with: see testdata/base.
	return copyTree("testdata/base", env.WorkDir)
}

// cmdExits runs a command line of ours in this process, which saves the start of one,
// and checks its exit code: "exits 5 descope-mgmt plan". It has no terminal, and nothing
// on its standard input.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 || args[1] != "descope-mgmt" {
		ts.Fatalf("usage: exits CODE descope-mgmt ARGUMENT...")
	}
	a := &app{
		environ: func(name string) (string, bool) { v := ts.Getenv(name); return v, v != "" },
		workDir: ts.MkAbs("."), home: ts.Getenv("HOME"), now: time.Now,
		streams: &ui.Streams{In: strings.NewReader(""), Out: ts.Stdout(), ErrOut: ts.Stderr()},
	}
	if code := a.run(context.Background(), args[2:]); fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// cmdProcess is exits in a process of its own, with the terminal or the standard input
// that the script gave: "process 6 descope-mgmt sync".
func cmdProcess(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: process CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// cmdLiveSet sets a field of a live tenant, as somebody in the console would:
// "live-set acme-corp enforceSSO true", in all projects that have it, or in one:
// "live-set P2…/acme-corp enforceSSO true". The value is JSON, or text.
func cmdLiveSet(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: live-set TENANT FIELD VALUE")
	}
	var value any
	if json.Unmarshal([]byte(args[2]), &value) != nil {
		value = args[2]
	}
	server := emulationOf(ts)
	var doc map[string]any
	ts.Check(json.Unmarshal(server.Export(), &doc))
	project, id, one := strings.Cut(args[0], "/")
	if !one {
		id = args[0]
	}
	found := false
	for name, p := range doc["projects"].(map[string]any) {
		if one && name != project {
			continue
		}
		tenants, _ := p.(map[string]any)["tenants"].([]any)
		for _, t := range tenants {
			if t := t.(map[string]any); t["id"] == id {
				t[args[1]], found = value, true
			}
		}
	}
	if !found {
		ts.Fatalf("there is no live tenant %s", args[0])
	}
	data, err := json.Marshal(doc)
	ts.Check(err)
	ts.Check(server.Seed(data))
}

// cmdCapture puts a field of the JSON object on stdout into a variable:
// "capture RUN run".
func cmdCapture(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: capture VARIABLE FIELD")
	}
	var doc map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc))
	value, ok := doc[args[1]].(string)
	if !ok {
		ts.Fatalf("stdout has no text in its field %q", args[1])
	}
	ts.Setenv(args[0], value)
}

// cmdFlip changes one byte in the middle of a file: "flip FILE".
func cmdFlip(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: flip FILE")
	}
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(path, data, 0o600))
}

// emulations are the emulators of the running scripts, by work directory.
var emulations sync.Map

// cmdEmulate starts an emulator and points DESCOPE_BASE_URL at it. Arguments:
// fault=…, rate=…, quirk=NAME=VALUE, key=…, project=…, tier=….
func cmdEmulate(ts *testscript.TestScript, _ bool, args []string) {
	o := emulator.Options{}
	var err error
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "rate":
			o.Budgets, err = emulator.ParseBudgets(value)
		case "fault":
			var f emulator.Fault
			f, err = emulator.ParseFault(value)
			o.Faults = append(o.Faults, f)
		case "quirk":
			k, v, _ := strings.Cut(value, "=")
			err = o.Quirks.Set(k, v)
		case "key":
			o.Keys = append(o.Keys, emulator.Key{Key: value})
		case "project":
			o.Projects = append(o.Projects, value)
		case "tier":
			o.Tier = value
		case "latency":
			o.Latency, err = time.ParseDuration(value)
		default:
			ts.Fatalf("emulate: what is %q?", arg)
		}
		ts.Check(err)
	}
	s, err := emulator.New(o)
	ts.Check(err)
	h := httptest.NewServer(s)
	ts.Defer(h.Close)
	ts.Setenv("DESCOPE_BASE_URL", h.URL)
	ts.Setenv("DESCOPE_MANAGEMENT_KEY", "Ktest-key-of-the-emulator")
	emulations.Store(ts.Getenv("WORK"), s)
}

func emulationOf(ts *testscript.TestScript) *emulator.Server {
	e, ok := emulations.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("there is no emulator: emulate starts one")
	}
	return e.(*emulator.Server)
}

// cmdFault sets the faults of the emulator: "fault reset,count=1", or none.
func cmdFault(ts *testscript.TestScript, _ bool, args []string) {
	var faults []emulator.Fault
	for _, a := range args {
		f, err := emulator.ParseFault(a)
		ts.Check(err)
		faults = append(faults, f)
	}
	ts.Check(emulationOf(ts).SetFaults(faults...))
}

// cmdRequests compares the emulator's log since the last call with lines of
// "METHOD /path STATUS"; "requests -count N SUBSTRING" counts instead.
func cmdRequests(ts *testscript.TestScript, neg bool, args []string) {
	e := emulationOf(ts)
	var lines []string
	for _, r := range e.Requests() {
		lines = append(lines, fmt.Sprintf("%s %s %d", r.Method, r.Path, r.Status))
	}
	ts.Check(e.Reset("requests"))
	if len(args) == 3 && args[0] == "-count" {
		n := 0
		for _, l := range lines {
			if strings.Contains(l, args[2]) {
				n++
			}
		}
		if fmt.Sprint(n) != args[1] {
			ts.Fatalf("%d requests contain %q, want %s:\n%s", n, args[2], args[1], strings.Join(lines, "\n"))
		}
		return
	}
	got := strings.Join(lines, "\n")
	want := strings.Join(args, "\n")
	if (got == want) == neg {
		ts.Fatalf("the requests were:\n%s\nwanted:\n%s", got, want)
	}
}

// cmdEdit replaces text in a file: "edit FILE OLD NEW"; OLD must be there.
func cmdEdit(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(data, []byte(args[1])) {
		ts.Fatalf("%s does not contain %q:\n%s", args[0], args[1], data)
	}
	ts.Check(os.WriteFile(path, bytes.ReplaceAll(data, []byte(args[1]), []byte(args[2])), 0o600))
}

// cmdLive seeds the emulator with a JSON file.
func cmdLive(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: live FILE")
	}
	ts.Check(emulationOf(ts).Seed([]byte(ts.ReadFile(args[0]))))
}

// cmdCopyTree copies a directory: "cpr FROM TO".
func cmdCopyTree(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: cpr FROM TO")
	}
	ts.Check(copyTree(args[0], ts.MkAbs(args[1])))
}

func copyTree(from, to string) error { return os.CopyFS(to, os.DirFS(from)) }
