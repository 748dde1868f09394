// Command manual writes what is made of the command tree: man pages and shell
// completions for a release, and the command reference of the documentation.
//
//	go run ./internal/manual -man dist/man -completions dist/completions -date 2026-01-31T00:00:00Z
//	go run ./internal/manual -reference docs/commands.md
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"pcconnect.ai/descope-mgmt/internal/cli"
)

func main() {
	man := flag.String("man", "", "write a man page for each command into this directory")
	completions := flag.String("completions", "", "write the completions of bash, zsh, fish and PowerShell into this directory")
	page := flag.String("reference", "", "write the command reference to this file")
	date := flag.String("date", "", "the date of the man pages, RFC 3339, instead of today's")
	flag.Parse()
	if err := write(cli.Commands(), *man, *date, *completions, *page); err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1) //nolint:forbidigo // this is a main
	}
}

// write writes what has a name.
func write(root *cobra.Command, man, date, completions, page string) error {
	if man != "" {
		if err := manPages(root, man, date); err != nil {
			return err
		}
	}
	if completions != "" {
		if err := writeCompletions(root, completions); err != nil {
			return err
		}
	}
	if page == "" {
		return nil
	}
	return os.WriteFile(page, []byte(reference(root)), 0o644) //nolint:gosec // documentation is for everybody
}

// manPages writes a page for each command. A release gives the date of its commit, so
// that one commit always makes the same pages.
func manPages(root *cobra.Command, dir, date string) error {
	header := &doc.GenManHeader{Title: "DESCOPE-MGMT", Section: "1", Source: "descope-mgmt", Manual: "descope-mgmt"}
	if date != "" {
		at, err := time.Parse(time.RFC3339, date)
		if err != nil {
			return err
		}
		header.Date = &at
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // as above
		return err
	}
	root.DisableAutoGenTag = true
	return doc.GenManTree(root, header, dir)
}

func writeCompletions(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // as above
		return err
	}
	for _, shell := range []struct {
		file  string
		write func(*bytes.Buffer) error
	}{
		{"descope-mgmt.bash", func(b *bytes.Buffer) error { return root.GenBashCompletionV2(b, true) }},
		{"_descope-mgmt", func(b *bytes.Buffer) error { return root.GenZshCompletion(b) }},
		{"descope-mgmt.fish", func(b *bytes.Buffer) error { return root.GenFishCompletion(b, true) }},
		{"descope-mgmt.ps1", func(b *bytes.Buffer) error { return root.GenPowerShellCompletionWithDesc(b) }},
	} {
		var b bytes.Buffer
		if err := shell.write(&b); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, shell.file), b.Bytes(), 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return nil
}
