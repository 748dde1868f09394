package compiler

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"pcconnect.ai/descope-mgmt/internal/literal"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/schema"
)

// bothWays compiles an environment as always and by CUE alone, and compares the two.
func bothWays(t *testing.T, m *Module, env string) {
	t.Helper()
	whole, wholeDiags := compile(context.Background(), m, env, true, true)
	parts := *m
	parts.shardSize = 1
	for _, m := range []*Module{m, &parts} {
		sameAsWhole(t, m, env, whole, wholeDiags)
	}
}

// sameAsWhole compiles as always, and compares with what came of CUE alone.
func sameAsWhole(t *testing.T, m *Module, env string, whole *compiled, wholeDiags model.Diagnostics) {
	t.Helper()
	quick, quickDiags := compile(context.Background(), m, env, true, false)
	if diff := cmp.Diff(wholeDiags, quickDiags, cmpopts.IgnoreFields(model.Diagnostic{}, "Raw")); diff != "" {
		t.Errorf("%s: by CUE alone (-), with literals (+):\n%s", env, diff)
	}
	if quick == nil || whole == nil {
		return
	}
	if diff := cmp.Diff(whole.result, quick.result, cmp.AllowUnexported(model.State{}), cmpopts.IgnoreFields(model.KindSpec{}, "Effective")); diff != "" {
		t.Errorf("%s: by CUE alone (-), with literals (+):\n%s", env, diff)
	}
	for _, format := range []EvalFormat{FormatJSON, FormatCUE} {
		a, d := whole.eval(EvalOptions{Format: format})
		b, e := quick.eval(EvalOptions{Format: format})
		if string(a) != string(b) || len(d)+len(e) > 0 {
			t.Errorf("%s: eval -o %s differs:\n%s", env, format, cmp.Diff(string(a), string(b)))
		}
	}
}

// TestLiteralsOfMistakes: what is wrong is told in the same words either way.
func TestLiteralsOfMistakes(t *testing.T) {
	if underRace {
		t.Skip("nothing races in it, and each mistake is compiled twice in every environment")
	}
	files, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no mistakes: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			root, options := unpack(t, archive)
			m, err := Find(filepath.Join(root, filepath.FromSlash(options["dir"])))
			if err != nil {
				t.Skip("there is no module")
			}
			environments, err := m.Environments()
			if err != nil {
				t.Skip("there are no environments")
			}
			for _, env := range environments {
				bothWays(t, m, env)
			}
		})
	}
}

