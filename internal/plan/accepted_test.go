package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// acceptAll accepts everything that a plan would change, and its orphans.
func acceptAll(p *plan.Plan) []plan.Accepted {
	var out []plan.Accepted
	for _, ch := range p.Changes {
		switch ch.Action {
		case plan.Create:
			out = append(out, plan.Accepted{Key: ch.Key, Value: plan.Absent{}})
		case plan.Delete:
		case plan.Update:
			for _, f := range ch.Fields {
				out = append(out, plan.Accepted{Key: ch.Key, Path: f.Path, Value: plan.LiveValue(ch.Key.Kind, f.Path, f.Before)})
			}
		}
	}
	for _, k := range p.Orphans {
		out = append(out, plan.Accepted{Key: k, Value: true})
	}
	return out
}

// TestAcceptEverything: what was accepted is no change any more, and stays on record as
// it was; nothing else becomes one.
func TestAcceptEverything(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		s.options.Prune = nil
		before := compute2(t, s.desired, s.world.state(), s.last, s.options)
		s.options.Accepted = acceptAll(before)
		p := compute2(t, s.desired, s.world.state(), s.last, s.options)
		for _, ch := range p.Changes {
			t.Fatalf("accepted, and still a change: %s %v", ch.Key, ch.Fields)
		}
		if len(p.Orphans) > 0 {
			t.Fatalf("accepted, and still orphans: %v", p.Orphans)
		}
		accepted += len(p.Accepted)
		for _, w := range p.Warnings {
			if w.Code == "acceptance-void" {
				t.Fatalf("void: %s", w.Summary)
			}
		}
		for _, k := range p.Unchanged {
			want, _ := s.desired.Get(k)
			live, _ := s.world.state().Get(k)
			was, known := s.last.Get(k)
			if !known {
				continue
			}
			now := plan.AppliedBut(p.Accepted, want, live, &was)
			again := compute2(t, s.desired, s.world.state(), s.last.With(now), plan.Options{Targets: []model.Key{k}})
			for _, ch := range again.Changes {
				for _, f := range ch.Fields {
					old := fieldOf(before, k, f.Path)
					// A map that is managed whole from now on has known no other keys.
					whole := len(want.Policy.Exclusive) > 0 && old != nil && old.Moved == plan.Config
					if old != nil && old.Moved != f.Moved && !whole {
						t.Fatalf("%s %s: moved by %s, and by %s once its record was made anew", k, f.Path, old.Moved, f.Moved)
					}
				}
			}
		}
	})
	if accepted < 100 {
		t.Errorf("only %d differences were accepted", accepted)
	}
}

