package flow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// outside looks at everything that the flow refers to outside of itself.
func (l *linter) outside() {
	if own := l.flow.ID(); l.options.ID != "" && own != "" && own != l.options.ID {
		l.warn(OtherFlowID, []any{"flowId"}, "the document is of flow %q and is used as %q: write that into it", own, l.options.ID)
	}
	for _, t := range l.flow.Tasks() {
		l.unset(t)
	}
	l.references()
	done := map[UseKind]map[string]bool{}
	for _, u := range l.flow.usesByPlace() {
		switch {
		case u.Kind == UseInteraction:
			l.exit(u)
		case u.byID():
			if u.Name == "" {
				l.unnamed(u)
			}
		default:
			if done[u.Kind] == nil {
				done[u.Kind] = map[string]bool{}
			}
			if !done[u.Kind][u.ID] {
				done[u.Kind][u.ID] = true
				l.name(u)
			}
		}
	}
}

// unset finds steps that do not say what they run. Descope: what an import of a
// flow from another project leaves of a connector.
func (l *linter) unset(t Task) {
	argument := "connectorId"
	needed := strings.Contains(t.Action, "connector")
	if t.Type == TypeSubflow {
		argument, needed = "flowId", true
	}
	a, there := t.Argument(argument)
	if !there {
		if first, ok := t.TwinOf(); ok {
			a, _ = l.tasks[first].Argument(argument)
		}
	}
	if needed && a.Type != "context" && model.Unset(a.Value) {
		l.fail(UnsetArgument, inTask(t.ID, "arguments", argument), "%s does not say which %s it runs: choose one", t.title(), map[string]string{"connectorId": "connector", "flowId": "flow"}[argument])
	}
}

// references looks up the names that the document has ids for.
func (l *linter) references() {
	if l.options.Project == nil {
		return
	}
	references := l.flow.References()
	for _, kind := range []UseKind{UseConnector, UseRole} {
		ids := references[referenceKind(kind)]
		for _, name := range keys(ids) {
			u := Use{Kind: kind, ID: ids[name], Name: name, Path: jsonPath("references", referenceKind(kind), name)}
			if _, problem := l.options.Project.resolve(u); problem != nil {
				l.out = append(l.out, *problem)
			}
		}
	}
}

// unnamed looks at an id that nothing names.
func (l *linter) unnamed(u Use) {
	p := l.options.Project
	switch {
	case p == nil || p.ids(u.Kind) == nil:
		l.out = append(l.out, u.unnamed(model.Warning))
	case !p.hasID(u.Kind, u.ID):
		l.out = append(l.out, u.unnamed(model.Error))
	}
}

// unnamed is the problem that an id cannot be followed to another project.
func (u Use) unnamed(severity model.Severity) Problem {
	do := "add its name to references." + referenceKind(u.Kind)
	if u.Kind == UseTemplate {
		do = "leave it empty for the project's own"
	}
	return Problem{
		Rule: LintRule("unnamed-" + u.Kind), Severity: severity, Path: u.Path, Task: u.Task,
		Message: fmt.Sprintf("nothing names the %s %s, so that its id in another project cannot be known: %s", u.Kind, u.ID, do),
	}
}

// leftBehind is the problem that an import does not take a file along.
func (u Use) leftBehind() Problem {
	return Problem{
		Rule: UnknownAsset, Severity: model.Error, Path: u.Path, Task: u.Task,
		Message: fmt.Sprintf("%s is a file of the project snapshot that the flow is from, and does not come along: put what is in the file here instead", u.ID),
	}
}

// name looks up what goes by its name.
func (l *linter) name(u Use) {
	p := l.options.Project
	if p == nil {
		p = &Project{}
	}
	names := p.names(u.Kind)
	switch {
	case names[u.ID]:
	case u.Kind == UseAsset:
		l.out = append(l.out, u.leftBehind())
	case u.Kind == UseFlow && (u.ID == l.id() || has(l.options.Siblings, u.ID)):
	case names != nil:
		l.out = append(l.out, *p.missing(u, u.ID))
	case u.Kind == UseFlow && l.options.Siblings != nil:
		problem := Project{Flows: NamesOf(slices.Collect(maps.Keys(l.options.Siblings))...)}.missing(u, u.ID)
		problem.Severity = model.Warning
		l.out = append(l.out, *problem)
	}
}

// exit checks that a flow that runs inside this one has the exit which a rule
// leads on from.
func (l *linter) exit(u Use) {
	other, ok := l.options.Siblings[u.Flow]
	if u.Flow == l.id() {
		other, ok = l.flow, true
	}
	if !ok {
		return
	}
	var exits []string
	for _, s := range other.SharedInteractions() {
		exits = append(exits, s.ID)
	}
	if slices.Contains(exits, u.ID) {
		return
	}
	hint := "it has none"
	if len(exits) > 0 {
		hint = "it has " + some(exits)
	}
	l.out = append(l.out, Problem{
		Rule: UnknownInteraction, Severity: model.Error, Path: u.Path, Task: u.Task, Candidates: exits,
		Message: fmt.Sprintf("%s leads on from %q of flow %q, which is not among the shared interactions of that flow: %s", l.tasks[u.Task].title(), u.ID, u.Flow, hint),
	})
}
