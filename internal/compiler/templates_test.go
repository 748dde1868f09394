package compiler

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

func TestTemplates(t *testing.T) {
	var b strings.Builder
	for _, template := range Templates() {
		fmt.Fprintf(&b, "%s %s: %s\n", template.Name, template.Definition, template.Summary)
		for _, f := range template.Fields {
			fmt.Fprintf(&b, "  %s %s, default %q, required %v\n", f.Name, f.Type, f.Default, f.Required)
			if len(f.Doc) < 20 || strings.Contains(f.Doc, "\n") {
				t.Errorf("%s.%s is documented as %q", template.Name, f.Name, f.Doc)
			}
		}
	}
	want := `magic-link #MagicLink: the user asks for a link by e-mail and opens it.
  sign_up bool, default "true", required false
  redirect_url "" | =~"^https?://[^ ]+$", default "\"\"", required false
mfa-login #MFALogin: e-mail address and password, then a second factor. Users must have the factor already: the flow does not enrol them.
  methods [..."sms" | "totp" | "email"], default "", required true
  remember_device bool, default "false", required false
  remember_duration_days int & >=1 & <=365, default "", required false
sign-up-or-in #SignUpOrIn: users who are not known yet sign up, the others sign in, by e-mail or with an identity provider.
  email "magic-link" | "code", default "\"magic-link\"", required false
  providers [..."google" | "github" | "apple" | "facebook"], default "[]", required false
  ask_name bool, default "true", required false
  redirect_url "" | =~"^https?://[^ ]+$", default "\"\"", required false
social-login #SocialLogin: a button for each identity provider.
  providers [..."google" | "github" | "apple" | "facebook"], default "", required true
  redirect_url "" | =~"^https?://[^ ]+$", default "\"\"", required false
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	Templates()[0].Fields[0].Name = "changed"
	if Templates()[0].Fields[0].Name == "changed" {
		t.Error("a caller can change the templates")
	}
}

// orderedSubsets are all ways to choose some of the words, in every order.
func orderedSubsets(words []string) [][]string {
	out := [][]string{{}}
	for i, w := range words {
		rest := slices.Delete(slices.Clone(words), i, i+1)
		for _, s := range orderedSubsets(rest) {
			out = append(out, append([]string{w}, s...))
		}
	}
	return out
}

func cueList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// combinations are configurations of every template: all of its options, and
// all choices and orders of its lists.
func combinations() map[string]string {
	out := map[string]string{}
	add := func(template, config string) {
		out[fmt.Sprintf("%s-%03d", template, len(out))] = fmt.Sprintf("{template: %q, config: {%s}}", template, config)
	}
	for _, methods := range orderedSubsets([]string{"sms", "totp", "email"}) {
		for _, remember := range []bool{false, true} {
			if len(methods) > 0 {
				add("mfa-login", fmt.Sprintf("methods: %s, remember_device: %v", cueList(methods), remember))
			}
		}
	}
	for _, providers := range orderedSubsets([]string{"google", "github", "apple", "facebook"}) {
		if len(providers) > 0 {
			add("social-login", "providers: "+cueList(providers))
		}
		if len(providers) > 2 && !slices.IsSorted(providers) {
			continue // enough of them
		}
		for _, email := range []string{"magic-link", "code"} {
			for _, ask := range []bool{false, true} {
				add("sign-up-or-in", fmt.Sprintf("email: %q, providers: %s, ask_name: %v", email, cueList(providers), ask))
			}
		}
	}
	for _, url := range []string{"", "https://example.com/back"} {
		for _, signUp := range []bool{false, true} {
			add("magic-link", fmt.Sprintf("sign_up: %v, redirect_url: %q", signUp, url))
		}
		add("social-login", fmt.Sprintf("providers: [\"google\"], redirect_url: %q", url))
	}
	return out
}

func compiledCombinations(t *testing.T) map[string]map[string]any {
	t.Helper()
	var b strings.Builder
	b.WriteString("-- envs/flows.cue --\npackage envs\n\n")
	all := combinations()
	for id, f := range all {
		fmt.Fprintf(&b, "flows: %q: %s\n", id, f)
	}
	r := compileWell(t, moduleOf(t, b.String()), "dev")
	out := map[string]map[string]any{}
	for id := range all {
		out[id] = definitionOf(t, r, id)
	}
	return out
}

// TestEveryCombinationIsSound holds every flow that the templates can make
// against the rules of a flow: what is referred to exists, what exists is
// reached.
func TestEveryCombinationIsSound(t *testing.T) {
	counts := map[string]int{}
	names := map[string]string{} // of tasks, by template and id
	for id, definition := range compiledCombinations(t) {
		f, spelling, err := flow.FromValue(definition)
		if err != nil || spelling != flow.Exported {
			t.Errorf("%s: %v, %v", id, spelling, err)
			continue
		}
		template := id[:strings.LastIndex(id, "-")]
		counts[template]++
		for _, p := range unsound(f) {
			t.Errorf("%s: %s", id, p)
		}
		if f.ID() != id {
			t.Errorf("%s calls itself %s", id, f.ID())
		}
		for _, task := range f.Tasks() {
			key := template + "/" + task.ID
			if task.Type == flow.TypeScreen && names[key] != "" && names[key] != task.Name {
				t.Errorf("%s: task %s is %q, and %q with other options", id, task.ID, task.Name, names[key])
			}
			names[key] = task.Name
			counts["tasks"]++
		}
		counts["edges"] += len(f.Edges())
		counts["screens"] += len(f.Screens())
	}
	if counts["mfa-login"] != 30 || counts["magic-link"] != 4 || counts["sign-up-or-in"] != 88 || counts["social-login"] != 66 {
		t.Errorf("not all combinations: %v", counts)
	}
	t.Logf("counts: %v", counts)
}

// unsound is what is wrong with the structure of a flow.
func unsound(f flow.Flow) []string {
	var out []string
	problem := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	next := map[string][]string{}
	shown := map[string]bool{}
	for _, task := range f.Tasks() {
		outcomes := map[string]bool{"success": true}
		switch task.Type {
		case "":
			outcomes = map[string]bool{"": true}
		case flow.TypeScreen:
			s, ok := f.ScreenOf(task.ID)
			if !ok || shown[s.ID] {
				problem("task %s shows no screen of its own (%s)", task.ID, task.ScreenID)
			}
			shown[s.ID] = true
			outcomes = map[string]bool{}
			for _, i := range s.Interactions() {
				if outcomes[i.ID] || i.Label == "" {
					problem("screen %s: interaction %q twice, or without a label", s.ID, i.ID)
				}
				outcomes[i.ID] = true
				if _, ok := s.Node(i.ID); !ok {
					problem("screen %s: interaction %s is no node", s.ID, i.ID)
				}
			}
			out = append(out, unsoundNodes(s)...)
		case flow.TypeCondition:
			outcomes = map[string]bool{}
			for _, c := range task.Conditions {
				outcomes[c.Interaction] = true
			}
			if n := len(task.Conditions); n < 2 || task.Conditions[n-1].Interaction != "ELSE" {
				problem("task %s: the last branch is not ELSE", task.ID)
			}
		}
		led := map[string]bool{}
		for _, r := range task.Rules {
			next[task.ID] = append(next[task.ID], r.To)
			led[r.Interaction] = true
			if _, ok := f.Task(r.To); !ok || !outcomes[r.Interaction] {
				problem("task %s: rule %q to %q", task.ID, r.Interaction, r.To)
			}
		}
		for o := range outcomes {
			if !led[o] && task.Action != "logged-in" {
				problem("task %s: nothing follows %q", task.ID, o)
			}
		}
		if task.Action == "logged-in" && len(task.Rules) > 0 {
			problem("task %s: something follows the end", task.ID)
		}
		out = append(out, unsoundTwin(f, task)...)
	}
	reached := map[string]bool{}
	var visit func(string)
	visit = func(id string) {
		if !reached[id] {
			reached[id] = true
			for _, n := range next[id] {
				visit(n)
			}
		}
	}
	visit("start")
	for _, task := range f.Tasks() {
		if !reached[task.ID] {
			problem("task %s is never reached", task.ID)
		}
	}
	if len(next["start"]) != 1 || next["start"][0] != f.StartTask() {
		problem("the flow starts with %s, and its start leads to %v", f.StartTask(), next["start"])
	}
	for _, s := range f.Screens() {
		if !shown[s.ID] || len(s.ID) != 29 || !strings.HasPrefix(s.ID, "SC") {
			problem("screen %s is shown by no task, or has another form than Descope's", s.ID)
		}
	}
	return out
}

// unsoundTwin is what is wrong with an action of two tasks.
func unsoundTwin(f flow.Flow, task flow.Task) []string {
	var out []string
	steps := 0
	for _, name := range []string{"verifyStepId", "exchangeStepId"} {
		if a, ok := task.Argument(name); ok {
			steps++
			if a.Value != strings.TrimSuffix(task.ID, ".end")+".end" {
				out = append(out, fmt.Sprintf("task %s: %s is %v", task.ID, name, a.Value))
			}
		}
	}
	first, isTwin := task.TwinOf()
	twin, hasTwin := f.Task(task.ID + ".end")
	if isTwin {
		twin, hasTwin = f.Task(first)
	}
	if hasTwin != (steps == 1) || hasTwin && (twin.Name != task.Name || !slices.Equal(twin.Arguments(), task.Arguments())) {
		out = append(out, fmt.Sprintf("task %s: the pair does not agree", task.ID))
	}
	return out
}

// unsoundNodes is what is wrong with the tree of a screen.
func unsoundNodes(s flow.Screen) []string {
	var out []string
	parents := map[string]string{}
	for _, n := range s.Nodes() {
		for _, c := range n.Children {
			if _, twice := parents[c]; twice {
				out = append(out, fmt.Sprintf("screen %s: node %s stands in two places", s.ID, c))
			}
			parents[c] = n.ID
		}
	}
	for _, n := range s.Nodes() {
		if id, _ := n.Prop("id"); id != n.ID || parents[n.ID] != n.Parent || (n.ID == "ROOT") != (n.Parent == "") || n.Component == "" {
			out = append(out, fmt.Sprintf("screen %s: node %s in %q, which is in %q", s.ID, n.ID, n.Parent, parents[n.ID]))
		}
	}
	if len(parents) != len(s.Nodes())-1 {
		out = append(out, fmt.Sprintf("screen %s: %d of %d nodes have a place", s.ID, len(parents), len(s.Nodes())))
	}
	return out
}

// TestSoundnessIsNoticed breaks a sound flow in every way that the checks know.
func TestSoundnessIsNoticed(t *testing.T) {
	m := moduleOf(t, "-- envs/f.cue --\npackage envs\n\nflows: \"a\": {template: \"magic-link\"}\n")
	good := definitionOf(t, compileWell(t, m, "dev"), "a")
	text := string(model.CanonicalJSON(good))
	for _, edit := range [][2]string{
		{`"taskId":"1.end"`, `"taskId":"9"`},
		{`"interactionId":"submit"`, `"interactionId":"submitt"`},
		{`"value":"1.end"`, `"value":"2.end"`},
		{`"startTask":"0"`, `"startTask":"1"`},
		{`"parent":"ROOT"`, `"parent":"title"`},
		{`"nodes":["title",`, `"nodes":["title","title",`},
		{`"taskId":"3"`, `"taskId":"2"`},
	} {
		broken := strings.Replace(text, edit[0], edit[1], 1)
		f, _, err := flow.Parse([]byte(broken))
		if broken == text || err != nil || len(unsound(f)) == 0 {
			t.Errorf("%s instead of %s is not noticed (%v)", edit[1], edit[0], err)
		}
	}
}

// TestTemplatesCorpusParts holds that templates are made of what real exports
// are made of: actions, arguments, components, properties and conditions.
func TestTemplatesCorpusParts(t *testing.T) {
	corpus := os.Getenv("DESCOPE_MGMT_CORPUS")
	if corpus == "" {
		t.Skip("DESCOPE_MGMT_CORPUS is not set: what templates are made of is not compared with real flows")
	}
	seen := map[string]bool{}
	files := 0
	for _, pattern := range []string{"flows/*.json", "edits/*/*/contents.json", "edits/*/*/screen-*.json"} {
		names, err := filepath.Glob(filepath.Join(corpus, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if json.Unmarshal(data, &v) == nil {
				files++
				parts(v, func(p string) { seen[p] = true })
			}
		}
	}
	if files < 40 {
		t.Fatalf("only %d files", files)
	}
	used, unseen := map[string]bool{}, map[string]bool{}
	for _, definition := range compiledCombinations(t) {
		parts(definition, func(p string) {
			used[p] = true
			if !seen[p] {
				unseen[p] = true
			}
		})
	}
	delete(unseen, "condition riskInfo.trustedDevice") // documented as unproven
	for p := range unseen {
		t.Errorf("no real flow has %s", p)
	}
	t.Logf("counts: %d files, %d kinds of parts seen, %d used", files, len(seen), len(used))
}

// parts calls f for what a flow is made of, wherever it stands.
func parts(v any, f func(string)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			parts(e, f)
		}
	case map[string]any:
		if action, ok := v["action"].(string); ok {
			f("action " + action)
			arguments, _ := v["arguments"].(map[string]any)
			for name := range arguments {
				f("argument " + action + " " + name)
			}
		}
		if target, ok := v["target"].(map[string]any); ok {
			f(fmt.Sprintf("condition %v", target["value"]))
			f(fmt.Sprintf("operator %v", v["operator"]))
		}
		if kind, ok := v["type"].(map[string]any); ok {
			component, _ := kind["resolvedName"].(string)
			f(fmt.Sprintf("component %s shown as %v", component, v["displayName"]))
			props, _ := v["props"].(map[string]any)
			for name := range props {
				f("property " + component + " " + name)
			}
		}
		for _, e := range v {
			parts(e, f)
		}
	}
}
