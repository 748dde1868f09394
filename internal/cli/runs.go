package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newRunsCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "The record of earlier runs, also of those to be finished: list, show",
		Example: `  descope-mgmt runs list --env staging
  descope-mgmt runs show latest --env staging`,
	}
	cmd.AddCommand(newRunsListCmd(a), newRunsShowCmd(a))
	return cmd
}

// runEntry is one run in runs list -o json.
type runEntry struct {
	store.RunInfo
	Status   string     `json:"status"`
	Finished *time.Time `json:"finished,omitempty"`
	Damaged  string     `json:"damaged,omitempty"`
}

// statusOpen is the status of a run that did not come to its end, or has not yet.
const statusOpen = "unfinished"

func newRunsListCmd(a *app) *cobra.Command {
	limit := 0
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the runs on record, the newest first",
		Long: `List shows the runs that the state directory has on record: all of them or, with
--env, those in the project that this environment has now. Records are kept for 90 days.`,
		Example: `  descope-mgmt runs list
  descope-mgmt runs list --env prod -o json | jq -r '.[] | select(.status != "done") | .id'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runsList(cmd.Context(), limit) },
	}
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many (default: all)")
	return cmd
}

func (a *app) runsList(ctx context.Context, limit int) error {
	if err := checkLimit(limit); err != nil {
		return err
	}
	dir, err := a.openState()
	if err != nil {
		return err
	}
	runs, err := a.runs(dir)
	if err != nil {
		return err
	}
	runs, elsewhere := a.inProject(ctx, runs)
	if limit > 0 {
		runs = runs[:min(limit, len(runs))]
	}
	entries := make([]runEntry, 0, len(runs))
	table := ui.NewTable("run", "environment", "operation", "status", "by", "of run", "project")
	table.Keep("status")
	for _, s := range runs {
		e := entryOf(s)
		entries = append(entries, e)
		table.Add(s.Info.ID, s.Info.Environment, s.Info.Operation, e.Status, s.Info.User, s.Info.Of, s.Info.Project)
	}
	if a.flags.output != formatText {
		a.tellElsewhere(elsewhere)
		return a.encode(entries)
	}
	a.print(table.Text(a.streams.OutStyle()))
	if len(runs) == 0 {
		of := ""
		if a.flags.env != "" {
			of = " of environment " + ui.Safe(a.flags.env)
		}
		a.note("There is no run" + of + " on record.\n")
	}
	a.tellElsewhere(elsewhere)
	for _, e := range entries {
		if e.Damaged != "" {
			a.note("warning: " + ui.Safe(e.Damaged) + "\n")
		}
	}
	return nil
}

func checkLimit(n int) error {
	if n < 0 {
		return configError("", "--limit %d: at least 1, or 0 for all", n)
	}
	return nil
}

func entryOf(s store.RunSummary) runEntry {
	e := runEntry{RunInfo: s.Info, Status: statusOpen}
	switch {
	case s.Err != nil:
		e.Status, e.Damaged = "damaged", s.Err.Error()
	case s.Result != nil:
		e.Status, e.Finished = s.Result.Status, &s.Result.Finished
	}
	return e
}

// runs are the runs on record, of the environment that --env names or of all.
func (a *app) runs(dir *store.Dir) ([]store.RunSummary, error) {
	runs, err := dir.Runs()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(runs, func(s store.RunSummary) bool {
		return s.Err == nil && a.flags.env != "" && s.Info.Environment != a.flags.env
	}), nil
}

// inProject are those of the runs of an environment that were in the project which it has
// now, and how many were not: the environment had another one, or a configuration that
// shares the state directory has an environment of this name. Where no environment is
// named, or what its project is cannot be told, it is all of them: the record can be
// read without a configuration.
func (a *app) inProject(ctx context.Context, runs []store.RunSummary) (own []store.RunSummary, elsewhere int) {
	if a.flags.env == "" {
		return runs, 0
	}
	m, v, env, err := a.place()
	if err != nil {
		return runs, 0
	}
	compiled, _ := compile(ctx, m, env.value)
	if compiled == nil {
		return runs, 0
	}
	project, err := a.projectOf(env.value, compiled, v)
	if err != nil {
		return runs, 0
	}
	server, err := a.serverOf(compiled, project.value, v)
	if err != nil {
		return runs, 0
	}
	own = slices.DeleteFunc(slices.Clone(runs), func(s store.RunSummary) bool {
		return s.Err == nil && (s.Info.Project != project.value || s.Info.BaseURL != server.value)
	})
	return own, len(runs) - len(own)
}

func (a *app) tellElsewhere(n int) {
	if n > 0 {
		a.note(fmt.Sprintf("Left out: %s of environment %s in another project or at another server (without --env all are listed)\n", ui.Counted(n, "run"), ui.Safe(a.flags.env)))
	}
}

func newRunsShowCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN",
		Short: "Show what a run did",
		Long: `Show prints who ran what, when and from which commit, what became of every change,
the backup that was made before, and the commands that finish the run or take it back.
RUN is an id, a beginning of one, or "latest".`,
		Example: `  descope-mgmt runs show latest
  descope-mgmt runs show 20261124T205703Z -o json | jq .outcomes`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeRuns,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.runsShow(cmd.Context(), args[0]) },
	}
}

// runDoc is a run in runs show -o json. The plan is in the form of plan -o json, and
// the outcomes are in that of sync -o json.
type runDoc struct {
	runEntry
	Outcomes []ui.OutcomeDoc `json:"outcomes"`
	Journal  []store.Entry   `json:"journal"`
	Torn     bool            `json:"torn,omitempty"`
	Plan     json.RawMessage `json:"plan"`
	Next     string          `json:"next,omitempty"`
	Undo     string          `json:"undo,omitempty"`
}

func (a *app) runsShow(ctx context.Context, id string) error {
	dir, err := a.openState()
	if err != nil {
		return err
	}
	s, err := a.findRun(ctx, dir, id)
	if err != nil {
		return err
	}
	scope, err := dir.Scope(s.Info.BaseURL, s.Info.Project)
	if err != nil {
		return err
	}
	rec, err := scope.LoadRun(s.Info.ID)
	if err != nil {
		return damagedRun(err)
	}
	outcomes := told(rec, func(plan.Change) bool { return false })
	doc := runDoc{runEntry: entryOf(s), Outcomes: outcomeDocs(outcomes), Journal: append([]store.Entry{}, rec.Journal...), Torn: rec.Torn}
	where := ""
	for _, flag := range s.Info.Flags {
		if name, _, _ := strings.Cut(flag, " "); name == "--emulator" || name == "--base-url" {
			where += " " + flag
		}
	}
	flags, _ := undoRecorded(scope, rec, outcomes) // what is damaged is for the rollback to say
	doc.Undo = a.here(rollbackOf(s.Info.ID, s.Info.Environment, flags) + where)
	if !restores(rec.Info.Operation) && slices.ContainsFunc(doc.Outcomes, func(o ui.OutcomeDoc) bool { return o.Status != statusDone }) {
		doc.Next = a.here("descope-mgmt sync --resume " + s.Info.ID + " --env " + s.Info.Environment + where)
	}
	if doc.Plan, err = rec.Plan.MarshalJSON(); err != nil {
		return err
	}
	if a.flags.output != formatText {
		return a.encode(doc)
	}
	i := rec.Info
	finished := ""
	if doc.Finished != nil {
		finished = doc.Finished.Format(timeForm)
	}
	var b strings.Builder
	for _, line := range [][2]string{
		{"run", i.ID},
		{"operation", i.Operation},
		{"status", doc.Status},
		{"environment", i.Environment},
		{"project", i.Project + " at " + i.BaseURL},
		{"started", i.Started.Format(timeForm)},
		{"finished", finished},
		{"by", strings.Trim(i.User+" on "+i.Host, " ")},
		{"commit", i.GitCommit},
		{"of run", i.Of},
		{"flags", strings.Join(i.Flags, " ")},
		{"guards passed", strings.Join(i.Guards, ", ")},
		{"backup", i.Backup},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%-14s %s\n", line[0], ui.Safe(line[1]))
		}
	}
	table := ui.NewTable("change", "action", "status", "reason")
	for _, o := range doc.Outcomes {
		table.Add(o.Address, o.Action, strings.ReplaceAll(o.Status, "_", " "), o.Error)
	}
	b.WriteString("\n" + table.Text(a.streams.OutStyle()))
	if doc.Next != "" {
		b.WriteString("To finish it: " + ui.Safe(doc.Next) + "\n")
	}
	b.WriteString("To undo it: " + ui.Safe(doc.Undo) + "\n")
	a.print(b.String())
	return nil
}

func outcomeDocs(outcomes []store.RunOutcome) []ui.OutcomeDoc {
	docs := make([]ui.OutcomeDoc, len(outcomes))
	for i, o := range outcomes {
		docs[i] = ui.OutcomeDoc{
			Address: o.Key.String(), Action: o.Action, Status: o.Status, Error: o.Error,
			StepsDone: o.StepsDone, Attempts: o.Attempts, TookMS: o.TookMS,
		}
	}
	return docs
}

// latest is the word for the newest run or backup.
const latest = "latest"

// timeForm is how people read a time.
const timeForm = "2006-01-02 15:04:05 MST"

// findRun finds a run by its id, a beginning of it that only one has, or "latest", which
// is that of the environment's project.
func (a *app) findRun(ctx context.Context, dir *store.Dir, id string) (store.RunSummary, error) {
	runs, err := a.runs(dir)
	if err != nil {
		return store.RunSummary{}, err
	}
	if id == latest {
		runs, _ = a.inProject(ctx, runs)
	}
	s, found := runsNamed(runs, id)
	switch {
	case found == 1 && s.Err != nil:
		return s, damagedRun(s.Err)
	case found == 1:
		return s, nil
	case found > 1:
		return s, configError("descope-mgmt runs list", "%q is the beginning of several runs", id)
	}
	if all, err := dir.Runs(); err == nil && id != latest {
		if s, found := runsNamed(all, id); found == 1 && s.Err == nil {
			return s, configError("descope-mgmt runs show "+s.Info.ID+" --env "+s.Info.Environment,
				"run %s was in environment %s, not in %s", s.Info.ID, s.Info.Environment, a.flags.env)
		}
	}
	return s, configError("descope-mgmt runs list", "there is no run %q on record", id)
}

// damagedRun refuses to go on from a record that is not as it was written.
func damagedRun(err error) error {
	var corrupt *store.CorruptError
	if errors.As(err, &corrupt) {
		return refusedError("descope-mgmt runs list", "%w", err)
	}
	return err
}

// runsNamed are the runs that an id means, or a beginning of one, or "latest": the last of
// them and how many.
func runsNamed(runs []store.RunSummary, id string) (run store.RunSummary, found int) {
	for _, s := range runs {
		switch {
		case s.Info.ID == id, id == latest && s.Err == nil:
			return s, 1
		case id != "" && strings.HasPrefix(s.Info.ID, id):
			run, found = s, found+1
		}
	}
	return run, found
}

// inEnvironmentOf chooses the environment that a run was in, where none was named:
// to name the run is to name the environment.
func (a *app) inEnvironmentOf(ctx context.Context, id string) error {
	if a.flags.env != "" || id == latest {
		return nil
	}
	dir, err := a.openState()
	if err != nil {
		return err
	}
	s, err := a.findRun(ctx, dir, id)
	if err != nil {
		return err
	}
	a.flags.env = s.Info.Environment
	return nil
}

// openState opens the state directory without a project. A module is not needed, but
// its .env may name the directory.
func (a *app) openState() (*store.Dir, error) {
	v := variables{environ: a.environ}
	if m, err := a.module(); err == nil {
		if v, err = a.variables(m); err != nil {
			return nil, err
		}
	}
	path, err := a.stateDir(v)
	if err != nil {
		return nil, err
	}
	dir, err := a.open(path)
	if err != nil {
		return nil, &stateError{err}
	}
	return dir, nil
}

// completeRuns completes the ids of the runs on record.
func (a *app) completeRuns(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	if dir, err := a.openState(); err == nil && len(args) == 0 {
		runs, _ := a.runs(dir)
		for _, s := range runs {
			ids = append(ids, s.Info.ID+"\t"+cmp.Or(s.Info.Environment, "?")+" "+s.Info.Operation)
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
