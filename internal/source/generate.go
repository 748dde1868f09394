package source

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Module is what is known of the module that a configuration is written for.
type Module struct {
	// Path is its import path, without a version.
	Path string
	// Environments are all of its environments.
	Environments []string
	// Declared are the resources that it has anywhere already. They are only added to
	// overlays, since the shared definitions could change them elsewhere.
	Declared map[model.Key]bool
	// Has reports whether there is a file already that must not be replaced by this
	// text. Paths are relative to the root and slash-separated.
	Has func(path string, text []byte) bool
}

// Environment is what is to be written for one environment.
type Environment struct {
	Name string
	// From says where it comes from, for people: "project P2abc".
	From string
	// State are the resources with exactly the attributes and policy that are to be
	// written: see [FromLive]. A flow may have its definition in Flows instead.
	State model.State
	// Flows are definitions of flows that are embedded as files, by flow id.
	Flows map[string]Document
	// Connectors are ids of connectors by name.
	Connectors map[string]string
	// Remarks are comments on resources, a line each.
	Remarks map[model.Key][]string
}

// Document is a flow as a file.
type Document struct {
	Text []byte
	// Meaning is equal for documents that do the same.
	Meaning string
}

// File is a file of the configuration.
type File struct {
	// Path is relative to the root of the module and slash-separated.
	Path string
	Text []byte
	// Declares are the resources that are written in it, nil for an embedded file.
	Declares []model.Key
}

// perFile is how many resources a file has at most. With more there are as many files
// as needed, of nearly the same size.
const perFile = 100

// Generate writes what some environments have as new files of a module: flows that are
// embedded first, then overlays, then shared definitions.
//
// One environment is written into its overlay, so that nothing changes for the others.
// Of several, what two or more have is written once, into the shared definitions, with
// enabled_in unless all environments of the module have it. There a value that they
// have in common stands as it is, one that all of them have but not the same as a
// default, the most common one, and the rest in the overlays. An absent value is
// written nowhere: it cannot be taken away again.
//
// Compiled, each environment says what its State says, with the numbers in the
// spelling of package model.
func Generate(m Module, imported []Environment) ([]File, error) {
	g := &generator{module: m, overlays: map[string]*part{}}
	imported = slices.Clone(imported)
	slices.SortFunc(imported, func(a, b Environment) int { return strings.Compare(a.Name, b.Name) })
	g.shared = &part{dir: envsDir, comment: sharedComment(imported)}
	for _, e := range imported {
		g.overlays[e.Name] = &part{dir: envsDir + "/" + e.Name, comment: ownComment(e)}
	}
	for _, key := range keysOf(imported) {
		g.resource(key, havingIt(imported, key))
	}
	for _, e := range imported {
		g.overlays[e.Name].connectors = e.Connectors
		if err := g.write(g.overlays[e.Name]); err != nil {
			return nil, err
		}
	}
	if err := g.write(g.shared); err != nil {
		return nil, err
	}
	return append(g.embedded, g.files...), nil
}

// generator is one run of Generate.
type generator struct {
	module          Module
	shared          *part
	overlays        map[string]*part
	embedded, files []File
	names           map[string]bool // of embedded files, in lower case
}

// part is what is written into one directory.
type part struct {
	dir        string
	comment    []string
	entries    []entry
	connectors map[string]string
}

// entry is one resource in one directory.
type entry struct {
	key   model.Key
	value *ast.StructLit
	// whole: this is all there is of it, or the base of it.
	whole   bool
	remarks []string
}

func keysOf(imported []Environment) []model.Key {
	all := map[model.Key]bool{}
	for _, e := range imported {
		for _, r := range e.State.Resources() {
			all[r.Key] = true
		}
	}
	return slices.SortedFunc(maps.Keys(all), model.Key.Compare)
}

// owner is an environment that has a resource.
type owner struct {
	*Environment
	resource model.Resource
	document *Document
}

func havingIt(imported []Environment, key model.Key) []owner {
	var out []owner
	for i := range imported {
		r, ok := imported[i].State.Get(key)
		if !ok {
			continue
		}
		o := owner{Environment: &imported[i], resource: r}
		if d, ok := imported[i].Flows[key.ID]; ok && key.Kind == model.Flow {
			o.document = &d
		}
		out = append(out, o)
	}
	return out
}

