package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
	"pcconnect.ai/descope-mgmt/internal/ui"
	"pcconnect.ai/descope-mgmt/internal/yamlconfig"
)

// conversion is a configuration in YAML on its way to CUE.
type conversion struct {
	imported
	config *yamlconfig.Config
	// from is what is converted, for people.
	from string
	envs []*convertedEnv
}

// convertedEnv is one environment of it.
type convertedEnv struct {
	name string
	tree *yamlconfig.Tree
	// want is what the YAML says, before what the module says already, if it does.
	want, before *compiler.Result
	// missing are the resources that the module does not have.
	missing model.State
	remarks map[model.Key][]string
	flows   map[string]src.Document
}

// convert writes what a configuration in YAML says as CUE. Nothing is written unless
// both say the same for every environment, and all other environments what they did.
func (o *importOptions) convert(ctx context.Context) error {
	if o.from != fromLive || len(o.targets) > 0 || o.flags.env != "" {
		return configError("", "--from-yaml converts a configuration as a whole: leave --from, --target and --env away")
	}
	c, err := o.readYAML(ctx)
	if err != nil {
		return err
	}
	if err := c.make(ctx); err != nil {
		return err
	}
	o.note(ui.DiagnosticsText(c.notes, o.streams.ErrStyle()))
	return o.finishConversion(ctx, c)
}

// make makes the files, and is sure of them.
func (c *conversion) make(ctx context.Context) error {
	if err := c.read(ctx); err != nil {
		return err
	}
	if err := c.generate(); err != nil {
		return err
	}
	return c.verify(ctx)
}

// readYAML opens the YAML, and the module that it is written into.
func (o *importOptions) readYAML(ctx context.Context) (*conversion, error) {
	path := o.path(o.fromYAML)
	if isDir(path) {
		found, err := yamlconfig.Find(path)
		if err != nil {
			return nil, configError("", "%w", err)
		}
		if found == "" {
			return nil, configError("", "there is neither descope.yaml nor .descope/config.yaml in %s", o.relative(path))
		}
		path = found
	} else if !yamlconfig.IsFile(path) {
		return nil, configError("", "%s is no YAML: name a file that ends in .yaml, .yml or .json", o.fromYAML)
	}
	config, err := o.yamlConfig(path)
	if err != nil {
		return nil, err
	}
	m, err := compiler.New(o.dir())
	if err != nil {
		return nil, configError("", "%w", err)
	}
	return newConversion(ctx, config, o.relative(path), m)
}

// newConversion compiles the YAML, which is to be written into a module.
func newConversion(ctx context.Context, config *yamlconfig.Config, name string, m *compiler.Module) (*conversion, error) {
	from, err := compiler.OfYAML(config)
	if err != nil {
		return nil, configError("", "%w", err)
	}
	c := &conversion{config: config, from: name, imported: imported{module: m}}
	var diags model.Diagnostics
	for _, name := range config.Environments() {
		e := &convertedEnv{name: name, remarks: map[model.Key][]string{}, flows: map[string]src.Document{}}
		var found model.Diagnostics
		e.want, found = compile(ctx, from, name)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		diags = append(diags, found...)
		e.tree, _ = config.Environment(name)
		c.envs = append(c.envs, e)
	}
	if diags = diags.Sort(); len(diags.Errors()) > 0 {
		return nil, &diagnosticsError{diagnostics: diags}
	}
	c.notes = append(diags, c.lost()...)
	return c, nil
}

// lost are what CUE does not say as the YAML does: variables, and which one has the key.
func (c *conversion) lost() model.Diagnostics {
	var out model.Diagnostics
	for _, e := range c.envs {
		for _, name := range slices.Sorted(maps.Keys(e.tree.Variables)) {
			out = append(out, model.Diagnostic{
				Severity: model.Warning, Code: "replaced-variable", Origin: e.tree.Variables[name],
				Summary: fmt.Sprintf("${%s} is written as the value that it has now", name),
				Detail:  "CUE has no variables; what differs between environments stands in their overlays",
			})
		}
		key := c.config.KeyVariable(e.name)
		if key != "" && key != varPrefix+varKey && key != environmentVariable(e.name, varKey) {
			out = append(out, model.Diagnostic{
				Severity: model.Warning, Code: "key-variable",
				Summary: fmt.Sprintf("environment %s: %s is not looked at any more", e.name, key),
				Detail:  "the management key comes from " + environmentVariable(e.name, varKey) + " or " + varPrefix + varKey,
			})
		}
	}
	return out.Sort()
}

