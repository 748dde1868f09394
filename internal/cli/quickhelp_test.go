package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/ui"
)

// TestQuickHelp holds the text that the program prints for a bare --help before
// it is initialised against what the command line would print.
func TestQuickHelp(t *testing.T) {
	var out bytes.Buffer
	a := &app{streams: &ui.Streams{Out: &out, ErrOut: &out}}
	if code := a.run(t.Context(), []string{"--help"}); code != exitOK {
		t.Fatalf("exit %d", code)
	}
	path := filepath.Join("..", "quickhelp", "help.txt")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, out.Bytes()) {
		t.Errorf("%s is not what --help prints; UPDATE=1 writes it", path)
	}
}

// TestQuickHelpIsFirst builds the program and asks the runtime what had been
// initialised when the answer came: nothing of what makes the start long.
func TestQuickHelpIsFirst(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: builds the program (-short)")
	}
	program := filepath.Join(t.TempDir(), "descope-mgmt")
	if out, err := exec.Command("go", "build", "-o", program, "pcconnect.ai/descope-mgmt/cmd/descope-mgmt").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want, err := os.ReadFile(filepath.Join("..", "quickhelp", "help.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--help", "-h"} {
		var out, trace bytes.Buffer
		cmd := exec.Command(program, flag)
		cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		cmd.Stdout, cmd.Stderr = &out, &trace
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Errorf("%s printed %q", flag, out.String())
		}
		for _, late := range []string{"cuelang.org", "github.com", "google.golang.org", "net/http"} {
			if strings.Contains(trace.String(), "init "+late) {
				t.Errorf("%s: packages of %s were initialised before the answer:\n%s", flag, late, trace.String())
			}
		}
		if !strings.Contains(trace.String(), "init ") {
			t.Error("the runtime reported no initialisation: the test sees nothing")
		}
	}
}
