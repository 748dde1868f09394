package source

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Edit is one value that a configuration should have in one environment.
type Edit struct {
	Key model.Key
	// Path is the place of the value as [model.JoinPath] writes it; "" is the whole
	// resource, whose Value is then its fields.
	Path string
	// Value is normalised. What is in a map and not in Value stays.
	Value any
	// Absent: there is to be no such value, or no such resource.
	Absent bool
}

// Options say what [Apply] may do.
type Options struct {
	// AllowBase lets it edit files that other environments share.
	AllowBase bool
	// Exists reports whether a path of the module is taken; nil is never.
	Exists func(path string) bool
	// Environments are the names of all environments, for the lists that say which
	// of them have a resource.
	Environments []string
}

// Outcome is what became of edits. Nothing in it has been evaluated: whoever writes
// the files compiles them first, and compares.
type Outcome struct {
	// Files are the new contents of the files that change, by path. No contents at
	// all (nil) is a file of which nothing is left.
	Files map[string][]byte
	// Base are the edits outside of the environment's own directory, whether they
	// were allowed and made or not.
	Base []BaseEdit
	// Refused are the edits that could not be made, with the place that the value
	// comes from. The others were made all the same.
	Refused model.Diagnostics
	// Suspects are places that may give a value to what was edited, which only the
	// evaluation can tell: where it fails, they are the first to look at.
	Suspects model.Diagnostics
	// Notes are for people: what was kept or left behind.
	Notes model.Diagnostics
}

// BaseEdit is a change of a line that other environments share.
type BaseEdit struct {
	Key    model.Key    `json:"address"`
	Path   string       `json:"path,omitempty"`
	Origin model.Origin `json:"origin"`
	// Before and After are the line as it is and as it would be, without its end.
	Before string `json:"before"`
	After  string `json:"after"`
	Why    string `json:"why"`
}

// Apply edits the files of a configuration so that one environment has other
// values. It replaces the bytes of values and appends declarations; all the rest of
// a file, its comments, its order and its layout stay as they are.
//
// files are all CUE files under envs/, by their slash-separated paths relative to
// the module. A value that the environment's directory writes is replaced there;
// else a declaration is appended to a file of that directory, and where a shared
// value stands in the way, it is made a default. An error means that the files
// could not be read as CUE, or could not be after the edit; then there is no
// outcome.
func Apply(files map[string][]byte, env string, edits []Edit, o Options) (Outcome, error) {
	e, err := newEditor(files, env, o)
	if err != nil {
		return Outcome{}, err
	}
	for _, edit := range edits {
		e.edit(edit)
	}
	if err := e.write(); err != nil {
		return Outcome{}, err
	}
	e.out.Refused, e.out.Suspects, e.out.Notes = e.out.Refused.Sort(), e.out.Suspects.Sort(), e.out.Notes.Sort()
	return e.out, nil
}

// editor is one run of Apply.
type editor struct {
	env   string
	files []*editedFile
	o     Options
	out   Outcome
	// appended are the declarations to append, by file and resource.
	appended map[*editedFile][]*declaration
}

// declaration is what is appended about one resource.
type declaration struct {
	key    model.Key
	fields []appendedField
	whole  bool
}

type appendedField struct {
	path  []string
	value any
}

func newEditor(files map[string][]byte, env string, o Options) (*editor, error) {
	e := &editor{env: env, o: o, appended: map[*editedFile][]*declaration{}}
	e.out.Files = map[string][]byte{}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		f, err := parseFile(path, files[path], env)
		if err != nil {
			return nil, err
		}
		e.files = append(e.files, f)
	}
	return e, nil
}

// edit makes one edit, or says why it cannot be made.
func (e *editor) edit(edit Edit) {
	switch {
	case edit.Path == "" && edit.Absent:
		e.exclude(edit)
	case edit.Path == "":
		e.object(edit)
	default:
		path, ok := model.SplitPath(edit.Path)
		if !ok {
			e.refuse(edit, place{}, "bad-path", "%q is not the path of a value", edit.Path)
			return
		}
		e.leaves(edit, path)
	}
}

// leaves edits the values below a path one by one: what else is in a map stays.
func (e *editor) leaves(edit Edit, path []string) {
	if isUnit(edit.Key, path) {
		e.definition(edit)
		return
	}
	m, ok := edit.Value.(map[string]any)
	if !ok || edit.Absent {
		e.value(edit, path)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		at := append(slices.Clone(path), name)
		e.leaves(Edit{Key: edit.Key, Path: model.JoinPath(at...), Value: m[name]}, at)
	}
}

// isUnit tells maps that are one value: the document of a flow.
func isUnit(key model.Key, path []string) bool {
	return key.Kind == model.Flow && len(path) == 1 && path[0] == definitionField
}

// object writes a resource that is to be there with all of these fields.
func (e *editor) object(edit Edit) {
	fields, _ := edit.Value.(map[string]any)
	here, away, suspects := e.declared(edit.Key)
	certain := func(p place) bool { return !p.via.maybe }
	if len(here)+len(away) > 0 || slices.ContainsFunc(suspects, certain) {
		e.include(edit)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			e.leaves(Edit{Key: edit.Key, Path: model.JoinPath(name), Value: fields[name]}, []string{name})
		}
		return
	}
	if doc, ok := fields[definitionField].(map[string]any); ok && edit.Key.Kind == model.Flow {
		e.ownDocument(edit.Key, doc, withoutEmpty(fields))
		return
	}
	d := e.declaration(e.overlayFile(edit.Key), edit.Key)
	d.whole = true
	d.fields = append(d.fields, appendedField{nil, withoutEmpty(fields)})
}