// awkward are configurations in which not everything is what it seems: with the ids
// that may be taken from the text.
func awkward() []awkwardCase {
	const rest = "tenants: other: name: \"Other\"\n"
	return []awkwardCase{
		{"plain", `tenants: acme: {name: "A", domains: ["a.com"], custom_attributes: {plan: "x", n: 3, on: true, off: null, l: ["a"]}}`, "", "acme"},
		{"braces", `tenants: {acme: {name: "A"}, "other": {name: "B"}}`, "", "acme other"},
		{"braces partly", `tenants: {acme: {name: "A"}, other: {name: "B" + "C"}, third: {name: "D"}}`, "", "acme third"},
		{"one line with comment", "tenants: {acme: {name: \"A\"} // one\n}", "", "acme"},
		{"schema", schemaImport + `tenants: acme: schema.#Tenant & {name: "A"}`, "", "acme"},
		{"schema twice", schemaImport + `tenants: acme: schema.#Tenant & {name: "A"} & schema.#Tenant & {domains: []}`, "", "acme"},
		{"schema that is not imported", `tenants: acme: schema.#Tenant & {name: "A"}`, "", ""},
		{"schema imported for nothing", schemaImport + `tenants: acme: {name: "A"}`, "", "acme"},
		{"schema imported as schema", "import schema \"example.com/acme/schema\"\ntenants: acme: schema.#Tenant & {name: \"A\"}", "", "acme"},
		{"schema under another name", "import s \"example.com/acme/schema\"\ntenants: acme: s.#Tenant & {name: \"A\"}", "", ""},
		{"schema still used", schemaImport + "tenants: acme: schema.#Tenant & {name: \"A\"}\nflows: schema.#Flows", "", "acme"},
		{"imports in brackets", "import (\n\t\"strings\"\n\t\"example.com/acme/schema\"\n)\ntenants: acme: schema.#Tenant & {name: \"A\"}\ntenants: other: name: strings.ToUpper(\"b\")", "", "acme"},
		{"the schema alone in brackets", "import (\n\t\"example.com/acme/schema\"\n)\ntenants: acme: schema.#Tenant & {name: \"A\"}", "", "acme"},
		{"no import in brackets", "import ()\ntenants: acme: {name: \"A\"}", "", "acme"},
		{"another schema", "import schema \"strings\"\ntenants: acme: {name: schema.ToUpper(\"a\")}\n" + rest, "", ""},
		{"all tenants of the schema", schemaImport + "tenants: schema.#Tenants\n" + rest, "", "other"},
		{"all tenants of the schema with some", schemaImport + "tenants: schema.#Tenants & {acme: name: \"A\"}\n" + rest, "", "acme other"},
		{"pattern", "tenants: [string]: disabled: true\n" + rest, "", ""},
		{"pattern in braces", "tenants: {[=~\"^a\"]: disabled: true, acme: name: \"A\"}\n" + rest, "", ""},
		{"pattern in the overlay", rest, "tenants: [string]: name: string", ""},
		{"comprehension", "tenants: {for i in [\"abc\", \"def\"] {(i): name: i}}\n" + rest, "", ""},
		{"comprehension at the top", "if true {tenants: acme: name: \"A\"}\n" + rest, "", ""},
		{"embedding", "tenants: {_base, acme: name: \"A\"}\n_base: other: name: \"B\"\n", "", ""},
		{"embedding at the top", "_all\n_all: {...}\n" + rest, "", ""},
		{"ellipsis", "tenants: {acme: name: \"A\", ...}\n" + rest, "", ""},
		{"computed key", "tenants: (\"ac\" + \"me\"): name: \"A\"\n" + rest, "", ""},
		{"key with interpolation", "_x: \"me\"\ntenants: \"ac\\(_x)\": name: \"A\"\n" + rest, "", ""},
		{"reference to tenants", "tenants: acme: name: tenants.other.name + \"!\"\n" + rest, "", ""},
		{"reference in the overlay", rest, "environment: connectors: x: tenants.other.name", ""},
		{"reference in an interpolation", "tenants: acme: name: \"\\(tenants.other.name)\"\n" + rest, "", ""},
		{"reference by the plain name", "tenants: {acme: {name: \"A\"}, other: {name: acme.name + \"!\"}, third: {name: \"C\"}}", "", "third"},
		{"alias of all", "X=tenants: acme: name: \"A\"\ntenants: other: name: X.acme.name + \"!\"", "", ""},
		{"alias of one", "tenants: {X=\"acme\": {name: \"A\"}, other: name: X.name + \"!\"}", "", ""},
		{"let", "let x = \"A\"\ntenants: acme: name: x\n" + rest, "", "other"},
		{"let in braces", "tenants: {let x = \"A\", acme: name: x, other: name: \"B\"}", "", "other"},
		{"hidden fields and definitions", "tenants: {_h: {name: \"A\"}, #D: {name: \"B\"}, acme: _h, other: name: \"C\"}", "", "other"},
		{"helper", "_h: {self_provisioning: true}\ntenants: acme: _h & {name: \"A\", domains: [\"a.com\"]}\n" + rest, "", "other"},
		{"optional", "tenants?: acme: name: \"A\"\n" + rest, "", ""},
		{"optional field", "tenants: acme: {name: \"A\", disabled?: true}\n" + rest, "", "other"},
		{"required field", "tenants: acme: {name: \"A\", disabled!: bool}\n" + rest, "", "other"},
		{"default and overlay", `tenants: acme: {name: *"A" | string, custom_attributes: {seats: *1 | int, on: *true | bool, n: *2 | number}}`, `tenants: acme: {name: "B", custom_attributes: {seats: 5, on: false}}`, "acme"},
		{"default alone", `tenants: acme: name: *"A" | string`, "", "acme"},
		{"default that the overlay repeats", `tenants: acme: name: *"A" | string`, `tenants: acme: name: "A"`, "acme"},
		{"default of another type", `tenants: acme: {name: "A", custom_attributes: x: *1 | string}`, "", ""},
		{"default and a value of another type", `tenants: acme: {name: "A", custom_attributes: x: *1 | int}`, `tenants: acme: custom_attributes: x: "a"`, ""},
		{"two defaults", `tenants: acme: name: *"A" | string`, `tenants: acme: name: *"B" | string`, ""},
		{"default that the schema refuses", `tenants: acme: name: *"" | string`, "", ""},
		{"default that the schema refuses, replaced", `tenants: acme: name: *"" | string`, `tenants: acme: name: "A"`, "acme"},
		{"default in the same directory", "tenants: acme: name: *\"A\" | string\ntenants: acme: name: \"B\"", "", ""},
		{"string means something else", "tenants: acme: {name: \"A\", custom_attributes: {string: \"a\", x: *\"b\" | string}}\n" + rest, "", ""},
		{"a type of one's own", "string: \"a\"\ntenants: acme: {name: *\"A\" | string}\n" + rest, "", ""},
		{"written twice", "tenants: acme: name: \"A\"\ntenants: acme: name: \"A\"\n" + rest, "", "other"},
		{"written twice differently", "tenants: acme: name: \"A\"\ntenants: acme: name: \"B\"\n" + rest, "", "other"},
		{"in two places", "tenants: acme: name: \"A\"\ntenants: acme: {disabled: true, custom_attributes: a: 1}\n", `tenants: "acme": custom_attributes: b: 2`, "acme"},
		{"the same in the overlay", "tenants: acme: name: \"A\"\n", `tenants: acme: name: "A"`, ""},
		{"quoted names", `"tenants": "acme": {"name": "A", "custom_attributes": {"a b": 1, "x.y": "z", "": 2}}`, "", ""},
		{"odd names", `tenants: acme: {name: "A", custom_attributes: {"a b": 1, "x.y": "z", $a: 2, if: 3}}`, "", ""},
		{"names of attributes", `tenants: acme: {name: "A", custom_attributes: {"a b": 1, "x.y": "z", $a: 2, "if": 3}}`, "", "acme"},
		{"hidden attribute", `tenants: acme: {name: "A", custom_attributes: {_a: 1, b: 2}}`, "", ""},
		{"no ASCII", `tenants: acme: {name: "Äpfel", custom_attributes: {a: "é", b: "é"}}`, "", "acme"},
		{"a name that is no ASCII", `tenants: acme: {name: "A", custom_attributes: {"ä": "é"}}`, "", ""},
		{"escapes", `tenants: acme: {name: "A\n\t\"\\\/", custom_attributes: {u: "\u00e4"}}` + "\n" + `tenants: other: name: "\"\t"`, "", "other"},
		{"other strings", "tenants: acme: {name: #\"A\"#}\ntenants: abc: name: '''\n\tB\n\t'''\ntenants: def: name: \"\"\"\n\tB\n\t\"\"\"\n" + rest, "", "other"},
		{"bytes", "tenants: acme: {name: 'A'}\n" + rest, "", "other"},
		{"numbers", `tenants: acme: {name: "A", custom_attributes: {a: 1.50, b: 0x1f, c: 1_000, d: -3, e: 1e3, f: 1K, g: 0b1, h: 12345678901234567890}}`, "", ""},
		{"whole numbers", `tenants: acme: {name: "A", custom_attributes: {a: 0, b: 123456789012345}}`, "", "acme"},
		{"a wrong number", `tenants: acme: {name: "A", custom_attributes: {a: 007}}`, "", ""},
		{"lists", "tenants: acme: {name: \"A\", domains: [\n\t\"b.com\",\n\t\"a.com\"\n], default_roles: [\"x\", \"x\",]}", "", "acme"},
		{"open list", `tenants: acme: {name: "A", domains: ["b.com", ...]}`, "", ""},
		{"list with a default", `tenants: acme: {name: "A", domains: *["b.com"] | [...string]}`, `tenants: acme: domains: ["c.com"]`, ""},
		{"lists of two lengths", `tenants: acme: {name: "A", domains: ["b.com"]}`, `tenants: acme: domains: []`, ""},
		{"list of numbers", `tenants: acme: {name: "A", custom_attributes: l: [1]}`, "", ""},
		{"two commas", `tenants: {acme: {name: "A"},, other: {name: "B"}}`, "", ""},
		{"two commas in a tenant", `tenants: {acme: {name: "A",, disabled: true}}`, "", ""},
		{"two commas in a list", `tenants: acme: {name: "A", domains: ["a.com",,"b.com"]}`, "", ""},
		{"no comma", `tenants: {acme: {name: "A" disabled: true}}` + "\n" + rest, "", "other"},
		{"a bracket too many", `tenants: acme: {name: "A"}}`, "", ""},
		{"a bracket too few", `tenants: {acme: {name: "A"}`, "", ""},
		{"the wrong bracket", `tenants: {acme: {name: "A"]}`, "", ""},
		{"a string without an end", "tenants: acme: name: \"A\ntenants: other: name: \"B\"", "", ""},
		{"attribute of a field", `tenants: acme: {name: "A" @go(X)}` + "\n" + rest, "", "other"},
		{"attribute of a tenant", `tenants: {acme: {name: "A"} @go(X), other: name: "B"}`, "", "other"},
		{"attribute in the tenants", `tenants: {@go(X), other: name: "B"}`, "", ""},
		{"unknown field", "tenants: acme: {name: \"A\", naem: \"B\"}\n" + rest, "", "other"},
		{"no name", "tenants: acme: {disabled: true}\n" + rest, "", "other"},
		{"nothing", "tenants: acme: {}\ntenants: other: _\n", `tenants: acme: name: "A"`, "acme"},
		{"house rules", `tenants: {ac: {name: "A"}, Acme: {name: "B"}, "a.b": {name: "C"}, imp: {name: "", imported: true}, "I m p": {name: "D", imported: true}}`, "", "imp I m p"},
		{"left out", `tenants: {acme: {name: "A", enabled_in: ["prod"]}, other: {name: "B", enabled_in: ["dev"]}, third: {name: "C", enabled_in: []}}`, "", "acme other third"},
		{"left out by the overlay", `tenants: acme: name: "A"`, `tenants: acme: enabled_in: ["dev"]`, ""},
		{"misspelt environment", `tenants: acme: {name: "A", enabled_in: ["dve"]}`, "", "acme"},
		{"misspelt parent", `tenants: {acme: {name: "A"}, child: {name: "B", parent: "acne"}}`, "", "acme child"},
		{"misspelt ignore", `tenants: acme: {name: "A", lifecycle: {ignore: ["naem"], prevent_destroy: true}}`, "", "acme"},
		{"taken names and domains", `tenants: {acme: {name: "A", domains: ["a.com"]}, other: {name: "A", domains: ["a.com"]}, third: {name: "C" + "", domains: ["a.com"]}}`, "", "acme other"},
		{"roles", `tenants: {acme: {name: "A", role_inheritance: "none"}, other: {name: "B", role_inheritance: "all"}}`, "", "acme"},
		{"null", `tenants: acme: {name: "A", domains: null}`, "", ""},
		{"fields that belong to nothing", "tenant: acme: name: \"A\"\n" + rest, "", "other"},
		{"windows", "tenants: acme: {\r\n\tname: \"A\"\r\n\tdomains: [\r\n\"a.com\"]\r\n}\r\n" + strings.ReplaceAll(rest, "\n", "\r\n"), "", "acme other"},
		{"embeds", "flows: x: _ @embed(file=flow.json)\n" + rest, "", "other"},
		{"tenants deep down", "_x: tenants: acme: name: \"A\"\n" + rest, "", "other"},
		{"self", "tenants: acme: name: self.x\n" + rest, "", ""},
		{"own id", `tenants: acme: {id: "acme", name: "A"}`, "", ""},
		{"a whole struct twice", `tenants: acme: {name: "A", lifecycle: {}, custom_attributes: {}}`, `tenants: acme: lifecycle: ignore: ["name"]`, "acme"},
		{"a value where fields belong", `tenants: acme: {name: "A", custom_attributes: "x"}`, "", ""},
	}
}

