package plan

import (
	"encoding/json"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// flowAttrs are the attributes of a flow with one screen of three texts; set changes it.
func flowAttrs(t *testing.T, set func(doc map[string]any)) map[string]any {
	t.Helper()
	const text = `{"flowId":"f","metadata":{"name":"F","componentsVersion":"3.1"},"contents":{"startTask":"0","tasks":{
	  "0":{"id":"0","name":"Start","next":{"rules":[{"taskId":"1"}]},"view":{"x":1,"y":1}},
	  "1":{"id":"1","name":"Hello","type":"screen","screenId":"SC1","next":{"rules":[]},"view":{"x":2,"y":2}}}},
	  "screens":[{"screenId":"SC1","contents":{
	    "ROOT":{"type":{"resolvedName":"Container"},"props":{},"nodes":["a","b","c"]},
	    "a":{"type":{"resolvedName":"Text"},"props":{"id":"a","children":"A"},"parent":"ROOT","nodes":[]},
	    "b":{"type":{"resolvedName":"Text"},"props":{"id":"b","children":"B"},"parent":"ROOT","nodes":[]},
	    "c":{"type":{"resolvedName":"Text"},"props":{"id":"c","children":"C"},"parent":"ROOT","nodes":[]}},"interactions":[]}]}`
	v, err := model.DecodeJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	doc := v.(map[string]any)
	if set != nil {
		set(doc)
	}
	return map[string]any{"definition": doc}
}

func node(doc map[string]any, id string) map[string]any {
	screen := doc["screens"].([]any)[0].(map[string]any)
	return screen["contents"].(map[string]any)[id].(map[string]any)["props"].(map[string]any)
}

// TestFlowNeeded: what is written of a flow and what is not.
func TestFlowNeeded(t *testing.T) {
	plain := flowAttrs(t, nil)
	edit := func(set func(doc map[string]any)) map[string]any { return flowAttrs(t, set) }
	filled := edit(func(d map[string]any) { // a newer version of Descope wrote out a default
		for _, id := range []string{"a", "b", "c"} {
			node(d, id)["link-target-blank"] = true
		}
	})
	text := edit(func(d map[string]any) { node(d, "a")["children"] = "Welcome" })
	elsewhere := edit(func(d map[string]any) { // of another project, another version, moved about
		d["metadata"].(map[string]any)["componentsVersion"] = "3.2"
		d["screens"].([]any)[0].(map[string]any)["screenId"] = "SC2"
		task := d["contents"].(map[string]any)["tasks"].(map[string]any)["1"].(map[string]any)
		task["screenId"], task["view"] = "SC2", map[string]any{"x": json.Number("9"), "y": json.Number("9")}
	})
	for name, c := range map[string]struct {
		want, live, last map[string]any
		needed           bool
	}{
		"the same":       {plain, plain, plain, false},
		"from elsewhere": {elsewhere, plain, nil, false},
		"a text":         {text, plain, plain, true},
		"filled in by Descope since we applied it":    {plain, filled, plain, false},
		"filled in by Descope, never applied by us":   {plain, filled, nil, false},
		"the user writes what Descope would fill in":  {filled, plain, plain, true},
		"the user takes it out again":                 {plain, filled, filled, true},
		"never applied, and the user has it":          {filled, plain, nil, true},
		"filled in since, and the user edited a text": {text, filled, plain, true},
	} {
		key := model.Key{Kind: model.Flow, ID: "f"}
		of := func(attrs map[string]any) model.State {
			if attrs == nil {
				return model.State{}
			}
			s, err := model.NewState([]model.Resource{{Key: key, Attrs: attrs}})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		p, err := Compute(of(c.want), of(c.live), of(c.last), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if p.Empty() == c.needed {
			t.Errorf("%s: %d changes", name, len(p.Changes))
		}
		for _, ch := range p.Changes {
			if report, ok := ch.FlowReport(); !ok || len(report.Changes)+len(report.Noise) == 0 {
				t.Errorf("%s: report %v %v", name, report, ok)
			}
			var doc struct {
				Changes []struct {
					Flow struct {
						Changes []map[string]any `json:"changes"`
					} `json:"flow_changes"`
				} `json:"resource_changes"`
			}
			data, err := p.MarshalJSON()
			if err != nil || json.Unmarshal(data, &doc) != nil || doc.Changes[0].Flow.Changes == nil {
				t.Errorf("%s: %v: %s", name, err, data)
			}
			back := &Plan{}
			if err := back.UnmarshalJSON(data); err != nil || back.Digest() != p.Digest() {
				t.Errorf("%s: read again: %v", name, err)
			}
		}
	}
}

// TestAcceptedFlow: of a flow its meaning is accepted, so that noise does not end it.
func TestAcceptedFlow(t *testing.T) {
	resource := func(attrs map[string]any) model.State {
		s, err := model.NewState([]model.Resource{{Key: model.Key{Kind: model.Flow, ID: "f"}, Attrs: attrs}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	text := func(s string) map[string]any {
		return flowAttrs(t, func(doc map[string]any) { node(doc, "a")["children"] = s })
	}
	noisy := flowAttrs(t, func(doc map[string]any) {
		node(doc, "a")["children"] = "theirs"
		doc["metadata"].(map[string]any)["componentsVersion"] = "99.0"
	})
	accepted := Accepted{Key: model.Key{Kind: model.Flow, ID: "f"}, Path: definition, Value: LiveValue(model.Flow, definition, text("theirs")[definition])}
	if s, ok := accepted.Value.(string); !ok || len(s) > 80 {
		t.Fatalf("a document is accepted as %v", accepted.Value)
	}
	for name, c := range map[string]struct {
		live    map[string]any
		changes int
	}{"as accepted": {text("theirs"), 0}, "with noise": {noisy, 0}, "moved again": {text("others"), 1}} {
		ours := resource(text("ours"))
		p, err := Compute(ours, resource(c.live), ours, Options{Accepted: []Accepted{accepted}})
		if err != nil || len(p.Changes) != c.changes || len(p.Accepted) != 1-c.changes {
			t.Errorf("%s: %v, %d changes, %v accepted", name, err, len(p.Changes), p.Accepted)
		}
	}
}
