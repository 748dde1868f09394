package compiler

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// environment checks what the environment says about itself.
func (r *rules) environment() {
	e := r.result.Environment
	at := func(field string) model.Diagnostic {
		return model.Diagnostic{Severity: model.Error, Path: field, Origin: e.fieldOrigin(field)}
	}
	if e.Name != r.loaded.env {
		d := r.add(at("name"), "environment-name", "environment: name is %s, but the directory is envs/%s", quoted(e.Name), r.loaded.env)
		d.Hint = fmt.Sprintf("write name: %q", r.loaded.env)
	}
	if e.BaseURL != "" && !trustedURL(e.BaseURL) {
		d := r.add(at("base_url"), "base-url", "environment: base_url cannot be %s", quoted(e.BaseURL))
		d.Detail = "allowed: " + allowed("#Environment", "base_url") + "; it receives the management key"
	}
	if e.ProjectID == "" {
		return
	}
	for _, other := range r.loaded.environments {
		if other == r.loaded.env {
			continue
		}
		if where := r.loaded.module.literalProjectID(other, e.ProjectID); !where.IsZero() {
			d := at("project_id")
			d.Also = []model.Origin{where}
			sharedProject(&d, e.ProjectID, other, where)
			r.diags = append(r.diags, d)
			return
		}
	}
}

// trustedURL reports whether a management key may be sent to a URL that comes
// from a file: Descope over TLS, or this machine.
func trustedURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.User != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if host == "localhost" {
		return true
	}
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return u.Scheme == "https" && (host == "descope.com" || strings.HasSuffix(host, ".descope.com"))
}

// literalProjectID finds where the overlay of another environment states a
// project id. It parses only files in which the id occurs, so the check costs
// next to nothing; an id that is computed is left to [CompileAll].
func (m *Module) literalProjectID(env, id string) model.Origin {
	dir := filepath.Join(m.root, envsDir, env)
	names, err := cueFiles(dir)
	if err != nil {
		return model.Origin{} // that environment's own problem
	}
	for _, n := range names {
		path := filepath.Join(dir, n)
		data, err := os.ReadFile(path)
		if err != nil || len(data) > maxFileBytes || !bytes.Contains(data, []byte(id)) || m.scan(&source{path: path, data: data}) != nil {
			continue
		}
		file, err := parser.ParseFile(path, data)
		if err != nil {
			continue
		}
		for _, d := range newIndex(m, []*ast.File{file}).find("environment", "project_id") {
			if lit, ok := d.value.(*ast.BasicLit); ok {
				if s, err := literal.Unquote(lit.Value); err == nil && s == id {
					return m.origin(d.label.Pos())
				}
			}
		}
	}
	return model.Origin{}
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
			d.Also = []model.Origin{where}
			sharedProject(&d, e.ProjectID, pair[1].Name, where)
			diags[e.ProjectID] = append(diags[e.ProjectID], d)
		}
	}
	return diags
}

func sharedProject(d *model.Diagnostic, id, other string, where model.Origin) {
	d.Code = "shared-project"
	d.Summary = fmt.Sprintf("environment: project_id %s is that of %s too", quoted(id), quoted(other))
	d.Detail = fmt.Sprintf("each environment is a project of its own; the other one is in %s", where)
}
