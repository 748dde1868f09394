package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// adoption is a change of the configuration that was tried: with it the environment
// has the values that were asked for, nothing else of it changes, and no other
// environment does. Nothing is written before write.
type adoption struct {
	app    *app
	module *compiler.Module
	env    string
	// before and after are the contents of the files that change, by path. nil is no
	// file.
	before, after map[string][]byte
	// base are the edits of files that other environments share.
	base  []src.BaseEdit
	notes model.Diagnostics
	// compiled is the environment as it will be.
	compiled *compiler.Result
}

// maxRounds bounds how often the edits are completed by what the first of them
// showed to be missing.
const maxRounds = 4

// adopt finds the change of the configuration that gives an environment other
// values. It writes nothing. An error that is a refusal says for each edit why it
// cannot be made.
func (a *app) adopt(ctx context.Context, m *compiler.Module, env string, edits []src.Edit, allowBase bool) (*adoption, error) {
	if err := a.inCUE(m, "editing the configuration"); err != nil {
		return nil, err
	}
	names, err := m.Environments()
	if err != nil {
		return nil, configError("", "%w", err)
	}
	files, diagnostics := m.Sources()
	if len(diagnostics.Errors()) > 0 {
		return nil, &diagnosticsError{diagnostics: diagnostics.Errors()}
	}
	t := &trial{ctx: ctx, env: env, names: names, module: m, original: files, wanted: edits}
	if t.before, err = evaluateAll(ctx, m, names); err != nil {
		return nil, err
	}
	if d := t.before[env].diagnostics; len(d) > 0 {
		return nil, &diagnosticsError{diagnostics: d}
	}
	d, err := t.run(edits)
	if err != nil {
		return nil, err
	}
	d.app = a
	if len(d.base) > 0 && !allowBase {
		return nil, d.needsBase()
	}
	return d, nil
}

// needsBase refuses edits of what is shared, and says where they would be.
func (d *adoption) needsBase() error {
	var out model.Diagnostics
	for _, b := range d.base {
		out = append(out, baseDiagnostic(b))
	}
	what := "1 place that all environments share has to change"
	if n := len(d.base); n > 1 {
		what = fmt.Sprintf("%d places that all environments share have to change", n)
	}
	return &codedError{code: exitRefused, hint: d.app.onward(d.env) + " --allow-base", err: &diagnosticsError{diagnostics: out, what: "nothing was written: " + what}}
}

func baseDiagnostic(b src.BaseEdit) model.Diagnostic {
	key := b.Key
	name := key.String()
	if b.Path != "" {
		name += ": " + b.Path
	}
	detail := ""
	if !strings.Contains(b.Before+b.After, "\n") {
		detail = strings.TrimSpace(b.Before) + " → " + strings.TrimSpace(b.After)
	}
	return model.Diagnostic{Severity: model.Warning, Code: "shared", Key: &key, Path: b.Path, Origin: b.Origin, Summary: name + ": " + b.Why, Detail: detail}
}

// trial looks for the change.
type trial struct {
	ctx      context.Context
	env      string
	names    []string
	module   *compiler.Module
	original map[string][]byte
	// documents are the files that are embedded and change.
	documents map[string][]byte
	wanted    []src.Edit
	before    map[string]evaluated
}

// run makes the edits, evaluates, and makes those that are still missing: a resource
// that the shared files declare has values that nobody asked for, and only the
// evaluation knows them.
func (t *trial) run(edits []src.Edit) (*adoption, error) {
	files := maps.Clone(t.original)
	t.documents = map[string][]byte{}
	d := &adoption{module: t.module, env: t.env}
	next := firstOf(edits)
	for range maxRounds {
		out, err := src.Apply(files, t.env, next, src.Options{AllowBase: true, Environments: t.names, Exists: t.exists})
		if err != nil {
			return nil, refusedError("", "nothing was written: %w", err)
		}
		suspects := t.unedited(files, out.Suspects)
		if len(out.Refused) > 0 {
			return nil, refusedEdits(t.unedited(files, out.Refused))
		}
		for path, text := range out.Files {
			if !strings.HasSuffix(path, ".cue") {
				t.documents[path] = text
				continue
			}
			if files[path] = text; text == nil {
				delete(files, path)
			}
		}
		d.base, d.notes = append(d.base, out.Base...), append(d.notes, out.Notes...)
		after := t.with(files)
		now := evaluate(t.ctx, after, t.env)
		if err := t.ctx.Err(); err != nil {
			return nil, err
		}
		if len(now.diagnostics) > 0 {
			if imported, ok := asImported(edits, t.before[t.env], now.diagnostics); ok {
				t.wanted = imported
				return t.run(imported)
			}
			return nil, refusedEdits(t.blamed(files, now.diagnostics, suspects))
		}
		missing, err := t.missing(now)
		if err != nil {
			return nil, err
		}
		if len(missing) == 0 {
			return d, t.accept(d, files, after)
		}
		next = missing
	}
	return nil, refusedEdits(t.unreached(next))
}

