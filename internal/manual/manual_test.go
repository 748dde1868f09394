package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"pcconnect.ai/descope-mgmt/internal/cli"
)

const referencePage = "../../docs/commands.md"

// TestReference holds docs/commands.md against the command tree; UPDATE=1 writes it.
func TestReference(t *testing.T) {
	want := reference(cli.Commands())
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(referencePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/commands.md is not what the commands say: make golden writes it")
	}
}

// TestReferenceIsComplete looks for each command and each flag in the section of its
// command, without the code that writes them.
func TestReferenceIsComplete(t *testing.T) {
	page := reference(cli.Commands())
	sections := map[string]string{}
	for _, s := range strings.Split(page, "\n## ")[1:] {
		name, text, _ := strings.Cut(s, "\n")
		sections[name] = text
	}
	commands, flags := 0, 0
	for _, c := range visible(cli.Commands()) {
		commands++
		text, ok := sections[c.CommandPath()]
		if !ok {
			t.Errorf("no section for %s", c.CommandPath())
			continue
		}
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if f.Hidden || f.Name == "help" {
				return
			}
			flags++
			if !strings.Contains(text, "--"+f.Name) {
				t.Errorf("%s: --%s is missing", c.CommandPath(), f.Name)
			}
		})
	}
	cli.Commands().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		flags++
		if !strings.Contains(sections["Flags of every command"], "--"+f.Name) {
			t.Errorf("--%s is missing", f.Name)
		}
	})
	if commands < 60 || flags < 100 {
		t.Errorf("found only %d commands and %d flags", commands, flags)
	}
	t.Logf("counts: commands: %d, flags: %d", commands, flags)
}

// TestRelease writes what a release holds: twice the same, and no command missing.
func TestRelease(t *testing.T) {
	var first map[string]string
	for range 2 {
		dir := t.TempDir()
		if err := write(cli.Commands(), filepath.Join(dir, "man"), "2026-01-31T00:00:00Z", filepath.Join(dir, "completions"), ""); err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, pattern := range []string{"man/*", "completions/*"} {
			names, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				b, err := os.ReadFile(name)
				if err != nil || len(b) == 0 {
					t.Fatalf("%s is empty, or %v", name, err)
				}
				files[filepath.Base(name)] = string(b)
			}
		}
		for _, c := range visible(cli.Commands()) {
			page := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
			if !strings.Contains(files[page], c.Short) && !strings.Contains(strings.ReplaceAll(files[page], `\-`, "-"), c.Short) {
				t.Errorf("%s does not say what the command is for", page)
			}
		}
		for _, shell := range []string{"descope-mgmt.bash", "_descope-mgmt", "descope-mgmt.fish", "descope-mgmt.ps1"} {
			if files[shell] == "" {
				t.Errorf("no %s", shell)
			}
		}
		if first == nil {
			first = files
			continue
		}
		for name, text := range first {
			if files[name] != text {
				t.Errorf("%s differs from one time to the next", name)
			}
		}
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash, to read its completion with")
	}
	cmd := exec.Command(bash, "-n", "/dev/stdin")
	cmd.Stdin = strings.NewReader(first["descope-mgmt.bash"])
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("bash cannot read its completion: %v: %s", err, out)
	}
}
