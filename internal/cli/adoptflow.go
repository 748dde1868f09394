package cli

import (
	"context"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// liveFlowEdits are the edits with which an environment says of a flow what is live.
// The live document holds what a configuration says beside a document, too: its name,
// description, switch and texts of screens have to agree with it. A flow that is made
// from a template cannot be written as one.
func (a *app) liveFlowEdits(ctx context.Context, m *compiler.Module, env string, key model.Key, live map[string]any) ([]src.Edit, error) {
	if err := a.inCUE(m, "editing the configuration"); err != nil {
		return nil, err
	}
	now := evaluate(ctx, m, env)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(now.diagnostics) > 0 {
		return nil, &diagnosticsError{diagnostics: now.diagnostics}
	}
	fields := now.object(key)
	if fields == nil {
		return []src.Edit{{Key: key, Value: map[string]any{"definition": live}}}, nil
	}
	if t, ok := fields["template"].(string); ok {
		return nil, refusedError("descope-mgmt flow export "+key.ID+" --env "+env,
			"%s is made from the template %s, and what it became cannot be written as options of it; apply or ignore the drift, or manage the flow by an exported definition", key, t)
	}
	f, _, err := flow.FromValue(live)
	if err != nil {
		return nil, refusedError("", "%s: the live document is no flow: %w", key, err)
	}
	edits := []src.Edit{{Key: key, Path: "definition", Value: live}}
	for name, v := range map[string]any{"name": f.Name(), "description": f.Description(), "enabled": !f.Disabled()} {
		if was, written := fields[name]; written && !model.Equal(was, v) {
			edits = append(edits, src.Edit{Key: key, Path: name, Value: v})
		}
	}
	if screens, ok := fields["screens"].(map[string]any); ok {
		patched, mistakes := f.Patch(screens)
		if len(mistakes) > 0 || !patched.Normal().Equal(f.Normal()) {
			return nil, refusedError("descope-mgmt explain "+key.String()+".screens --env "+env,
				"%s: screens of the configuration say something else than is live; change them by hand, then adopt the rest", key)
		}
	}
	return edits, nil
}
