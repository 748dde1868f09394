package cli

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// difference is an object that the configuration has had before, and that is another
// one in the project.
type difference struct {
	Address string   `json:"address"`
	Fields  []string `json:"fields"`
}

// check compiles the module as it will be. It is an error if anything comes out that
// is not wanted: then nothing may be written.
func (i *imported) check(ctx context.Context, targets []model.Key) error {
	m := i.module
	shared := false
	for _, f := range i.files {
		m = m.With(f.Path, f.Text)
		shared = shared || f.Declares != nil && strings.Count(f.Path, "/") == 1
	}
	for _, r := range i.reads {
		r.after = r.before
		if len(i.files) > 0 {
			var diagnostics model.Diagnostics
			if r.after, diagnostics = compile(ctx, m, r.env); r.after == nil {
				return unfit(ctx, diagnostics)
			}
			if err := r.sameBut(r.before, r.after); err != nil {
				return err
			}
		}
		if err := r.compare(targets); err != nil {
			return err
		}
	}
	if !shared {
		return nil // overlays are nothing to other environments
	}
	names, err := m.Environments()
	if err != nil {
		return configError("", "%w", err)
	}
	for _, name := range names {
		if beforeOf(i.reads, name) != nil {
			continue
		}
		before, _ := compile(ctx, i.module, name)
		after, diagnostics := compile(ctx, m, name)
		if before == nil || after == nil {
			return unfit(ctx, diagnostics)
		}
		other := &readProject{env: name}
		if err := other.sameBut(before, after); err != nil {
			return err
		}
	}
	return nil
}

// unfit tells why a module does not compile any more.
func unfit(ctx context.Context, d model.Diagnostics) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return &diagnosticsError{
		diagnostics: d.Errors(),
		what:        "nothing was written: with what was to be imported (in files named imported_…) the configuration would not compile",
	}
}

// sameBut checks that an environment is what it was, with what was missing added to it.
func (r *readProject) sameBut(before, after *compiler.Result) error {
	was, is := before.Environment, after.Environment
	was.Connectors, is.Connectors = nil, nil
	was.Origin, is.Origin, was.Origins, is.Origins = model.Origin{}, model.Origin{}, nil, nil
	if !reflect.DeepEqual(was, is) {
		return r.unlike("the environment itself", "what it says of itself")
	}
	for _, res := range before.State.Resources() {
		if now, ok := after.State.Get(res.Key); !ok || now.Digest() != res.Digest() {
			return r.unlike(res.Key.String(), strings.Join(changed(res, now), ", "))
		}
	}
	for _, res := range after.State.Resources() {
		if _, ok := before.State.Get(res.Key); ok {
			continue
		}
		want, ok := r.missing.State.Get(res.Key)
		want.Policy.Imported = want.Policy.Imported || res.Policy.Imported // another environment needs it
		switch {
		case !ok:
			return r.unlike(res.Key.String(), "that it is there at all")
		case res.Key.Kind == model.Flow:
			live, _ := r.live.Get(res.Key)
			a, _, err := flow.FromValue(live.Attrs["definition"])
			b, _, again := flow.FromValue(res.Attrs["definition"])
			if err != nil || again != nil || !a.Normal().Equal(b.Normal()) {
				return r.unlike(res.Key.String(), "definition")
			}
		case want.Digest() != res.Digest():
			return r.unlike(res.Key.String(), strings.Join(changed(want, res), ", "))
		}
	}
	if after.State.Len() != before.State.Len()+r.missing.State.Len() {
		return r.unlike("the environment", "an object that it does not have")
	}
	return nil
}

// unlike says what would not come out as it should.
func (r *readProject) unlike(what, field string) error {
	return configError("descope-mgmt eval --env "+r.env, "nothing was written: in environment %s, %s would come out another than it is (%s); what envs/ says for all tenants or flows, or a default, does that", r.env, what, field)
}

// compare finds what differs between the configuration, with what was imported, and
// the project. It is an error if that is something of the import.
func (r *readProject) compare(targets []model.Key) error {
	desired := r.after.State
	if r.flowsOnly {
		desired = desired.Filter(func(res model.Resource) bool { return res.Key.Kind == model.Flow })
	}
	if len(targets) > 0 {
		desired = desired.Filter(func(res model.Resource) bool { _, read := r.live.Get(res.Key); return read })
	}
	known := flow.Project{Connectors: map[string][]string{}}
	for name, id := range r.after.Environment.Connectors {
		known.Connectors[name] = []string{id}
	}
	fitted := flow.Fit(desired, r.live, known, nil)
	p, err := plan.Compute(fitted.State, r.live, model.State{}, plan.Options{Environment: r.env, Project: r.project})
	if err != nil {
		return err
	}
	for _, ch := range p.Changes {
		fields := map[string]bool{}
		for _, f := range ch.Fields {
			fields[f.Path] = true
		}
		d := difference{ch.Key.String(), slices.Sorted(maps.Keys(fields))}
		if ch.Action == plan.Create {
			d.Fields = []string{}
		}
		if _, ours := r.missing.State.Get(ch.Key); ours {
			return r.unlike(d.Address, strings.Join(d.Fields, ", "))
		}
		r.differs = append(r.differs, d)
	}
	return nil
}
