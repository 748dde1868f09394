package flow

import (
	"slices"
	"strings"
)

// Kind says what a [Change] is about. The texts are stable.
type Kind string

// The kinds of changes, in the order of a report.
const (
	// StartTask: Before and After are task ids.
	StartTask Kind = "start-task"
	// MetadataChanged: Field is the field.
	MetadataChanged Kind = "metadata-changed"
	// Field is the id of the shared interaction, which parent flows refer to.
	SharedAdded   Kind = "shared-interaction-added"
	SharedRemoved Kind = "shared-interaction-removed"
	SharedChanged Kind = "shared-interaction-changed"
	// Field is "<kind>/<name>", such as connectors/CRM; when it is renamed, the
	// id of what has another name now.
	ReferenceAdded   Kind = "reference-added"
	ReferenceRemoved Kind = "reference-removed"
	ReferenceRenamed Kind = "reference-renamed"
	// DocumentChanged: Field is a field that the package does not know.
	DocumentChanged Kind = "document-changed"
	// TaskAdded, TaskRemoved: After or Before has name, type and action. A pair
	// that comes or goes is one task, and the rule between its halves is none.
	TaskAdded   Kind = "task-added"
	TaskRemoved Kind = "task-removed"
	// TaskChanged: Field is name, type, action or an unknown field.
	TaskChanged Kind = "task-changed"
	// ArgumentChanged: Field is the argument. Nil is unset.
	ArgumentChanged Kind = "argument-changed"
	// Field is the interaction; Before and After are task ids. A rewired edge
	// leads elsewhere, a changed one has another unknown field.
	EdgeAdded   Kind = "edge-added"
	EdgeRemoved Kind = "edge-removed"
	EdgeRewired Kind = "edge-rewired"
	EdgeChanged Kind = "edge-changed"
	// Field is the interaction of the branch; reordered has the lists of them.
	ConditionAdded      Kind = "condition-added"
	ConditionRemoved    Kind = "condition-removed"
	ConditionChanged    Kind = "condition-changed"
	ConditionsReordered Kind = "conditions-reordered"
	// Field is the name of the error.
	ErrorHandlingAdded   Kind = "error-handling-added"
	ErrorHandlingRemoved Kind = "error-handling-removed"
	ErrorHandlingChanged Kind = "error-handling-changed"
	// ScreenChanged: Field is an unknown field.
	ScreenAdded   Kind = "screen-added"
	ScreenRemoved Kind = "screen-removed"
	ScreenChanged Kind = "screen-changed"
	// Field is the interaction.
	InteractionAdded   Kind = "interaction-added"
	InteractionRemoved Kind = "interaction-removed"
	InteractionChanged Kind = "interaction-changed"
	// After or Before has component, parent, index and text.
	ComponentAdded   Kind = "component-added"
	ComponentRemoved Kind = "component-removed"
	// ComponentMoved: Before and After are the parents.
	ComponentMoved Kind = "component-moved"
	// ComponentsReordered: Node is the parent; Before and After are the children
	// that it has in both, in their order.
	ComponentsReordered Kind = "components-reordered"
	// ComponentChanged: Before and After are what the component is.
	ComponentChanged Kind = "component-changed"
	// TextChanged: Field is a property that users read, as props.children.
	TextChanged Kind = "text-changed"
	// PropertyChanged: Field is any other, as props.size or hidden.
	PropertyChanged Kind = "property-changed"
	// TaskMoved is only in [Report.Moved]: Before and After are {x, y}.
	TaskMoved Kind = "task-moved"
)

// Reason says why a difference is noise. The texts are stable.
type Reason string

// The reasons.
const (
	// Stamp: whatever saved the flow last put its version there.
	Stamp Reason = "stamp"
	// Derived: a copy of what the screen says, which nothing depends on.
	Derived Reason = "derived"
	// OtherIDs: the screen has another id, as in every other project.
	OtherIDs Reason = "other-ids"
	// Backfilled: a value that newer components write for what was always so.
	Backfilled Reason = "backfilled"
	// PlatformRename: a name that Descope itself gave to its steps later.
	PlatformRename Reason = "platform-rename"
	// Follows: the interaction repeats a change of its component.
	Follows Reason = "follows-component"
)

// Change is one difference between two flows. Fields that have no meaning for
// its kind are empty.
type Change struct {
	Kind Kind `json:"kind"`
	// Reason is only there in [Report.Noise].
	Reason Reason `json:"reason,omitempty"`
	// Task is the task, or the first one that shows the screen.
	Task string `json:"task,omitempty"`
	// TaskName is its name: that of the second flow, if it is there.
	TaskName string `json:"task_name,omitempty"`
	// Also are further tasks that show the same screen.
	Also []string `json:"also,omitempty"`
	// Screen is the id of the screen, in the second flow if it is there.
	Screen string `json:"screen,omitempty"`
	// Node is the component.
	Node string `json:"node,omitempty"`
	// Component is what the node is: Text, EmailInput, …
	Component string `json:"component,omitempty"`
	Field     string `json:"field,omitempty"`
	// Before and After are JSON values, nil where there is none. Arguments show
	// the names of connectors instead of their ids, as "connectors/<name>".
	Before any `json:"before,omitempty"`
	After  any `json:"after,omitempty"`
}

// Step is the step that the change is about as the console shows it, where the
// two halves of a pair are one step under the id of the first.
func (c Change) Step() string { return strings.TrimSuffix(c.Task, ".end") }

// Identity is which flow was compared.
type Identity struct {
	ID                string `json:"id,omitempty"`
	Name              string `json:"name,omitempty"`
	ComponentsVersion string `json:"components_version,omitempty"`
}

// Report is the difference of two flows: plain data, the same for the same
// flows, with lists that are never nil.
type Report struct {
	From Identity `json:"from"`
	To   Identity `json:"to"`
	// Changes are what the flow does otherwise.
	Changes []Change `json:"changes"`
	// Moved are tasks that stand elsewhere on the canvas.
	Moved []Change `json:"moved"`
	// Noise is what differs without anybody having meant it.
	Noise []Change `json:"noise"`
}

// Equal says that the flows do the same, as far as anybody has to know.
func (r Report) Equal() bool { return len(r.Changes) == 0 }

// Identical says that there is not even noise.
func (r Report) Identical() bool { return len(r.Changes)+len(r.Moved)+len(r.Noise) == 0 }

// Of are the changes of some kinds, in the order of the report.
func (r Report) Of(kinds ...Kind) []Change {
	var out []Change
	for _, c := range r.Changes {
		if slices.Contains(kinds, c.Kind) {
			out = append(out, c)
		}
	}
	return out
}

// Counts is how much a report has of everything.
type Counts struct {
	Changes int            `json:"changes"`
	Moved   int            `json:"moved"`
	Noise   int            `json:"noise"`
	Kinds   map[Kind]int   `json:"kinds"`
	Reasons map[Reason]int `json:"reasons"`
}

// Counts counts the changes by kind and the noise by reason.
func (r Report) Counts() Counts {
	c := Counts{Changes: len(r.Changes), Moved: len(r.Moved), Noise: len(r.Noise), Kinds: map[Kind]int{}, Reasons: map[Reason]int{}}
	for _, change := range r.Changes {
		c.Kinds[change.Kind]++
	}
	for _, change := range r.Noise {
		c.Reasons[change.Reason]++
	}
	return c
}
