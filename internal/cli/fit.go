package cli

import (
	"context"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// compile is [compiler.Compile] with each flow as the document that comes of it.
func compile(ctx context.Context, m *compiler.Module, env string) (*compiler.Result, model.Diagnostics) {
	r, diagnostics := compiler.Compile(ctx, m, env)
	if r == nil {
		return nil, diagnostics
	}
	r, found := documents(r)
	return r, append(diagnostics, found...).Sort()
}

// documents makes each flow of a result the document that comes of it; the result is
// nil if one of them is none.
func documents(r *compiler.Result) (*compiler.Result, model.Diagnostics) {
	if r == nil {
		return nil, nil
	}
	state, diagnostics := flow.Documents(r.State)
	if len(diagnostics.Errors()) > 0 {
		return nil, diagnostics
	}
	out := *r
	out.State = state
	return &out, diagnostics
}

// elsewhere are the addresses of the applications of other environments, as far as these
// compile, with the names of their environments.
func elsewhere(ctx context.Context, m *compiler.Module, env string) map[string]string {
	names, err := m.Environments()
	if err != nil {
		return nil
	}
	found := map[string]string{}
	var own []string
	for _, name := range names {
		r, _ := compiler.Compile(ctx, m, name)
		switch {
		case r == nil:
		case name == env:
			own = r.Environment.URLs
		default:
			for _, u := range r.Environment.URLs {
				found[u] = name
			}
		}
	}
	for _, u := range own {
		delete(found, u)
	}
	return found
}

func usesRoles(s model.State) bool {
	for _, f := range flow.FlowsOf(s) {
		if slices.ContainsFunc(f.Uses(), func(u flow.Use) bool { return u.Kind == flow.UseRole }) {
			return true
		}
	}
	return false
}

// fit makes the flows of a request fit the project as it was just read. What goes back
// to a saved state was from this project and fits.
func (c *connection) fit(ctx context.Context, r *request) error {
	if restores(r.operation) || len(r.written.Of(model.Flow)) == 0 || !slices.Contains(c.kinds, model.Flow) {
		return nil
	}
	known := flow.Project{Connectors: map[string][]string{}}
	for name, id := range c.compiled.Environment.Connectors {
		known.Connectors[name] = []string{id}
	}
	if usesRoles(r.written) {
		roles, err := c.client.Roles(ctx)
		if err != nil && !api.IsAuth(err) { // a key that may not list them leaves them unchecked
			return err
		}
		known.Roles = roles
	}
	// A flow that is not a target is not deployed with the others, and no help to them.
	deployed := func(res model.Resource) bool {
		return res.Key.Kind != model.Flow || len(r.options.Targets) == 0 || slices.Contains(r.options.Targets, res.Key)
	}
	others := func() map[string]string { return elsewhere(ctx, c.module, c.env) }
	fitted := flow.Fit(r.written.Filter(deployed), c.live, known, others)
	if unbound(fitted.Diagnostics) {
		names, err := c.connectorNames(ctx)
		if err != nil {
			return err
		}
		known.Connectors = c.filledIn(known.Connectors, names)
		fitted = flow.Fit(r.written.Filter(deployed), c.live, known, others)
	}
	if errors := fitted.Diagnostics.Errors(); len(errors) > 0 {
		return &diagnosticsError{diagnostics: errors}
	}
	rest := r.written.Filter(func(res model.Resource) bool { return !deployed(res) })
	r.desired, _ = model.NewState(append(slices.Clone(fitted.State.Resources()), rest.Resources()...)) // the keys are those of a state
	r.options.ConfigDigest = r.written.Digest()
	r.options.Broken, r.options.Warnings = fitted.Broken, fitted.Diagnostics
	return nil
}
