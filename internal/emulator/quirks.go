package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Quirks are the answers to questions about Descope that no public source
// settles. The zero value of every field stands for its default, the most
// likely answer or, where that is open, the one that is hardest on a client.
// docs/emulator.md lists them with the confidence of each.
type Quirks struct {
	// DuplicateStatus answers the creation of a tenant whose id or name is
	// taken: 400 or 409.
	DuplicateStatus int `json:"duplicate_status"`
	// DuplicateCode is the error code of that answer.
	DuplicateCode string `json:"duplicate_code"`
	// DuplicateNames: refuse or allow two tenants of one name.
	DuplicateNames string `json:"duplicate_names"`
	// NameCase says how names are compared, for uniqueness and in a search:
	// exact or fold.
	NameCase string `json:"name_case"`
	// IDRule: any non-empty id, or strict, which is ^[A-Za-z0-9_-]{1,30}$.
	IDRule string `json:"id_rule"`
	// NotFoundStatus answers a request for an unknown tenant (E112202), user
	// (E112102) or access key: 404 or 400.
	NotFoundStatus int `json:"not_found_status"`
	// UnknownProjectStatus: 404 or 400, always with E011008.
	UnknownProjectStatus int `json:"unknown_project_status"`
	// UnknownParentStatus answers a creation below an unknown parent: 400 or 404.
	UnknownParentStatus int `json:"unknown_parent_status"`
	// MissingFieldCode is the code for a missing field: E011003 or E011002.
	MissingFieldCode string `json:"missing_field_code"`
	// UnauthorizedCode goes with 401, ForbiddenCode with 403.
	UnauthorizedCode string `json:"unauthorized_code"`
	ForbiddenCode    string `json:"forbidden_code"`
	// TenantUpdate: replace clears every field that is absent, merge keeps it.
	TenantUpdate string `json:"tenant_update"`
	// SettingsUpdate is the same for POST settings.
	SettingsUpdate string `json:"settings_update"`
	// DeleteParent says what deleting a tenant with children does: refuse,
	// cascade or orphan.
	DeleteParent string `json:"delete_parent"`
	// DeleteWithUsers, without cascade: detach users and access keys, or
	// refuse while there are any.
	DeleteWithUsers string `json:"delete_with_users"`
	// Successors lists direct children, or all descendants.
	Successors string `json:"successors"`
	// ListOrder: insertion, sorted by id, or shuffled anew for each request.
	ListOrder string `json:"list_order"`
	// DomainsLower, DomainsDedup and DomainsReorder change a list of domains
	// as it is stored.
	DomainsLower   bool `json:"domains_lower"`
	DomainsDedup   bool `json:"domains_dedup"`
	DomainsReorder bool `json:"domains_reorder"`
	// DuplicateDomains: allow or refuse a self-provisioning domain that
	// another tenant has; DuplicateSSODomains is the same for SSO domains.
	DuplicateDomains    string `json:"duplicate_domains"`
	DuplicateSSODomains string `json:"duplicate_sso_domains"`
	// EmptyAttributes is how no custom attributes read: object, null or absent.
	EmptyAttributes string `json:"empty_attributes"`
	// UnknownAttributes says what happens to a custom attribute that the
	// project does not define: store, refuse or drop. It needs a project that
	// lists its attributes.
	UnknownAttributes string `json:"unknown_attributes"`
	// UnknownFields says what happens to a tenant field that nobody knows:
	// store (and replace, like the others) or drop.
	UnknownFields string `json:"unknown_fields"`
	// UnknownRoles: refuse or accept default roles that the project does not
	// list. A project that lists none accepts all.
	UnknownRoles string `json:"unknown_roles"`
	// EmptySSO is how a tenant without SSO reads: null (one configuration
	// whose parts are null), object (one whose parts are spelt out and hold
	// Descope's own side) or none (an empty list).
	EmptySSO string `json:"empty_sso"`
	// SearchLimit and AllLimit cut search and all off after so many tenants,
	// without a word; 0 is no limit.
	SearchLimit int `json:"search_limit"`
	AllLimit    int `json:"all_limit"`
	// Etag of a flow: moves with the content, or is frozen, and the version
	// and the time of modification with it.
	Etag string `json:"etag"`
	// FlowEcho of an import: restamp sets componentsVersion, sorts the screens
	// by id and treats zero values as FlowZeros says; verbatim does none of it.
	FlowEcho string `json:"flow_echo"`
	// FlowZeros are the optional fields of a flow that are empty: filled,
	// left-out, or as-sent.
	FlowZeros string `json:"flow_zeros"`
	// ScreenIDs are kept by an import, or minted anew by each.
	ScreenIDs string `json:"screen_ids"`
	// UnknownConnectors says what an import does with the id of a connector
	// that the project does not have: drop it from its step, keep it, or refuse
	// the flow. It needs a project that lists its connectors.
	UnknownConnectors string `json:"unknown_connectors"`
	// ComponentsVersion is what restamp sets in a project that has none.
	ComponentsVersion string `json:"components_version"`
	// FlowListDSL in flow/list: empty or full.
	FlowListDSL string `json:"flow_list_dsl"`
	// UnknownFlowDelete answers the deletion of an unknown flow: ok or not-found.
	UnknownFlowDelete string `json:"unknown_flow_delete"`
	// LimitedProjectList answers a key that is limited to some projects, when it
	// asks for all: refuse, or filter, which shows it those that it may use.
	LimitedProjectList string `json:"limited_project_list"`
	// SnapshotMembers says what an import of a snapshot does with flows, connectors
	// and styles that the manifests leave out: replace deletes them, merge keeps them.
	SnapshotMembers string `json:"snapshot_members"`
	// SnapshotSecrets in an export are blank, or a placeholder.
	SnapshotSecrets string `json:"snapshot_secrets"`
}

