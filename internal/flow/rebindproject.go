package flow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Names is a set of names. Nil is not the empty set: it stands for names that
// cannot be listed.
type Names map[string]bool

// NamesOf is the set of some names; it is never nil.
func NamesOf(names ...string) Names {
	out := Names{}
	for _, name := range names {
		out[name] = true
	}
	return out
}

// Project is what is known of a project that a flow shall run in. A nil map says
// that things of this kind cannot be listed, and then nothing is missing.
type Project struct {
	// Connectors and Roles are ids by name. Several ids for one name are
	// ambiguous, whether two things share it or two sources disagree.
	Connectors, Roles map[string][]string
	Flows             Names
	// Attributes are the custom attributes of users.
	Attributes, TenantAttributes Names
	Lists                        Names
	// Assets are the files that come along, as flows refer to them: "asset:…".
	Assets Names
}

// ProjectOf is what the flows of a project tell about it: their own ids, and the
// connectors and roles that their references name.
func ProjectOf(flows []Flow) Project {
	p := Project{Connectors: map[string][]string{}, Roles: map[string][]string{}, Flows: Names{}}
	for _, f := range flows {
		if f.ID() != "" {
			p.Flows[f.ID()] = true
		}
		references := f.References()
		addIDs(p.Connectors, references[referenceKind(UseConnector)])
		addIDs(p.Roles, references[referenceKind(UseRole)])
	}
	return p
}

func addIDs(to map[string][]string, ids map[string]string) {
	for name, id := range ids {
		if !slices.Contains(to[name], id) {
			to[name] = append(to[name], id)
		}
	}
}

// With is what two sources know together, such as a project's own flows and the
// configuration. Where they have different ids for one name it is ambiguous,
// with those of p first. Neither is modified.
func (p Project) With(o Project) Project {
	return Project{
		Connectors: bothIDs(p.Connectors, o.Connectors), Roles: bothIDs(p.Roles, o.Roles),
		Flows: bothNames(p.Flows, o.Flows), Attributes: bothNames(p.Attributes, o.Attributes),
		TenantAttributes: bothNames(p.TenantAttributes, o.TenantAttributes),
		Lists:            bothNames(p.Lists, o.Lists), Assets: bothNames(p.Assets, o.Assets),
	}
}

func bothIDs(a, b map[string][]string) map[string][]string {
	if a == nil && b == nil {
		return nil
	}
	out := map[string][]string{}
	for _, m := range []map[string][]string{a, b} {
		for name, ids := range m {
			for _, id := range ids {
				addIDs(out, map[string]string{name: id})
			}
		}
	}
	return out
}

func bothNames(a, b Names) Names {
	if a == nil && b == nil {
		return nil
	}
	out := Names{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// ids are the ids by name of a kind that has ids, or nil.
func (p Project) ids(kind UseKind) map[string][]string {
	switch kind {
	case UseConnector:
		return p.Connectors
	case UseRole:
		return p.Roles
	default:
		return nil
	}
}

// names are the names of a kind, or nil.
func (p Project) names(kind UseKind) Names {
	switch kind {
	case UseFlow:
		return p.Flows
	case UseAttribute:
		return p.Attributes
	case UseTenantAttribute:
		return p.TenantAttributes
	case UseList:
		return p.Lists
	case UseAsset:
		return p.Assets
	default:
		ids := p.ids(kind)
		if ids == nil {
			return nil
		}
		return NamesOf(keys(ids)...)
	}
}

// hasID reports whether the project is known to have an id, under any name.
func (p Project) hasID(kind UseKind, id string) bool {
	for _, ids := range p.ids(kind) {
		if slices.Contains(ids, id) {
			return true
		}
	}
	return false
}

// resolve finds the id of a name. Without an id the problem says why; without a
// problem either, things of this kind cannot be listed.
func (p Project) resolve(u Use) (id string, problem *Problem) {
	ids := p.ids(u.Kind)
	switch found := slices.Clone(ids[u.Name]); {
	case ids == nil:
		return "", nil
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", &Problem{
			Rule: LintRule("ambiguous-" + u.Kind), Severity: model.Error, Path: u.Path, Task: u.Task, Candidates: found,
			Message: fmt.Sprintf("the %s %q could be any of %s: give its id in the configuration, or rename all but one", u.Kind, u.Name, strings.Join(found, ", ")),
		}
	default:
		return "", p.missing(u, u.Name)
	}
}

// missing is the problem that the project has no such name. Names of lists are
// the one kind that a flow does not tell from plain values, so that they warn.
func (p Project) missing(u Use, name string) *Problem {
	out := &Problem{
		Rule: LintRule("unknown-" + u.Kind), Severity: model.Error, Path: u.Path, Task: u.Task,
		Candidates: keys(p.names(u.Kind)), Message: fmt.Sprintf("the project has no %s %q: ", kindName(u.Kind), name),
	}
	near := model.Suggest(name, out.Candidates)
	switch {
	case near != "":
		out.Message += fmt.Sprintf("did you mean %q?", near)
	case len(out.Candidates) == 0:
		out.Message += "create it first"
	default:
		out.Message += "create it first, or use one of " + some(out.Candidates)
	}
	if u.Kind == UseList {
		out.Severity = model.Warning
	}
	return out
}

// some are the first of a list of names.
func some(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

func kindName(kind UseKind) string {
	switch kind {
	case UseAttribute:
		return "custom attribute of users"
	case UseTenantAttribute:
		return "custom attribute of tenants"
	default:
		return string(kind)
	}
}
