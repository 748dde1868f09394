package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newAuditCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "The audit log: list, verify",
		Long: `The audit log has two records for every run that writes: what it was about to do,
before its first call, and what became of it. Each record holds the hash of the one
before, so that a change, a removal or a cut is found.`,
		Example: `  descope-mgmt audit list --env prod --since 7d
  descope-mgmt audit verify`,
	}
	cmd.AddCommand(newAuditListCmd(a), newAuditVerifyCmd(a))
	return cmd
}

type auditListOptions struct {
	*app
	since, until, user, operation, runID, resource, status string
	limit                                                  int
}

func newAuditListCmd(a *app) *cobra.Command {
	o := &auditListOptions{app: a}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the records of the audit log, the newest first",
		Long: `List shows who did what, when, where and with what result. The filters are joined by
"and"; --env is one of them. The log is verified while it is read.`,
		Example: `  descope-mgmt audit list --env prod --since 30d
  descope-mgmt audit list --resource tenant/acme-corp -o json | jq '.[].user'
  descope-mgmt audit list --status partly --since 2026-11-01`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return o.run() },
	}
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "from this time on: 2026-11-24, 2026-11-24T15:00:00Z, or an age such as 36h or 7d")
	f.StringVar(&o.until, "until", "", "before this time")
	f.StringVar(&o.user, "user", "", "by this user")
	f.StringVar(&o.operation, "operation", "", "of this command, for example sync or tenant delete")
	f.StringVar(&o.runID, "run", "", "of this run, or runs that begin so")
	f.StringVar(&o.resource, "resource", "", "that touched this resource, for example tenant/acme-corp")
	f.StringVar(&o.status, "status", "", "with this status: "+strings.Join(auditStatuses(), ", "))
	f.IntVar(&o.limit, "limit", 0, "at most so many (default: all)")
	must(cmd.RegisterFlagCompletionFunc("status", fixedCompletion(auditStatuses()...)))
	must(cmd.RegisterFlagCompletionFunc("run", a.completeRuns))
	must(cmd.RegisterFlagCompletionFunc("resource", a.completeAddresses))
	return cmd
}

// auditStatuses are what can have become of a run. "not started" is one that was
// announced and could not be put on record.
func auditStatuses() []string {
	return []string{"done", "partly", "failed", "interrupted", "killed", "not started"}
}

func (o *auditListOptions) run() error {
	if err := checkLimit(o.limit); err != nil {
		return err
	}
	keep, err := o.filter()
	if err != nil {
		return err
	}
	dir, err := o.openState()
	if err != nil {
		return err
	}
	records, err := dir.Audit().Records()
	if err != nil {
		return brokenAudit(err)
	}
	slices.Reverse(records)
	records = slices.DeleteFunc(records, func(r store.AuditRecord) bool { return !keep(r) })
	if o.limit > 0 {
		records = records[:min(o.limit, len(records))]
	}
	if o.flags.output != formatText {
		return o.encode(append([]store.AuditRecord{}, records...))
	}
	table := ui.NewTable("time", "environment", "operation", "phase", "status", "by", "changes", "run")
	table.Keep("status")
	for _, r := range records {
		table.Add(r.Time.Format(timeForm), r.Environment, r.Operation, r.Phase, r.Status, r.User,
			fmt.Sprintf("+%d ~%d -%d", r.Create, r.Update, r.Delete), r.Run)
	}
	o.print(table.Text(o.streams.OutStyle()))
	if len(records) == 0 {
		o.note("No record of the audit log is like that.\n")
	}
	return nil
}

// filter turns the flags into a test.
func (o *auditListOptions) filter() (func(store.AuditRecord) bool, error) {
	since, err := parseTime("--since", o.since, o.now())
	if err != nil {
		return nil, err
	}
	until, err := parseTime("--until", o.until, o.now())
	if err != nil {
		return nil, err
	}
	if o.status != "" && !slices.Contains(auditStatuses(), o.status) {
		return nil, configError("", "--status %q: choose one of %s", o.status, strings.Join(auditStatuses(), ", "))
	}
	if o.resource != "" {
		if _, err := model.ParseKey(o.resource); err != nil {
			return nil, configError("", "--resource: %w", err)
		}
	}
	same := func(want, is string) bool { return want == "" || want == is }
	return func(r store.AuditRecord) bool {
		return same(o.flags.env, r.Environment) && same(o.user, r.User) && same(o.operation, r.Operation) && same(o.status, r.Status) &&
			strings.HasPrefix(r.Run, o.runID) && (o.resource == "" || slices.Contains(r.Resources, o.resource)) &&
			(since.IsZero() || !r.Time.Before(since)) && (until.IsZero() || r.Time.Before(until))
	}, nil
}

// parseTime reads a day, a time, or an age before now; "" is the zero time.
func parseTime(flag, s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(form, s, now.Location()); err == nil {
			return t, nil
		}
	}
	age, err := parseAge(s)
	if err != nil {
		return time.Time{}, configError("", "%s %q: write a day (2026-11-24), a time (2026-11-24T15:00:00Z) or an age (36h, 7d)", flag, s)
	}
	return now.Add(-age), nil
}

// parseAge reads a duration, in days too.
func parseAge(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		hours, err := time.ParseDuration(days + "h")
		if err != nil || hours < 0 || hours > 36500*time.Hour {
			return 0, errors.New("not a number of days")
		}
		return hours * 24, nil
	}
	d, err := time.ParseDuration(s)
	if err == nil && d < 0 {
		err = errors.New("negative")
	}
	return d, err
}

func newAuditVerifyCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Check that nothing in the audit log was changed, removed or reordered",
		Long: `Verify follows the chain of hashes from the first record to the head, which is kept
apart. It names the first record that does not fit, and exits with 6.`,
		Example: `  descope-mgmt audit verify
  descope-mgmt audit verify -o json | jq .records`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := a.openState()
			if err != nil {
				return err
			}
			state, err := dir.Audit().Verify()
			if err != nil {
				return brokenAudit(err)
			}
			unknown, err := unknownRuns(dir)
			if err != nil {
				return err
			}
			for _, id := range unknown {
				a.note("warning: the audit log does not know run " + id + ", which is on record: the log was begun anew after it, or replaced\n")
			}
			if a.flags.output != formatText {
				return a.encode(state)
			}
			a.print(fmt.Sprintf("The audit log is whole: %d records.\n", state.Records))
			return nil
		},
	}
}

// unknownRuns are the runs on record that the log lacks. Each has the hash of its own
// entry: a log that was begun anew is whole, and shows by this that it was.
func unknownRuns(dir *store.Dir) ([]string, error) {
	records, err := dir.Audit().Records()
	if err != nil {
		return nil, brokenAudit(err)
	}
	runs, err := dir.Runs()
	if err != nil {
		return nil, err
	}
	var unknown []string
	hashes := make(map[string]bool, len(records))
	for _, r := range records {
		hashes[r.Hash] = true
	}
	for _, s := range runs {
		if s.Err == nil && s.Info.AuditHead != "" && !hashes[s.Info.AuditHead] {
			unknown = append(unknown, s.Info.ID)
		}
	}
	return unknown, nil
}

// brokenAudit refuses to go on from a chain that is broken.
func brokenAudit(err error) error {
	var broken *store.AuditError
	if errors.As(err, &broken) {
		return refusedError("", "%w", err)
	}
	return err
}
