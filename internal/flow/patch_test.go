package flow

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// patchOf is a patch from JSON.
func patchOf(t *testing.T, s string) map[string]any { return object(value(t, s)) }

func TestPatch(t *testing.T) {
	f := fixture(t)
	for _, c := range []struct{ name, patch, node, prop, want string }{
		{"by name", `{"Sign In Screen":{"title":{"children":"Hello"}}}`, "title", "children", `"Hello"`},
		{"by task", `{"0":{"title":{"children":"Hello"}}}`, "title", "children", `"Hello"`},
		{"by screen", `{"` + screen1 + `":{"email":{"required":false}}}`, "email", "required", `false`},
		{"a property of the kind", `{"0":{"google":{"size":"lg"}}}`, "google", "size", `"lg"`},
		{"a common property", `{"0":{"title":{"italic":true}}}`, "title", "italic", `true`},
		{"a number", `{"0":{"email":{"max":12.0}}}`, "email", "max", `12`},
		{"said twice", `{"0":{"title":{"children":"Hello"}},"` + screen1 + `":{"title":{"children":"Hello"}}}`, "title", "children", `"Hello"`},
	} {
		got, errs := f.Patch(patchOf(t, c.patch))
		if len(errs) > 0 {
			t.Errorf("%s: %v", c.name, errs)
			continue
		}
		screen, _ := got.ScreenOf("0")
		node, _ := screen.Node(c.node)
		if v, _ := node.Prop(c.prop); jsonOf(v) != c.want {
			t.Errorf("%s: %s", c.name, jsonOf(v))
		}
		if r := Diff(f, got); len(r.Changes) != 1 || r.Changes[0].Field != "props."+c.prop {
			t.Errorf("%s: %s", c.name, jsonOf(r.Changes))
		}
		if bad := newlyBroken(got, f); len(bad) > 0 || checkShape(got.doc) != nil {
			t.Errorf("%s: %v", c.name, bad)
		}
		if has(obj(got.doc, "contents", "tasks", "0"), "inputKeys") || !has(obj(f.doc, "contents", "tasks", "0"), "inputKeys") {
			t.Errorf("%s: what the task repeats must go, and only from the result", c.name)
		}
	}
	for _, nothing := range []string{`{}`, `{"0":{}}`, `{"0":{"title":{}}}`, `{"0":{"title":{"children":"Welcome <back> & hello"}}}`} {
		if got, errs := f.Patch(patchOf(t, nothing)); len(errs) > 0 || !bytes.Equal(got.V2(), f.V2()) {
			t.Errorf("%s changes something: %v", nothing, errs)
		}
	}
}

// TestPatchFollows holds that a button's label goes with its text, and only if it
// was the same.
func TestPatchFollows(t *testing.T) {
	f := fixture(t)
	got, errs := f.Patch(patchOf(t, `{"0":{"email-button":{"children":"Next"},"resend-link":{"children":"Again"}}}`))
	screen, _ := got.ScreenOf("0")
	label := map[string]string{}
	for _, i := range screen.Interactions() {
		label[i.ID] = i.Label
	}
	if len(errs) > 0 || label["email-button"] != "Next" || label["google"] != "Sign in with Google" {
		t.Errorf("%v %v", errs, label)
	}
	f = change(t, f, func(doc map[string]any) { obj(doc, "screens", 0, "interactions", 1)["label"] = "Other" })
	got, _ = f.Patch(patchOf(t, `{"0":{"email-button":{"children":"Next"}}}`))
	if screen, _ := got.ScreenOf("0"); screen.Interactions()[1].Label != "Other" {
		t.Error("a label of its own was changed")
	}
}

