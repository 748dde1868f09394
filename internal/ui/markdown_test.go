package ui

import (
	"fmt"
	"html"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// evil is in every text from outside, so that a test sees where they went.
const evil = "EVIL"

var mdHostile = []string{
	"@octocat", "#1 GH-2 owner/repo#3", "https://example.com/x", "www.example.com", "a@example.com", "`", "``````", "|", "\\|",
	"<img src=x onerror=alert(1)>", "<!-- descope-mgmt:plan:prod -->", "-->", "</code></summary></details>", "</details>\n\n# heading",
	"\n```\n", "\n~~~\n", "\n\n    code\n", "[link](https://example.com)", "![image](https://example.com/x.png)", "[a]: https://example.com",
	"**bold** _x_ ~~y~~", "\x1b[31mred\x1b[0m", "\u202e", "\u200b", "\xff\xfe", "&lt;script&gt;", "&#60;b&#62;", "$x$ :tada:", "\r\n", "\t", "",
	"\u0301\u0301", "- [ ] task", "> quote", "1. one", "===", "---",
}

type dice struct{ *rand.Rand }

func (d dice) text() string {
	var b strings.Builder
	for range d.IntN(4) {
		b.WriteString(mdHostile[d.IntN(len(mdHostile))])
	}
	b.WriteString(evil)
	if d.IntN(3) == 0 {
		b.WriteString(mdHostile[d.IntN(len(mdHostile))])
	}
	if d.IntN(200) == 0 { // of which one cannot see how long they are, or that take more bytes than they seem to
		b.WriteString(strings.Repeat([]string{"\u0301", "`", "<", "語", "\x00"}[d.IntN(5)], 3000))
	}
	return b.String()
}

func (d dice) value() any {
	switch d.IntN(6) {
	case 0:
		return plan.Absent{}
	case 1:
		return nil
	case 2:
		return []any{d.text(), d.text()}
	case 3:
		return map[string]any{d.text(): d.text()}
	default:
		return d.text()
	}
}

func (d dice) key() model.Key {
	return model.Key{Kind: model.Tenant, ID: d.text() + strconv.Itoa(d.IntN(1e9))}
}

func (d dice) keys() []model.Key {
	out := make([]model.Key, d.IntN(31))
	for i := range out {
		out[i] = d.key()
	}
	return out
}

func (d dice) plan(changes int) *plan.Plan {
	p := &plan.Plan{Environment: d.text(), Project: d.text(), Unchanged: d.keys(), Orphans: d.keys(), Unmanaged: d.keys()}
	actions := []plan.Action{plan.Create, plan.Update, plan.Delete}[:1+d.IntN(3)]
	for range changes {
		c := plan.Change{Key: d.key(), Action: actions[d.IntN(len(actions))], Adopts: d.IntN(2) == 0}
		if d.IntN(2) == 0 {
			c.Origin = model.Origin{File: d.text(), Line: 3, Column: 4}
		}
		for range d.IntN(4) {
			c.Fields = append(c.Fields, plan.FieldChange{
				Path: d.text(), Before: d.value(), After: d.value(), Note: d.text(), Sensitive: d.IntN(9) == 0, Moved: plan.Live,
			})
		}
		if d.IntN(300) == 0 {
			for range 500 {
				c.Fields = append(c.Fields, plan.FieldChange{Path: d.text(), Before: d.text(), After: d.text()})
			}
		}
		p.Changes = append(p.Changes, c)
	}
	for range d.IntN(60) {
		p.Guards = append(p.Guards, plan.Guard{Rule: plan.Rule(d.text()), Keys: d.keys(), Detail: d.text(), Allow: d.text()})
		p.Warnings = append(p.Warnings, d.diagnostic())
		p.Accepted = append(p.Accepted, plan.FieldKey{Key: d.key(), Path: d.text()})
	}
	return p
}

func (d dice) diagnostic() model.Diagnostic {
	x := model.Diagnostic{Severity: model.Warning, Code: d.text(), Summary: d.text(), Detail: d.text(), Hint: d.text(), Origin: model.Origin{File: d.text(), Line: 1, Column: 2}}
	if d.IntN(2) == 0 {
		x.Severity = model.Error
	}
	return x
}

// document is a document of Markdown as a reader has it.
type document struct {
	headings, details int
	// prose is what stands outside of code, code what stands in it.
	prose, code string
}

var ourTags = regexp.MustCompile(`</?(details|summary|b|code)>`)

// readMarkdown parses a document as forges do, and demands that no HTML is in it but
// ours, no link, picture or other thing that we do not write.
func readMarkdown(t rapid.TB, doc string) document {
	t.Helper()
	if len(doc) > MarkdownLimit {
		t.Fatalf("%d bytes, allowed are %d", len(doc), MarkdownLimit)
	}
	if harmful(strings.ReplaceAll(doc, "\n", "")) {
		t.Fatal("control characters are left")
	}
	marker, doc, _ := strings.Cut(doc, "\n")
	if !regexp.MustCompile(`^<!-- descope-mgmt(:[^<>\s]+){1,2} -->$`).MatchString(marker) {
		t.Fatalf("the marker is %q", marker)
	}
	source := []byte(doc)
	var d document
	inCode := false
	add := func(s string) {
		for {
			at := ourTags.FindStringIndex(s)
			part := s
			if at != nil {
				part = s[:at[0]]
			}
			if strings.ContainsAny(part, "<>") {
				t.Fatalf("HTML that is not ours: %q", part)
			}
			if inCode {
				d.code += html.UnescapeString(part)
			} else {
				d.prose += part
			}
			if at == nil {
				return
			}
			switch s[at[0]:at[1]] {
			case "<code>":
				inCode = true
			case "</code>":
				inCode = false
				d.code += "\n"
			case "<details>":
				d.details++
			}
			s = s[at[1]:]
		}
	}
	lines := func(n ast.Node) string {
		var b strings.Builder
		for i := range n.Lines().Len() {
			s := n.Lines().At(i)
			b.Write(s.Value(source))
		}
		return b.String()
	}
	parser := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()
	err := ast.Walk(parser.Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			d.headings++
		case *ast.HTMLBlock:
			add(lines(n))
			if n.HasClosure() {
				add(string(n.ClosureLine.Value(source)))
			}
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				s := n.Segments.At(i)
				add(string(s.Value(source)))
			}
		case *ast.FencedCodeBlock:
			d.code += lines(n)
		case *ast.Text:
			s := string(n.Segment.Value(source))
			if inCode {
				d.code += html.UnescapeString(s)
			} else {
				d.prose += s
			}
		case *ast.String:
			d.code += string(n.Value)
		case *ast.Document, *ast.Paragraph, *ast.TextBlock, *ast.Emphasis:
		default:
			if !strings.HasPrefix(n.Kind().String(), "Table") {
				t.Fatalf("there is a %s in it: %s", n.Kind(), lines(n))
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil || inCode {
		t.Fatalf("code is open at the end (%v)", err)
	}
	if strings.Contains(d.prose, evil) || strings.ContainsAny(d.prose, "@`<>&#") {
		t.Fatalf("a text from outside stands outside of code:\n%s", d.prose)
	}
	return d
}

var countsLine = regexp.MustCompile(`\*\*(?:No changes\.|(\d+) to create, (\d+) to update, (\d+) to delete\.)\*\* (\d+) unchanged`)

// told is how often a document shows or counts changes of an action.
func told(t rapid.TB, doc, action string) int {
	t.Helper()
	n := strings.Count(doc, "<summary><b>"+action+"</b>")
	for _, re := range []string{`<summary>(\d+) (?:more )?` + action + `s?(?:, in short)?</summary>`, `\*\*Not shown\*\*.* (\d+) ` + action + `s?[,.]`} {
		for _, m := range regexp.MustCompile(re).FindAllStringSubmatch(doc, -1) {
			more, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			n += more
		}
	}
	return n
}

// TestPlanMarkdownProperty: whatever is in them and however many there are, plans stay
// within the budget, are read as what they are, and count right.
func TestPlanMarkdownProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := dice{rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))}
		var parts []MarkdownPart
		want := map[string]int{}
		names := make([]string, rapid.SampledFrom([]int{1, 1, 1, 2, 5, 40}).Draw(t, "environments"))
		var lines []string
		for i := range names {
			p := d.plan(rapid.SampledFrom([]int{0, 1, 3, 30, 300, 5000}).Draw(t, "changes") / len(names))
			names[i] = p.Environment
			parts = append(parts, PlanMarkdown(p, plan.Allowed{}, Forecast{Calls: len(p.Changes), Took: time.Second}))
			n := p.Counts()
			want["create"], want["update"], want["delete"] = want["create"]+n.Create, want["update"]+n.Update, want["delete"]+n.Delete
			line := fmt.Sprintf("%d to create, %d to update, %d to delete. %d unchanged", n.Create, n.Update, n.Delete, n.Unchanged)
			if p.Empty() {
				line = fmt.Sprintf("No changes. %d unchanged", n.Unchanged)
			}
			lines = append(lines, line)
		}
		doc := MarkdownDocument(MarkdownMarker("plan", names), parts...)
		read := readMarkdown(t, doc)
		heads := countsLine.FindAllString(doc, -1)
		if read.headings != len(heads) || len(heads) == 0 && len(names) > 0 {
			t.Fatalf("%d headings, %d counts", read.headings, len(heads))
		}
		if len(names) < 10 && len(heads) != len(names) {
			t.Fatalf("%d of %d environments are told of", len(heads), len(names))
		}
		for i, h := range heads {
			if got := strings.ReplaceAll(h, "*", ""); got != lines[i] {
				t.Fatalf("counts %q, want %q", got, lines[i])
			}
		}
		if len(heads) == len(names) {
			for action, n := range want {
				if got := told(t, doc, action); got != n {
					t.Fatalf("%d %ss are shown or counted, want %d", got, action, n)
				}
			}
		}
	})
}