type awkwardCase struct{ name, base, overlay, taken string }

const schemaImport = "import \"example.com/acme/schema\"\n\n"

func TestAwkward(t *testing.T) {
	if underRace {
		t.Skip("nothing races in it, and each is compiled three times")
	}
	for _, c := range awkward() {
		t.Run(c.name, func(t *testing.T) {
			root, _ := unpack(t, &txtar.Archive{Files: []txtar.File{
				{Name: "envs/tenants.cue", Data: []byte("package envs\n\n" + c.base)},
				{Name: "envs/dev/more.cue", Data: []byte("package envs\n\n" + c.overlay)},
				{Name: "envs/flow.json", Data: []byte("{}")},
			}})
			m, err := Find(root)
			if err != nil {
				t.Fatal(err)
			}
			read := func(name, text string) []*literal.File {
				return []*literal.File{literal.Read(name, []byte("package envs\n\n"+text), "example.com/acme/schema")}
			}
			taken := slices.Sorted(maps.Keys(literal.Take(read("envs/tenants.cue", c.base), read("envs/dev/more.cue", c.overlay)).Tenants))
			want := strings.Fields(strings.ReplaceAll(c.taken, "I m p", "I_m_p"))
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "_", " ")
			}
			slices.Sort(want)
			if !slices.Equal(taken, want) {
				t.Errorf("taken: %q, want %q", taken, want)
			}
			bothWays(t, m, "dev")
		})
	}
}

