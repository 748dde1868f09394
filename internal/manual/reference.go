package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// reference is the page of all commands: what each is for, its usage, examples and
// flags. Flags of every command stand once, at its beginning.
func reference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(`# Commands

Every command, as its ` + "`--help`" + ` describes it. This page is made from the command tree
(` + "`make golden`" + `). What is written here as one page is in a release as man pages, too.

`)
	for _, c := range visible(root) {
		fmt.Fprintf(&b, "- [%s](#%s): %s\n", c.CommandPath(), anchor(c), c.Short)
	}
	b.WriteString("\n## Flags of every command\n\n")
	b.WriteString(flagTable(root.PersistentFlags()))
	for _, c := range visible(root) {
		command(&b, c)
	}
	return b.String()
}

// visible are a command's descendants that are shown to people, in the order of the
// help, each before its own.
func visible(c *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			out = append(append(out, sub), visible(sub)...)
		}
	}
	return out
}

func anchor(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func command(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n", c.CommandPath())
	about := c.Long
	if about == "" {
		about = c.Short + "."
	}
	fmt.Fprintf(b, "%s\n", escaped(about))
	c.InitDefaultHelpFlag()
	table := flagTable(c.LocalNonPersistentFlags())
	if c.Runnable() && (!c.HasSubCommands() || table != "") {
		fmt.Fprintf(b, "\n    %s\n", c.UseLine())
	}
	if len(c.Aliases) > 0 {
		fmt.Fprintf(b, "\nAlso: `%s`.\n", strings.Join(c.Aliases, "`, `"))
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", unindented(c.Example))
	}
	if table != "" {
		fmt.Fprintf(b, "\n%s", table)
	}
}

// flagTable is a row for each flag that is shown to people, or "".
func flagTable(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if b.Len() == 0 {
			b.WriteString("| flag | |\n| --- | --- |\n")
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		if kind != "" {
			name += " " + kind
		}
		if !zero(f) {
			usage += " (default `" + f.DefValue + "`)"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.ReplaceAll(escaped(usage), "|", `\|`))
	})
	return b.String()
}

// zero reports whether a flag's default is what its type begins with, so that there
// is nothing to say.
func zero(f *pflag.Flag) bool {
	switch f.DefValue {
	case "", "false", "0", "0s", "[]":
		return true
	}
	return false
}

// escaped keeps what looks like HTML as it is written.
func escaped(text string) string { return strings.ReplaceAll(text, "<", `\<`) }

func unindented(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}