// TestPlanMarkdownDeletesFirst: of a plan that does not fit, deletes are shown whole, then
// all others as far as there is room.
func TestPlanMarkdownDeletesFirst(t *testing.T) {
	p := &plan.Plan{Environment: "prod", Project: "P2abc"}
	for i := range 3000 {
		p.Changes = append(p.Changes, plan.Change{
			Key: key(fmt.Sprintf("created-%04d", i)), Action: plan.Create,
			Fields: []plan.FieldChange{{Path: "name", Before: plan.Absent{}, After: strings.Repeat("x", 100)}},
		})
	}
	for i := range 50 {
		p.Changes = append(p.Changes, plan.Change{
			Key: key(fmt.Sprintf("deleted-%04d", i)), Action: plan.Delete,
			Fields: []plan.FieldChange{{Path: "name", Before: strings.Repeat("y", 100), After: plan.Absent{}}},
		})
	}
	doc := MarkdownDocument(MarkdownMarker("plan", []string{"prod"}), PlanMarkdown(p, plan.Allowed{}, Forecast{Calls: 3050}))
	readMarkdown(t, doc)
	if n := strings.Count(doc, "<summary><b>delete</b>"); n != 50 {
		t.Errorf("%d deletes are shown whole", n)
	}
	if strings.Index(doc, "created-") < strings.LastIndex(doc, "deleted-") {
		t.Error("a create stands before a delete")
	}
	if len(doc) < MarkdownLimit*9/10 {
		t.Errorf("only %d bytes are used of %d", len(doc), MarkdownLimit)
	}
	if !strings.Contains(doc, "**Not shown** here, to stay below 65000 bytes: ") || !strings.Contains(doc, "<code>descope-mgmt plan &#45;") && !strings.Contains(doc, "<code>descope-mgmt plan --env prod</code>") {
		t.Error("it is not said that something is missing, and what shows it")
	}
}