func compute2(t *rapid.T, desired, live, last model.State, o plan.Options) *plan.Plan {
	p, err := plan.Compute(desired, live, last, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func fieldOf(p *plan.Plan, k model.Key, path string) *plan.FieldChange {
	for _, ch := range p.Changes {
		for i := range ch.Fields {
			if ch.Key == k && ch.Fields[i].Path == path {
				return &ch.Fields[i]
			}
		}
	}
	return nil
}

// TestAccepted: an acceptance holds for the value that was accepted and for no other.
func TestAccepted(t *testing.T) {
	tier := func(v any) attrs { return attrs{"name": "A", "custom_attributes": attrs{"tier": v}} }
	for name, c := range map[string]struct {
		want, live, last attrs
		accepted         plan.Accepted
		fields, kept     int
		void             string
	}{
		"a name":                 {named("A"), named("B"), named("A"), plan.Accepted{Path: "name", Value: "B"}, 0, 1, ""},
		"another name":           {named("A"), named("C"), named("A"), plan.Accepted{Path: "name", Value: "B"}, 1, 0, `moved again, to "C"`},
		"resolved":               {named("A"), named("A"), named("A"), plan.Accepted{Path: "name", Value: "B"}, 0, 0, ""},
		"a key":                  {tier("x"), tier("y"), tier("x"), plan.Accepted{Path: "custom_attributes.tier", Value: "y"}, 0, 1, ""},
		"a key gone":             {tier("x"), named("A"), tier("x"), plan.Accepted{Path: "custom_attributes.tier", Value: plan.Absent{}}, 0, 1, ""},
		"a key gone, came back":  {tier("x"), tier("z"), tier("x"), plan.Accepted{Path: "custom_attributes.tier", Value: plan.Absent{}}, 1, 0, `moved again, to "z"`},
		"a key out of the code":  {named("A"), tier("y"), tier("x"), plan.Accepted{Path: "custom_attributes.tier", Value: "y"}, 0, 1, ""},
		"gone live":              {named("A"), nil, named("A"), plan.Accepted{Value: plan.Absent{}}, 0, 1, ""},
		"gone live, there again": {named("A"), named("B"), named("A"), plan.Accepted{Value: plan.Absent{}}, 1, 0, ""},
		"configured as then":     {named("A"), named("B"), named("A"), plan.Accepted{Path: "name", Value: "B", Configured: "A"}, 0, 1, ""},
		"configured since":       {named("D"), named("B"), named("A"), plan.Accepted{Path: "name", Value: "B", Configured: "A"}, 1, 0, `says something else since, "D"`},
		"not configured then":    {named("A"), tier("y"), tier("x"), plan.Accepted{Path: "custom_attributes.tier", Value: "y", Configured: plan.Absent{}}, 0, 1, ""},
		"configured only since":  {tier("z"), tier("y"), tier("x"), plan.Accepted{Path: "custom_attributes.tier", Value: "y", Configured: plan.Absent{}}, 1, 0, `"z"`},
		"an orphan":              {nil, named("A"), named("A"), plan.Accepted{Value: true}, 0, 1, ""},
		"an orphan, then gone":   {named("A"), nil, named("A"), plan.Accepted{Value: true}, 1, 0, "exists no more"},
	} {
		t.Run(name, func(t *testing.T) {
			var desired, live, last model.State
			if c.want != nil {
				desired = state(t, wanted(t, "a", c.want))
			}
			if c.live != nil {
				live = state(t, alive(t, "a", c.live))
			}
			last = state(t, wanted(t, "a", c.last))
			c.accepted.Key = key("a")
			p := compute(t, desired, live, last, plan.Options{Accepted: []plan.Accepted{c.accepted}, Prune: []model.Kind{model.Tenant}})
			fields := 0
			for _, ch := range p.Changes {
				fields++
				if ch.Action == plan.Update {
					fields += len(ch.Fields) - 1
				}
			}
			if fields != c.fields || len(p.Accepted) != c.kept {
				t.Errorf("%d fields differ and %v is accepted, want %d and %d", fields, p.Accepted, c.fields, c.kept)
			}
			said := ""
			for _, w := range p.Warnings {
				if w.Code == "acceptance-void" {
					said = w.Summary
				}
			}
			if (said == "") != (c.void == "") || !strings.Contains(said, c.void) {
				t.Errorf("said %q, want %q", said, c.void)
			}
		})
	}
}

// TestAcceptancesFile: the file comes back as it was written, and nothing in it is
// overlooked.
func TestAcceptancesFile(t *testing.T) {
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	list := []plan.Acceptance{
		{Accepted: plan.Accepted{Key: key("b"), Path: `custom_attributes."a.b"`, Value: plan.Absent{}, Configured: "gold"}, User: "ada", Reason: "asked by sales <b>", At: at},
		{Accepted: plan.Accepted{Key: key("c"), Path: "name", Value: "C", Configured: plan.Absent{}}, User: "ada", At: at},
		{Accepted: plan.Accepted{Key: key("a"), Value: true}, User: "ada", At: at, Expires: at.Add(time.Hour)},
	}
	data := plan.FormatAcceptances(list)
	read, err := plan.ParseAcceptances(data)
	if err != nil || cmp.Diff([]plan.Acceptance{list[2], list[0], list[1]}, read) != "" {
		t.Fatalf("%v %s", err, cmp.Diff(list, read))
	}
	if n := len(plan.Holding(read, at.Add(30*time.Minute))); n != 3 {
		t.Errorf("%d hold", n)
	}
	if held := plan.Holding(read, at.Add(time.Hour)); len(held) != 2 || held[0].Key != key("b") {
		t.Errorf("once one has ended: %v", held)
	}
	renewed := plan.Accept(read, plan.Acceptance{Accepted: plan.Accepted{Key: key("a"), Value: true}, Reason: "again"})
	if len(renewed) != 3 || renewed[2].Reason != "again" {
		t.Errorf("%v", renewed)
	}
	for in, want := range map[string]string{
		``:                              "EOF",
		`{}`:                            "version 0 is not known",
		`{"version":2}`:                 "version 2 is not known",
		`{"version":1,"acepted":[]}`:    "unknown field",
		`{"version":1,"accepted":[]} x`: "more text",
		`{"version":1,"accepted":[{"path":"name"}]}`:                                           "no address",
		`{"version":1,"accepted":[{"address":"tenant/a","path":"a..b"}]}`:                      "is not a path",
		`{"version":1,"accepted":[{"address":"tenant/a","path":"name","value":1e9999999999}]}`: "tenant/a",
		`{"version":1,"accepted":[{"address":"tenant/a"},{"address":"tenant/a"}]}`:             "twice",
		`{"version":1,"accepted":[{"address":"tenant/a","value":false}]}`:                      "of an object itself",
		`{"version":1,"accepted":[{"address":"tenant"}]}`:                                      "tenant",
		`{"version":1,"accepted":[{"address":"tenant/a","expires":"soon"}]}`:                   "soon",
	} {
		if _, err := plan.ParseAcceptances([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}
