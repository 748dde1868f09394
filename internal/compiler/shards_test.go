package compiler

import (
	"fmt"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestShards: tenants that CUE has to evaluate are evaluated in parts, where that gives
// what the whole gives, and together where it might not.
func TestShards(t *testing.T) {
	const helpers = `
_standard: {self_provisioning: true, custom_attributes: plan: *"standard" | string}
_unused: {x: 1}
flows: "sign-in": schema.#MagicLink & {config: sign_up: true}
`
	plain := func(i int) string {
		id := fmt.Sprintf("tenant-%d", i)
		return strings.ReplaceAll([]string{
			`tenants: "ID": schema.#Tenant & _standard & {name: "Tenant \(environment.name) ID", domains: ["ID.com"]}`,
			`tenants: "ID": {_standard, name: "A" + "ID", domains: ["ID.com"], if environment.name == "dev" {disabled: true}}`,
			`tenants: {"ID": {name: "B ID", custom_attributes: {for x in ["a", "b"] {(x): x}, n: 1.5}}}`,
			`tenants: "ID": _standard & {name: "C ID", domains: [for x in ["a", "b"] {"\(x).ID.com"}]}`,
			`tenants: "ID": {name: *"D ID" | string, enabled_in: [environment.name], parent: "tenant-1" + ""}`,
			`tenants: "ID": {name: "E" + "ID", enabled_in: ["prod"]}`,
			`tenants: "ID": {name: "F ID", disabled: false}`,
		}[i%7], "ID", id) + "\n"
	}
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(plain(i))
		}
		return b.String()
	}
	for _, c := range []struct {
		name, base, overlay string
		parts               bool
	}{
		{"many", many(30), "tenants: \"tenant-0\": custom_attributes: plan: \"x\"\ntenants: \"tenant-4\": name: \"Dora\"", true},
		{"a mistake in one", many(30) + "tenants: wrong: _standard & {nam: \"A\" + \"B\"}\n", "", false},
		{"a mistake in the environment", many(30), "environment: projectid: \"x\"", false},
		{"an unknown field at the top", many(30) + "tenantz: x: 1\n", "", false},
		{"a conflict with the overlay", many(30), `tenants: "tenant-1": name: "X"`, false},
		{"a reference to a tenant", many(30) + "tenants: other: name: tenants.\"tenant-6\".name + \"!\"\n", "", false},
		{"a reference to flows", many(30) + "tenants: other: name: \"\\(len(flows))\"\n", "", false},
		{"a pattern", many(30) + "tenants: [=~\"-1\"]: disabled: true\n", "", false},
		{"let", "let x = \"X\"\n" + many(30) + "tenants: other: name: x\n", "", false},
		{"an import", "import \"strings\"\n" + many(30) + "tenants: other: name: strings.ToUpper(\"x\")\n", "", false},
		{"nothing there", many(30) + "tenants: gone: _nothing\n", "", false},
		{"a taken name", many(30) + "tenants: twin: name: \"Atenant\" + \"-1\"\n", "", true},
		{"enabled_in in the overlay", many(30), "tenants: \"tenant-2\": enabled_in: [\"dev\"]", false},
		{"idle domains", many(30) + "tenants: idle: {name: \"I\" + \"dle\", domains: [\"i.com\"], self_provisioning: false}\ntenants: chosen: {name: \"Ch\" + \"osen\", domains: [\"c.com\"], self_provisioning: *false | bool}\n", "", true},
		{"few", plain(0), "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			head := "package envs\n\n"
			if rest, ok := strings.CutPrefix(c.base, "import \"strings\"\n"); ok {
				head, c.base = head+"import \"strings\"\n", rest
			}
			root, _ := unpack(t, &txtar.Archive{Files: []txtar.File{
				{Name: "envs/tenants.cue", Data: []byte(head + schemaImport + c.base)},
				{Name: "envs/helpers.cue", Data: []byte("package envs\n\n" + schemaImport + helpers)},
				{Name: "envs/dev/more.cue", Data: []byte("package envs\n\n" + c.overlay)},
				{Name: "envs/prod/prod.cue", Data: []byte("package envs\n\nenvironment: name: \"prod\"\n")},
			}})
			m, err := Find(root)
			if err != nil {
				t.Fatal(err)
			}
			if !underRace {
				bothWays(t, m, "dev")
				bothWays(t, m, "prod")
			}
			told := ""
			parts := *m.WithTrace(func(line string) { told = line })
			parts.shardSize = 3
			whole, diags := compile(t.Context(), m, "dev", true, true)
			sameAsWhole(t, &parts, "dev", whole, diags)
			if got := strings.Contains(told, " parts"); got != c.parts {
				t.Errorf("evaluated in parts: %v, want %v (%s)\n%v", got, c.parts, told, diags)
			}
		})
	}
}

// TestCollectLess changes what the whole process has, and must not run beside others.
func TestCollectLess(t *testing.T) {
	percent := func() int {
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		return p
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for before, want := range map[int]int{100: 150, 400: 400, 50: 50, -1: -1} {
		debug.SetGCPercent(before)
		undo := collectLess()
		while := percent()
		undo()
		if after := percent(); while != want || after != before {
			t.Errorf("at %d: %d while parts are evaluated, %d after; want %d, %d", before, while, after, want, before)
		}
	}
}