// TestMarkdownOneBigChange: a single change gets all of the room.
func TestMarkdownOneBigChange(t *testing.T) {
	p := &plan.Plan{Environment: "prod"}
	c := plan.Change{Key: key("a"), Action: plan.Update}
	for i := range 5000 {
		c.Fields = append(c.Fields, plan.FieldChange{Path: fmt.Sprintf("custom_attributes.a%04d", i), Before: "x", After: "y"})
	}
	p.Changes = append(p.Changes, c)
	doc := MarkdownDocument(MarkdownMarker("plan", []string{"prod"}), PlanMarkdown(p, plan.Allowed{}, Forecast{}))
	readMarkdown(t, doc)
	shown := strings.Count(doc, "\n- ") + strings.Count(doc, "\n+ ")
	if !strings.Contains(doc, fmt.Sprintf("… and %d more lines", 10000-shown)) || len(doc) < MarkdownLimit*9/10 {
		t.Errorf("%d lines in %d bytes: %s", shown, len(doc), doc[len(doc)-200:])
	}
}

func TestPlanMarkdownGolden(t *testing.T) {
	f := Forecast{Calls: 82, Took: 3 * time.Second}
	p := richPlan()
	p.Project = "P2abc"
	clean := PlanMarkdown(&plan.Plan{Environment: "dev", Project: "P2dev", Unchanged: keys("a")}, plan.Allowed{}, Forecast{})
	doc := MarkdownDocument(MarkdownMarker("plan", []string{"all"}), clean, PlanMarkdown(p, plan.Allowed{ConfirmProject: "P2abc"}, f), FailedMarkdown("Plan for", "staging", "no `key` <b>"))
	golden(t, "plan.md", doc)
	if strings.Contains(doc, "hush") {
		t.Error("a secret is shown")
	}
	if got := readMarkdown(t, doc); got.headings != 3 {
		t.Errorf("%d headings", got.headings)
	}
}

