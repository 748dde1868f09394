package source

import (
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Declared is a resource, or the environment, where a file writes it by name.
type Declared struct {
	// Key is the zero value for the environment.
	Key model.Key
	// Origin is where its label stands, Label how it is written.
	Origin model.Origin
	Label  string
}

// Outline lists what a file declares, in the order in which it is written; what a
// comprehension or a reference makes is not in it. A file that cannot be parsed is an
// error.
func Outline(path string, src []byte) ([]Declared, error) {
	f, err := parseFile(path, src, "")
	if err != nil {
		return nil, err
	}
	kinds := map[string]model.Kind{}
	for _, spec := range model.Kinds() {
		kinds[spec.Field] = spec.Kind
	}
	var out []Declared
	for _, d := range f.ast.Decls {
		field, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		name, _ := labelName(field.Label)
		if name == "environment" {
			out = append(out, f.declared(model.Key{}, field))
		}
		kind, ok := kinds[name]
		if !ok || name == "" {
			continue
		}
		for _, x := range operands(field.Value) {
			s, ok := x.(*ast.StructLit)
			if !ok {
				continue
			}
			for _, e := range s.Elts {
				if member, ok := e.(*ast.Field); ok {
					if id, ok := labelName(member.Label); ok {
						out = append(out, f.declared(model.Key{Kind: kind, ID: id}, member))
					}
				}
			}
		}
	}
	return out, nil
}

func (f *editedFile) declared(key model.Key, field *ast.Field) Declared {
	text, err := format.Node(field.Label)
	if err != nil {
		text = nil
	}
	return Declared{Key: key, Origin: originOf(f.path, field.Label.Pos()), Label: string(text)}
}

// MakeDefault lets one environment keep the value that it writes at a path where the
// shared files give another: that one becomes a default. It returns the shared files
// that change, or nothing where the environment writes no literal there, or the shared
// value cannot be edited. The key of the environment's own fields is the zero value.
func MakeDefault(files map[string][]byte, env string, key model.Key, path string) (map[string][]byte, error) {
	e, err := newEditor(files, env, Options{AllowBase: true})
	if err != nil {
		return nil, err
	}
	elements, ok := model.SplitPath(path)
	if !ok || len(elements) == 0 {
		return nil, nil
	}
	whole := append([]string{"environment"}, elements...)
	if key != (model.Key{}) {
		whole = append([]string{model.Spec(key.Kind).Field, key.ID}, elements...)
	}
	places, _ := e.find(whole)
	edit := Edit{Key: key, Path: path}
	for _, p := range places {
		if f := e.classify(p); p.file.layer == overlay && f.kind == concrete {
			edit.Value, _ = valueOf(f.node)
			for _, p := range places {
				if p.file.layer == base {
					e.makeWay(edit, p)
				}
			}
			break
		}
	}
	if err := e.write(); err != nil {
		return nil, err
	}
	return e.out.Files, nil
}
