package compiler

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// project is what an environment says about its project: its id and where that
// was written, or nothing; or why that cannot be told.
type project struct {
	id      string
	at      model.Origin
	problem string
}

// ownProject checks that no other environment has the same project. Another one
// is evaluated only where its files do not state it literally; its mistakes are
// no mistakes of this one.
func (r *rules) ownProject(d model.Diagnostic) {
	id := r.result.Environment.ProjectID
	for _, other := range r.loaded.environments {
		if other == r.loaded.env {
			continue
		}
		p := r.projectOf(other)
		switch {
		case p.problem != "":
			w := d
			w.Severity = model.Warning
			w.Detail = fmt.Sprintf("envs/%s cannot be evaluated: %s", other, p.problem)
			w.Hint = fmt.Sprintf("see all of it with descope-mgmt validate %s", other)
			r.add(w, "unchecked-project", "environment: whether project_id %s is that of %s too cannot be told", quoted(id), quoted(other))
		case p.id == id:
			sharedProject(&d, id, other, p.at)
			r.diags = append(r.diags, d)
			return
		}
	}
}

// projectOf finds the project of another environment.
func (r *rules) projectOf(other string) project {
	m := r.loaded.module
	if m.yaml != nil {
		return m.yamlProject(other)
	}
	p, known := r.loaded.writtenProject(other)
	if !known && r.alone {
		p = m.computedProject(other)
	}
	return p
}

// writtenProject reads the project of another environment off the text of its
// overlay: known is set where it is a literal, or where nothing mentions one. It
// parses only files that do, so the check costs next to nothing.
func (l *loaded) writtenProject(env string) (p project, known bool) {
	m := l.module
	sources, diags := m.readSources(filepath.Join(m.root, envsDir, env))
	unknown := len(diags) > 0
	var files []*ast.File
	for _, s := range sources {
		unknown = unknown || mayGiveProject(s.data) || m.importsMore(s)
		if !bytes.Contains(s.data, []byte(projectID)) {
			continue
		}
		if file, err := parser.ParseFile(s.path, s.data); err == nil {
			files = append(files, file)
		}
	}
	for _, d := range newIndex(m, files).find("environment", projectID) {
		if lit, ok := d.value.(*ast.BasicLit); ok {
			if id, err := literal.Unquote(lit.Value); err == nil {
				return project{id: id, at: m.origin(d.label.Pos())}, true
			}
		}
	}
	for path, data := range l.contents { // the shared definitions and what they import
		unknown = unknown || m.isUserFile(path) && filepath.Dir(path) != l.overlayDir() && mayGiveProject(data)
	}
	return project{}, !unknown
}

const projectID = "project_id"

// mayGiveProject reports whether a file mentions the field, or embeds another
// file, which might.
func mayGiveProject(data []byte) bool {
	return bytes.Contains(data, []byte(projectID)) || bytes.Contains(data, []byte("@embed"))
}

// importsMore reports whether a file imports a package of the user.
func (m *Module) importsMore(s source) bool {
	file, err := parser.ParseFile(s.path, s.data, parser.ImportsOnly)
	if err != nil {
		return true
	}
	return slices.ContainsFunc(slices.Collect(file.ImportSpecs()), func(i *ast.ImportSpec) bool {
		path, err := literal.Unquote(i.Path.Value)
		first, _, _ := strings.Cut(path, "/")
		return err != nil || strings.Contains(first, ".") && path != m.path+"/"+schemaDir
	})
}

// computedProject evaluates the environment of an overlay, and its resources only
// where the project depends on them.
func (m *Module) computedProject(env string) project {
	var p project
	_, panicked := guarded(context.Background(), func() model.Diagnostics {
		if p = m.evaluatedProject(env, false); p.problem != "" {
			p = m.evaluatedProject(env, true)
		}
		return nil
	})
	if panicked != nil {
		p.problem = panicked.Summary
	}
	return p
}

// evaluatedProject is computedProject with the resources or without.
func (m *Module) evaluatedProject(env string, resources bool) project {
	l, diags := m.load(env, wants{resources: resources, templates: resources})
	if l == nil {
		return project{problem: diags.Sort()[0].Summary}
	}
	v := cuecontext.New().BuildInstance(l.instance)
	field := v.LookupPath(cue.MakePath(cue.Str("environment"), cue.Str(projectID)))
	if !field.Exists() && v.Err() == nil {
		return project{}
	}
	field, _ = field.Default()
	id, err := field.String()
	if err != nil {
		return project{problem: oneLine(strings.ReplaceAll(err.Error(), m.root+"/", ""))}
	}
	where := l.index.positions(l.index.find("environment"))
	return project{id: id, at: cmp.Or(where.origins[projectID], l.userOriginOf(field))}
}

// sharedProjects finds environments that name the same project, by project id.
func sharedProjects(results []*Result) map[string]model.Diagnostics {
	diags := map[string]model.Diagnostics{}
	first := map[string]Environment{}
	for _, r := range results {
		e := r.Environment
		other, taken := first[e.ProjectID]
		if !taken || e.ProjectID == "" {
			first[e.ProjectID] = e
			continue
		}
		for _, pair := range [][2]Environment{{e, other}, {other, e}} {
			d := model.Diagnostic{Severity: model.Error, Path: "project_id", Origin: pair[0].fieldOrigin("project_id")}
			where := pair[1].fieldOrigin("project_id")
			sharedProject(&d, e.ProjectID, pair[1].Name, where)
			diags[e.ProjectID] = append(diags[e.ProjectID], d)
		}
	}
	return diags
}

func sharedProject(d *model.Diagnostic, id, other string, where model.Origin) {
	d.Code = "shared-project"
	d.Summary = fmt.Sprintf("environment: project_id %s is that of %s too", quoted(id), quoted(other))
	d.Detail = "each environment is a project of its own"
	if where == d.Origin {
		d.Hint = "write the project_id in the overlays: what is written here, all environments have"
		return
	}
	d.Also = []model.Origin{where}
}