// TestOtherMarkdownProperty: the same for drift, mistakes and problems of flows.
func TestOtherMarkdownProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := dice{rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))}
		size := rapid.SampledFrom([]int{0, 1, 5, 50, 3000}).Draw(t, "size")
		p := d.plan(size)
		drift := plan.DriftOf(p, model.State{}, plan.DriftOptions{Since: map[model.Key]plan.Since{}})
		matrix := plan.MatrixOf([]string{p.Environment, "b"}, []*plan.Drift{drift, nil})
		doc := MarkdownDocument(MarkdownMarker("drift", []string{p.Environment}), DriftMarkdown(drift), FailedMarkdown("Drift of", "b", d.text()), MatrixMarkdown(matrix))
		n := drift.Counts()
		if read := readMarkdown(t, doc); read.headings != 3 || !drift.Clean() && !strings.Contains(doc, fmt.Sprintf("**%d changed, %d missing, %d orphaned.**", n[plan.Changed], n[plan.Missing], n[plan.Orphan])) {
			t.Fatalf("counts of %v are not in\n%s", n, doc)
		}

		var diagnostics model.Diagnostics
		var problems []FlowProblem
		for range size {
			diagnostics = append(diagnostics, d.diagnostic())
			problems = append(problems, FlowProblem{File: d.text(), Flow: d.text(), Problem: flow.Problem{
				Rule: flow.DanglingTask, Severity: d.diagnostic().Severity, Path: d.text(), Message: d.text(), Candidates: []string{d.text(), d.text()},
			}})
		}
		errors := 0
		for _, x := range problems {
			if x.Severity == model.Error {
				errors++
			}
		}
		doc = MarkdownDocument(MarkdownMarker("validate", nil), DiagnosticsMarkdown(diagnostics, 3))
		sorted := diagnostics.Sort()
		if readMarkdown(t, doc); !strings.Contains(doc, fmt.Sprintf("%s, %s.**", Counted(len(sorted.Errors()), "error"), Counted(len(sorted)-len(sorted.Errors()), "warning"))) {
			t.Fatalf("wrong counts in\n%s", doc)
		}
		doc = MarkdownDocument(MarkdownMarker("flow-lint", nil), FlowProblemsMarkdown(4, problems))
		if readMarkdown(t, doc); !strings.Contains(doc, fmt.Sprintf("%s, %s.** 4 flows read.", Counted(errors, "error"), Counted(size-errors, "warning"))) {
			t.Fatalf("wrong counts in\n%s", doc)
		}
	})
}

// TestMarkdownCode: what is set as code comes back as it was, but for what is spelled out.
func TestMarkdownCode(t *testing.T) {
	for _, s := range append(mdHostile, "tenant/acme-corp", "envs/prod/prod.cue:9", "www.example.com", "ftp://x") {
		doc := MarkdownMarker("plan", nil) + "\n" + mdCode(s) + "\n\n| " + mdCode(s) + " | b |\n| --- | --- |\n| " + mdCode(s) + " | x |\n\n<details><summary>" + mdCode(s) + "</summary>\n\n</details>\n"
		if len(doc) > MarkdownLimit {
			continue
		}
		want := strings.Repeat(Safe(s)+"\n", 4)
		if got := readMarkdown(t, doc); got.code != want && strings.TrimSpace(s) != "" {
			t.Errorf("%q came back as %q", want, got.code)
		}
	}
}

func TestMarkdownMarker(t *testing.T) {
	for _, x := range []struct {
		command string
		envs    []string
		want    string
	}{
		{"plan", []string{"prod"}, "<!-- descope-mgmt:plan:prod -->"},
		{"drift", []string{"dev", "staging"}, "<!-- descope-mgmt:drift:dev,staging -->"},
		{"validate", nil, "<!-- descope-mgmt:validate -->"},
		{"plan", []string{"a--b> c"}, "<!-- descope-mgmt:plan:a-%2Db%3E%20c -->"},
	} {
		if got := MarkdownMarker(x.command, x.envs); got != x.want {
			t.Errorf("got %s, want %s", got, x.want)
		}
	}
}
