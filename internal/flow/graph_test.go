package flow

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestMermaid(t *testing.T) {
	want := `flowchart TD
    n0["Sign In Screen"]
    n1("OAuth / Google")
    n2("Sign In / OTP / Email")
    n3["Verify OTP"]
    n4("Verify Code / OTP / Email")
    n5{"Is new user?"}
    n6("Tell CRM")
    n7(["Generate JWT"])
    n8[["Step up"]]
    n9(["Start"])
    n0 -->|"Sign in with Google"| n1
    n0 -->|"Continue"| n2
    n0 -->|"Send again"| n2
    n1 -->|"success"| n5
    n2 -->|"success"| n3
    n3 -->|"Code"| n4
    n3 -->|"Send again"| n2
    n4 -->|"success"| n5
    n5 -->|"New user"| n6
    n5 -->|"Risky"| n8
    n5 -->|"Otherwise"| n7
    n6 -->|"success"| n7
    n8 -->|"10.3.success"| n7
    n9 --> n0
`
	if got := fixture(t).Mermaid(); got != want {
		t.Errorf("%s", got)
	}
}

func TestDOT(t *testing.T) {
	want := `digraph "Sign In" {
    n0 [label="Sign In Screen", shape=box];
    n1 [label="OAuth / Google", shape=box, style=rounded];
    n2 [label="Sign In / OTP / Email", shape=box, style=rounded];
    n3 [label="Verify OTP", shape=box];
    n4 [label="Verify Code / OTP / Email", shape=box, style=rounded];
    n5 [label="Is new user?", shape=diamond];
    n6 [label="Tell CRM", shape=box, style=rounded];
    n7 [label="Generate JWT", shape=doublecircle];
    n8 [label="Step up", shape=component];
    n9 [label="Start", shape=circle];
    n0 -> n1 [label="Sign in with Google"];
    n0 -> n2 [label="Continue"];
    n0 -> n2 [label="Send again"];
    n1 -> n5 [label="success"];
    n2 -> n3 [label="success"];
    n3 -> n4 [label="Code"];
    n3 -> n2 [label="Send again"];
    n4 -> n5 [label="success"];
    n5 -> n6 [label="New user"];
    n5 -> n8 [label="Risky"];
    n5 -> n7 [label="Otherwise"];
    n6 -> n7 [label="success"];
    n8 -> n7 [label="10.3.success"];
    n9 -> n0;
}
`
	if got := fixture(t).DOT(); got != want {
		t.Errorf("%s", got)
	}
}

