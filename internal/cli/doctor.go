package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// check is one line of doctor.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warning or failed
	Detail string `json:"detail"`
	Next   string `json:"next,omitempty"`
}

const (
	checkOK      = "ok"
	checkWarning = "warning"
	checkFailed  = "failed"
)

// maxClockSkew is how far this machine's clock may be from Descope's before
// times in records become misleading.
const maxClockSkew = 30 * time.Second

func newDoctorCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check configuration, key, project, connection and state directory",
		Long: `Doctor checks everything that a plan needs, one after the other, and says what to
do about what fails. It writes nothing to Descope. The exit code is that of the
first check that failed.`,
		Example: `  descope-mgmt doctor --env prod
  descope-mgmt doctor --env dev --emulator -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

func (a *app) doctor(ctx context.Context) error {
	checks, failure := a.diagnose(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	if a.flags.output != formatText {
		if err := a.encode(checks); err != nil {
			return err
		}
	} else {
		a.print(checksText(checks))
	}
	return exitWith(exitCode(failure))
}

func checksText(checks []check) string {
	var b strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&b, "%-8s %-14s %s\n", c.Status, c.Name, ui.SafeLines(c.Detail))
		if c.Next != "" {
			fmt.Fprintf(&b, "%-8s %-14s next: %s\n", "", "", ui.Safe(c.Next))
		}
	}
	return b.String()
}

// diagnose runs the checks in the order in which each needs those before it,
// and returns the first failure.
func (a *app) diagnose(ctx context.Context) (checks []check, failure error) {
	add := func(name, status, detail, next string) {
		checks = append(checks, check{name, status, detail, next})
	}
	// step adds the verdict on err and reports whether to go on.
	step := func(name string, err error, detail string) bool {
		if err != nil {
			var d *diagnosticsError
			text := err.Error()
			if errors.As(err, &d) {
				text = d.diagnostics.Errors()[0].Summary
			}
			add(name, checkFailed, text, a.remedy(err))
			failure = err
			return false
		}
		add(name, checkOK, detail, "")
		return true
	}

	m, err := a.module()
	if !step("configuration", err, "") {
		return checks, failure
	}
	checks[len(checks)-1].Detail = filepath.Join(m.Root(), filepath.FromSlash(m.YAML()))
	switch status, files := compiler.SchemaCopy(m); status {
	case compiler.SchemaStale, compiler.SchemaEdited:
		add("schema", checkWarning, "the schema/ of this module is not this binary's, which is what counts: "+compiler.SchemaDetail(files), a.here(compiler.SchemaRemedy(files)))
	default:
		add("schema", checkOK, "this binary's, "+compiler.SchemaHash(), "")
	}
	c, err := a.connect(ctx)
	if !step(stageOf(err), err, "") {
		return checks, failure
	}
	defer closing(c, &failure)
	checks[len(checks)-1] = check{"environment", checkOK, fmt.Sprintf("%s, %d tenants and flows configured", c.env, c.compiled.State.Len()), ""}
	add("project", checkOK, c.project+" at "+c.baseURL, "")
	add("key", checkOK, "from "+c.key.where(), "")
	if err := c.state.Writable(); err != nil {
		step("state", &stateError{err}, "")
		return checks, failure
	}
	add("state", checkOK, c.state.Path(), "")
	licence, err := c.client.License(ctx)
	if !step("connection", err, "answers, the key is accepted") {
		return checks, failure
	}
	tier := licence.Tier
	if tier == "" {
		tier = "not told"
	}
	add("licence", checkOK, tier, "")
	if skew := licence.ServerTime.Sub(a.now()).Abs(); licence.ServerTime.IsZero() {
		add("clock", checkOK, "the server does not tell its time", "")
	} else if skew > maxClockSkew {
		add("clock", checkWarning, fmt.Sprintf("differs from Descope's by %s; times in records will be misleading", ui.Duration(skew)), "")
	} else {
		add("clock", checkOK, "agrees with Descope's to "+ui.Duration(max(skew, time.Second)), "")
	}
	live, err := c.read(ctx, model.Tenant)
	if step("tenants", err, "") {
		checks[len(checks)-1].Detail = fmt.Sprintf("%d live", live.Len())
	}
	return checks, failure
}

// remedy is what to do about a failed check: the command that the error names or,
// of a key that is refused, where keys come from.
func (a *app) remedy(err error) string {
	if api.IsAuth(err) {
		return "look at the key in Descope's console, under Company, Management Keys; it may be expired, of another project or limited"
	}
	return a.here(hintOf(err))
}

// stageOf names the check that connecting failed in.
func stageOf(err error) string {
	var state *stateError
	var locked *store.LockedError
	var key *keyError
	switch code := exitCode(err); {
	case errors.As(err, &state), errors.As(err, &locked):
		return "state"
	case errors.As(err, &key), code == exitAuth:
		return "key"
	case code == exitRefused:
		return "project"
	default:
		return "environment"
	}
}
