package apply_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

func TestStale(t *testing.T) {
	observed := func(fields attrs) *model.Resource {
		return &model.Resource{Key: key("a"), Attrs: attrs{"name": "old", "disabled": false}, Observed: &model.Observed{Fields: fields}}
	}
	for name, c := range map[string]struct {
		change string
		live   *model.Resource // nil: does not exist
		want   string          // "" for fresh
	}{
		"as planned":          {"~a", observed(attrs{"name": "old", "enforceSSO": true}), ""},
		"delete as planned":   {"-a", observed(attrs{"name": "old", "enforceSSO": true}), ""},
		"create as planned":   {"+a", nil, ""},
		"one field":           {"~a", observed(attrs{"name": "old", "enforceSSO": false}), "tenant/a moved since the plan: enforceSSO true → false"},
		"delete, one field":   {"-a", observed(attrs{"name": "old", "enforceSSO": false}), "tenant/a moved since the plan: enforceSSO true → false"},
		"came and went":       {"~a", observed(attrs{"enforceSSO": true, "new": nil}), `tenant/a moved since the plan: name "old" → nothing, new nothing → null`},
		"update of a ghost":   {"~a", nil, "tenant/a is gone since the plan"},
		"delete of a ghost":   {"-a", nil, "tenant/a is gone since the plan"},
		"create of one there": {"+a", observed(attrs{}), "tenant/a exists, and did not when the plan was made"},
		"a long value":        {"~a", observed(attrs{"name": strings.Repeat("ü", 100), "enforceSSO": true}), `tenant/a moved since the plan: name "old" → "` + strings.Repeat("ü", 39) + "…"},
	} {
		p := planned(change(c.change))
		f := target(p)
		delete(f.live, key("a"))
		if c.live != nil {
			f.live[key("a")] = *c.live
		}
		r := apply.Run(t.Context(), p, f, apply.Options{})
		if c.want == "" {
			if !r.OK() {
				t.Errorf("%s: %v", name, statuses(r))
			}
			continue
		}
		var stale *apply.StaleError
		if !errors.As(r.Outcomes[0].Err, &stale) || stale.Error() != c.want || stale.Key != key("a") {
			t.Errorf("%s: %v, want %s", name, r.Outcomes[0].Err, c.want)
		}
		if o := r.Outcomes[0]; o.Status != apply.Failed || o.StepsDone != 0 || o.Attempts != 0 || r.Partial() {
			t.Errorf("%s: %+v", name, o)
		}
	}
	p := planned(change("~a"))
	f := target(p)
	f.live[key("a")] = *observed(attrs{"name": "old", "enforceSSO": false})
	var stale *apply.StaleError
	if errors.As(apply.Run(t.Context(), p, f, apply.Options{}).Outcomes[0].Err, &stale) {
		if diff := cmp.Diff([]plan.FieldChange{{Path: "enforceSSO", Before: true, After: false, Moved: plan.Live}}, stale.Fields); diff != "" || stale.Gone || stale.Appeared {
			t.Errorf("fields:\n%s", diff)
		}
	}
}

// TestStaleBetweenSteps: the second step of an update sees an object that is as
// it was or as it is to be, and nothing else.
func TestStaleBetweenSteps(t *testing.T) {
	for name, c := range map[string]struct {
		between attrs // nil: gone
		want    string
	}{
		"as before":      {attrs{"name": "old", "disabled": false}, "a done"},
		"as it is to be": {attrs{"name": "a", "disabled": false}, "a done"},
		"neither":        {attrs{"name": "third", "disabled": false}, `a failed: tenant/a moved since the plan: name "old" → "third"`},
		"another field":  {attrs{"name": "a", "disabled": true}, `a failed: tenant/a moved since the plan: disabled false → true`},
		"gone":           {nil, "a failed: tenant/a is gone since the plan"},
	} {
		p := planned(change("~a"))
		p.Changes[0].Steps = append(p.Changes[0].Steps, model.Step{Op: model.TenantDefaultRoles, Key: key("a")})
		f := target(p)
		f.do = func(_ context.Context, s model.Step) (int, error) {
			if s.Op == model.TenantUpdate {
				f.mu.Lock()
				defer f.mu.Unlock()
				if delete(f.live, s.Key); c.between != nil {
					f.live[s.Key] = model.Resource{Key: s.Key, Attrs: c.between, Observed: &model.Observed{Fields: attrs{"anything": "else"}}}
				}
			}
			return 1, nil
		}
		r := apply.Run(t.Context(), p, f, apply.Options{})
		if got := statuses(r)[0]; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if !r.OK() && (r.Outcomes[0].StepsDone != 1 || !r.Partial()) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// A create's own first step is nothing that moved.
	p := planned(change("+a"))
	p.Changes[0].Steps = append(p.Changes[0].Steps, p.Changes[0].Steps[0])
	f := target(p)
	f.do = func(_ context.Context, s model.Step) (int, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.live[s.Key] = model.Resource{Key: s.Key}
		return 1, nil
	}
	if r := apply.Run(t.Context(), p, f, apply.Options{}); !r.OK() {
		t.Error(statuses(r))
	}
}

func TestStaleBeforeAnything(t *testing.T) {
	p := planned(change("+a"), change("~b"), change("~c"), change("-d"))
	live := func(keep func(id string) bool) model.State {
		var resources []model.Resource
		for key, r := range target(p).live {
			if keep(key.ID) {
				resources = append(resources, r)
			}
		}
		s, err := model.NewState(resources)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if stale := apply.Stale(p, live(func(string) bool { return true })); len(stale) > 0 {
		t.Errorf("stale: %v", stale)
	}
	stale := apply.Stale(p, live(func(id string) bool { return id == "c" }))
	if len(stale) != 2 || !stale[0].Gone || stale[0].Key != key("b") || stale[1].Key != key("d") {
		t.Errorf("stale: %v", stale)
	}
}