// choice is a quirk with a closed set of values, the default first.
type choice struct {
	name   string
	value  *string
	values []string
}

func (q *Quirks) choices() []choice {
	return []choice{
		{"duplicate_names", &q.DuplicateNames, []string{"refuse", "allow"}},
		{"name_case", &q.NameCase, []string{"exact", "fold"}},
		{"id_rule", &q.IDRule, []string{"any", "strict"}},
		{"missing_field_code", &q.MissingFieldCode, []string{"E011003", "E011002"}},
		{"tenant_update", &q.TenantUpdate, []string{"replace", "merge"}},
		{"settings_update", &q.SettingsUpdate, []string{"replace", "merge"}},
		{"delete_parent", &q.DeleteParent, []string{"refuse", "cascade", "orphan"}},
		{"delete_with_users", &q.DeleteWithUsers, []string{"detach", "refuse"}},
		{"successors", &q.Successors, []string{"direct", "all"}},
		{"list_order", &q.ListOrder, []string{"insertion", "sorted", "shuffled"}},
		{"duplicate_domains", &q.DuplicateDomains, []string{"allow", "refuse"}},
		{"duplicate_sso_domains", &q.DuplicateSSODomains, []string{"refuse", "allow"}},
		{"empty_attributes", &q.EmptyAttributes, []string{"object", "null", "absent"}},
		{"unknown_attributes", &q.UnknownAttributes, []string{"store", "refuse", "drop"}},
		{"unknown_fields", &q.UnknownFields, []string{"store", "drop"}},
		{"unknown_roles", &q.UnknownRoles, []string{"refuse", "accept"}},
		{"empty_sso", &q.EmptySSO, []string{"null", "object", "none"}},
		{"etag", &q.Etag, []string{"moves", "frozen"}},
		{"flow_echo", &q.FlowEcho, []string{"restamp", "verbatim"}},
		{"flow_zeros", &q.FlowZeros, []string{"filled", "left-out", "as-sent"}},
		{"screen_ids", &q.ScreenIDs, []string{"kept", "minted"}},
		{"unknown_connectors", &q.UnknownConnectors, []string{"drop", "keep", "refuse"}},
		{"flow_list_dsl", &q.FlowListDSL, []string{"empty", "full"}},
		{"unknown_flow_delete", &q.UnknownFlowDelete, []string{"ok", "not-found"}},
		{"limited_project_list", &q.LimitedProjectList, []string{"refuse", "filter"}},
		{"snapshot_members", &q.SnapshotMembers, []string{"replace", "merge"}},
		{"snapshot_secrets", &q.SnapshotSecrets, []string{"blank", "placeholder"}},
	}
}

// withDefaults returns the quirks with every zero value replaced by its
// default. The error names the quirk whose value is not one of its choices.
func (q Quirks) withDefaults() (Quirks, error) {
	for _, c := range q.choices() {
		if *c.value == "" {
			*c.value = c.values[0]
		}
		if !slices.Contains(c.values, *c.value) {
			return Quirks{}, fmt.Errorf("quirk %s: %q is not one of %s", c.name, *c.value, strings.Join(c.values, ", "))
		}
	}
	for _, s := range []struct {
		name   string
		value  *int
		values []int
	}{
		{"duplicate_status", &q.DuplicateStatus, []int{400, 409}},
		{"not_found_status", &q.NotFoundStatus, []int{404, 400}},
		{"unknown_project_status", &q.UnknownProjectStatus, []int{404, 400}},
		{"unknown_parent_status", &q.UnknownParentStatus, []int{400, 404}},
	} {
		if *s.value == 0 {
			*s.value = s.values[0]
		}
		if !slices.Contains(s.values, *s.value) {
			return Quirks{}, fmt.Errorf("quirk %s: %d is not one of %v", s.name, *s.value, s.values)
		}
	}
	for _, d := range []struct {
		value    *string
		fallback string
	}{
		{&q.DuplicateCode, codeInvalid},
		{&q.UnauthorizedCode, "E111119"},
		{&q.ForbiddenCode, ownCode(403)},
		{&q.ComponentsVersion, "3.18.2"},
	} {
		if *d.value == "" {
			*d.value = d.fallback
		}
	}
	if q.SearchLimit < 0 || q.AllLimit < 0 {
		return Quirks{}, fmt.Errorf("quirk search_limit, all_limit: a limit is not negative")
	}
	return q, nil
}

// Set changes one quirk by its name, from text such as name=value on a command
// line. The error says which names or values there are.
func (q *Quirks) Set(name, value string) error {
	var last error
	for _, text := range []string{value, fmt.Sprintf("%q", value)} {
		next := *q
		if last = next.decode([]byte(fmt.Sprintf("{%q: %s}", name, text))); last == nil {
			*q = next
			return nil
		}
	}
	return last
}

// decode overlays JSON onto the quirks and fills the defaults in.
func (q *Quirks) decode(data []byte) error {
	next := *q
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&next); err != nil {
		return fmt.Errorf("quirks: %w", err)
	}
	next, err := next.withDefaults()
	if err != nil {
		return err
	}
	*q = next
	return nil
}
