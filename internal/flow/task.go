package flow

import (
	"cmp"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// The types of tasks. Descope: the entry of a flow has none.
const (
	TypeAction    = "automated"
	TypeScreen    = "screen"
	TypeCondition = "condition"
	TypeSubflow   = "flow"
)

// Task is one step of a flow, read from its document.
type Task struct {
	// ID is the key of the task. Text that looks like a number, or "<task>.end"
	// for the second half of an action that waits for the user.
	ID   string
	Name string
	// Type is one of the types above, or "" for the entry of the flow.
	Type string
	// Action is what an automated task does, such as verify-code-otp-sms.
	Action string
	// ScreenID is the screen of a screen task. Descope: other tasks may have one
	// left over, which means nothing.
	ScreenID string
	// Rules say where each outcome leads, in the order of the document. Descope:
	// one interaction may lead to several tasks.
	Rules []Rule
	// Conditions are the branches of a condition, tried in this order.
	Conditions []Condition

	doc map[string]any
}

// Rule leads from one outcome of a task to the next task.
type Rule struct{ Interaction, To string }

// Condition is one branch of a condition; the last one is called ELSE.
type Condition struct {
	Name        string
	Interaction string
}

// Edge is a rule with the task that it belongs to.
type Edge struct {
	From        string `json:"from"`
	Interaction string `json:"interaction"`
	To          string `json:"to"`
}

func (e Edge) compare(o Edge) int {
	return cmp.Or(CompareIDs(e.From, o.From), strings.Compare(e.Interaction, o.Interaction), CompareIDs(e.To, o.To))
}

// Argument is the value of one argument of a task.
type Argument struct {
	// Type is inline for Value itself, context for the name of something that is
	// known when the flow runs.
	Type string
	// Value is text, true or false, a list, or nil. Descope: "" and [] are unset,
	// "" also where the value would be true or false.
	Value any
}

func newTask(id string, doc map[string]any) Task {
	t := Task{
		ID: id, Name: text(doc["name"]), Type: text(doc["type"]), Action: text(doc["action"]),
		ScreenID: text(doc["screenId"]), doc: doc,
	}
	for _, r := range objects(object(doc["next"])["rules"]) {
		t.Rules = append(t.Rules, Rule{Interaction: text(r["interactionId"]), To: text(r["taskId"])})
	}
	for _, c := range objects(doc["conditions"]) {
		t.Conditions = append(t.Conditions, Condition{Name: text(c["name"]), Interaction: text(c["interactionId"])})
	}
	return t
}

// ShowsScreen says that the task is a screen, whether or not the document has it.
func (t Task) ShowsScreen() bool { return t.Type == TypeScreen && t.ScreenID != "" }

// TwinOf is the task of which this one is the second half, if its id says so.
// Descope: an action that waits for the user is a pair, N and N.end, with the
// same name and arguments.
func (t Task) TwinOf() (id string, ok bool) { return strings.CutSuffix(t.ID, ".end") }

// Arguments are the names of the arguments, sorted.
func (t Task) Arguments() []string { return keys(object(t.doc["arguments"])) }

// Argument is one argument by name. The caller must not modify its value.
func (t Task) Argument(name string) (Argument, bool) {
	a, ok := object(t.doc["arguments"])[name].(map[string]any)
	return Argument{Type: text(a["type"]), Value: a["value"]}, ok
}

// Errors are the names of the errors that the task handles itself, sorted.
func (t Task) Errors() []string { return keys(object(t.doc["errorHandlingV2"])) }

// Value is the task as it stands in the document. The caller owns the copy.
func (t Task) Value() map[string]any { return model.CloneMap(t.doc) }