func TestPatchErrors(t *testing.T) {
	f := change(t, fixture(t), func(doc map[string]any) {
		doc["screens"] = append(list(doc["screens"]), value(t, `{"screenId":"SC3","contents":{"ROOT":{"props":null}}}`))
		tasks := obj(doc, "contents", "tasks")
		tasks["20"] = value(t, `{"id":"20","name":"Verify OTP","type":"screen","screenId":"SC3"}`)
		tasks["21"] = value(t, `{"id":"21","name":"Lost","type":"screen","screenId":"SC4"}`)
		tasks["22"] = value(t, `{"id":"22","name":"Sign In Screen","type":"automated"}`)
		tasks["23"] = value(t, `{"id":"23","name":"Sign In Screen","type":"screen","screenId":"`+screen1+`"}`)
	})
	for _, c := range []struct{ patch, path, want string }{
		{`{"Sign In Scren":{}}`, `screens."Sign In Scren"`, `the flow has no task and no screen "Sign In Scren"; did you mean "Sign In Screen"?`},
		{`{"Nothing like it":{}}`, `screens."Nothing like it"`, `the flow has no task and no screen "Nothing like it"`},
		{`{"Verify OTP":{}}`, `screens."Verify OTP"`, `the tasks 4, 20 are all called "Verify OTP": name the one that you mean by its id`},
		{`{"3":{}}`, `screens."3"`, "task 3 shows no screen"},
		{`{"Tell CRM":{}}`, `screens."Tell CRM"`, "task 7 shows no screen"},
		{`{"OAuth / Google":{}}`, `screens."OAuth / Google"`, "task 1 shows no screen"},
		{`{"Lost":{}}`, `screens.Lost`, "task 21 shows screen SC4, which is not in the flow"},
		{`{"0":"x"}`, `screens."0"`, "want components by id, found text"},
		{`{"0":{"titel":{}}}`, `screens."0".titel`, `the screen has no component "titel"; did you mean "title"?`},
		{`{"0":{"title":["x"]}}`, `screens."0".title`, "want properties by name, found a list"},
		{`{"0":{"title":{"childern":"x"}}}`, `screens."0".title.childern`, `Text components have no property "childern"; did you mean "children"?`},
		{`{"0":{"title":{"src":"x"}}}`, `screens."0".title.src`, `Text components have no property "src"`},
		{`{"0":{"title":{"children":1}}}`, `screens."0".title.children`, "want text, found a number"},
		{`{"0":{"title":{"children":null}}}`, `screens."0".title.children`, "want text, found nothing"},
		{`{"0":{"title":{"id":"x"}}}`, `screens."0".title.id`, "the id of a component cannot be changed"},
		{`{"Sign In Screen":{"title":{"children":"b"}},"0":{"title":{"children":"a"}}}`, `screens."Sign In Screen".title.children`, `screens."0".title.children sets another value on the same component`},
	} {
		got, errs := f.Patch(patchOf(t, c.patch))
		if len(errs) != 1 || errs[0].Error() != c.path+": "+c.want || !bytes.Equal(got.V2(), f.V2()) {
			t.Errorf("%s: %v", c.patch, errs)
		}
	}
	if _, errs := f.Patch(map[string]any{"0": map[string]any{"title": map[string]any{"children": func() {}}}}); len(errs) != 1 {
		t.Errorf("what is no JSON: %v", errs)
	}
	// All mistakes, sorted.
	_, errs := f.Patch(patchOf(t, `{"x":{},"0":{"b":{},"title":{"q":1,"children":2},"a":{}},"4":1}`))
	var all []string
	for _, e := range errs {
		all = append(all, strings.Join(e.Path, "/"))
	}
	if want := []string{"screens/0/a", "screens/0/b", "screens/0/title/children", "screens/0/title/q", "screens/4", "screens/x"}; !slices.Equal(all, want) {
		t.Errorf("%q", all)
	}
}

// TestPatchKnownProps holds what each kind of component takes that has nothing yet.
func TestPatchKnownProps(t *testing.T) {
	for kind, props := range map[string]string{
		"Container": `{"direction":"row"}`, "Image": `{"src":"a.png","alt":"A"}`, "Logo": `{"height":"1rem"}`, "Link": `{"href":"https://example.com","italic":true}`,
		"AppleButton": `{"children":"Apple","full-width":true}`, "PhoneInput": `{"label":"Phone","required":true}`, "Code": `{"bordered":false}`,
	} {
		f := change(t, fixture(t), func(doc map[string]any) {
			screen := obj(doc, "screens", 1)
			screen["contents"] = value(t, `{"ROOT":{"type":"`+kind+`"},"other":{"type":"`+kind+`","props":{"odd":null}}}`)
		})
		got, errs := f.Patch(map[string]any{"4": map[string]any{"ROOT": value(t, props)}})
		screen, _ := got.ScreenOf("4")
		node, _ := screen.Node("ROOT")
		if len(errs) > 0 || !slices.Equal(node.Props(), keys(object(value(t, props)))) {
			t.Errorf("%s: %v, %v", kind, errs, node.Props())
		}
		if _, errs := f.Patch(patchOf(t, `{"4":{"ROOT":{"odd":[1]}}}`)); len(errs) > 0 {
			t.Errorf("%s: what is null elsewhere may be anything: %v", kind, errs)
		}
		if _, errs := f.Patch(patchOf(t, `{"4":{"ROOT":{"poster":"x"}}}`)); len(errs) != 1 {
			t.Errorf("%s: %v", kind, errs)
		}
	}
}

// TestPatchCorpus sets each text of each real export to itself, and to another
// one, by the task that shows it.
func TestPatchCorpus(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(corpus(t), "flows", "*.json"))
	texts := 0
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		same, other := map[string]any{}, map[string]any{}
		count := 0
		for task, s := range f.shown() {
			own, changed := map[string]any{}, map[string]any{}
			for _, n := range s.Nodes() {
				if children, ok := n.Prop("children"); ok {
					count++
					own[n.ID], changed[n.ID] = map[string]any{"children": children}, map[string]any{"children": text(children) + "!"}
				}
			}
			same[task], other[task] = own, changed
		}
		if got, errs := f.Patch(same); len(errs) > 0 || !bytes.Equal(got.V2(), f.V2()) {
			t.Errorf("%s: %v", filepath.Base(name), errs)
		}
		got, errs := f.Patch(other)
		if r := Diff(f, got); len(errs) > 0 || len(r.Changes) != len(r.Of(TextChanged)) || len(r.Changes) < count/2 {
			t.Errorf("%s: %v, %d changes for %d texts", filepath.Base(name), errs, len(r.Changes), count)
		}
		texts += count
	}
	t.Logf("counts: %d flows, %d texts", len(names), texts)
}
