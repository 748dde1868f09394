package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// The values of import --from that are no directory.
const (
	fromLive   = "live"
	fromBackup = "backup:"
)

// readProject is what was read for one environment.
type readProject struct {
	env, project string
	// from says what was read, for people.
	from   string
	before *compiler.Result
	// live is what was read, missing what of it the configuration does not have.
	live    model.State
	missing src.Live
	// flowsOnly: nothing is known of tenants.
	flowsOnly bool
	// after is the environment with what was imported, differs where it is not as the
	// project is.
	after   *compiler.Result
	differs []difference
	present int
}

// read reads what is to be imported, one environment after the other.
func (o *importOptions) read(ctx context.Context, m *compiler.Module, v variables, environments []setting) ([]*readProject, error) {
	if len(environments) > 1 && o.from != fromLive {
		return nil, configError("", "--from %s is one project: name one environment with --env", o.from)
	}
	var out []*readProject
	for _, env := range environments {
		r, err := o.readOne(ctx, m, v, env)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *readProject) int { return strings.Compare(a.env, b.env) })
	return out, nil
}

func (o *importOptions) readOne(ctx context.Context, m *compiler.Module, v variables, env setting) (*readProject, error) {
	backup, isBackup := strings.CutPrefix(o.from, fromBackup)
	switch {
	case isBackup:
		return o.readProject(ctx, m, v, env, onDisk, func(c *connection) (model.State, string, error) {
			name, err := c.backupNow(backup)
			if err != nil {
				return model.State{}, "", err
			}
			b, err := c.loadBackup(name)
			if err != nil {
				return model.State{}, "", err
			}
			s, err := stateOfBackup(b, false)
			if err != nil {
				err = refusedError("descope-mgmt backup verify --env "+c.env, "%w", err)
			}
			return s, fmt.Sprintf("backup %s of project %s", name, c.project), err
		})
	case o.from == fromLive:
		return o.readProject(ctx, m, v, env, reading, func(c *connection) (model.State, string, error) {
			rec, err := c.record()
			if err != nil {
				return model.State{}, "", err
			}
			s, err := c.read(ctx, allKinds()...)
			if err == nil {
				err = c.notShort(ctx, s, rec.last, allKinds())
			}
			return s, "project " + c.project, err
		})
	default:
		return o.readFlowsOnly(ctx, m, env)
	}
}

// readProject opens the project of an environment and reads it.
func (o *importOptions) readProject(ctx context.Context, m *compiler.Module, v variables, env setting, how access, read func(*connection) (model.State, string, error)) (_ *readProject, err error) {
	c, err := o.connectIn(ctx, m, v, env, how)
	if err != nil {
		return nil, err
	}
	defer closing(c, &err)
	live, from, err := read(c)
	if err != nil {
		return nil, err
	}
	return &readProject{env: c.env, project: c.project, from: from, before: c.compiled, live: live}, nil
}

// readFlowsOnly reads a directory of flows.
func (o *importOptions) readFlowsOnly(ctx context.Context, m *compiler.Module, env setting) (*readProject, error) {
	before, diagnostics := compile(ctx, m, env.value)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := o.report(diagnostics); err != nil {
		return nil, err
	}
	if !isDir(o.path(o.from)) {
		return nil, configError("descope-mgmt import --help", "--from %s: there is no such directory; a source is live, backup:NAME, or a directory with flows", o.from)
	}
	found, err := o.readFlows(o.from)
	if err != nil {
		return nil, err
	}
	var resources []model.Resource
	for _, f := range found {
		if f.ID() == "" {
			return nil, configError("", "%s does not say which flow it is: it has no flowId", f.name)
		}
		resources = append(resources, model.Resource{Key: model.Key{Kind: model.Flow, ID: f.ID()}, Attrs: map[string]any{"definition": f.Value()}})
	}
	live, err := model.NewState(resources)
	if err != nil {
		return nil, configError("", "--from %s: %w", o.from, err)
	}
	o.note("Note: " + ui.Safe(o.from) + " has flows only; tenants come from a project or a backup.\n")
	return &readProject{
		env: env.value, project: before.Environment.ProjectID, from: "the directory " + shellQuote(ui.Safe(o.from)),
		before: before, live: live, flowsOnly: true,
	}, nil
}

// onlyTargets keeps the resources that are asked for, with the tenants above them.
func onlyTargets(reads []*readProject, targets []model.Key) error {
	if len(targets) == 0 {
		return nil
	}
	wanted, found := map[model.Key]bool{}, map[model.Key]bool{}
	for _, r := range reads {
		for _, k := range targets {
			for res, ok := r.live.Get(k); ok && !wanted[k]; res, ok = r.live.Get(k) {
				wanted[k], found[k] = true, true
				k.ID, _ = res.Attrs["parent"].(string)
			}
		}
	}
	for _, k := range targets {
		if !found[k] {
			return configError("", "--target %s: there is no such object in %s", k, reads[0].from)
		}
	}
	for _, r := range reads {
		r.live = r.live.Filter(func(res model.Resource) bool { return wanted[res.Key] })
	}
	return nil
}

// environment is what has to be written for an environment, with what the user should
// know of it.
func (r *readProject) environment() (src.Environment, model.Diagnostics) {
	r.missing = src.FromLive(r.live, r.before.State, r.before.Excluded)
	e := src.Environment{
		Name: r.env, From: r.from, State: r.missing.State, Remarks: r.missing.Remarks,
		Flows: map[string]src.Document{}, Connectors: map[string]string{},
	}
	notes := r.missing.Notes
	var added []flow.Flow
	var kept []model.Resource
	for _, res := range e.State.Resources() {
		if res.Key.Kind == model.Flow {
			f, _, err := flow.FromValue(res.Attrs["definition"])
			if key := changedKey(res.Attrs["definition"]); err == nil && key != "" {
				err = fmt.Errorf("CUE would change its key %q", key)
			}
			if err != nil {
				notes = append(notes, model.Diagnostic{
					Severity: model.Warning, Code: "left-out", Key: &res.Key,
					Summary: "left out: " + err.Error(),
				})
				continue
			}
			f = f.WithID(res.Key.ID)
			added = append(added, f)
			e.Flows[res.Key.ID] = src.Document{Text: f.V2(), Meaning: f.Normal().Digest()}
			res.Attrs = map[string]any{}
		}
		kept = append(kept, res)
	}
	e.State, _ = model.NewState(kept) // the keys are those of a state
	for name, ids := range flow.ProjectOf(added).Connectors {
		if _, known := r.before.Environment.Connectors[name]; !known && len(ids) == 1 {
			e.Connectors[name] = ids[0]
		}
	}
	r.missing.State = e.State
	for _, res := range r.live.Resources() {
		if _, ok := r.before.State.Get(res.Key); ok {
			r.present++
		}
	}
	return e, notes
}

// changedKey finds a key that would not come out of an embedded file as it is in it, or "".
func changedKey(v any) string {
	switch v := v.(type) {
	case map[string]any:
		for key, below := range v {
			if src.KeptLabel(key) != key {
				return key
			}
			if found := changedKey(below); found != "" {
				return found
			}
		}
	case []any:
		for _, e := range v {
			if found := changedKey(e); found != "" {
				return found
			}
		}
	}
	return ""
}

// ofKind is how many resources of a kind a state has.
func ofKind(s model.State, k model.Kind) int { return len(s.Of(k)) }
