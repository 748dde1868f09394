package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pcconnect.ai/descope-mgmt/internal/ui"
)

// The values of --output.
const (
	formatText = "text"
	formatJSON = "json"
	formatYAML = "yaml"
	formatCUE  = "cue"
	// formatMarkdown is for pull requests.
	formatMarkdown = "markdown"
	// formatSARIF is for the code scanning of forges.
	formatSARIF = "sarif"
)

// marker is the comment by which a document of Markdown is found again.
func (f *severalFlags) marker(command string, environments ...string) string {
	if f.all {
		environments = []string{"all"}
	}
	return ui.MarkdownMarker(command, environments)
}

// The commands as the markers of documents name them.
const (
	markerPlan     = "plan"
	markerDrift    = "drift"
	markerValidate = "validate"
	markerFlowLint = "flow-lint"
)

// annotationFormats lists the output formats of a command whose formats are not
// text, json and yaml; the first is its default.
const annotationFormats = "formats"

func formats(f ...string) map[string]string {
	return map[string]string{annotationFormats: strings.Join(f, ",")}
}

// formatsOf are the output formats of a command, its default first.
func formatsOf(cmd *cobra.Command) []string {
	if own := cmd.Annotations[annotationFormats]; own != "" {
		return strings.Split(own, ",")
	}
	return []string{formatText, formatJSON, formatYAML}
}

func completeFormats(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return formatsOf(cmd), cobra.ShellCompDirectiveNoFileComp
}

// formatIn is the output format that a command line asks for which could not be
// read to its end, or "": the error takes that form, too.
func formatIn(args []string) string {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.ParseErrorsAllowlist.UnknownFlags = true
	f.SetNormalizeFunc(aliases())
	f.BoolP("help", "h", false, "") // else it would be printed
	format := f.StringP("output", "o", "", "")
	_ = f.Parse(args) // what is wrong with it has been said
	return *format
}

// encode prints a value as JSON or YAML, as asked for; while a command works on several
// environments, it is kept until they are through.
func (a *app) encode(v any) error {
	if a.documents != nil {
		a.documents[a.flags.env] = v
		return nil
	}
	if a.flags.output == formatYAML {
		return ui.WriteYAML(a.streams.Out, v)
	}
	return ui.WriteJSON(a.streams.Out, v)
}
