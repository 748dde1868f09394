package compiler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// TestContributionsEqualTheGenerator writes random configurations and remembers which
// line gives what.
func TestContributionsEqualTheGenerator(t *testing.T) {
	fields := 0
	rapid.Check(t, func(rt *rapid.T) {
		g := newGenerator(rt)
		g.write()
		m := moduleOf(t, g.archive())
		r, diags := Compile(context.Background(), m, "dev")
		if r == nil {
			rt.Fatalf("%v\n%s", diags, g.archive())
		}
		for _, tenant := range g.tenants {
			key := model.Key{Kind: model.Tenant, ID: tenant}
			got, diags := Contributions(context.Background(), m, "dev", key)
			if got == nil {
				rt.Fatalf("%s: %v\n%s", tenant, diags, g.archive())
			}
			have := map[string]known{}
			for _, f := range got.Fields {
				have[f.Path] = knownOf(f)
				fields++
			}
			if diff := cmp.Diff(g.want[tenant], have); diff != "" {
				rt.Fatalf("%s (-generator +explained):\n%s\n%s", tenant, diff, g.archive())
			}
			// What it explains is what the compiler has.
			resource, _ := r.State.Get(key)
			for _, f := range got.Fields {
				at, _ := model.SplitPath(f.Path)
				value := any(resource.Attrs)
				for _, name := range at {
					value = value.(map[string]any)[name]
				}
				if !model.Equal(value, f.Value) {
					rt.Errorf("%s.%s is %v, explained as %v", tenant, f.Path, value, f.Value)
				}
			}
		}
	})
	t.Logf("counts: %d fields explained as the generator wrote them", fields)
	if fields < 500 && !t.Failed() {
		t.Errorf("only %d fields were explained", fields)
	}
}

// known is what the generator knows about a field, in a form that compares well.
type known struct {
	Value string
	Lines []string
}

func knownOf(f FieldExplanation) known {
	k := known{Value: string(model.CanonicalJSON(f.Value))}
	for _, c := range f.Contributions {
		line := fmt.Sprintf("%s:%d %s %s via=%s", c.Origin.File, c.Origin.Line, c.Role, c.Layer, c.Via)
		if c.Wins {
			line += " wins"
		}
		var from []string
		for _, s := range c.Sources {
			from = append(from, fmt.Sprintf("%s:%d", s.Origin.File, s.Origin.Line))
		}
		slices.Sort(from)
		k.Lines = append(k.Lines, strings.Join(append([]string{line}, from...), " "))
	}
	return k
}

// generator writes a base and an overlay, one field a line.
type generator struct {
	*rapid.T
	files   map[Layer][]string
	tenants []string
	want    map[string]map[string]known
	n       int
}

const nameLine = "envs/dev/dev.cue:2"

func newGenerator(t *rapid.T) *generator {
	return &generator{
		T: t, want: map[string]map[string]known{},
		files: map[Layer][]string{
			LayerBase:    {"package envs", `import "example.com/d/schema"`},
			LayerOverlay: {"package envs", `environment: name: "dev"`},
		},
	}
}

func (g *generator) archive() string {
	join := func(l Layer) string { return strings.Join(g.files[l], "\n") + "\n" }
	return "-- cue.mod/module.cue --\nmodule: \"example.com/d@v0\"\nlanguage: version: \"v0.17.0\"\n" +
		"-- envs/base.cue --\n" + join(LayerBase) + "-- envs/dev/dev.cue --\n" + join(LayerOverlay)
}

// line writes a line and says where it is.
func (g *generator) line(l Layer, format string, args ...any) string {
	g.files[l] = append(g.files[l], fmt.Sprintf(format, args...))
	file := map[Layer]string{LayerBase: "envs/base.cue", LayerOverlay: "envs/dev/dev.cue"}[l]
	return fmt.Sprintf("%s:%d", file, len(g.files[l]))
}

func (g *generator) coin(label string) bool { return rapid.Bool().Draw(g.T, label) }

// text is a value that no other one equals, unless it is to.
func (g *generator) text() string {
	g.n++
	return fmt.Sprintf("v%d", g.n)
}

// helper writes a hidden field, and says its name, its value and its lines.
func (g *generator) helper() (name, value string, lines []string) {
	value = g.text()
	name = "_h" + value
	switch rapid.IntRange(0, 2).Draw(g.T, "helper") {
	case 0:
		return name, value, []string{g.line(LayerBase, "%s: %q", name, value)}
	case 1:
		return name, value, []string{g.line(LayerBase, "%s: *%q | string", name, value)}
	default:
		base := g.line(LayerBase, "%s: *%q | string", name, value)
		value = g.text()
		return name, value, []string{base, g.line(LayerOverlay, "%s: %q", name, value)}
	}
}

