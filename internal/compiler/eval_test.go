package compiler

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

const evalModule = `
-- envs/base.cue --
package envs

import "strings"

_plans: ["gold", "silver"]
tenants: "acme-corp": {
	name: strings.ToUpper("acme <&>")
	custom_attributes: {seats: 40.0, big: 12345678901234567890, tiny: 1e-7, none: null, tags: []}
	lifecycle: {}
}
tenants: "only-prod": {name: string, enabled_in: ["prod"]}
flows: "sign-in": definition: {a: [1, {b: "x\ny"}]}
-- envs/prod/prod.cue --
package envs

environment: name: "prod"
tenants: "only-prod": name: "P"
`

func TestEval(t *testing.T) {
	m := moduleOf(t, evalModule)
	for _, c := range []struct {
		name, env string
		options   EvalOptions
		want      string
	}{
		{"json", "dev", EvalOptions{}, `{
  "environment": {
    "name": "dev"
  },
  "tenants": {
    "acme-corp": {
      "custom_attributes": {
        "big": 12345678901234567890,
        "none": null,
        "seats": 40,
        "tags": [],
        "tiny": 0.0000001
      },
      "id": "acme-corp",
      "lifecycle": {},
      "name": "ACME <&>"
    }
  },
  "flows": {
    "sign-in": {
      "definition": {
        "a": [
          1,
          {
            "b": "x\ny"
          }
        ]
      }
    }
  }
}
`},
		{"yaml", "dev", EvalOptions{Format: FormatYAML}, `environment:
  name: dev
tenants:
  acme-corp:
    custom_attributes:
      big: 12345678901234567890
      none: null
      seats: 40
      tags: []
      tiny: 0.0000001
    id: acme-corp
    lifecycle: {}
    name: ACME <&>
flows:
  sign-in:
    definition:
      a:
        - 1
        - b: |-
            x
            y
`},
		{"cue", "dev", EvalOptions{Format: FormatCUE}, `environment: {
	name: "dev"
}
tenants: {
	"acme-corp": {
		custom_attributes: {
			big:   12345678901234567890
			none:  null
			seats: 40
			tags: []
			tiny: 0.0000001
		}
		id: "acme-corp"
		lifecycle: {}
		name: "ACME <&>"
	}
}
flows: {
	"sign-in": {
		definition: {
			a: [1, {
				b: "x\ny"
			}]
		}
	}
}
`},
		{"what is left out", "dev", EvalOptions{Expr: `[for id, _ in tenants {id}]`}, "[\n  \"acme-corp\"\n]\n"},
		{"nothing left out", "prod", EvalOptions{Expr: `[for id, _ in tenants {id}]`}, "[\n  \"acme-corp\",\n  \"only-prod\"\n]\n"},
		{"hidden", "dev", EvalOptions{Expr: `_plans[1]`}, "\"silver\"\n"},
		{"hidden, all", "prod", EvalOptions{Expr: `_plans[1]`}, "\"silver\"\n"},
		{"builtin", "dev", EvalOptions{Expr: `strings.Join(_plans, "+")`}, "\"gold+silver\"\n"},
		{"default", "dev", EvalOptions{Expr: `*1 | int`}, "1\n"},
		{"expression as cue", "dev", EvalOptions{Expr: `{a: 1, "b c": -2.50, d: true}`, Format: FormatCUE}, "a:     1\n\"b c\": -2.5\nd:     true\n"},
		{"scalar as cue", "dev", EvalOptions{Expr: `"x"`, Format: FormatCUE}, "\"x\"\n"},
		{"expression as yaml", "dev", EvalOptions{Expr: `environment`, Format: FormatYAML}, "name: dev\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, diags := Eval(context.Background(), m, c.env, c.options)
			for _, d := range diags {
				t.Errorf("%s", printed(d))
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Error(diff)
			}
			again, _ := Eval(context.Background(), m, c.env, c.options)
			if string(again) != string(got) {
				t.Error("a second evaluation differs")
			}
		})
	}
}

