package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Project is a project as a list of all has it.
type Project struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Environment is Descope's own label: empty, or production.
	Environment string   `json:"environment"`
	Tags        []string `json:"tags"`
}

// Projects lists the projects of the company, as Descope orders them. A key that is
// limited to some projects may not ask ([IsAuth]).
func (c *Client) Projects(ctx context.Context) ([]Project, error) {
	raw, _, err := c.projects(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Project, len(raw))
	for i, r := range raw {
		if err := json.Unmarshal(r, &out[i]); err != nil {
			return nil, c.badReply(projectsRequest(), "a project is not understood: %w", err)
		}
		out[i].Name, out[i].Environment = clean(out[i].Name), clean(out[i].Environment)
		for n, t := range out[i].Tags {
			out[i].Tags[n] = clean(t)
		}
		if out[i].Tags == nil {
			out[i].Tags = []string{}
		}
	}
	return out, nil
}

func projectsRequest() request {
	return request{method: http.MethodPost, path: "/v1/mgmt/projects/list", body: []byte("{}"), budget: BudgetOther}
}

func (c *Client) projects(ctx context.Context) ([]json.RawMessage, time.Time, error) {
	got, err := c.read(ctx, projectsRequest())
	if err != nil {
		return nil, time.Time{}, err
	}
	list, err := decodeList(got.body, "projects")
	if err != nil {
		return nil, time.Time{}, c.badReply(projectsRequest(), "%w", err)
	}
	seen := map[string]bool{}
	for i, raw := range list {
		id, err := idOf(raw)
		if err != nil || id == "" || seen[id] {
			return nil, time.Time{}, c.badReply(projectsRequest(), "projects[%d] has no id of its own (%s)", i, quoted(id))
		}
		seen[id] = true
	}
	return list, got.sent, nil
}

// projectRow is the project itself: its name and its tags.
func projectRow() row {
	write := func(path string) endpoint {
		return endpoint{path: path, budget: BudgetOther, effect: projectIsAsSent}
	}
	return row{
		kind: model.Project,
		list: func(ctx context.Context, c *Client) ([]model.Resource, time.Time, error) {
			is, at, err := ownProject(ctx, c)
			if err != nil {
				return nil, at, err
			}
			return []model.Resource{is}, at, nil
		},
		get: func(ctx context.Context, c *Client, id string) (model.Resource, bool, error) {
			if id != c.config.ProjectID {
				return model.Resource{}, false, nil
			}
			is, _, err := ownProject(ctx, c)
			return is, err == nil, err
		},
		decode: decodeProject,
		encode: encodeProject,
		writes: map[model.Op]endpoint{
			model.ProjectRename: write("/v1/mgmt/project/update/name"),
			model.ProjectTags:   write("/v1/mgmt/project/update/tags"),
		},
		only: func(project string) string { return project },
	}
}

func ownProject(ctx context.Context, c *Client) (model.Resource, time.Time, error) {
	list, at, err := c.projects(ctx)
	if err != nil {
		return model.Resource{}, at, err
	}
	for _, raw := range list {
		if id, _ := idOf(raw); id == c.config.ProjectID {
			is, err := decodeProject(raw)
			if err != nil {
				err = c.badReply(projectsRequest(), "the project is not understood: %w", err)
			}
			return is, at, err
		}
	}
	return model.Resource{}, at, c.badReply(projectsRequest(), "project %s is not in the list of projects", c.config.ProjectID)
}

func decodeProject(raw json.RawMessage) (model.Resource, error) {
	fields, err := decodeObject(raw)
	if err != nil {
		return model.Resource{}, err
	}
	id, _ := fields["id"].(string)
	name, _ := fields["name"].(string)
	if id == "" {
		return model.Resource{}, errors.New("a project without an id")
	}
	return model.Resource{
		Key:      model.Key{Kind: model.Project, ID: id},
		Attrs:    model.Sorted(model.Project, map[string]any{"name": name, "tags": orEmpty(fields["tags"])}),
		Observed: &model.Observed{Raw: raw, Fields: fields},
	}, nil
}