func (g *generator) set(tenant, path, value string, lines ...string) {
	if g.want[tenant] == nil {
		g.want[tenant] = map[string]known{}
	}
	for i, l := range lines { // sources after the line, sorted
		line, from, ok := strings.Cut(l, " <- ")
		if ok {
			sources := strings.Fields(from)
			slices.Sort(sources)
			lines[i] = line + " " + strings.Join(slices.Compact(sources), " ")
		}
	}
	g.want[tenant][path] = known{fmt.Sprintf("%q", value), lines}
}

func (g *generator) write() {
	owner := g.line(LayerBase, `tenants: [_]: custom_attributes: owner: *"team" | string`)
	def := g.line(LayerBase, `#Std: schema.#Tenant & {custom_attributes: tier: *"std" | string}`)
	for i := range rapid.IntRange(1, 3).Draw(g.T, "tenants") {
		id := fmt.Sprintf("tenant-%d", i)
		isStd := g.coin("std")
		if isStd {
			g.line(LayerBase, "tenants: %q: #Std", id)
			g.overridable(id, "custom_attributes.tier", "std", def+" default base via=#Std")
		}
		g.common(id, owner)
		name := g.text()
		g.set(id, "name", name, g.line(LayerBase, "tenants: %q: name: %q", id, name)+" value base via= wins")
		for j := range rapid.IntRange(1, 6).Draw(g.T, "fields") {
			g.attribute(id, fmt.Sprintf("a%d", j))
		}
	}
	if g.coin("loop") {
		g.loop(owner)
	}
}

func (g *generator) common(id, owner string) {
	g.tenants = append(g.tenants, id)
	g.overridable(id, "custom_attributes.owner", "team", owner+" default base via=[...]")
}

// overridable is a default that the overlay may override.
func (g *generator) overridable(id, path, value, line string) {
	base, sources, from := strings.Cut(line, " <- ")
	if from {
		sources = " <- " + sources
	}
	if !g.coin("override") {
		g.set(id, path, value, base+" wins"+sources)
		return
	}
	if g.coin("another") {
		value = g.text()
	}
	field := strings.ReplaceAll(path, ".", ": ")
	lines := []string{base + sources}
	for range rapid.IntRange(1, 2).Draw(g.T, "times") {
		lines = append(lines, g.line(LayerOverlay, "tenants: %q: %s: %q", id, field, value)+" value overlay via= wins")
	}
	g.set(id, path, value, lines...)
}

// attribute writes a custom attribute in one of the ways that there are.
func (g *generator) attribute(id, name string) {
	path := "custom_attributes." + name
	at := func(l Layer, format string, args ...any) string {
		return g.line(l, "tenants: %q: custom_attributes: %s: %s", id, name, fmt.Sprintf(format, args...))
	}
	value := g.text()
	switch way := rapid.IntRange(0, 12).Draw(g.T, "way"); way {
	case 0:
		g.set(id, path, value, at(LayerBase, "%q", value)+" value base via= wins")
	case 1:
		g.overridable(id, path, value, at(LayerBase, "*%q | string", value)+" default base via=")
	case 2:
		g.set(id, path, value, at(LayerOverlay, "%q", value)+" value overlay via= wins")
	case 3, 4: // a constraint
		constraint := []string{"string", fmt.Sprintf("%q | %q", value, "other")}[way-3]
		g.set(id, path, value, at(LayerBase, "%s", constraint)+" constraint base via=", at(LayerOverlay, "%q", value)+" value overlay via= wins")
	case 5, 6, 7: // a reference, plain, within a text, as a default
		helper, is, lines := g.helper()
		from := " <- " + strings.Join(lines, " ")
		switch way {
		case 5:
			role := "value" // also where what it refers to is a default
			if len(lines) == 1 && strings.Contains(strings.Join(g.files[LayerBase], "\n"), helper+": *") {
				role = "default"
			}
			g.set(id, path, is, at(LayerBase, "%s", helper)+" "+role+" base via= wins"+from)
		case 6:
			g.set(id, path, "x "+is, at(LayerBase, `"x \(%s)"`, helper)+" value base via= wins"+from)
		default:
			g.overridable(id, path, is, at(LayerBase, "*%s | string", helper)+" default base via="+from)
		}
	case 8: // another field
		other := g.text()
		line := g.line(LayerBase, "tenants: %q: custom_attributes: %s_from: %q", id, name, other)
		g.set(id, path+"_from", other, line+" value base via= wins")
		g.set(id, path, other, at(LayerBase, `tenants.%q.custom_attributes["%s_from"]`, id, name)+" value base via= wins <- "+line)
	case 9: // a condition
		line := g.line(LayerBase, `tenants: %q: {if environment.name == "dev" {custom_attributes: %s: %q}}`, id, name, value)
		g.set(id, path, value, line+" value base via=if wins <- "+line+" "+nameLine)
	case 10: // a let
		line := g.line(LayerBase, `tenants: %q: {let l = %q, custom_attributes: %s: "\(l)!"}`, id, value, name)
		g.set(id, path, value+"!", line+" value base via= wins <- "+line)
	case 12: // a default, and a constraint that leaves it
		g.set(id, path, value, at(LayerBase, "*%q | string", value)+" default base via= wins", at(LayerOverlay, "string")+" constraint overlay via=")
	case 11: // two constraints that leave one value
		g.set(id, path, value, at(LayerBase, "%q | %q", value, "other")+" constraint base via= wins", at(LayerOverlay, "%q | %q", value, "another")+" constraint overlay via= wins")
	}
}

