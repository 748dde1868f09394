package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// formatVersion is written into every document, and is the only one read.
const formatVersion = 1

// Storage keeps the data of each project between runs. Implementations are
// safe for concurrent use and replace a project's data atomically.
type Storage interface {
	// Load returns what was last saved for a project, and nil with no error
	// for one that never was.
	Load(project string) ([]byte, error)
	// Save replaces the data of a project. The emulator calls it within every
	// request that writes, before it replies.
	Save(project string, data []byte) error
}

// document is the JSON form of projects: what a seed file holds, and, with one
// project, what [Storage] keeps.
type document struct {
	// Version may be absent in a file written by hand.
	Version  int                        `json:"version"`
	Projects map[string]projectDocument `json:"projects"`
}

// projectDocument is one project. All objects are as on the wire.
type projectDocument struct {
	Name string   `json:"name,omitempty"`
	Tags []string `json:"tags,omitempty"`
	// Environment is "production" or empty.
	Environment string `json:"environment,omitempty"`
	// Deleted: the project is gone for good.
	Deleted bool `json:"deleted,omitempty"`
	// Clones are the ones that were made of it and asked for later, by the id of
	// their process.
	Clones map[string]cloned `json:"clones,omitempty"`
	// Tenants are tenant objects; only id and name are required, and
	// successors is computed.
	Tenants []map[string]any `json:"tenants,omitempty"`
	// Settings are the session settings by tenant id.
	Settings map[string]map[string]any `json:"settings,omitempty"`
	// SSO are the SSO configurations by tenant id, as v2 sso/settings sends
	// them, without the tenant.
	SSO map[string][]map[string]any `json:"sso,omitempty"`
	// Flows are exported flows (v2). FlowStamps are what flow/list shows of
	// them beyond that, by flow id.
	Flows      []map[string]any `json:"flows,omitempty"`
	FlowStamps map[string]stamp `json:"flow_stamps,omitempty"`
	// Roles, Connectors and Attributes are what the project defines; absent is
	// anything. Roles and connectors have ids, which are made up for a list.
	Roles      named    `json:"roles,omitzero"`
	Connectors named    `json:"connectors,omitzero"`
	Attributes []string `json:"attributes,omitzero"`
	// ConnectorDetails are connectors by name as a snapshot has them ("type",
	// "description", "configuration"), with their secrets.
	ConnectorDetails map[string]map[string]any `json:"connector_details,omitempty"`
	// SnapshotFiles are files of a snapshot by path that nothing else stands for.
	SnapshotFiles map[string]any `json:"snapshot_files,omitempty"`
	// ComponentsVersion is what an import of a flow or theme is stamped with.
	ComponentsVersion string `json:"components_version,omitempty"`
	// FlowTemplates are what flow/template/list shows; absent is the emulator's
	// own.
	FlowTemplates []map[string]any `json:"flow_templates,omitzero"`
	// Users and AccessKeys belong to tenants through userTenants and
	// keyTenants, lists of {"tenantId": …}.
	Users      []map[string]any `json:"users,omitempty"`
	AccessKeys []map[string]any `json:"access_keys,omitempty"`
	Theme      map[string]any   `json:"theme,omitempty"`
	ThemeV1    map[string]any   `json:"theme_v1,omitempty"`
}

// decodeDocument reads and checks a document; every project in it is usable.
func decodeDocument(data []byte) (map[string]*project, error) {
	var doc document
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("content after the document")
	}
	if doc.Version != 0 && doc.Version != formatVersion {
		return nil, fmt.Errorf("version %d is not known here; this is version %d", doc.Version, formatVersion)
	}
	projects := make(map[string]*project, len(doc.Projects))
	for id, p := range doc.Projects {
		if !wellFormed().MatchString(id) {
			return nil, fmt.Errorf("%q is not a project id", id)
		}
		built, err := p.build(id)
		if err != nil {
			return nil, fmt.Errorf("project %s: %w", id, err)
		}
		projects[id] = built
	}
	return projects, nil
}

