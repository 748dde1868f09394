package flow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// LintRule is what a problem is an instance of. The texts are stable.
type LintRule string

// The rules. Without a remark each instance is an error.
const (
	// DanglingTask: a rule, a pair or the start leads to a task that is not there.
	DanglingTask        LintRule = "dangling-task"
	DanglingScreen      LintRule = "dangling-screen"
	DanglingInteraction LintRule = "dangling-interaction"
	DanglingNode        LintRule = "dangling-node"
	MissingElse         LintRule = "missing-else"
	// UnsetArgument: a step does not say which connector or flow it runs.
	UnsetArgument LintRule = "unset-argument"
	// IDMismatch, DuplicateID: an error for tasks and branches, else a warning.
	IDMismatch  LintRule = "id-mismatch"
	DuplicateID LintRule = "duplicate-id"
	// PairMismatch: a warning, unless one half waits for a step that is not the
	// other.
	PairMismatch LintRule = "pair-mismatch"
	// These are warnings.
	NodeTree        LintRule = "node-tree"
	OrphanScreen    LintRule = "orphan-screen"
	UnreachableTask LintRule = "unreachable-task"
	TooManyTasks    LintRule = "too-many-tasks"
	StaleShared     LintRule = "stale-shared-interaction"
	OtherFlowID     LintRule = "other-flow-id"
	LocalAddress    LintRule = "local-address"
	OtherAddress    LintRule = "other-environment"
	// An id that the references do not name. A warning as long as nothing is known
	// of the project, and for templates, which they never name.
	UnnamedConnector LintRule = "unnamed-connector"
	UnnamedRole      LintRule = "unnamed-role"
	UnnamedTemplate  LintRule = "unnamed-template"
	// What a project does not have. Lists are a warning.
	UnknownConnector       LintRule = "unknown-connector"
	AmbiguousConnector     LintRule = "ambiguous-connector"
	UnknownRole            LintRule = "unknown-role"
	AmbiguousRole          LintRule = "ambiguous-role"
	UnknownAttribute       LintRule = "unknown-attribute"
	UnknownTenantAttribute LintRule = "unknown-tenant-attribute"
	UnknownList            LintRule = "unknown-list"
	UnknownAsset           LintRule = "unknown-asset"
	// UnknownFlow: a warning as long as not all flows are known.
	UnknownFlow        LintRule = "unknown-flow"
	UnknownInteraction LintRule = "unknown-interaction"
)

// Problem is one thing that is wrong with a flow. Errors are what breaks when the
// flow is imported or runs; the rest are warnings.
type Problem struct {
	Rule     LintRule       `json:"rule"`
	Severity model.Severity `json:"severity"`
	// Path is the place in the exported spelling, as in [Use].
	Path   string `json:"path"`
	Task   string `json:"task,omitempty"`
	Screen string `json:"screen,omitempty"`
	// Message is one sentence: what is wrong, and what to do where that is known.
	Message string `json:"message"`
	// Candidates are what is there instead of a name that is not.
	Candidates []string `json:"candidates,omitempty"`
}

func (p Problem) compare(o Problem) int {
	return cmp.Or(
		strings.Compare(string(p.Severity), string(o.Severity)), CompareIDs(p.Path, o.Path),
		strings.Compare(string(p.Rule), string(o.Rule)), strings.Compare(p.Message, o.Message),
	)
}

// LintOptions is what is known around a flow. The zero value knows nothing, and
// then only the document itself is looked at.
type LintOptions struct {
	// ID is the id that the flow is used under.
	ID string
	// Siblings are the other flows that are known, by id.
	Siblings map[string]Flow
	// Project is the project that the flow shall run in, nil if there is none yet.
	Project *Project
	// Elsewhere are the hosts of other environments, with the environment's name.
	Elsewhere map[string]string
}

// Lint finds what is wrong with a flow: errors first, then by place. The same
// flow has the same problems; one without any gives nil.
func Lint(f Flow, o LintOptions) []Problem {
	l := &linter{flow: f, options: o, tasks: map[string]Task{}, screens: map[string]Screen{}}
	for _, t := range f.Tasks() {
		l.tasks[t.ID] = t
	}
	for _, s := range f.Screens() {
		l.screens[s.ID] = s
	}
	l.graph()
	l.halves()
	l.shownScreens()
	for _, s := range f.Screens() {
		l.screen(s)
	}
	l.shared()
	l.outside()
	l.addresses()
	slices.SortFunc(l.out, Problem.compare)
	return l.out
}

// linter is one run of Lint.
type linter struct {
	flow    Flow
	options LintOptions
	tasks   map[string]Task
	screens map[string]Screen
	out     []Problem
}

// id is the id that the flow is used under.
func (l *linter) id() string { return cmp.Or(l.options.ID, l.flow.ID()) }

func (l *linter) fail(rule LintRule, path []any, format string, args ...any) {
	l.add(model.Error, rule, path, format, args...)
}

func (l *linter) warn(rule LintRule, path []any, format string, args ...any) {
	l.add(model.Warning, rule, path, format, args...)
}

func (l *linter) add(severity model.Severity, rule LintRule, path []any, format string, args ...any) {
	p := Problem{Rule: rule, Severity: severity, Path: jsonPath(path...), Message: fmt.Sprintf(format, args...)}
	switch {
	case len(path) > 2 && path[0] == "contents" && path[1] == "tasks":
		p.Task, _ = path[2].(string)
		if t := l.tasks[p.Task]; t.ShowsScreen() {
			p.Screen = t.ScreenID
		}
	case len(path) > 1 && path[0] == "screens":
		i, _ := path[1].(int)
		p.Screen = l.flow.Screens()[i].ID
	}
	l.out = append(l.out, p)
}

// inTask is a place in a task.
func inTask(id string, path ...any) []any { return append([]any{"contents", "tasks", id}, path...) }

// title is a task as a sentence names it.
func (t Task) title() string {
	if t.Name == "" || t.Name == t.ID {
		return "task " + t.ID
	}
	return fmt.Sprintf("task %s (%s)", t.ID, t.Name)
}
