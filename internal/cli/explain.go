package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type explainOptions struct {
	*app
	noLive bool
}

func newExplainCmd(a *app) *cobra.Command {
	o := &explainOptions{app: a}
	cmd := &cobra.Command{
		Use:   "explain ADDRESS[.FIELD]",
		Short: "Show which lines a value comes from",
		Long: `Explain shows every line of the configuration that a field is made of: which states
the value, which is a default, what it refers to, and which of them counts. Beside it
stands what is live, and what was last applied. Without a field it lists all fields of
the object, one line each.

A field is written with dots: tenant/acme-corp.custom_attributes.plan. A name that has
a dot in it goes in quotes: 'tenant/acme-corp.custom_attributes."a.b"'; so does an id,
where it would be taken for the field of another object.`,
		Example: `  descope-mgmt explain tenant/acme-corp --env prod
  descope-mgmt explain tenant/acme-corp.custom_attributes.plan --env staging
  descope-mgmt explain flow/sign-up-or-in --env dev --no-live -o json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.complete,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	cmd.Flags().BoolVar(&o.noLive, "no-live", false, "do not ask Descope what is live")
	return cmd
}

// explainDoc is explain -o json.
type explainDoc struct {
	Address     string `json:"address"`
	Environment string `json:"environment"`
	// Excluded: enabled_in keeps the object out of the environment.
	Excluded bool `json:"excluded"`
	// LiveRead is whether the live project was asked.
	LiveRead bool           `json:"live_read"`
	Fields   []explainEntry `json:"fields"`
}

// explainEntry is one field in explain -o json.
type explainEntry struct {
	Path          string                  `json:"path"`
	Value         any                     `json:"value"`
	Contributions []compiler.Contribution `json:"contributions"`
	// Live and Applied are left out where nobody knows, and for what is no field of
	// the object in Descope.
	Live    *explainSide `json:"live,omitempty"`
	Applied *explainSide `json:"last_applied,omitempty"`

	attribute bool
}

// explainSide is a value that a field has somewhere else.
type explainSide struct {
	Exists bool `json:"exists"`
	Value  any  `json:"value"`
}

func (o *explainOptions) run(ctx context.Context, address string) error {
	m, v, env, err := o.place()
	if err != nil {
		return err
	}
	e, diagnostics := compiler.Explain(ctx, m, env.value, address)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := o.report(diagnostics); err != nil {
		return err
	}
	doc := explainDoc{Address: e.Key.String(), Environment: env.value, Excluded: e.Excluded, Fields: []explainEntry{}}
	for _, f := range e.Fields {
		doc.Fields = append(doc.Fields, explainEntry{Path: f.Path, Value: f.Value, Contributions: f.Contributions, attribute: f.Attribute})
	}
	if e.Environment.ProjectID == "" && v.forEnvironment(env.value, varProjectID).value == "" {
		o.note("Environment " + env.value + " has no project, so there is nothing live.\n")
	} else if err := o.compare(ctx, e.Key, &doc); err != nil {
		return err
	}
	if o.flags.output != formatText {
		return o.encode(doc)
	}
	o.print(explainText(e, doc, o.streams.OutStyle()))
	return nil
}

// compare adds what is live and what was last applied.
func (o *explainOptions) compare(ctx context.Context, key model.Key, doc *explainDoc) (err error) {
	how := reading
	if o.noLive {
		how = onDisk
	}
	c, err := o.connectTo(ctx, how)
	if isNoKey(err) {
		o.note("There is no management key, so what is live is not shown; descope-mgmt doctor says more.\n")
		how = onDisk
		c, err = o.connectTo(ctx, how)
	}
	if err != nil {
		return err
	}
	defer closing(c, &err)
	last, err := c.scope.LoadLastApplied()
	if err != nil {
		return err
	}
	applied, _ := last.Get(key)
	doc.add(applied, func(f *explainEntry, s *explainSide) { f.Applied = s })
	if how == onDisk {
		return nil
	}
	live, _, err := c.client.Get(ctx, key)
	if err != nil {
		return err
	}
	doc.LiveRead = true
	doc.add(live, func(f *explainEntry, s *explainSide) { f.Live = s })
	return nil
}

// isNoKey reports that nobody gave a key; one that cannot be had is another matter.
func isNoKey(err error) bool {
	var key *keyError
	return errors.As(err, &key) && exitCode(key.err) == exitAuth
}

// add notes what a resource has in each field; the zero resource has none.
func (d *explainDoc) add(r model.Resource, set func(*explainEntry, *explainSide)) {
	for i := range d.Fields {
		if !d.Fields[i].attribute {
			continue
		}
		side := &explainSide{}
		v := valueAt(r.Attrs, d.Fields[i].Path)
		if _, absent := v.(plan.Absent); !absent {
			side.Exists, side.Value = true, v
		}
		set(&d.Fields[i], side)
	}
}

// explainText shows one field with all of its lines, or a table of many.
func explainText(e *compiler.Explanation, doc explainDoc, s ui.Style) string {
	var b strings.Builder
	if doc.Excluded {
		fmt.Fprintf(&b, "%s is not in environment %s: enabled_in leaves it out.\n", ui.Safe(doc.Address), ui.Safe(doc.Environment))
	}
	if e.Path != "" && len(doc.Fields) == 1 {
		explainField(&b, doc.Fields[0], doc.Address, s)
		return b.String()
	}
	table := ui.NewTable("field", "value", "from", "as", "live", "last applied")
	for _, f := range doc.Fields {
		from, as := "", ""
		for _, c := range f.Contributions {
			if c.Wins {
				from, as = place(c.Origin), role(f, c)
			}
		}
		table.Add(f.Path, f.text(f.Value, maxExplained), from, as, f.side(e.Key.Kind, f.Live), f.side(e.Key.Kind, f.Applied))
	}
	b.WriteString(table.Text(s))
	return b.String()
}

// maxExplained bounds a value in a table: a flow is a document.
const maxExplained = 60

func explainField(b *strings.Builder, f explainEntry, address string, s ui.Style) {
	width := 0
	if !s.Verbose {
		width = 400
	}
	field := ui.Safe(address + "." + f.Path)
	switch {
	case len(f.Contributions) > 0 || f.Value != nil:
		b.WriteString(field + " = " + f.text(f.Value, width) + "\n")
	case f.attribute:
		b.WriteString(field + " is not written: it stays as it is live\n")
	default:
		b.WriteString(field + " is not written; it is never sent to Descope, so it has no live value\n")
	}
	roles, places := 0, 0
	for _, c := range f.Contributions {
		roles, places = max(roles, len(role(f, c))), max(places, len(place(c.Origin)))
	}
	for _, c := range f.Contributions {
		mark := " "
		if c.Wins {
			mark = ">"
		}
		fmt.Fprintf(b, "%s %-*s  %-*s  %s\n", mark, roles, role(f, c), places, ui.Safe(place(c.Origin)), ui.Safe(via(c)+c.Text))
		for _, from := range c.Sources {
			fmt.Fprintf(b, "  %-*s  from %s: %s\n", roles, "", ui.Safe(place(from.Origin)), ui.Safe(from.Text))
		}
	}
	for _, side := range []struct {
		name string
		is   *explainSide
	}{{"live", f.Live}, {"last applied", f.Applied}} {
		if side.is != nil && !side.is.Exists {
			fmt.Fprintf(b, "%s: (none)\n", side.name)
		} else if side.is != nil {
			fmt.Fprintf(b, "%s: %s\n", side.name, f.text(side.is.Value, width))
		}
	}
}

// role says in a word what a place does: a value that stands over another one, of the
// base or a default, is an override.
func role(f explainEntry, c compiler.Contribution) string {
	over := slices.ContainsFunc(f.Contributions, func(o compiler.Contribution) bool {
		return o.Origin != c.Origin && (o.Role == compiler.RoleDefault || o.Layer != c.Layer)
	})
	if c.Role == compiler.RoleValue && c.Layer == compiler.LayerOverlay && over {
		return "override"
	}
	return string(c.Role)
}

// via says what brings a place to a field that does not stand at it.
func via(c compiler.Contribution) string {
	switch {
	case c.Layer == compiler.LayerSchema:
		return "(the schema) "
	case c.Via != "":
		return "(" + c.Via + ") "
	}
	return ""
}

func place(o model.Origin) string { return fmt.Sprintf("%s:%d", o.File, o.Line) }

// side is a value of another side beside the configured one.
func (f explainEntry) side(k model.Kind, s *explainSide) string {
	switch {
	case s == nil:
		return ""
	case !s.Exists:
		return "(none)"
	case plan.Same(k, f.Path, s.Value, f.Value):
		return "the same"
	}
	return f.text(s.Value, maxExplained)
}

// text is a value of the field; of a flow it is its size.
func (f explainEntry) text(v any, width int) string {
	if d, ok := document(f.Path, v); ok && width > 0 {
		return "(" + ui.Counted(len(d.Tasks()), "task") + ")"
	}
	return ui.Value(v, width)
}

// document is the flow that a value is, if it is one.
func document(path string, v any) (flow.Flow, bool) {
	if _, ok := v.(map[string]any); !ok || path != "definition" {
		return flow.Flow{}, false
	}
	d, _, err := flow.FromValue(v)
	return d, err == nil
}

// complete offers addresses and, behind the dot of one, its fields.
func (o *explainOptions) complete(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	var words []string
	if len(args) == 0 {
		for _, r := range o.configured(cmd.Context()) {
			address := r.Key.String()
			words = append(words, address)
			if strings.HasPrefix(word, address+".") {
				for path := range leaves(nil, r.Attrs) {
					words = append(words, address+"."+path)
				}
			}
		}
	}
	slices.Sort(words)
	return words, cobra.ShellCompDirectiveNoFileComp
}

// leaves are the paths and values below a place of an object; a document is one value.
func leaves(at []string, fields map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range fields {
		path := append(slices.Clip(at), name)
		below, ok := v.(map[string]any)
		if !ok || len(below) == 0 || path[0] == "definition" {
			out[model.JoinPath(path...)] = v
			continue
		}
		for p, v := range leaves(path, below) {
			out[p] = v
		}
	}
	return out
}