func TestEvalMistakes(t *testing.T) {
	m := moduleOf(t, evalModule)
	for expr, want := range map[string]string{
		"foo":                        "--expr:1:1: error: --expr: reference \"foo\" not found [expr]\n",
		"tenantz":                    "--expr:1:1: error: --expr: reference \"tenantz\" not found [expr]\n    did you mean \"tenants\"?\n",
		"tenants.":                   "--expr:1:9: error: --expr: expected selector, found 'EOF' [expr]\n",
		`tenants."only-prod"`:        "--expr:1:9: error: --expr: undefined field: \"only-prod\" [expr]\n",
		"string":                     "--expr:1:1: error: --expr: incomplete value string [expr]\n",
		"{a: 1} & {a: 2}":            "--expr:1:5: error: --expr: conflicting values 2 and 1 [expr]\n",
		"1/0":                        "--expr:1:1: error: --expr: failed arithmetic: division by zero [expr]\n",
		strings.Repeat("[", 100_000): "--expr:1:257: error: values are nested more than 256 levels deep [beyond-limits]\n    allowed: 256 levels, 20000 words in one value, exponents up to 99999\n",
		"\xff":                       "--expr:1:1: error: --expr is not UTF-8: byte 0xff [not-utf8]\n    expected: UTF-8 text\n    convert the file, for example with iconv -t UTF-8\n",
		"'bytes'":                    "--expr:1:1: error: --expr: bytes have no place in JSON; write a string [expr]\n",
	} {
		for _, env := range []string{"dev", "prod"} {
			if env == "prod" && strings.Contains(expr, "only-prod") {
				continue
			}
			out, diags := Eval(context.Background(), m, env, EvalOptions{Expr: expr})
			if out != nil || len(diags) != 1 {
				t.Errorf("%.20q: %q, %v", expr, out, diags)
				continue
			}
			if diff := cmp.Diff(want, printed(diags[0])); diff != "" {
				t.Errorf("%.20q in %s: %s", expr, env, diff)
			}
		}
	}
	if out, diags := Eval(context.Background(), m, "dev", EvalOptions{Format: "toml"}); out != nil || len(diags.Errors()) != 1 {
		t.Errorf("%q, %v", out, diags)
	}
	if out, diags := Eval(context.Background(), m, "nowhere", EvalOptions{}); out != nil || len(diags.Errors()) != 1 {
		t.Errorf("%q, %v", out, diags)
	}
}

// TestEvalIsValidConfiguration feeds the output of the real model, as CUE,
// back in: it is a configuration that says the same.
func TestEvalIsValidConfiguration(t *testing.T) {
	m := repository(t)
	want := compileWell(t, m, "prod")
	out, diags := Eval(context.Background(), m, "prod", EvalOptions{Format: FormatCUE})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	again := moduleOf(t, "-- envs/prod/prod.cue --\npackage envs\n\n"+string(out))
	got := compileWell(t, again, "prod")
	if got.State.Digest() != want.State.Digest() {
		t.Errorf("%v became %v", want.State.Resources(), got.State.Resources())
	}
}

func TestEmbeddedFlow(t *testing.T) {
	m := moduleOf(t, `
-- envs/flows.cue --
@extern(embed)

package envs

flows: "sign-in": definition: _ @embed(file=flows/sign-in.json)
-- envs/flows/sign-in.json --
{"metadata": {"name": "Sign in"}, "n": 1.50}
`)
	r := compileWell(t, m, "dev")
	flow, _ := r.State.Get(model.Key{Kind: model.Flow, ID: "sign-in"})
	want := map[string]any{"definition": map[string]any{"metadata": map[string]any{"name": "Sign in"}, "n": json.Number("1.5")}}
	if diff := cmp.Diff(want, flow.Attrs); diff != "" {
		t.Error(diff)
	}
	if o := flow.FieldOrigin("definition.n"); o.File != "envs/flows.cue" || o.Line != 5 {
		t.Errorf("origin %v", o)
	}
}

func TestFormat(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		return path
	}
	untidy := write("envs/a.cue", "package envs\n\n\n\na:    1\n// kept\nb: {c:2}\n")
	tidy := write("envs/dev/b.cue", "package envs\n\na: 1\n")
	write("envs/c.cue", "package envs\n\na: {\n")
	write("envs/d.cue", "package envs\n\na: \"\xe9\"\n")
	write("cue.mod/module.cue", "module:    \"x.y/z\"\n")
	write(".git/x.cue", "a:    1\n")
	write("envs/readme.txt", "a:    1\n")

	changed, diags := Format([]string{root}, true)
	if diff := cmp.Diff([]string{untidy}, changed); diff != "" {
		t.Error(diff)
	}
	var codes []string
	for _, d := range diags {
		codes = append(codes, filepath.Base(d.Origin.File)+" "+d.Code)
	}
	if want := []string{"c.cue syntax", "d.cue not-utf8"}; !cmp.Equal(codes, want) {
		t.Errorf("diagnostics %q, want %q", codes, want)
	}
	if data, _ := os.ReadFile(untidy); !strings.Contains(string(data), "a:    1") {
		t.Error("a check wrote the file")
	}
	link := filepath.Join(root, "link.cue")
	if err := os.Symlink(untidy, link); err != nil {
		t.Fatal(err)
	}
	if changed, diags = Format([]string{link, tidy}, false); len(diags) > 0 || !cmp.Equal(changed, []string{link}) {
		t.Errorf("%q, %v", changed, diags)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if info, err := os.Stat(untidy); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode changed: %v, %v", info, err)
	}
	if data, _ := os.ReadFile(untidy); string(data) != "package envs\n\na: 1\n// kept\nb: {c: 2}\n" {
		t.Errorf("formatted: %q", data)
	}
	if changed, _ = Format([]string{root}, true); len(changed) > 0 {
		t.Errorf("not stable: %q", changed)
	}
	if changed, diags = Format([]string{filepath.Join(root, "nothing.cue")}, false); len(changed) > 0 || len(diags) != 1 || diags[0].Code != "unreadable" {
		t.Errorf("%q, %v", changed, diags)
	}
	if entries, err := os.ReadDir(filepath.Dir(untidy)); err != nil || len(entries) != 5 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}