// withoutEmpty leaves out maps with nothing in them: they say nothing.
func withoutEmpty(m map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range m {
		if inner, ok := v.(map[string]any); ok && len(inner) == 0 {
			continue
		}
		out[name] = v
	}
	return out
}

// value edits one value.
func (e *editor) value(edit Edit, path []string) {
	places, suspects := e.find(append([]string{model.Spec(edit.Key.Kind).Field, edit.Key.ID}, path...))
	var own, shared []place
	for _, p := range places {
		switch {
		case p.via.kind != "":
			suspects = append(suspects, p)
		case p.file.layer == overlay:
			own = append(own, p)
		case p.file.layer == base:
			shared = append(shared, p)
		}
	}
	for _, p := range slices.Concat(own, shared) {
		if f := e.classify(p); f.kind == computed {
			e.refuse(edit, p, "computed", "the value is %s", f.what)
			return
		}
	}
	suspects, refused := e.decided(edit, suspects)
	if refused {
		return
	}
	if edit.Absent {
		switch {
		case len(own)+len(shared)+len(suspects) == 0:
			return // it is absent already
		case len(shared)+len(suspects) == 0 && e.removable(own, isNullable(edit.Key, path)):
			e.remove(own)
			return
		case !isNullable(edit.Key, path):
			e.refuse(edit, slices.Concat(shared, suspects, own)[0], "not-removable", "an overlay cannot take a value away")
			return
		}
		edit.Value = nil
	}
	e.suspect(edit, suspects)
	written, settled := false, false
	for _, p := range own {
		if e.replace(edit, p) {
			written = true
		}
	}
	for _, p := range shared {
		if e.makeWay(edit, p) {
			settled = true
		}
	}
	if written || settled && len(own) == 0 && len(suspects) == 0 {
		return
	}
	d := e.declaration(e.overlayFile(edit.Key), edit.Key)
	d.fields = append(d.fields, appendedField{path, edit.Value})
}

// isNullable tells values that null can take away.
func isNullable(key model.Key, path []string) bool {
	return len(path) > 1 && slices.Contains(model.Spec(key.Kind).Maps, path[0])
}

func (e *editor) declaration(f *editedFile, key model.Key) *declaration {
	for _, d := range e.appended[f] {
		if d.key == key {
			return d
		}
	}
	d := &declaration{key: key}
	e.appended[f] = append(e.appended[f], d)
	return d
}

// overlayFile is the file of the environment that what is new about a resource goes
// into: one that mentions the resource, else the one named after the environment,
// else the first.
func (e *editor) overlayFile(key model.Key) *editedFile {
	own := func(yes func(*editedFile) bool) *editedFile {
		for _, f := range e.files {
			if f.layer == overlay && yes(f) {
				return f
			}
		}
		return nil
	}
	here, _, _ := e.declared(key)
	if len(here) > 0 {
		return here[len(here)-1].file
	}
	for d := range e.appended {
		if d.layer == overlay {
			return d
		}
	}
	name := e.env + ".cue"
	if f := own(func(f *editedFile) bool { return strings.HasSuffix(f.path, "/"+name) }); f != nil {
		return f
	}
	if f := own(func(*editedFile) bool { return true }); f != nil {
		return f
	}
	return e.newFile(envsDir+"/"+e.env+"/"+name, "")
}

// newFile begins a file of the package of the others; head stands above the package
// clause.
func (e *editor) newFile(path, head string) *editedFile {
	pkg := envsDir
	if len(e.files) > 0 && e.files[0].ast.PackageName() != "" {
		pkg = e.files[0].ast.PackageName()
	}
	f, err := parseFile(path, []byte(head+"package "+pkg+"\n"), e.env)
	if err != nil {
		panic("source: " + err.Error()) // the text is ours
	}
	f.created = true
	e.files = append(e.files, f)
	return f
}

// write makes the new contents.
func (e *editor) write() error {
	for _, f := range e.files {
		if f.layer == base && !e.o.AllowBase {
			continue
		}
		text, err := f.spliced()
		if err != nil {
			return err
		}
		text = e.append(f, text)
		if bytes.Equal(text, f.src) && !f.created {
			continue
		}
		after, err := parseFile(f.path, text, e.env)
		if err != nil {
			return fmt.Errorf("the edit of %s would not parse, so it is not made: %w", f.path, err)
		}
		if after, err = after.tidied(f); err != nil {
			return err
		}
		if after == nil {
			e.out.Files[f.path] = nil
			continue
		}
		for _, c := range lostComments(f, after) {
			e.out.Notes = append(e.out.Notes, model.Diagnostic{
				Severity: model.Warning, Code: "lost-comment", Origin: c.at,
				Summary: "this comment goes with the value that it stands in: " + c.text,
			})
		}
		e.out.Files[f.path] = after.src
	}
	return nil
}
