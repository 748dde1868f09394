package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/scaffold"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// emptyWorld works in a directory without a configuration.
func emptyWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, emulator.Options{})
	w.dir = t.TempDir()
	return w
}

func (w *world) answers(answers ...string) *ui.FakePrompter {
	f := &ui.FakePrompter{Answers: answers}
	w.prompter = f
	return f
}

// paths are all files below a directory.
func paths(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if path != dir {
			out = append(out, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return out
}

func TestInitAsks(t *testing.T) {
	w := emptyWorld(t)
	asked := w.answers(
		"Example.com/X", "git.acme.com/identity", // the first one is none
		"dev prod flows", "dev, prod",
		"P2short", devProject,
		devProject, prodProject,
		"n", "y")
	r := w.mustRun(exitOK, "init", "identity")
	want := []string{
		"Name of the module [example.com/identity]:", "Name of the module [example.com/identity]:",
		"Environments [dev,staging,prod]:", "Environments [dev,staging,prod]:",
		"Project id of dev [none yet]:", "Project id of dev [none yet]:", "Project id of prod [none yet]:", "Project id of prod [none yet]:",
		"Import what the projects have? It needs a management key.", "Write 26 files into identity?",
	}
	if strings.Join(asked.Questions, "\n") != strings.Join(want, "\n") {
		t.Errorf("asked %q", asked.Questions)
	}
	for _, says := range []string{`"Example.com/X" cannot be the name of a module`, "envs/flows/ is where exported flows lie", `project id "P2short" has 7 characters`, "dev has this project already"} {
		if !strings.Contains(r.err, says) {
			t.Errorf("%q is not said in\n%s", says, r.err)
		}
	}
	text, err := os.ReadFile(filepath.Join(w.dir, "identity", "envs", "prod", "prod.cue"))
	if err != nil || !strings.Contains(string(text), prodProject) || !strings.Contains(string(text), "protected:  true") {
		t.Errorf("%v\n%s", err, text)
	}
	if !strings.Contains(r.out, "module git.acme.com/identity, environments dev, prod.") {
		t.Error(r.out)
	}
	w.answers() // nothing is asked of a configuration that is there
	w.mustRun(exitOK, "init", "identity")
}

// TestInitDefaults: Enter is what is offered, and what is given is not asked.
func TestInitDefaults(t *testing.T) {
	w := emptyWorld(t)
	w.answers("", "", "", "", "", "y")
	r := w.mustRun(exitOK, "init", "identity")
	if !strings.Contains(r.out, "module example.com/identity, environments dev, staging, prod.") {
		t.Error(r.out)
	}
	asked := w.answers("y", "y")
	w.mustRun(exitOK, "init", "other", "--module", "example.com/o", "--env", "dev", "--project-id", "dev="+devProject)
	if len(asked.Questions) != 2 || len(asked.Answers) != 0 {
		t.Errorf("asked %q", asked.Questions)
	}
}

// stopping is somebody who presses Ctrl-C at the nth question.
type stopping struct {
	ui.Prompter
	stop context.CancelFunc
	left int
}

func (s *stopping) Input(ctx context.Context, question string) (string, error) {
	s.count()
	return s.Prompter.Input(ctx, question)
}

func (s *stopping) Confirm(ctx context.Context, question string) error {
	s.count()
	return s.Prompter.Confirm(ctx, question)
}

func (s *stopping) count() {
	if s.left--; s.left == 0 {
		s.stop()
	}
}

// TestInitStopped: whoever stops at any question, by Ctrl-C, at the end of the input or
// by no, leaves nothing behind.
func TestInitStopped(t *testing.T) {
	answers := []string{"", "dev", devProject, "n", "y"}
	for n := 1; n <= len(answers); n++ {
		w := emptyWorld(t)
		ctx, stop := context.WithCancel(t.Context())
		w.ctx, w.prompter = ctx, &stopping{&ui.FakePrompter{Answers: answers}, stop, n}
		w.mustRun(exitInterrupted, "init", "identity")
		if left := paths(t, w.dir); len(left) > 0 {
			t.Errorf("stopped at question %d, there is %q", n, left)
		}
		stop()
	}
	for n := range len(answers) {
		if n == 3 {
			continue // no import is an answer like another
		}
		w := emptyWorld(t)
		w.answers(answers[:n]...)
		r := w.mustRun(exitRefused, "init", "identity")
		if left := paths(t, w.dir); len(left) > 0 || !strings.Contains(r.err, "nothing was written: declined") {
			t.Errorf("ended at question %d, there is %q\n%s", n+1, left, r.err)
		}
	}
}

// TestInitUndone: what cannot be written as a whole is not written at all.
func TestInitUndone(t *testing.T) {
	files := []scaffold.File{{Path: "a/b/one", Text: []byte("1")}, {Path: "two", Text: []byte("2")}, {Path: "two/three", Text: []byte("3")}}
	for name, root := range map[string]string{"new": "new", "there": "."} {
		dir := t.TempDir()
		w := &started{root: filepath.Join(dir, root), files: files}
		err := w.write(t.Context())
		if left := paths(t, dir); err == nil || !strings.Contains(err.Error(), "nothing was written") || len(left) > 0 {
			t.Errorf("%s: %v, there is %q", name, err, left)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		w.files = files[:2]
		if err := w.write(ctx); !errors.Is(err, context.Canceled) || len(paths(t, dir)) > 0 {
			t.Errorf("%s: %v, there is %q", name, err, paths(t, dir))
		}
		if err := w.write(t.Context()); err != nil {
			t.Error(err)
		}
		if err := w.write(t.Context()); err == nil || !strings.Contains(err.Error(), "a/b/one exists by now") || len(paths(t, w.root)) != 4 {
			t.Errorf("%s: %v, there is %q", name, err, paths(t, dir))
		}
	}
}

func TestIgnoresDotEnv(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "node_modules/\n": false, ".env\n": true, "/.env": true, "x\r\n.env\r\n": true, "# .env\n": false, ".env.local\n": false, ".env*\n": true, "!.env\n": false, "**/.env": true,
	} {
		if got := ignoresDotEnv([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestEmulatedProject: an environment without a project has one in the emulator, of the
// form of a real one, that no other environment or configuration has.
func TestEmulatedProject(t *testing.T) {
	seen := map[string]string{}
	for _, root := range []string{"/home/a", "/home/b"} {
		for _, env := range []string{"dev", "eu-prod", "euprod", strings.Repeat("long", 10), strings.Repeat("long", 10) + "er", "Ä", ""} {
			id := emulatedProject(root, env)
			if err := checkProjectID(id); err != nil || emulatedProject(root, env) != id {
				t.Errorf("%s %q: %v", root, env, err)
			}
			if other, ok := seen[id]; ok {
				t.Errorf("%s %s has the project of %s", root, env, other)
			}
			seen[id] = root + " " + env
		}
	}
}