// encodeProject: Descope makes projects by cloning only, and deletes them by a call that
// no plan makes.
func encodeProject(t model.Transition) ([]model.Step, error) {
	if t.Before == nil || t.After == nil {
		return nil, errors.New("a plan neither makes nor deletes a project")
	}
	var steps []model.Step
	for _, w := range []struct {
		attr string
		op   model.Op
	}{{"name", model.ProjectRename}, {"tags", model.ProjectTags}} {
		if v := t.After[w.attr]; !model.Equal(v, t.Before.Attrs[w.attr]) {
			steps = append(steps, model.Step{Op: w.op, Key: t.Key, Body: model.CanonicalJSON(map[string]any{w.attr: v})})
		}
	}
	return steps, nil
}

func projectIsAsSent(body json.RawMessage, live model.Resource, exists bool) bool {
	sent, err := decodeObject(body)
	if err != nil || !exists {
		return false
	}
	for name, v := range model.Sorted(model.Project, sent) {
		if !model.Equal(v, live.Attrs[name]) {
			return false
		}
	}
	return true
}

// Clone makes a project of this one, with its settings and the secrets of its
// connectors, but without tenants, users and access keys. A clone is never sent twice:
// where its answer was lost, the one new project of that name is taken for it, and where
// there is none the error is [Error.Unanswered].
func (c *Client) Clone(ctx context.Context, name, environment string, tags []string) (Project, error) {
	before, err := c.Projects(ctx)
	if err != nil {
		return Project{}, err
	}
	list := make([]any, len(tags))
	for i, t := range tags {
		list[i] = t
	}
	r := c.companyRequest("/v1/mgmt/project/clone", map[string]any{"name": name, "environment": environment, "tags": list})
	got, err := c.once(ctx, r)
	if e, ok := errors.AsType[*Error](err); ok && e.Unanswered() {
		return c.madeSince(ctx, before, name, err)
	}
	if err != nil {
		return Project{}, err
	}
	var made struct {
		ID          string   `json:"projectId"`
		Name        string   `json:"projectName"`
		Environment string   `json:"environment"`
		Tags        []string `json:"tags"`
	}
	if err := json.Unmarshal(got.body, &made); err != nil || !projectIDHeader(made.ID) {
		return c.madeSince(ctx, before, name, c.badReply(r, "the answer has no id of a project"))
	}
	return Project{ID: made.ID, Name: clean(made.Name), Environment: clean(made.Environment), Tags: append([]string{}, made.Tags...)}, nil
}

// madeSince is the one project of a name that was not there before.
func (c *Client) madeSince(ctx context.Context, before []Project, name string, failure error) (Project, error) {
	now, err := c.Projects(context.WithoutCancel(ctx))
	if err != nil {
		return Project{}, failure
	}
	made := slices.DeleteFunc(now, func(p Project) bool {
		return p.Name != name || slices.ContainsFunc(before, func(b Project) bool { return b.ID == p.ID })
	})
	if len(made) != 1 {
		return Project{}, failure
	}
	return made[0], nil
}

// DeleteProject deletes the project for good. Descope: it may stay in the list for a
// while. An answer that was lost is looked for there.
func (c *Client) DeleteProject(ctx context.Context) error {
	_, err := c.once(ctx, c.companyRequest("/v1/mgmt/project/delete", map[string]any{}))
	if e, ok := errors.AsType[*Error](err); ok && e.Unanswered() {
		if now, listErr := c.Projects(context.WithoutCancel(ctx)); listErr == nil && !slices.ContainsFunc(now, func(p Project) bool { return p.ID == c.config.ProjectID }) {
			return nil
		}
	}
	return err
}

// companyRequest is a write that is about the project itself.
func (c *Client) companyRequest(path string, body map[string]any) request {
	return request{
		method: http.MethodPost, path: path, body: model.CanonicalJSON(body), budget: BudgetOther,
		object: model.Key{Kind: model.Project, ID: c.config.ProjectID}.String(), write: true,
	}
}

// once performs a write that must not be repeated: it is tried again only where it
// certainly has not taken effect.
func (c *Client) once(ctx context.Context, r request) (answer, error) {
	return c.repeat(ctx, r, func(failed *Error) error {
		if failed.doubt {
			return permanent(failed)
		}
		return failed
	})
}
