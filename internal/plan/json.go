package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// The JSON form, documented in docs/json-plan.md. Its outline is the one of
// Terraform's plans, so that tools which read those find their way. Lists are
// never null; what is computed from other fields (address, summary, marks) is
// written for readers and checked on the way back.

type planJSON struct {
	FormatVersion   string            `json:"format_version"`
	Tool            string            `json:"tool_version"`
	Schema          string            `json:"schema_version"`
	Environment     string            `json:"environment"`
	Project         string            `json:"project_id"`
	BaseURL         string            `json:"base_url"`
	ConfigDigest    string            `json:"config_digest"`
	LiveDigest      string            `json:"live_digest"`
	Summary         Counts            `json:"summary"`
	ResourceChanges []changeJSON      `json:"resource_changes"`
	Unchanged       []model.Key       `json:"unchanged"`
	Orphans         []model.Key       `json:"orphans"`
	Unmanaged       []model.Key       `json:"unmanaged"`
	Accepted        []FieldKey        `json:"accepted"`
	Guards          []guardJSON       `json:"guards"`
	Warnings        model.Diagnostics `json:"warnings"`
	Seal            string            `json:"seal,omitempty"`
}

type changeJSON struct {
	Address   string         `json:"address"`
	Type      model.Kind     `json:"type"`
	Name      string         `json:"name"`
	Change    transitionJSON `json:"change"`
	Fields    []fieldJSON    `json:"fields"`
	Moved     Side           `json:"moved"`
	Adopts    bool           `json:"adopts"`
	Origin    *model.Origin  `json:"origin"`
	Policy    model.Policy   `json:"policy"`
	PreImage  map[string]any `json:"pre_image"`
	Steps     []model.Step   `json:"steps"`
	DependsOn []model.Key    `json:"depends_on"`
	// Flow follows from before and after.
	Flow *flow.Report `json:"flow_changes,omitempty"`
}

type transitionJSON struct {
	Actions         []Action       `json:"actions"`
	Before          map[string]any `json:"before"`
	After           map[string]any `json:"after"`
	BeforeSensitive map[string]any `json:"before_sensitive"`
	AfterSensitive  map[string]any `json:"after_sensitive"`
}

// fieldJSON leaves out a value that is absent, as opposed to null.
type fieldJSON struct {
	Path      string          `json:"path"`
	Before    json.RawMessage `json:"before,omitempty"`
	After     json.RawMessage `json:"after,omitempty"`
	Moved     Side            `json:"moved"`
	Note      string          `json:"note"`
	Sensitive bool            `json:"sensitive"`
	Origin    *model.Origin   `json:"origin"`
}

type guardJSON struct {
	Rule   Rule        `json:"rule"`
	Keys   []model.Key `json:"keys"`
	Detail string      `json:"detail"`
	Allow  string      `json:"allow"`
}

// MarshalJSON writes the plan in the form of docs/json-plan.md. Equal plans give
// equal bytes.
func (p *Plan) MarshalJSON() ([]byte, error) {
	out := planJSON{
		FormatVersion: p.FormatVersion, Tool: p.Tool, Schema: p.Schema, Environment: p.Environment, Project: p.Project, BaseURL: p.BaseURL,
		ConfigDigest: p.ConfigDigest, LiveDigest: p.LiveDigest, Summary: p.Counts(),
		ResourceChanges: make([]changeJSON, 0, len(p.Changes)),
		Unchanged:       orEmpty(p.Unchanged), Orphans: orEmpty(p.Orphans), Unmanaged: orEmpty(p.Unmanaged), Accepted: orEmpty(p.Accepted),
		Guards: make([]guardJSON, 0, len(p.Guards)), Warnings: orEmpty(p.Warnings), Seal: p.Seal,
	}
	for i := range p.Changes {
		sensitive := model.Spec(p.Changes[i].Key.Kind).Sensitive
		out.ResourceChanges = append(out.ResourceChanges, changeToJSON(&p.Changes[i], sensitive))
	}
	for _, g := range p.Guards {
		out.Guards = append(out.Guards, guardJSON{g.Rule, orEmpty(g.Keys), g.Detail, g.Allow})
	}
	return json.Marshal(out)
}

// Digest identifies the plan: equal plans have equal digests, sealed or not. It
// has the form "sha256:" and 64 hexadecimal digits.
func (p *Plan) Digest() string {
	sum := sha256.Sum256(p.unsealed())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// unsealed is the JSON form without the seal.
func (p *Plan) unsealed() []byte {
	bare := *p
	bare.Seal = ""
	data, err := bare.MarshalJSON()
	if err != nil { // a value that is not normalised: a programming error
		panic("plan: " + err.Error())
	}
	return data
}

func changeToJSON(c *Change, sensitive []string) changeJSON {
	out := changeJSON{
		Address: c.Key.String(), Type: c.Key.Kind, Name: c.Key.ID,
		Change: transitionJSON{
			Actions: []Action{c.Action}, Before: c.Before, After: c.After,
			BeforeSensitive: marks(c.Before, sensitive), AfterSensitive: marks(c.After, sensitive),
		},
		Fields: make([]fieldJSON, 0, len(c.Fields)), Moved: c.Moved, Adopts: c.Adopts, Origin: origin(c.Origin),
		Policy: c.Policy, PreImage: c.PreImage, Steps: orEmpty(c.Steps), DependsOn: orEmpty(c.DependsOn),
	}
	if report, ok := c.FlowReport(); ok {
		out.Flow = &report
	}
	for _, f := range c.Fields {
		out.Fields = append(out.Fields, fieldJSON{f.Path, valueToJSON(f.Before), valueToJSON(f.After), f.Moved, f.Note, f.Sensitive, origin(f.Origin)})
	}
	return out
}

// marks says which attributes are there and sensitive, in Terraform's way.
func marks(attrs map[string]any, sensitive []string) map[string]any {
	out := map[string]any{}
	for _, name := range sensitive {
		if _, ok := attrs[name]; ok {
			out[name] = true
		}
	}
	return out
}

func valueToJSON(v any) json.RawMessage {
	if _, absent := v.(Absent); absent {
		return nil
	}
	return model.CanonicalJSON(v)
}

// origin writes "no position" as null.
func origin(o model.Origin) *model.Origin {
	if o.IsZero() {
		return nil
	}
	return &o
}

func orEmpty[S ~[]E, E any](s S) S {
	if s == nil {
		return S{}
	}
	return s
}

// normalSteps gives payloads the one spelling that they have in a plan file, so
// that what is sent does not depend on whether the plan was saved in between:
// no spaces, and <, > and & escaped.
func normalSteps(steps []model.Step) ([]model.Step, error) {
	out := make([]model.Step, len(steps))
	for i, s := range steps {
		body, err := json.Marshal(s.Body)
		if err != nil {
			return nil, err
		}
		s.Body = body
		out[i] = s
	}
	return out, nil
}
