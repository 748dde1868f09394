package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// TestListFlag splits what is given, and what flagWords prints of it means the same.
func TestListFlag(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                                      nil,
		"tenant/a":                              {"tenant/a"},
		"tenant/a,flow/b":                       {"tenant/a", "flow/b"},
		`custom_attributes."a.b"`:               {`custom_attributes."a.b"`},
		`custom_attributes."a,b",name`:          {`custom_attributes."a,b"`, "name"},
		`custom_attributes."a\",b",name`:        {`custom_attributes."a\",b"`, "name"},
		`custom_attributes."it's, \\",name`:     {`custom_attributes."it's, \\"`, "name"},
		`"never closed,name`:                    {`"never closed,name`},
		`tenant/*.custom_attributes.*,tenant/b`: {"tenant/*.custom_attributes.*", "tenant/b"},
	} {
		flags := func() (*pflag.FlagSet, *[]string) {
			f, list := pflag.NewFlagSet("", pflag.ContinueOnError), &[]string{}
			addList(f, list, "field", "fields")
			return f, list
		}
		f, got := flags()
		if err := f.Parse([]string{"--field", text}); err != nil || !cmp.Equal(append([]string{}, want...), *got) {
			t.Errorf("%s: %q, %v", text, *got, err)
		}
		words := flagWords(f.Lookup("field"))
		for i, w := range words { // what a shell makes of it
			if inner, ok := strings.CutPrefix(w, "'"); ok {
				words[i] = strings.ReplaceAll(strings.TrimSuffix(inner, "'"), `'\''`, "'")
			}
		}
		g, again := flags()
		if err := g.Parse(words); err != nil || !cmp.Equal(*got, *again) {
			t.Errorf("%s: printed as %q, which is %q, %v", text, words, *again, err)
		}
	}
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	var list []string
	addList(f, &list, "field", "fields")
	if err := f.Parse([]string{"--field", "a,b", "--field", "c"}); err != nil || !cmp.Equal([]string{"a", "b", "c"}, list) {
		t.Errorf("%q, %v", list, err)
	}
	if usage := f.FlagUsages(); strings.Contains(usage, "default") || !strings.Contains(usage, "strings") {
		t.Error(usage)
	}
}