// resource writes one resource for those that have it.
func (g *generator) resource(key model.Key, owners []owner) {
	if len(owners) < 2 || g.module.Declared[key] || !sameDefinition(owners) {
		for _, o := range owners {
			part := g.overlays[o.Name]
			s := tree(leavesOf(o.resource))
			g.embed(s, part.dir, key, o.document)
			part.entries = append(part.entries, entry{key: key, value: s, whole: true, remarks: o.Remarks[key]})
		}
		return
	}
	base, overlays := hoist(owners)
	s := tree(base)
	g.embed(s, g.shared.dir, key, owners[0].document)
	if in := names(owners); len(in) < len(g.module.Environments) {
		s.Elts = append(s.Elts, Field("enabled_in", Literal(in)))
	}
	shared := entry{key: key, value: s, whole: true}
	alike := !slices.ContainsFunc(owners, func(o owner) bool { return !slices.Equal(o.Remarks[key], owners[0].Remarks[key]) })
	if alike {
		shared.remarks = owners[0].Remarks[key]
	}
	for i, o := range owners {
		for _, remark := range o.Remarks[key] {
			if !alike {
				shared.remarks = append(shared.remarks, o.Name+": "+remark)
			}
		}
		if len(overlays[i]) > 0 {
			part := g.overlays[o.Name]
			part.entries = append(part.entries, entry{key: key, value: tree(overlays[i])})
		}
	}
	g.shared.entries = append(g.shared.entries, shared)
}

// sameDefinition reports whether the embedded definitions do the same: a definition
// is one value that no overlay could change.
func sameDefinition(owners []owner) bool {
	for _, o := range owners[1:] {
		a, b := owners[0].document, o.document
		if (a == nil) != (b == nil) || a != nil && a.Meaning != b.Meaning {
			return false
		}
	}
	return true
}

func names(owners []owner) []any {
	out := make([]any, len(owners))
	for i, o := range owners {
		out[i] = o.Name
	}
	return out
}

// embed puts a flow into a file below a directory and refers to it. CUE embeds nothing
// from above the directory of the file that does.
func (g *generator) embed(s *ast.StructLit, dir string, key model.Key, d *Document) {
	if d == nil {
		return
	}
	name := g.flowFile(dir, key.ID, d.Text)
	g.embedded = append(g.embedded, File{Path: dir + "/" + name, Text: d.Text})
	f := Field("definition", ast.NewIdent("_"))
	f.Attrs = []*ast.Attribute{{Text: "@embed(file=" + name + ")"}}
	s.Elts = append(s.Elts, f)
}

// flowFile is the name of the file for a flow: its id, as far as that is safe in every
// file system and in an attribute, and a number where it is taken.
func (g *generator) flowFile(dir, id string, text []byte) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, id)
	if safe = safe[:min(len(safe), 60)]; safe == "" {
		safe = "flow"
	}
	if g.names == nil {
		g.names = map[string]bool{}
	}
	for n := 1; ; n++ {
		name := "flows/" + safe + ".json"
		if n > 1 {
			name = fmt.Sprintf("flows/%s_%d.json", safe, n)
		}
		full := dir + "/" + name
		if folded := strings.ToLower(full); !g.names[folded] && !g.has(full, text) {
			g.names[folded] = true
			return name
		}
	}
}

func (g *generator) has(path string, text []byte) bool {
	return g.module.Has != nil && g.module.Has(path, text)
}

// write makes the files of a directory.
func (g *generator) write(p *part) error {
	for _, kind := range model.Kinds() {
		var entries []entry
		for _, e := range p.entries {
			if e.key.Kind == kind.Kind {
				entries = append(entries, e)
			}
		}
		if len(entries) == 0 {
			continue
		}
		count := (len(entries) + perFile - 1) / perFile
		for n := range count {
			f := file{module: g.module.Path, comment: p.comment}
			some := entries[n*len(entries)/count : (n+1)*len(entries)/count]
			keys := make([]model.Key, len(some))
			for i, e := range some {
				keys[i] = e.key
				f.entry(e)
			}
			if err := g.add(p, "imported_"+kind.Field, f, keys); err != nil {
				return err
			}
		}
	}
	if len(p.connectors) == 0 {
		return nil
	}
	f := file{module: g.module.Path, comment: p.comment}
	f.connectors(p.connectors)
	return g.add(p, "imported_connectors", f, []model.Key{})
}

// add adds a file under the first number that is free.
func (g *generator) add(p *part, name string, f file, keys []model.Key) error {
	text, err := f.text()
	if err != nil {
		return fmt.Errorf("writing %s as CUE: %w", path.Join(p.dir, name), err)
	}
	for n := 1; ; n++ {
		full := fmt.Sprintf("%s/%s_%03d.cue", p.dir, name, n)
		taken := slices.ContainsFunc(g.files, func(f File) bool { return f.Path == full })
		if !taken && !g.has(full, nil) {
			g.files = append(g.files, File{Path: full, Text: text, Declares: keys})
			return nil
		}
	}
}

const editable = "An import adds files and changes none: edit this one at will."

func ownComment(e Environment) []string {
	return []string{"Imported from " + e.From + ".", editable}
}

func sharedComment(imported []Environment) []string {
	lines := []string{"Imported: what these have in common. What differs is in their overlays."}
	for _, e := range imported {
		lines = append(lines, "  "+e.Name+": "+e.From)
	}
	return append(lines, editable)
}