// firstOf leaves the texts of templates for later where options of the template are
// edited too: these decide which texts there are.
func firstOf(edits []src.Edit) []src.Edit {
	options := map[model.Key]bool{}
	for _, e := range edits {
		if e.Key.Kind == model.Flow && covers("config", e.Path) {
			options[e.Key] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(edits), func(e src.Edit) bool { return options[e.Key] && covers("steps", e.Path) })
}

// with is the module with other files.
func (t *trial) with(files map[string][]byte) *compiler.Module {
	m := t.module
	for path, text := range files {
		if !bytes.Equal(text, t.original[path]) || t.original[path] == nil {
			m = m.With(path, text)
		}
	}
	for path, text := range t.documents {
		m = m.With(path, text)
	}
	for path := range t.original {
		if _, there := files[path]; !there {
			m = m.With(path, []byte("package "+packageOf(t.original[path])+"\n"))
		}
	}
	return m
}

// exists reports whether a path of the module is taken.
func (t *trial) exists(path string) bool {
	_, edited := t.documents[path]
	_, err := os.Lstat(filepath.Join(t.module.Root(), filepath.FromSlash(path)))
	return edited || err == nil
}

// packageOf is the name in the package clause of a file that was read as CUE.
func packageOf(text []byte) string {
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")), "package "); ok {
			name, _, _ = strings.Cut(name, "//")
			return strings.TrimSpace(name)
		}
	}
	return "envs"
}

// accept holds every other environment against what it was.
func (t *trial) accept(d *adoption, files map[string][]byte, after *compiler.Module) error {
	d.before, d.after = map[string][]byte{}, map[string][]byte{}
	shared := false
	for p, text := range t.documents {
		was, err := os.ReadFile(filepath.Join(t.module.Root(), filepath.FromSlash(p)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return configError("", "nothing was written: %w", err)
		}
		if !bytes.Equal(was, text) {
			d.before[p], d.after[p] = was, text
			shared = shared || !strings.HasPrefix(p, "envs/"+t.env+"/")
		}
	}
	for _, p := range slices.Sorted(maps.Keys(union(files, t.original))) {
		was, is := t.original[p], files[p]
		if bytes.Equal(was, is) && (was == nil) == (is == nil) {
			continue
		}
		d.before[p], d.after[p] = was, is
		shared = shared || path.Dir(p) != "envs/"+t.env
	}
	for _, name := range t.names {
		if name == t.env {
			continue
		}
		was := t.before[name]
		if len(was.diagnostics) > 0 {
			if shared {
				return refusedError("descope-mgmt validate "+name, "nothing was written: environment %s does not compile, so whether it would change cannot be told", name)
			}
			continue
		}
		now := evaluate(t.ctx, after, name)
		if err := t.ctx.Err(); err != nil {
			return err
		}
		if len(now.diagnostics) > 0 {
			return refusedEdits(t.unedited(files, now.diagnostics))
		}
		if !was.same(now, t.wanted) {
			return refusedError("", "nothing was written: environment %s would change too; edit the files by hand", name)
		}
	}
	compiled, diagnostics := compile(t.ctx, after, t.env)
	if compiled == nil {
		return refusedEdits(diagnostics.Errors())
	}
	d.compiled = compiled
	d.notes = d.notes.Sort()
	return t.ctx.Err()
}

func union[V any](a, b map[string]V) map[string]V {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// refusedEdits refuses, for the reasons that the diagnostics give.
func refusedEdits(d model.Diagnostics) error {
	return &codedError{code: exitRefused, err: &diagnosticsError{diagnostics: d.Sort(), what: "nothing was written: the configuration cannot be edited like that"}}
}

// asImported marks those of the new tenants among edits as made elsewhere that
// mistakes are about: they do not keep the house rules. ok is false if there is none
// that is not marked yet.
func asImported(edits []src.Edit, before evaluated, mistakes model.Diagnostics) (out []src.Edit, ok bool) {
	out = slices.Clone(edits)
	for i, e := range out {
		fields, isMap := e.Value.(map[string]any)
		if e.Key.Kind != model.Tenant || e.Path != "" || e.Absent || !isMap || before.object(e.Key) != nil {
			continue
		}
		about := func(d model.Diagnostic) bool { return d.Key != nil && *d.Key == e.Key }
		if _, marked := fields["imported"]; marked || !slices.ContainsFunc(mistakes, about) {
			continue
		}
		out[i].Value = with(fields, "imported", true)
		ok = true
	}
	return out, ok
}

func with(m map[string]any, name string, v any) map[string]any {
	m = maps.Clone(m)
	m[name] = v
	return m
}