func (d projectDocument) build(id string) (*project, error) {
	p := newProject(id)
	p.name, p.tags, p.environment, p.deleted, p.clones = d.Name, d.Tags, d.Environment, d.Deleted, d.Clones
	p.attributes, p.componentsVersion = d.Attributes, d.ComponentsVersion
	var err error
	if p.roles, err = d.Roles.complete("ROL", id); err != nil {
		return nil, fmt.Errorf("roles: %w", err)
	}
	if p.connectors, err = d.Connectors.complete("CI", id); err != nil {
		return nil, fmt.Errorf("connectors: %w", err)
	}
	if d.FlowTemplates != nil {
		if p.templates, err = objects(d.FlowTemplates); err != nil {
			return nil, fmt.Errorf("flow_templates: %w", err)
		}
	}
	for i, wire := range d.Tenants {
		wire, err := object(wire)
		if err != nil {
			return nil, fmt.Errorf("tenants[%d]: %w", i, err)
		}
		t, err := tenantFromWire(wire)
		if err != nil {
			return nil, fmt.Errorf("tenants[%d]: %w", i, err)
		}
		if p.tenant(t.id) != nil {
			return nil, fmt.Errorf("tenants[%d]: id %q is there twice", i, t.id)
		}
		p.addTenant(t)
	}
	if err := p.checkParents(); err != nil {
		return nil, err
	}
	for tenantID, settings := range d.Settings {
		t := p.tenant(tenantID)
		if t == nil {
			return nil, fmt.Errorf("settings of %q: there is no such tenant", tenantID)
		}
		settings, err := object(settings)
		if err != nil {
			return nil, fmt.Errorf("settings of %q: %w", tenantID, err)
		}
		if e := overlay(t.settings, sessionFields(), settings, true); e != nil {
			return nil, fmt.Errorf("settings of %q: %s", tenantID, e.message)
		}
	}
	for i, content := range d.Flows {
		content, err := object(content)
		if err != nil {
			return nil, fmt.Errorf("flows[%d]: %w", i, err)
		}
		flowID, _ := content["flowId"].(string)
		if flowID == "" || p.flow(flowID) != nil {
			return nil, fmt.Errorf("flows[%d]: flowId %q is missing or there twice", i, flowID)
		}
		p.flows = append(p.flows, &flow{id: flowID, content: content, stamp: d.FlowStamps[flowID].orFirst(content)})
	}
	for tenantID, list := range d.SSO {
		var err error
		if p.sso[tenantID], err = objects(list); err != nil {
			return nil, fmt.Errorf("sso of %q: %w", tenantID, err)
		}
	}
	for name, details := range d.ConnectorDetails {
		details, err := object(details)
		if err != nil {
			return nil, fmt.Errorf("connector_details of %q: %w", name, err)
		}
		if p.connectors == nil {
			p.connectors = named{}
		}
		if p.connectors[name] == "" {
			p.connectors[name] = mintID("CI", id, name)
		}
		p.detail(name, details)
	}
	var errs [5]error
	p.files, errs[4] = object(d.SnapshotFiles)
	p.users, errs[0] = objects(d.Users)
	p.accessKeys, errs[1] = objects(d.AccessKeys)
	p.theme, errs[2] = object(d.Theme)
	p.themeV1, errs[3] = object(d.ThemeV1)
	return p, errors.Join(errs[:]...)
}

// encode writes projects as a document.
func encode(projects ...*project) []byte {
	doc := document{Version: formatVersion, Projects: make(map[string]projectDocument, len(projects))}
	for _, p := range projects {
		d := projectDocument{
			Name: p.name, Tags: p.tags, Environment: p.environment, Deleted: p.deleted, Clones: p.clones,
			ConnectorDetails: p.connectorDetails, SnapshotFiles: p.files, Roles: p.roles, Connectors: p.connectors, Attributes: p.attributes,
			ComponentsVersion: p.componentsVersion, FlowTemplates: p.templates,
			Settings: map[string]map[string]any{}, SSO: p.sso, FlowStamps: map[string]stamp{},
			Users: p.users, AccessKeys: p.accessKeys, Theme: p.theme, ThemeV1: p.themeV1,
		}
		for _, t := range p.tenants {
			d.Tenants = append(d.Tenants, t.wire)
			if t.settingsChanged() {
				d.Settings[t.id] = t.settings
			}
		}
		for _, f := range p.flows {
			d.Flows = append(d.Flows, f.content)
			d.FlowStamps[f.id] = f.stamp
		}
		doc.Projects[p.id] = d
	}
	return append(model.CanonicalJSON(doc), '\n')
}

// object normalises a JSON object; nil becomes an empty one.
func object(m map[string]any) (map[string]any, error) {
	n, err := model.Normalize(m)
	if err != nil {
		return nil, err
	}
	return n.(map[string]any), nil
}

func objects(list []map[string]any) ([]map[string]any, error) {
	out := make([]map[string]any, 0, len(list))
	for _, m := range list {
		n, err := object(m)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}
