package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type envDiffOptions struct {
	*app
	targets []string
	live    bool
	facts   bool
}

func newEnvDiffCmd(a *app) *cobra.Command {
	o := &envDiffOptions{app: a}
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Show how two environments differ",
		Long: `Diff compares two environments as they are written: every field that differs, with
both values and the line of each; what only one of them has, and whether enabled_in says
so; flows by what they do. With --live it compares the projects themselves.

What makes an environment the one that it is (project_id, base_url, protected, rate,
connectors, urls) is listed apart, and is a difference only with --settings.

Exit 0 if there is no difference, 2 if there is.`,
		Example: `  descope-mgmt env diff staging prod
  descope-mgmt env diff staging prod --target tenant/acme-corp
  descope-mgmt env diff staging prod -o markdown >differences.md
  descope-mgmt env diff staging prod --live`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: o.complete,
		Annotations:       formats(formatText, formatJSON, formatYAML, formatMarkdown),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), [2]string(args)) },
	}
	addList(cmd.Flags(), &o.targets, "target", "only these resources, for example tenant/acme-corp (repeat, or separate by commas)")
	cmd.Flags().BoolVar(&o.live, "live", false, "compare the live projects, not what is written")
	cmd.Flags().BoolVar(&o.facts, "settings", false, "what differs about the environments themselves counts, too")
	must(cmd.RegisterFlagCompletionFunc("target", a.completeAddresses))
	return cmd
}

func (o *envDiffOptions) complete(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return o.completeEnvironments(cmd, args, word)
}

// envDiffDoc is env diff -o json. In pairs the first is that of the first environment.
type envDiffDoc struct {
	Environments [2]string `json:"environments"`
	Live         bool      `json:"live"`
	// Equal is what the exit code says.
	Equal   bool            `json:"equal"`
	Same    int             `json:"same"`
	Objects []envDiffObject `json:"objects"`
	Facts   []envDiffField  `json:"environment"`
}

type envDiffObject struct {
	Address string `json:"address"`
	// Only is the environment that has the object, where the other lacks it, and
	// Reason why: "enabled_in" or "not written".
	Only   string           `json:"only,omitempty"`
	Reason string           `json:"reason,omitempty"`
	Origin [2]*model.Origin `json:"origins"`
	Fields []envDiffField   `json:"fields"`
	Flow   *flow.Report     `json:"flow,omitempty"`
}

type envDiffField struct {
	Path  string         `json:"path"`
	Sides [2]envDiffSide `json:"sides"`
}

type envDiffSide struct {
	Exists bool          `json:"exists"`
	Value  any           `json:"value"`
	Origin *model.Origin `json:"origin"`
}

func (o *envDiffOptions) run(ctx context.Context, names [2]string) error {
	m, err := o.module()
	if err != nil {
		return err
	}
	environments, err := m.Environments()
	if err != nil {
		return configError("", "%w", err)
	}
	for _, name := range names {
		if err := known(name, "", environments); err != nil {
			return err
		}
	}
	var results [2]*compiler.Result
	var diagnostics model.Diagnostics
	for i, name := range names {
		r, found := compile(ctx, m, name)
		if err := ctx.Err(); err != nil {
			return err
		}
		results[i], diagnostics = r, append(diagnostics, found...)
	}
	if err := o.report(diagnostics.Sort()); err != nil {
		return err
	}
	states := [2]model.State{results[0].State, results[1].State}
	targets, err := parseKeys(o.targets)
	if err != nil {
		return err
	}
	if o.live {
		if states, err = o.readBoth(ctx, names, targets); err != nil {
			return err
		}
	}
	if states, err = restrict(states, results, targets); err != nil {
		return err
	}
	c := ui.Compared{Comparison: plan.Compare(states[0], states[1]), Names: names, Facts: differentFacts(results), Counts: o.facts}
	if !o.live {
		c.Missing = func(side int, k model.Key) string { return missing(results[side], k) }
	}
	return o.show(c)
}

// readBoth reads the two projects, each over a connection of its own.
func (o *envDiffOptions) readBoth(ctx context.Context, names [2]string, targets []model.Key) (states [2]model.State, err error) {
	kinds := allKinds()
	if len(targets) > 0 {
		kinds = slices.DeleteFunc(kinds, func(k model.Kind) bool {
			return !slices.ContainsFunc(targets, func(t model.Key) bool { return t.Kind == k })
		})
	}
	for i, name := range names {
		there := *o.app
		there.flags.env = name
		err := there.onConnection(ctx, func(c *connection) (err error) {
			states[i], err = c.read(ctx, kinds...)
			return err
		})
		if err != nil {
			return states, fmt.Errorf("environment %s: %w", name, err)
		}
	}
	return states, nil
}