// read finds what the module lacks. What it has it keeps, if that is the same.
func (c *conversion) read(ctx context.Context) error {
	known, err := c.module.Environments()
	if err != nil {
		known = nil // a new module
	}
	for _, e := range c.envs {
		if slices.Contains(known, e.name) {
			var d model.Diagnostics
			if e.before, d = compile(ctx, c.module, e.name); e.before == nil {
				return unfit(ctx, d)
			}
			if is, want := e.before.Environment.ProjectID, e.want.Environment.ProjectID; is != want {
				return refusedError("", "nothing was written: envs/ has environment %s already, with another project (%s) than %s says (%s)", e.name, orNone(is), c.from, orNone(want))
			}
		}
		if err := e.resources(c.from); err != nil {
			return err
		}
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// resources are those to be written, as they are written in the YAML: a flow by its
// template, not by what the template makes.
func (e *convertedEnv) resources(from string) error {
	var missing []model.Resource
	for _, kind := range model.Kinds() {
		section := map[model.Kind]*yamlconfig.Node{model.Tenant: e.tree.Tenants, model.Flow: e.tree.Flows}[kind.Kind]
		for _, f := range section.Fields {
			key := model.Key{Kind: kind.Kind, ID: f.Name}
			want, here := e.want.State.Get(key)
			if !here {
				continue // enabled_in
			}
			if e.before != nil {
				is, there := e.before.State.Get(key)
				if there && is.Digest() == want.Digest() {
					continue
				}
				if there || slices.Contains(e.before.Excluded, key) {
					return refusedError("", "nothing was written: envs/ has %s in environment %s already, and not as %s says (%s)", key, e.name, from, want.Origin)
				}
			}
			missing = append(missing, e.resource(key, want, f.Value))
		}
	}
	var err error
	e.missing, err = model.NewState(missing)
	return err
}

func (e *convertedEnv) resource(key model.Key, want model.Resource, n *yamlconfig.Node) model.Resource {
	attrs, _ := n.Value().(map[string]any)
	for _, policy := range []string{"enabled_in", "lifecycle", "imported", "custom_attributes_exclusive"} {
		delete(attrs, policy)
	}
	if definition, ok := attrs["definition"]; ok && key.Kind == model.Flow {
		delete(attrs, "definition")
		text := model.CanonicalJSON(definition)
		var b bytes.Buffer
		_ = json.Indent(&b, text, "", "  ") // it is JSON
		e.flows[key.ID] = src.Document{Text: append(b.Bytes(), '\n'), Meaning: string(text)}
	}
	for _, line := range n.Comments() {
		line = strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return ' '
		}, line)
		e.remarks[key] = append(e.remarks[key], line)
	}
	return model.Resource{Key: key, Attrs: attrs, Policy: want.Policy}
}

// generate makes the files.
func (c *conversion) generate() error {
	names, err := c.module.Environments()
	if err != nil {
		names = nil
	}
	of := src.Module{Path: c.module.Path(), Environments: names, Declared: map[model.Key]bool{}, Has: hasOther(c.module.Root())}
	var environments []src.Environment
	for path, text := range c.module.Unsaved() {
		c.files = append(c.files, src.File{Path: path, Text: text, Declares: []model.Key{}})
	}
	templates := map[model.Key]any{}
	for _, e := range c.envs {
		if e.before == nil {
			f, err := e.file()
			if err != nil {
				return err
			}
			c.files = append(c.files, f)
			of.Environments = append(of.Environments, e.name)
		} else {
			for _, r := range e.before.State.Resources() {
				of.Declared[r.Key] = true
			}
		}
		for _, r := range e.missing.Resources() {
			// A default of ours beside the template's own would be two.
			if before, again := templates[r.Key]; again && !reflect.DeepEqual(before, r.Attrs) && r.Key.Kind == model.Flow {
				of.Declared[r.Key] = true
			}
			templates[r.Key] = r.Attrs
		}
		environments = append(environments, src.Environment{Name: e.name, From: c.from, State: e.missing, Flows: e.flows, Remarks: e.remarks})
	}
	files, err := src.Generate(of, environments)
	c.files = append(c.files, files...)
	return err
}

// file is the overlay of an environment that the module does not have, with what it
// says of itself.
func (e *convertedEnv) file() (src.File, error) {
	text, err := src.LiteralText(e.tree.Environment.Value())
	path := fmt.Sprintf("envs/%s/%s.cue", e.name, e.name)
	return src.File{Path: path, Text: []byte("package envs\n\nenvironment: " + text + "\n"), Declares: []model.Key{}}, err
}