// TestGraphHostile draws names that try to be syntax: every line is still a node
// or an edge, and their numbers are those of an honest flow.
func TestGraphHostile(t *testing.T) {
	honest := fixture(t)
	nodes, edges := drawn(t, honest)
	for _, name := range []string{
		`"]; n0 --> n99["x`, "a\nb --> c", "a\r\n}\ndigraph x {", `\`, `\"`, `"`, "`code`", "<script>alert(1)</script>", "end", "#quot;", "&quot;",
		"%% comment", "|x|", "a;b", "\u2028n0 --> n1", "\x00", "", "   ", "]]", "}}", "([", "**b**", "\u202egnp", `" onclick="x`, `\N`, "{{x}}",
	} {
		f := change(t, honest, func(doc map[string]any) {
			for _, v := range obj(doc, "contents", "tasks") {
				object(v)["name"] = name
				for _, c := range objects(object(v)["conditions"]) {
					c["name"] = name
				}
			}
			for _, i := range objects(obj(doc, "screens", 0)["interactions"]) {
				i["label"] = name
			}
			obj(doc, "metadata")["name"] = name
		})
		n, e := drawn(t, f)
		if n != nodes || e != edges {
			t.Errorf("%q: %d nodes and %d edges, want %d and %d", name, n, e, nodes, edges)
		}
	}
}

// drawn counts the nodes and the edges of both drawings, which must agree, and in
// which no line may be anything else.
func drawn(t *testing.T, f Flow) (nodes, edges int) {
	t.Helper()
	quoted := `"(?:[^"\\\p{C}]|\\["\\])*"`
	count := func(text, head, tail, node, edge string) (n, e int) {
		text, ok := strings.CutSuffix(text, tail)
		isNode, isEdge := regexp.MustCompile("^    "+node+"$"), regexp.MustCompile("^    "+edge+"$")
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if !ok || !regexp.MustCompile("^"+head+"$").MatchString(lines[0]) {
			t.Fatalf("%s", text)
		}
		for _, line := range lines[1:] {
			switch {
			case isNode.MatchString(line):
				n++
			case isEdge.MatchString(line):
				e++
			default:
				t.Fatalf("what is %q?", line)
			}
		}
		return n, e
	}
	label := `"(?:[\pL\p{N}\p{M}\p{S}\p{P} ]|#\d+;)*"`
	nodes, edges = count(f.Mermaid(), "flowchart TD", "",
		`n\d+(\(\[`+label+`\]\)|\[`+label+`\]|\{`+label+`\}|\(`+label+`\)|\[\[`+label+`\]\]|\{\{`+label+`\}\})`, `n\d+ -->(\|`+label+`\|)? n\d+`)
	code := regexp.MustCompile(`#\d+;`)
	for _, inner := range regexp.MustCompile(`"(.*)"`).FindAllStringSubmatch(f.Mermaid(), -1) {
		if plain := code.ReplaceAllString(inner[1], ""); strings.ContainsAny(plain, "\"<>#;`|[]{}\\&*_%") {
			t.Fatalf("%q is not safe", inner[1])
		}
	}
	n, e := count(f.DOT(), `digraph `+quoted+` \{`, "}\n", `n\d+ \[label=`+quoted+`, shape=[a-z, =]+\];`, `n\d+ -> n\d+( \[label=`+quoted+`\])?;`)
	if n != nodes || e != edges {
		t.Fatalf("Mermaid has %d nodes and %d edges, DOT %d and %d", nodes, edges, n, e)
	}
	return nodes, edges
}

func TestGraphBroken(t *testing.T) {
	f := change(t, fixture(t), func(doc map[string]any) {
		obj(taskOf(doc, "7"), "next", "rules", 0)["taskId"] = "99"
		obj(taskOf(doc, "5"), "next", "rules", 0)["taskId"] = "99"
		delete(obj(doc, "contents", "tasks"), "1") // leaves 1.end
	})
	got := f.Mermaid()
	if strings.Count(got, `{{"missing: 99"}}`) != 1 || !strings.Contains(got, `{{"missing: 1"}}`) || strings.Count(got, "OAuth / Google") != 1 {
		t.Error(got)
	}
	f = change(t, fixture(t), func(doc map[string]any) {
		obj(taskOf(doc, "1"), "next")["rules"] = []any{} // the way on is that of 1.end
		taskOf(doc, "8")["name"] = "- out 1."
	})
	if got := f.Mermaid(); !strings.Contains(got, `n1("OAuth / Google")`) || !strings.Contains(got, `(["#45; out 1#46;"])`) {
		t.Error(got)
	}
	if (Flow{}).Mermaid() != "flowchart TD\n" || (Flow{}).DOT() != "digraph \"\" {\n}\n" {
		t.Error("a flow with nothing in it")
	}
}

// TestGraphCorpus draws every real export: a node for each step, and an edge for
// each that does not lead from a half of a pair to the other.
func TestGraphCorpus(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(corpus(t), "flows", "*.json"))
	steps, edges := 0, 0
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for _, task := range f.Tasks() {
			want[strings.TrimSuffix(task.ID, ".end")] = true
		}
		arrows := 0
		for _, e := range f.Edges() {
			if e.To != e.From+".end" {
				arrows++
			}
		}
		n, e := drawn(t, f)
		if n != len(want) || e != arrows {
			t.Errorf("%s: %d nodes and %d edges, want %d and %d", filepath.Base(name), n, e, len(want), arrows)
		}
		if again, _, err := Parse(f.V2()); err != nil || again.Mermaid() != f.Mermaid() || again.DOT() != f.DOT() {
			t.Errorf("%s: not the same twice", filepath.Base(name))
		}
		steps, edges = steps+n, edges+e
	}
	t.Logf("counts: %d flows, %d steps, %d edges", len(names), steps, edges)
}
