package flow

import (
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Bound is a flow that was made to fit a project.
type Bound struct {
	// Flow must not be written if one of the problems is an error.
	Flow Flow
	// Problems are the names and ids that the project does not have, or has more
	// than once, each with what it could be instead.
	Problems []Problem
	// Unchecked are the kinds that cannot be listed, with the names that the flow
	// uses, such as "flow: sign-in, step-up". Ids of such a kind are kept.
	Unchecked []string
}

// Bind rewrites a flow for a project: the ids of connectors and roles become
// those that the project has under the same names, in the arguments and in the
// references, and screens take the ids that they have in the live version. Names
// of flows, attributes and the like are only looked up. Live is the version that
// the project has, or nil.
//
// What the flow does stays the same, and what the package does not know is kept.
// Binding twice changes nothing more, nor does binding a flow to the project that
// it is from. Descope: an import keeps ids as they are, so that a step with an id
// of another project silently loses its connector.
func Bind(f Flow, target Project, live *Flow) Bound {
	b := &binder{
		flow: f, target: target, live: map[UseKind]map[string]bool{},
		ids: map[string]string{}, olds: map[string]string{}, unchecked: map[string]map[string]bool{},
	}
	screens := map[string]string{}
	if live != nil {
		for _, u := range live.Uses() {
			if b.live[u.Kind] == nil {
				b.live[u.Kind] = map[string]bool{}
			}
			b.live[u.Kind][u.ID] = true
		}
		b.liveRefs = live.References()
		screens = screenIDs(f, *live)
	}
	references := b.references()
	b.uses()
	out := Bound{Flow: b.rewrite(references, screens), Problems: b.problems}
	slices.SortStableFunc(out.Problems, Problem.compare)
	for _, kind := range keys(b.unchecked) {
		out.Unchecked = append(out.Unchecked, kind+": "+strings.Join(keys(b.unchecked[kind]), ", "))
	}
	return out
}

// Newer reports whether one version of Descope's components is newer than
// another. A version that is not known is never newer, nor older.
func Newer(version, than string) bool {
	return version != "" && than != "" && CompareIDs(version, than) > 0
}

// binder is one run of Bind.
type binder struct {
	flow   Flow
	target Project
	// live has what the live version uses, and what its references name.
	live     map[UseKind]map[string]bool
	liveRefs map[string]map[string]string
	// ids are the new ids by the old ones, and olds the old ones by the new.
	ids, olds map[string]string
	problems  []Problem
	unchecked map[string]map[string]bool
}

func (b *binder) uncheck(kind, name string) {
	if b.unchecked[kind] == nil {
		b.unchecked[kind] = map[string]bool{}
	}
	b.unchecked[kind][name] = true
}

// references looks up all names that the document has ids for, and returns the
// references with the ids of the target.
func (b *binder) references() map[string]any {
	out := without(object(b.flow.doc["references"]))
	for kind, ids := range b.flow.References() {
		uses := UseKind(strings.TrimSuffix(kind, "s"))
		if uses != UseConnector && uses != UseRole {
			for name := range ids {
				b.uncheck(string(uses), name)
			}
			continue
		}
		entries := without(object(out[kind]))
		for _, name := range keys(ids) {
			id := b.resolve(Use{Kind: uses, ID: ids[name], Name: name, Path: jsonPath("references", kind, name)})
			entries[name] = id
		}
		out[kind] = entries
	}
	return out
}

// resolve is the id that the target has under a name, or the old one.
func (b *binder) resolve(u Use) string {
	id, problem := b.target.resolve(u)
	if id == "" && (problem == nil || len(b.target.ids(u.Kind)[u.Name]) == 0) {
		// The live version says what its names stand for, too.
		if id = b.liveRefs[referenceKind(u.Kind)][u.Name]; id != "" {
			problem = nil
		}
	}
	switch {
	case problem != nil:
		b.problems = append(b.problems, *problem)
	case id == "":
		b.uncheck(string(u.Kind), u.Name)
	}
	if id == "" {
		id = u.ID
	}
	old, becomes := b.olds[id], b.ids[u.ID]
	switch {
	case becomes != "" && becomes != id:
		b.problems = append(b.problems, Problem{
			Rule: LintRule("ambiguous-" + u.Kind), Severity: model.Error, Path: u.Path, Candidates: []string{becomes, id},
			Message: fmt.Sprintf("the %s %q has two names in the references, which are different things in the project: take one of the names out", u.Kind, u.ID),
		})
		return id
	case old != "" && old != u.ID:
		b.problems = append(b.problems, Problem{
			Rule: LintRule("ambiguous-" + u.Kind), Severity: model.Error, Path: u.Path, Candidates: []string{id},
			Message: fmt.Sprintf("the project has %s under two names, of which %q is one, so that two %ss of the flow would become one: take one of the names out", id, u.Name, u.Kind),
		})
	}
	b.ids[u.ID], b.olds[id] = id, u.ID
	return id
}

// uses looks up everything that the references do not name.
func (b *binder) uses() {
	done := map[UseKind]map[string]bool{}
	for _, u := range b.flow.usesByPlace() {
		if u.byID() && u.Name != "" || u.Kind == UseInteraction || done[u.Kind][u.ID] {
			continue
		}
		if done[u.Kind] == nil {
			done[u.Kind] = map[string]bool{}
		}
		done[u.Kind][u.ID] = true
		switch {
		case u.byID():
			if !b.live[u.Kind][u.ID] && !b.target.hasID(u.Kind, u.ID) {
				b.problems = append(b.problems, u.unnamed(model.Error))
			}
		case u.Kind == UseAsset:
			if !b.live[u.Kind][u.ID] && !b.target.Assets[u.ID] {
				b.problems = append(b.problems, u.leftBehind())
			}
		case b.target.names(u.Kind) == nil:
			b.uncheck(string(u.Kind), u.ID)
		case !b.target.names(u.Kind)[u.ID] && (u.Kind != UseFlow || u.ID != b.flow.ID()):
			b.problems = append(b.problems, *b.target.missing(u, u.ID))
		}
	}
}

// rewrite is the document with other ids.
func (b *binder) rewrite(references map[string]any, screens map[string]string) Flow {
	change := func(path []any, s string) string {
		id, known := b.ids[s]
		screen, isScreen := screens[s]
		switch {
		case screenPlace(path) && isScreen:
			return screen
		case known && (inArgument(path) || translationConnector(path) || looksLikeID(s)):
			return id
		case isScreen && looksLikeID(s):
			return screen
		default:
			return s
		}
	}
	doc := without(b.flow.doc)
	for name, v := range doc {
		switch name {
		case "flowId":
		case "references":
			if _, ok := v.(map[string]any); ok {
				doc[name] = references
			}
		default:
			doc[name] = mapTexts(v, []any{name}, change)
		}
	}
	return Flow{doc: doc}
}
