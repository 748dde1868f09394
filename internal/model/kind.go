package model

import (
	"fmt"
	"maps"
	"slices"
)

// Kind names a kind of resource, singular and lower case: it is the first half
// of an address such as tenant/acme-corp.
type Kind string

// The kinds. Of a project and its theme there is one, and the configuration has no
// field for them: see [KindSpec.Configured].
const (
	Tenant  Kind = "tenant"
	Flow    Kind = "flow"
	Theme   Kind = "theme"
	Project Kind = "project"
)

// KindSpec is one row of the kind table: everything that the compiler, the
// planner and the renderers must know about a kind, as data. Attribute names
// are those of the configuration (snake_case).
type KindSpec struct {
	Kind Kind
	// Field is the top-level field of the configuration that holds the
	// resources of this kind, keyed by id; "" where it has none.
	Field string
	// Stage orders kinds: creates and updates run in ascending stage, deletes
	// in descending stage.
	Stage int
	// Sets are the list attributes whose order carries no meaning. They are
	// held sorted and without repeats.
	Sets []string
	// Maps are the attributes that are managed key by key: a key that the
	// configuration does not name is left alone. One of them may be unknown to the
	// configuration and to an ordinary read: a tenant's "unmanaged" holds the
	// wire fields that nothing else covers, for those who ask for them.
	Maps []string
	// CreateOnly are the attributes that Descope takes at creation and never
	// again. A change of one is blocked, with the reason.
	CreateOnly []string
	// Unique are the attributes whose values at most one resource of the kind
	// may hold; a list counts element by element.
	Unique []string
	// Parent is the attribute that names another resource of the same kind
	// which must exist first, or "".
	Parent string
	// Sensitive are the attributes that are masked wherever they are shown.
	Sensitive []string
	// Effective turns what was written into what is wanted, given what is
	// live; nil means that the two are the same. See [EffectiveFunc].
	Effective EffectiveFunc
}

// EffectiveFunc computes the wanted attributes of a resource from those that
// the user wrote and those that are live (nil if the resource does not exist).
// It must be pure, must not modify its arguments and must return every written
// attribute, possibly with another value. Its result is what is compared.
type EffectiveFunc func(written, live map[string]any) map[string]any

// Configured reports whether the configuration can name resources of the kind. What it
// cannot name is written by commands of its own, and never counts as applied: nothing
// could say that it is gone from the configuration.
func (s KindSpec) Configured() bool { return s.Field != "" }

// Kinds returns the kinds of the configuration in ascending stage.
func Kinds() []KindSpec {
	return []KindSpec{tenantSpec(), flowSpec()}
}

// Table returns the whole kind table in ascending stage.
func Table() []KindSpec {
	return []KindSpec{tenantSpec(), themeSpec(), flowSpec(), projectSpec()}
}

// Spec returns the row of a kind. It panics on a kind that is not in the table,
// which is a programming error: kinds from outside go through [ParseKind].
func Spec(k Kind) KindSpec {
	switch k {
	case Tenant:
		return tenantSpec()
	case Theme:
		return themeSpec()
	case Flow:
		return flowSpec()
	case Project:
		return projectSpec()
	}
	panic(fmt.Sprintf("model: no kind %q in the table", string(k)))
}

// ParseKind turns user input into a kind.
func ParseKind(s string) (Kind, error) {
	names := make([]string, 0, 2)
	for _, k := range Table() {
		if s == string(k.Kind) {
			return k.Kind, nil
		}
		if k.Configured() {
			names = append(names, string(k.Kind))
		}
	}
	return "", fmt.Errorf("no kind %q; the kinds are %v", s, names)
}

func tenantSpec() KindSpec {
	return KindSpec{
		Kind:       Tenant,
		Field:      "tenants",
		Stage:      10,
		Sets:       []string{"domains", "default_roles"},
		Maps:       []string{"custom_attributes", "unmanaged"},
		CreateOnly: []string{"parent"},
		Unique:     []string{"name", "domains"},
		Parent:     "parent",
		Effective:  effectiveTenant,
	}
}

func flowSpec() KindSpec {
	return KindSpec{Kind: Flow, Field: "flows", Stage: 20}
}

// ThemeID is the id of the one theme of a project.
const ThemeID = "theme"

// themeSpec: the styles of a project, managed one by one. Flows come after them, since
// their screens may use a style.
func themeSpec() KindSpec {
	return KindSpec{Kind: Theme, Stage: 15, Maps: []string{"styles"}, Effective: effectiveTheme}
}

// projectSpec: the project itself, whose id is that of its resource. It comes last, so
// that a new name tells that all else is done.
func projectSpec() KindSpec {
	return KindSpec{Kind: Project, Stage: 30, Sets: []string{"tags"}}
}

// effectiveTheme leaves the version of the components to Descope, which sets it anew
// with each import, unless the project has none yet.
func effectiveTheme(written, live map[string]any) map[string]any {
	version, _ := live["components_version"].(string)
	if _, ok := written["components_version"]; !ok || version == "" {
		return written
	}
	out := maps.Clone(written)
	out["components_version"] = version
	return out
}

// effectiveTenant folds domains and self_provisioning into the one list that
// Descope stores (selfProvisioningDomains, which is empty when self-provisioning
// is off):
//
//   - domains and self_provisioning absent: the live list stays.
//   - self_provisioning false: the list is emptied.
//   - self_provisioning true, domains absent: the live list stays.
//   - both present, self_provisioning true: the domains as written.
//   - domains alone: an empty list empties; otherwise the switch stays as it is
//     live (off for a tenant that is being created), so the domains count only
//     where self-provisioning is already on.
//
// In the result domains is that list and self_provisioning says whether it is
// non-empty, which is exactly what a live tenant shows.
func effectiveTenant(written, live map[string]any) map[string]any {
	domains, hasDomains := written["domains"].([]any)
	on, hasSwitch := written["self_provisioning"].(bool)
	if !hasDomains && !hasSwitch {
		return written
	}
	liveDomains, _ := live["domains"].([]any)
	want := liveDomains
	switch {
	case hasSwitch && !on:
		want = nil
	case hasSwitch && hasDomains:
		want = domains
	case hasDomains && (len(domains) == 0 || len(liveDomains) > 0):
		want = domains
	}
	if want == nil {
		want = []any{}
	}
	out := maps.Clone(written)
	out["domains"] = slices.Clone(want)
	out["self_provisioning"] = len(want) > 0
	return out
}
