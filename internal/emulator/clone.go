package emulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// cloned is a clone that was asked for without waiting for it.
type cloned struct {
	Project string `json:"project"`
	Name    string `json:"name"`
	// asked: its result was asked for once, and was not there yet.
	asked bool
}

func cloneRequest() []string { return []string{"name", "environment", "tags"} }

// described is a project as a list has it. Descope: tag is deprecated.
func (p *project) described() map[string]any {
	name := p.name
	if name == "" {
		name = p.id
	}
	tags := make([]any, len(p.tags))
	for i, t := range p.tags {
		tags[i] = t
	}
	return map[string]any{"id": p.id, "name": name, "tag": "", "environment": p.environment, "tags": tags}
}

// listProjects answers POST /v1/mgmt/projects/list with those that the key may use
// and the emulator has seen.
func (c *call) listProjects() (map[string]any, *apiError) {
	list := []any{}
	for _, p := range c.known {
		if len(c.key.Projects) > 0 && !slices.Contains(c.key.Projects, p.id) {
			continue
		}
		p.mu.Lock()
		list = append(list, p.described())
		p.mu.Unlock()
	}
	return map[string]any{"projects": list}, nil
}

// renameProject answers POST /v1/mgmt/project/update/name. Descope: it acts on the
// project of the Authorization header.
func (c *call) renameProject() (map[string]any, *apiError) {
	if e := c.require("name"); e != nil {
		return nil, e
	}
	c.project.name, _ = c.body["name"].(string)
	return nil, nil
}

// maxTag is how long a tag may be, by the validator of the official provider.
const maxTag = 50

// tagProject answers POST /v1/mgmt/project/update/tags, which replaces all.
func (c *call) tagProject() (map[string]any, *apiError) {
	tags, e := c.tags()
	if e != nil {
		return nil, e
	}
	c.project.tags = tags
	return nil, nil
}

func (c *call) tags() ([]string, *apiError) {
	v, e := field{name: "tags", kind: texts}.read(c.body["tags"])
	if e != nil {
		return nil, e
	}
	var tags []string
	for _, t := range v.([]any) {
		tag, _ := t.(string)
		if tag == "" || len([]rune(tag)) > maxTag {
			return nil, invalid("A tag has 1 to %d characters", maxTag)
		}
		tags = append(tags, tag)
	}
	return tags, nil
}

// cloneProject answers POST /v1/mgmt/project/clone.
func (c *call) cloneProject() (map[string]any, *apiError) {
	made, e := c.clone()
	if e != nil {
		return nil, e
	}
	d := made.described()
	return map[string]any{
		"projectId": d["id"], "projectName": d["name"], "tag": "", "environment": d["environment"], "tags": d["tags"],
	}, nil
}

// cloneAsync answers POST /v1/mgmt/project/clone/async.
func (c *call) cloneAsync() (map[string]any, *apiError) {
	made, e := c.clone()
	if e != nil {
		return nil, e
	}
	process := mintID("PR", made.id)
	clones := maps.Clone(c.project.clones)
	if clones == nil {
		clones = map[string]cloned{}
	}
	clones[process] = cloned{Project: made.id, Name: made.name}
	c.project.clones = clones
	return map[string]any{"processId": process}, nil
}

// asyncResult answers GET /v1/mgmt/project/clone/async/ID: nothing the first time,
// then the project.
func (c *call) asyncResult() (map[string]any, *apiError) {
	r, ok := c.project.clones[c.argument]
	if !ok {
		return nil, &apiError{status: http.StatusNotFound, code: ownCode(http.StatusNotFound), message: fmt.Sprintf("No process %q", c.argument)}
	}
	if !r.asked {
		r.asked = true
		clones := maps.Clone(c.project.clones)
		clones[c.argument] = r
		c.project.clones = clones
		return map[string]any{"projectId": "", "projectName": "", "error": ""}, nil
	}
	return map[string]any{"projectId": r.Project, "projectName": r.Name, "error": ""}, nil
}

// clone makes a project like this one. Descope: settings and secrets are copied,
// but no tenants, users and access keys. Connectors and roles get ids of their own.
func (c *call) clone() (*project, *apiError) {
	if e := c.paid(); e != nil {
		return nil, e
	}
	if e := c.require("name"); e != nil {
		return nil, e
	}
	environment, e := field{name: "environment"}.read(c.body["environment"])
	if e != nil {
		return nil, e
	}
	if environment != "" && environment != "production" {
		return nil, invalid("The environment is empty or production")
	}
	tags, e := c.tags()
	if e != nil {
		return nil, e
	}
	p := c.project
	made := newProject(mintID("P", p.id, strconv.FormatInt(c.now.UnixNano(), 36), strconv.FormatUint(c.serial, 10)))
	made.name, _ = c.body["name"].(string)
	made.environment, made.tags = environment.(string), tags
	made.attributes, made.componentsVersion, made.templates = p.attributes, p.componentsVersion, p.templates
	made.theme, made.themeV1, made.files = p.theme, p.themeV1, p.files
	ids := map[string]string{}
	made.roles = p.roles.renewed("ROL", made.id, ids)
	made.connectors = p.connectors.renewed("CI", made.id, ids)
	made.connectorDetails = p.connectorDetails
	for _, f := range p.flows {
		content, _ := replaceTexts(f.content, ids).(map[string]any)
		made.flows = append(made.flows, &flow{id: f.id, content: content, stamp: stamp{}.next(content, c.now, c.quirks.Etag)})
	}
	c.made = made
	return made, nil
}

// renewed are the same things with the ids of another project; ids gets the new id
// of each old one.
func (n named) renewed(kind, project string, ids map[string]string) named {
	if n == nil {
		return nil
	}
	out := named{}
	for name, id := range n {
		out[name] = mintID(kind, project, name)
		ids[id] = out[name]
	}
	return out
}

// replaceTexts is a copy of a value in which some texts are others.
func replaceTexts(v any, by map[string]string) any {
	switch v := v.(type) {
	case string:
		if s, ok := by[v]; ok {
			return s
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = replaceTexts(e, by)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			out[name] = replaceTexts(e, by)
		}
		return out
	}
	return v
}

// deleteProject answers POST /v1/mgmt/project/delete. Descope: the last project of a
// company stays.
func (c *call) deleteProject() (map[string]any, *apiError) {
	if len(c.known) <= 1 {
		return nil, &apiError{status: http.StatusBadRequest, code: codeLast, message: "Cannot delete last project"}
	}
	c.project.wipe()
	return nil, nil
}

// wipe leaves nothing of a project but that it was there.
func (p *project) wipe() {
	empty := newProject(p.id)
	p.deleted, p.name, p.tags, p.environment, p.clones = true, "", nil, "", nil
	p.tenants, p.byID, p.flows, p.sso, p.users, p.accessKeys = nil, empty.byID, nil, empty.sso, nil, nil
	p.roles, p.connectors, p.connectorDetails, p.attributes, p.files = nil, nil, nil, nil, nil
	p.theme, p.themeV1, p.componentsVersion, p.templates = empty.theme, empty.themeV1, "", nil
}

// detail keeps what a snapshot says of a connector.
func (p *project) detail(name string, details map[string]any) {
	next := maps.Clone(p.connectorDetails)
	if next == nil {
		next = map[string]map[string]any{}
	}
	next[name] = model.CloneMap(details)
	p.connectorDetails = next
}