// loop writes tenants with a comprehension.
func (g *generator) loop(owner string) {
	ids := []string{"loop-a", "loop-b"}[:rapid.IntRange(1, 2).Draw(g.T, "loops")]
	list := g.line(LayerBase, "_ids: [%s]", `"`+strings.Join(ids, `", "`)+`"`)
	made := g.line(LayerBase, `tenants: {for id in _ids {(id): {name: "N \(id)", custom_attributes: made: *"loop" | string}}}`)
	for _, id := range ids {
		g.common(id, owner)
		g.set(id, "name", "N "+id, made+" value base via=for wins <- "+made+" "+list)
		g.overridable(id, "custom_attributes.made", "loop", made+" default base via=for <- "+made+" "+list)
	}
}

func TestContributionsInWords(t *testing.T) {
	m := moduleOf(t, `
-- cue.mod/module.cue --
module: "example.com/d@v0"
language: version: "v0.17.0"
-- shared/plans.cue --
package shared

Gold: *"gold" | string
#Attributes: {
	tier: *"std" | string
	...
}
-- envs/base.cue --
package envs

import "example.com/d/shared"

import "example.com/d/schema"

tenants: "007-corp": {
	name:    "Bond"
	domains: *[
		"b.com", // the old one
	] | [...string]
	custom_attributes: shared.#Attributes & {
		plan:   shared.Gold
		"a.b":  40.0
		gone:   *"x" | string | null
		listed: [...string]
	}
	lifecycle: prevent_destroy: *true | bool
}
tenants: sandbox: {
	name: "Sandbox"
	enabled_in: ["test"]
}
flows: login: schema.#MFALogin & {config: methods: *["sms"] | [...]}
flows: login: steps: *{} | {...}
-- envs/test/test.cue --
package envs

environment: name: "test"
-- envs/dev/dev.cue --
package envs

environment: name: "dev"
tenants: "007-corp": {
	domains: ["c.com", "a.com"]
	custom_attributes: gone: null
	custom_attributes: listed: ["y"]
}
`)
	explain := func(key string, path ...string) []string {
		t.Helper()
		k, err := model.ParseKey(key)
		if err != nil {
			t.Fatal(err)
		}
		e, diags := Contributions(context.Background(), m, "dev", k, path...)
		var out []string
		for _, d := range diags.Errors() {
			out = append(out, fmt.Sprintf("%s (%s)", d.Summary, d.Detail))
		}
		if e != nil {
			for _, f := range e.Fields {
				out = append(out, f.Path+" = "+knownOf(f).Value)
				for _, c := range f.Contributions {
					out = append(out, "  "+strings.Join(knownOf(FieldExplanation{Contributions: []Contribution{c}}).Lines, "")+" "+c.Text)
				}
			}
		}
		return out
	}
	for _, c := range []struct {
		key  string
		path []string
		want string
	}{
		{"tenant/007-corp", []string{"custom_attributes"}, `
custom_attributes."a.b" = 40
  envs/base.cue:14 value base via= wins 40.0
custom_attributes.gone = null
  envs/base.cue:15 default base via= *"x" | string | null
  envs/dev/dev.cue:6 value overlay via= wins null
custom_attributes.listed = ["y"]
  envs/base.cue:16 constraint base via= [...string]
  envs/dev/dev.cue:7 value overlay via= wins ["y"]
custom_attributes.plan = "gold"
  envs/base.cue:13 default base via= wins shared/plans.cue:3 shared.Gold
custom_attributes.tier = "std"
  shared/plans.cue:5 default package via=#Attributes wins *"std" | string`},
		{"tenant/007-corp", []string{"domains"}, `
domains = ["c.com","a.com"]
  envs/base.cue:9 default base via= *[ "b.com", // the old one ] | [...string]
  envs/dev/dev.cue:5 value overlay via= wins ["c.com", "a.com"]`},
		{"tenant/007-corp", []string{"lifecycle"}, `
lifecycle.prevent_destroy = true
  envs/base.cue:18 default base via= wins *true | bool`},
		{"tenant/007-corp", []string{"disabled"}, `disabled = null`},
		{"tenant/007-corp", []string{"custom_attributes", "pln"}, `tenant/007-corp has no field custom_attributes.pln (did you mean "custom_attributes.plan"?)`},
		{"tenant/007-corp", []string{"domians"}, `tenant/007-corp has no field domians (did you mean "domains"?)`},
		{"tenant/007-corp", []string{"domains", "0"}, `tenant/007-corp has no field domains."0" (it ends at domains, which is one value)`},
		{"tenant/007-corp", []string{"id"}, `tenant/007-corp has no field id (without a field, explain shows all that it has)`},
		{"tenant/007-crop", nil, `there is no tenant/007-crop in environment dev (did you mean "tenant/007-corp"?)`},
		{"tenant/sandbox", nil, `
enabled_in = ["test"]
  envs/base.cue:22 value base via= wins ["test"]`},
		{"tenant/sandbox", []string{"name"}, `tenant/sandbox is not in environment dev, so it has no field name there (enabled_in leaves it out)`},
		{"flow/login", []string{"config"}, `
config.methods = ["sms"]
  envs/base.cue:24 default base via= wins *["sms"] | [...]
config.remember_device = false
  schema/template_mfa_login.cue:26 default schema via=#MFALoginConfig wins *false | bool`},
	} {
		got := strings.Join(explain(c.key, c.path...), "\n")
		if diff := cmp.Diff(strings.TrimSpace(c.want), got); diff != "" {
			t.Errorf("%s %q:\n%s", c.key, c.path, diff)
		}
	}
	whole := strings.Join(explain("flow/login"), "\n")
	if strings.Contains(whole, "\nsteps.") || !strings.Contains(whole, "\ntemplate = ") || !strings.Contains(whole, "\ndefinition = ") {
		t.Errorf("the flow is explained as\n%s", whole)
	}
	if texts := explain("flow/login", "steps"); len(texts) < 10 {
		t.Errorf("asked for its texts, %q", texts)
	}
}