// restrict leaves the targets of two states. One that neither side knows is refused: a
// misspelt target must not look like equality.
func restrict(states [2]model.State, results [2]*compiler.Result, targets []model.Key) ([2]model.State, error) {
	if len(targets) == 0 {
		return states, nil
	}
	var addresses []string
	exists := map[model.Key]bool{}
	for i := range states {
		for _, r := range states[i].Resources() {
			exists[r.Key] = true
		}
		for _, k := range results[i].Excluded {
			exists[k] = true
		}
	}
	for k := range exists {
		addresses = append(addresses, k.String())
	}
	slices.Sort(addresses)
	for _, k := range targets {
		if !exists[k] {
			meant := ""
			if near := model.Suggest(k.String(), addresses); near != "" {
				meant = "; did you mean " + near + "?"
			}
			return states, configError("", "target %s is in neither environment%s", k, meant)
		}
	}
	for i := range states {
		states[i] = states[i].Filter(func(r model.Resource) bool { return slices.Contains(targets, r.Key) })
	}
	return states, nil
}

// The reasons why an environment lacks an object.
const (
	byEnabledIn = "enabled_in"
	notWritten  = "not written"
)

func missing(r *compiler.Result, k model.Key) string {
	if slices.Contains(r.Excluded, k) {
		return byEnabledIn
	}
	return notWritten
}

// differentFacts are what differs about two environments themselves, but for the names.
func differentFacts(results [2]*compiler.Result) []plan.FieldDifference {
	facts := [2]map[string]any{factsOf(results[0].Environment), factsOf(results[1].Environment)}
	paths := maps.Clone(facts[0])
	maps.Copy(paths, facts[1])
	out := []plan.FieldDifference{}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		f := plan.FieldDifference{Path: path}
		for i, r := range results {
			f.Values[i] = plan.Absent{}
			if v, ok := facts[i][path]; ok {
				f.Values[i] = v
				written := model.Resource{Origin: r.Environment.Origin, Origins: r.Environment.Origins}
				f.Origins[i] = written.FieldOrigin(path)
			}
		}
		if !sameFact(f.Values) {
			out = append(out, f)
		}
	}
	return out
}

func sameFact(values [2]any) bool {
	_, none1 := values[0].(plan.Absent)
	_, none2 := values[1].(plan.Absent)
	return none1 == none2 && model.Equal(values[0], values[1])
}

// factsOf are the fields of an environment as they were written.
func factsOf(e compiler.Environment) map[string]any {
	facts := map[string]any{}
	set := func(path string, v any, written bool) {
		if written {
			facts[path] = v
		}
	}
	set("project_id", e.ProjectID, e.ProjectID != "")
	set("base_url", e.BaseURL, e.BaseURL != "")
	set("protected", true, e.Protected)
	set("rate", fmt.Sprintf("%d/%ds", e.Rate.Calls, int(e.Rate.Per.Seconds())), e.Rate.Calls > 0)
	for name, id := range e.Connectors {
		facts[model.JoinPath("connectors", name)] = id
	}
	urls := make([]any, len(e.URLs))
	for i, u := range e.URLs {
		urls[i] = u
	}
	set("urls", urls, len(urls) > 0)
	return facts
}

func (o *envDiffOptions) show(c ui.Compared) error {
	differs := !c.Equal() || c.Counts && len(c.Facts) > 0
	var err error
	switch o.flags.output {
	case formatText:
		o.print(ui.ComparisonText(c, o.streams.OutStyle()))
	case formatMarkdown:
		o.print(ui.ComparisonMarkdown(c))
	default:
		err = o.encode(o.document(c, differs))
	}
	if err == nil && differs {
		return exitWith(exitDifferences)
	}
	return err
}

func (o *envDiffOptions) document(c ui.Compared, differs bool) envDiffDoc {
	doc := envDiffDoc{Environments: c.Names, Live: o.live, Equal: !differs, Same: c.Same, Objects: []envDiffObject{}, Facts: fieldDocs(c.Facts)}
	for _, d := range c.Objects {
		object := envDiffObject{Address: d.Key.String(), Fields: fieldDocs(d.Fields), Flow: d.Flow}
		for i := range d.Origins {
			object.Origin[i] = lineOf(d.Origins[i])
		}
		if side := d.Only(); side >= 0 {
			object.Only = c.Names[side]
			if c.Missing != nil {
				object.Reason = c.Missing(1-side, d.Key)
			}
		}
		doc.Objects = append(doc.Objects, object)
	}
	return doc
}

func fieldDocs(fields []plan.FieldDifference) []envDiffField {
	docs := []envDiffField{}
	for _, f := range fields {
		doc := envDiffField{Path: f.Path}
		for i, v := range f.Values {
			if _, absent := v.(plan.Absent); !absent {
				doc.Sides[i] = envDiffSide{Exists: true, Value: v, Origin: lineOf(f.Origins[i])}
				if f.Sensitive {
					doc.Sides[i].Value = "(sensitive)"
				}
			}
		}
		docs = append(docs, doc)
	}
	return docs
}

func lineOf(o model.Origin) *model.Origin {
	if o.IsZero() {
		return nil
	}
	return &o
}
