package flow

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Fitted is a desired state whose flows were made to fit a project.
type Fitted struct {
	State model.State
	// Diagnostics are errors for what the project does not have, or has more than
	// once, and warnings for what could not be checked, of the flows that would
	// change.
	Diagnostics model.Diagnostics
	// Broken are the lint errors of the flows that would change: they would be
	// imported, and then not run.
	Broken map[model.Key][]Problem
}

// Fit binds the flows of a desired state, as [Documents] makes them, to the project
// whose live state is given: see [Bind]. Names of connectors come from the references
// of the live flows and then from known, where they must agree; names of roles from
// known alone, since references do not name all there are. elsewhere is asked for the
// hosts of other environments (see [LintOptions]) if a flow would change; it may be nil.
//
// A flow that says nothing about being disabled stays as it is live.
func Fit(desired, live model.State, known Project, elsewhere func() map[string]string) Fitted {
	if elsewhere == nil {
		elsewhere = func() map[string]string { return nil }
	}
	x := fitting{elsewhere: sync.OnceValue(elsewhere), desired: FlowsOf(desired), live: FlowsOf(live), siblings: map[string]Flow{}}
	x.project = ProjectOf(values(x.live))
	x.project.Roles = nil
	x.project = x.project.With(known)
	if x.project.Flows == nil {
		x.project.Flows = Names{}
	}
	for _, flows := range []map[string]Flow{x.live, x.desired} {
		for id, f := range flows {
			x.siblings[id] = f
			x.project.Flows[id] = true
		}
	}
	out := Fitted{Broken: map[model.Key][]Problem{}}
	resources := slices.Clone(desired.Resources())
	for i, r := range resources {
		if f, ok := x.desired[r.Key.ID]; ok && r.Key.Kind == model.Flow {
			resources[i] = x.fit(r, f, &out)
		}
	}
	out.State, _ = model.NewState(resources) // the keys are those of a state
	x.parents(&out)
	out.Diagnostics = out.Diagnostics.Sort()
	return out
}

// fitting is one run of Fit.
type fitting struct {
	desired, live map[string]Flow
	project       Project
	// siblings are all flows as they will be.
	siblings  map[string]Flow
	elsewhere func() map[string]string
}

func (x *fitting) fit(r model.Resource, f Flow, out *Fitted) model.Resource {
	var live *Flow
	if is, exists := x.live[r.Key.ID]; exists {
		live = &is
		if _, said := f.metadata()["disabled"]; !said && is.Disabled() {
			f = f.withMetadata(map[string]any{"disabled": true})
		}
	}
	bound := Bind(f, x.project, live)
	r.Attrs = map[string]any{attrDefinition: bound.Flow.Value()}
	if live != nil && live.Normal().Equal(bound.Flow.Normal()) {
		return r
	}
	tell := func(severity model.Severity, code, path, text string) {
		out.Diagnostics = append(out.Diagnostics, model.Diagnostic{
			Severity: severity, Code: code, Key: &r.Key, Path: path, Origin: r.FieldOrigin(attrDefinition),
			Summary: r.Key.String() + ": " + text,
		})
	}
	for _, p := range bound.Problems {
		tell(p.Severity, string(p.Rule), p.Path, p.Path+": "+p.Message)
	}
	if len(bound.Unchecked) > 0 {
		tell(model.Warning, "unchecked", "", "what it needs by name could not be checked, since it cannot be listed: "+strings.Join(bound.Unchecked, "; "))
	}
	if live != nil && Newer(f.ComponentsVersion(), live.ComponentsVersion()) {
		tell(model.Warning, "newer-components", "", fmt.Sprintf("it was saved with components %s, which are newer than those of the live version, %s: what only the newer ones have may be lost",
			f.ComponentsVersion(), live.ComponentsVersion()))
	}
	for _, p := range Lint(bound.Flow, LintOptions{ID: r.Key.ID, Siblings: x.siblings, Elsewhere: x.elsewhere()}) {
		if p.Severity == model.Error {
			out.Broken[r.Key] = append(out.Broken[r.Key], p)
		} else {
			tell(p.Severity, string(p.Rule), p.Path, p.Path+": "+p.Message)
		}
	}
	return r
}

// parents warns of live flows that stay as they are and run a flow that will lack an
// exit which it has now.
func (x *fitting) parents(out *Fitted) {
	for _, id := range keys(x.live) {
		if _, ours := x.desired[id]; ours {
			continue
		}
		parent := x.live[id]
		for _, u := range parent.Uses() {
			child, changed := x.desired[u.Flow]
			if u.Kind != UseInteraction || !changed || !x.live[u.Flow].publishes(u.ID) || child.publishes(u.ID) {
				continue
			}
			key := model.Key{Kind: model.Flow, ID: u.Flow}
			out.Diagnostics = append(out.Diagnostics, model.Diagnostic{
				Severity: model.Warning, Code: "shared-interaction-removed", Key: &key,
				Summary: fmt.Sprintf("%s: its exit %q goes, on which flow %s relies (%s): that flow will stop there", key, u.ID, id, u.Path),
			})
		}
	}
}

func (f Flow) publishes(exit string) bool {
	return slices.ContainsFunc(f.SharedInteractions(), func(s SharedInteraction) bool { return s.ID == exit })
}

// FlowsOf are the flows of a state by id, each under that id; what is no flow is left
// out.
func FlowsOf(s model.State) map[string]Flow {
	out := map[string]Flow{}
	for _, r := range s.Of(model.Flow) {
		if f, _, err := FromValue(r.Attrs[attrDefinition]); err == nil {
			out[r.Key.ID] = f.WithID(r.Key.ID)
		}
	}
	return out
}

func values(flows map[string]Flow) []Flow {
	out := make([]Flow, 0, len(flows))
	for _, id := range keys(flows) {
		out = append(out, flows[id])
	}
	return out
}