// verify compiles the module as it will be and compares.
func (c *conversion) verify(ctx context.Context) error {
	m := c.module
	for _, f := range c.files {
		m = m.With(f.Path, f.Text)
	}
	names, err := m.Environments()
	if err != nil {
		return configError("", "%w", err)
	}
	for _, name := range names {
		after, diagnostics := compile(ctx, m, name)
		if after == nil {
			return unfit(ctx, diagnostics)
		}
		i := slices.IndexFunc(c.envs, func(e *convertedEnv) bool { return e.name == name })
		if i >= 0 {
			if err := c.envs[i].same(after, c.from); err != nil {
				return err
			}
			continue
		}
		before, _ := compile(ctx, c.module, name)
		if before == nil || before.State.Digest() != after.State.Digest() {
			return configError("descope-mgmt validate "+name, "nothing was written: environment %s, of which %s says nothing, would come out another than it is", name, c.from)
		}
	}
	return nil
}

// same demands that an environment in CUE says what it says in YAML.
func (e *convertedEnv) same(after *compiler.Result, from string) error {
	unlike := func(what string) error {
		return configError("", "nothing was written: in environment %s, %s would come out another than %s says; envs/ has something that changes it", e.name, what, from)
	}
	for _, want := range e.want.State.Resources() {
		if is, ok := after.State.Get(want.Key); !ok || is.Digest() != want.Digest() {
			return unlike(want.Key.String())
		}
	}
	for _, is := range after.State.Resources() {
		_, wanted := e.want.State.Get(is.Key)
		had := false
		if e.before != nil {
			before, ok := e.before.State.Get(is.Key)
			had = ok && before.Digest() == is.Digest()
		}
		if !wanted && !had {
			return unlike(is.Key.String())
		}
	}
	if is, want := after.Environment, e.want.Environment; e.before == nil {
		is.Origin, is.Origins, want.Origin, want.Origins = model.Origin{}, nil, model.Origin{}, nil
		if !reflect.DeepEqual(is, want) {
			return unlike("what it says of itself")
		}
	}
	return nil
}

// finishConversion shows what is written and, unless there is nothing, asks and writes.
func (o *importOptions) finishConversion(ctx context.Context, c *conversion) error {
	text := c.text(o)
	switch {
	case o.flags.output == formatText:
		o.print(text)
	case !o.dryRun && !o.yes && o.streams.InTTY && len(c.files) > 0:
		o.note(text)
	}
	if len(c.files) > 0 && !o.dryRun {
		if !o.yes {
			if err := o.prompter().Confirm(ctx, fmt.Sprintf("Write %s?", ui.Counted(len(c.files), "file"))); err != nil {
				return declined(err, "nothing was written", "--yes")
			}
		}
		if err := c.write(ctx); err != nil {
			return err
		}
		c.written = true
	}
	if o.flags.output != formatText {
		return o.encode(c.document())
	}
	if c.written {
		o.print(fmt.Sprintf("Wrote %s below %s. They say what %s says; it can go.\n", ui.Counted(len(c.files), "file"), ui.Safe(o.relative(c.module.Root())), ui.Safe(c.from)))
	}
	return nil
}

func (c *conversion) document() importDoc {
	d := c.imported.document()
	for _, e := range c.envs {
		present := e.want.State.Len() - e.missing.Len()
		d.Environments = append(d.Environments, importedEnv{
			Name: e.name, ProjectID: e.want.Environment.ProjectID, From: c.from, Present: present,
			Tenants: ofKind(e.missing, model.Tenant), Flows: ofKind(e.missing, model.Flow), Differs: []difference{},
		})
	}
	return d
}

// text shows what is converted, and the files.
func (c *conversion) text(o *importOptions) string {
	var b strings.Builder
	for _, e := range c.envs {
		fmt.Fprintf(&b, "%s: %s and %s to write", e.name, ui.Counted(ofKind(e.missing, model.Tenant), "tenant"), ui.Counted(ofKind(e.missing, model.Flow), "flow"))
		if present := e.want.State.Len() - e.missing.Len(); present > 0 {
			fmt.Fprintf(&b, "; envs/ has %d already", present)
		}
		b.WriteString(".\n")
	}
	if len(c.files) == 0 {
		b.WriteString("Nothing to write: envs/ says all of it.\n")
		return b.String()
	}
	table := ui.NewTable("file", "what")
	for _, f := range c.files {
		what := "environment"
		switch {
		case f.Declares == nil:
			what = fmt.Sprintf("%d kB", (len(f.Text)+999)/1000)
		case len(f.Declares) > 0:
			what = ui.Counted(len(f.Declares), string(f.Declares[0].Kind))
		case filepath.Base(f.Path) == "module.cue":
			what = "module"
		}
		table.Add(f.Path, what)
	}
	return b.String() + table.Text(o.streams.OutStyle())
}