// TestLiteralsKnowTheSchema fails when the schema of tenants changes: then package
// literal has to be looked at again, and its hash with it.
func TestLiteralsKnowTheSchema(t *testing.T) {
	text, err := schema.FS.ReadFile("tenant.cue")
	if err != nil || !literal.Knows(text) {
		t.Errorf("internal/literal was written for another schema/tenant.cue (%v): look at it, and change knownSchema", err)
	}
	if literal.Knows(append(text, "#Tenant: disabled?: false\n"...)) {
		t.Error("a rule more makes no difference")
	}
}

// TestLiteralsAgree makes tenants at random, good ones and bad ones, and has them read
// from the text and evaluated by CUE: none may be taken that CUE refuses, and no value
// may differ. LITERALS says how many.
func TestLiteralsAgree(t *testing.T) {
	total, batch := 4_000, 400
	if underRace {
		total = batch
	}
	if s := os.Getenv("LITERALS"); s != "" {
		var err error
		if total, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	taken, refused := 0, 0
	for first := 0; first < total; first += batch {
		var base, overlay strings.Builder
		for i := range batch {
			b, o := randomTenant(random, fmt.Sprintf("t-%d", first+i))
			base.WriteString(b)
			overlay.WriteString(o)
		}
		root, _ := unpack(t, &txtar.Archive{Files: []txtar.File{
			{Name: "envs/tenants.cue", Data: []byte("package envs\n\n" + schemaImport + base.String() + "_s: schema.#Tenant\n")},
			{Name: "envs/dev/more.cue", Data: []byte("package envs\n\n" + overlay.String())},
		}})
		m, err := Find(root)
		if err != nil {
			t.Fatal(err)
		}
		quick, diags := m.load("dev", wants{resources: true})
		if quick == nil {
			t.Fatalf("%v\n%s", diags, base.String())
		}
		whole, diags := m.load("dev", wants{resources: true, whole: true})
		if whole == nil {
			t.Fatal(diags)
		}
		tree, problems := evaluate(whole)
		wrong := map[string]bool{}
		for _, p := range problems {
			if path := p.Path(); len(path) > 1 {
				id, _ := unquoteCUE(path[1])
				wrong[id], wrong[path[1]] = true, true
			}
		}
		read := map[string]*object{}
		for _, o := range quick.takenObjects() {
			read[o.key.ID] = o
		}
		for _, o := range tree.objects {
			mine, ok := read[o.key.ID]
			if !ok {
				refused++
				continue
			}
			taken++
			if wrong[o.key.ID] || !model.Equal(any(mine.fields), any(o.fields)) {
				t.Errorf("%s was taken, CUE says %v:\n%s\n%s", o.key, wrong[o.key.ID], cmp.Diff(o.fields, mine.fields), saysAbout(o.key.ID, base.String()+overlay.String()))
			}
			where := whole.index.positions(whole.index.find("tenants", o.key.ID))
			if diff := cmp.Diff(where.origins, mine.where.origins); diff != "" || where.origin != mine.where.origin {
				t.Errorf("%s: positions: %s", o.key, diff)
			}
		}
		if t.Failed() {
			return
		}
		if first%(20*batch) == 0 {
			bothWays(t, m, "dev")
		}
	}
	t.Logf("%d tenants taken and %d left to CUE", taken, refused)
	if taken < total/4 || refused < total/20 {
		t.Errorf("%d of %d were taken, %d left: that says little", taken, total, refused)
	}
}

// saysAbout is what a file says about a tenant.
func saysAbout(id, text string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(text, "tenants: ") {
		if strings.HasPrefix(part, strconv.Quote(id)) {
			b.WriteString("tenants: " + part)
		}
	}
	return b.String()
}

// randomTenant is what the shared file and the overlay say about a tenant: right in
// most places.
func randomTenant(r *rand.Rand, id string) (base, overlay string) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	odd := func() bool { return r.IntN(60) == 0 }
	str := func() string {
		if odd() {
			return pick(`""`, `'x'`, `#"x"#`, `"\u0041"`, `"a\(1)"`, `3`, `null`, `true`, `[]`, `{}`, `string`, `*"a" | string`, `"a" | "b"`, `"""`+"\n\tx\n\t"+`"""`, strconv.Quote(strings.Repeat("x", 101)))
		}
		return strconv.Quote(pick("a", "Acme", "Ärger", "a b", "x\ty", `q"q`, "sign-in", "é", "0", strings.Repeat("é", 100)) + pick("", id))
	}
	number := func() string {
		return pick("0", "1", "42", "999999999999999", "1.5", "-1", "1_0", "0x1", "1K", "1e2", "1234567890123456")
	}
	boolean := func() string {
		if odd() {
			return pick("null", `"true"`, "bool", "1", "*true | bool", "*true | false")
		}
		return pick("true", "false")
	}
	list := func(element func() string) string {
		n := r.IntN(4)
		elements := make([]string, n)
		for i := range elements {
			elements[i] = element()
		}
		return "[" + strings.Join(elements, ", ") + pick("", "", "", map[bool]string{true: ","}[n > 0]) + "]"
	}
	domain := func() string {
		if r.IntN(12) == 0 {
			return strconv.Quote(pick("acme", "A.com", ".com", "a..com", "a-.com", "-a.com", "a.c-", "a.1om", "a_b.com", "a.com.", "ä.com", strings.Repeat("a", 64)+".com", strings.Repeat("a.", 126)+"com", ""))
		}
		return strconv.Quote(pick("a", "b-c", "1", "x1", strings.Repeat("a", 63)) + pick("", ".b", ".1") + pick(".com", ".co1", ".c-m", "."+strings.Repeat("z", 63)))
	}
	value := func() string {
		switch r.IntN(8) {
		case 0:
			return number()
		case 1:
			return boolean()
		case 2:
			return "null"
		case 3:
			return list(str)
		case 4:
			return pick(`*"s" | string`, "*1 | int", "*1 | number", "*true | bool", "*1 | string", `*"s" | int`, `string | *"s"`, `*"s" | "t"`)
		}
		return str()
	}
	attributes := func() string {
		var b strings.Builder
		for _, name := range []string{"plan", `"a b"`, `"x.y"`, "seats", "$x"} {
			if r.IntN(3) == 0 {
				b.WriteString(name + ": " + value() + pick(", ", "\n"))
			}
		}
		if odd() {
			b.WriteString(pick("_h: 1\n", "#d: 1\n", "plan?: 3\n", `"é": 1`+"\n", "if: 3\n"))
		}
		return "{" + b.String() + "}"
	}
	field := func(all bool) string {
		switch n := r.IntN(12); {
		case n == 0 && all:
			return "name: " + str()
		case n < 2:
			return "domains: " + list(domain)
		case n < 3:
			return "self_provisioning: " + boolean()
		case n < 6:
			return "custom_attributes: " + attributes()
		case n < 7:
			return "disabled: " + boolean()
		case n < 8:
			return "role_inheritance: " + pick(`""`, `"none"`, `"userOnly"`, `"all"`, `*"none" | string`)
		case n < 9:
			return "default_roles: " + list(str)
		case n < 10:
			return "lifecycle: " + pick("{}", "{prevent_destroy: true}", `{ignore: ["name"], prevent_destroy: false}`, "prevent_destroy: true", "{prevent_destroy: 1}", "{x: 1}")
		case n < 11:
			return "enabled_in: " + list(func() string { return pick(`"dev"`, `"prod"`) })
		}
		if odd() {
			return pick("imported: true", "imported: false", "parent: "+str(), "naem: \"x\"", "custom_attributes_exclusive: "+boolean(), "id: "+strconv.Quote(id))
		}
		return pick("imported: true", "parent: \"t-0\"", "custom_attributes_exclusive: true")
	}
	var b strings.Builder
	b.WriteString("name: " + pick(str(), str(), `*"Acme" | string`) + "\n")
	seen := map[string]bool{"name": true}
	for range r.IntN(5) {
		f := field(false)
		name, _, _ := strings.Cut(f, ":")
		if seen[name] && r.IntN(20) > 0 {
			continue // hardly ever twice
		}
		seen[name] = true
		b.WriteString("\t" + f + pick("\n", ",\n", ", "))
	}
	if odd() {
		id = pick("T-", "a.", strings.Repeat("x", 48)) + id
	}
	base = fmt.Sprintf("tenants: %s: %s{%s}\n", pick(strconv.Quote(id)), pick("", "schema.#Tenant & "), b.String())
	if r.IntN(3) == 0 {
		overlay = fmt.Sprintf("tenants: %q: %s\n", id, pick("name: "+str(), "custom_attributes: "+attributes(), "{"+field(true)+"}", "disabled: true", "custom_attributes: plan: "+value()))
	}
	return base, overlay
}
