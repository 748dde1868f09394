package cli

import (
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// inCI reports whether a runner executes the command.
func (a *app) inCI() bool {
	for _, name := range []string{"CI", "GITHUB_ACTIONS", "GITLAB_CI"} {
		if v, _ := a.environ(name); v != "" && v != "false" && v != "0" {
			return true
		}
	}
	return false
}

// tellWhatIsLost warns on a runner whose state directory held nothing: what the directory
// is for does not work then, and nobody would notice before it is needed.
func (c *connection) tellWhatIsLost() {
	if !c.app.inCI() || !c.state.Made() {
		return
	}
	d := model.Diagnostic{
		Severity: model.Warning, Code: "state-not-kept",
		Summary: "the state directory " + c.state.Path() + " is new: without one that lasts, this runner has no lock among runners, " +
			"no history for rollback and resume, and no record of what was applied last, so that who moved a value is unknown",
		Hint: "keep it between runs, or share one: --state-dir, or DESCOPE_STATE_DIR (docs/ci.md, The state directory)",
	}
	c.warnings = append(c.warnings, d)
	c.app.note(ui.DiagnosticText(d, c.app.streams.ErrStyle()))
}

// warned is a plan with what the user was warned of besides. The plan itself stays as it
// is, since what it says of the project does not depend on who looks.
func (c *connection) warned(p *plan.Plan) *plan.Plan {
	if len(c.warnings) == 0 {
		return p
	}
	out := *p
	out.Warnings = append(append(model.Diagnostics{}, p.Warnings...), c.warnings...)
	return &out
}