func TestExplainReadsAddresses(t *testing.T) {
	m := moduleOf(t, `
-- cue.mod/module.cue --
module: "example.com/d@v0"
language: version: "v0.17.0"
-- envs/dev/dev.cue --
package envs

environment: name: "dev"
tenants: "acme": {name: "Acme", custom_attributes: {"2fa": "on", "a.b": "c", "name": "x"}}
tenants: "acme.name": {name: "Dotted", imported: true}
tenants: "acme.corp": {name: "Corp", imported: true}
tenants: "\"q\"": {name: "Quoted", imported: true}
`)
	for _, c := range []struct{ address, want string }{
		{"tenant/acme", "tenant/acme "},
		{"tenant/acme.name", "tenant/acme.name "},
		{`tenant/"acme".name`, "tenant/acme name"},
		{"tenant/acme.name.name", "tenant/acme.name name"},
		{`tenant/"acme.corp".name`, "tenant/acme.corp name"},
		{"tenant/acme.corp.name", "tenant/acme.corp name"},
		{`tenant/acme.custom_attributes."a.b"`, `tenant/acme custom_attributes."a.b"`},
		{"tenant/acme.custom_attributes.2fa", `tenant/acme custom_attributes."2fa"`},
		{`tenant/"q"`, `tenant/"q" `},
		{`tenant/"\"q\"".name`, `tenant/"q" name`},
		{"tenant/acme.custom_attributes.a.b", `did you mean "custom_attributes.\"a.b\""?`},
		{"tenant/acme.", "is not the name of a field"},
		{`tenant/acme."x`, "is not the name of a field"},
		{"tenant/acme..name", "is not the name of a field"},
		{"tenant/", "is not an address"},
		{"", "is not an address"},
		{"acme.custom_attributes", `did you mean "tenant/acme.custom_attributes"?`},
		{"tenants/acme", "is not an address"},
		{"tenant/nobody.name", "there is no tenant/nobody"},
		{"flow/acme", "there is no flow/acme"},
	} {
		e, diags := Explain(context.Background(), m, "dev", c.address)
		got := ""
		for _, d := range diags.Errors() {
			got += d.Summary + ": " + d.Detail
		}
		if e != nil {
			got = e.Key.String() + " " + e.Path
		}
		if e != nil && got != c.want || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.address, got, c.want)
		}
	}
}
