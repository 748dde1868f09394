package cli

import (
	"strings"

	"github.com/spf13/pflag"
)

// listFlag is a flag that takes several addresses or fields, by commas or one at a
// time. A comma in double quotes is part of a name, as in custom_attributes."a,b",
// and the quotes stay: they say where an element of a path ends.
type listFlag struct{ list *[]string }

var _ pflag.SliceValue = listFlag{}

// addList adds a flag that takes several addresses or fields.
func addList(f *pflag.FlagSet, list *[]string, name, usage string) {
	f.Var(listFlag{list}, name, usage)
}

// Set adds what a command line gives in one word.
func (l listFlag) Set(text string) error { return l.Append(text) }

// Append adds elements.
func (l listFlag) Append(text string) error {
	*l.list = append(*l.list, splitList(text)...)
	return nil
}

// Replace takes elements as they are.
func (l listFlag) Replace(list []string) error {
	*l.list = list
	return nil
}

// GetSlice returns the elements. Each of them can be given as it is.
func (l listFlag) GetSlice() []string { return *l.list }

// Type is that of other lists, for help and completion.
func (l listFlag) Type() string { return "stringSlice" }

// String is empty for an empty list, so that help shows no default.
func (l listFlag) String() string {
	if l.list == nil {
		return ""
	}
	return strings.Join(*l.list, ",")
}

// splitList splits at commas outside of double quotes. A quote that is not closed ends
// with the text; whoever reads the element complains.
func splitList(text string) []string {
	if text == "" {
		return nil
	}
	var out []string
	quoted, escaped, from := false, false, 0
	for i := range len(text) {
		switch c := text[i]; {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			out = append(out, text[from:i])
			from = i + 1
		}
	}
	return append(out, text[from:])
}
