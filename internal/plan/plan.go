// Package plan compares a desired state with a live one and says, as data, what
// would have to be done. It is pure: no I/O, no clock, no randomness; the same
// inputs give the same bytes. It knows nothing of Descope's wire format: the
// calls of a change come from an encoder that the caller passes in.
package plan

import (
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// FormatVersion is the version of the plan's JSON form. A reader refuses a
// plan of another version.
const FormatVersion = "1.2"

// Action is what a change does.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Side says who moved a value since the last apply of its object.
type Side string

// The sides. Unknown means that nothing was ever applied to the object.
const (
	Config  Side = "config"
	Live    Side = "live"
	Both    Side = "both"
	Unknown Side = "unknown"
)

// Plan is what would be done to bring a project to its desired state.
//
// A plan is immutable once computed. Changes stand in the order in which they
// run: creates and updates first, deletes last. Whether a plan may run is not
// its own business: see [Plan.Gate].
type Plan struct {
	FormatVersion string
	// Tool and Schema are the versions of the program that computed the plan and
	// of the schema that the configuration was checked against.
	Tool, Schema string
	Environment  string
	Project      string
	BaseURL      string
	// ConfigDigest and LiveDigest identify the states that were compared.
	ConfigDigest string
	LiveDigest   string
	Changes      []Change
	// Unchanged are the managed resources that are already as desired.
	Unchanged []model.Key
	// Orphans were applied by us and are gone from the configuration, and this
	// plan leaves them alone. (Those that it prunes are changes.)
	Orphans []model.Key
	// Unmanaged exist live and were never applied by us, and this plan leaves
	// them alone.
	Unmanaged []model.Key
	// Accepted are the differences that this plan leaves alone, since somebody
	// accepted them as they are: in the order of the objects, then as accepted.
	Accepted []FieldKey
	// Guards are the rules that this plan meets; each stops it from running
	// unless allowed. Sorted by rule, then keys.
	Guards   []Guard
	Warnings model.Diagnostics
	// Seal is what [Plan.Sign] wrote, "" before. It is no part of the digest.
	Seal string
}

// Change is what would be done to one resource.
type Change struct {
	Key    model.Key
	Action Action
	// Before and After are all attributes that are known, under the
	// configuration's names; nil where the resource does not exist. After a
	// create they are what the configuration says, and Descope's defaults for
	// the rest.
	Before, After map[string]any
	// Fields are the differences, sorted by path; never empty for an update. An
	// attribute of KindSpec.Maps is one field per key, any other one field.
	Fields []FieldChange
	// Moved sums up the fields: the one side that moved, or Both.
	Moved Side
	// Adopts marks the first change of an existing object that we never applied.
	Adopts bool
	// PreImage is the [Image] of the live resource that the change was computed
	// from. A write is refused if one field of it differs; nil for a create.
	PreImage map[string]any
	// Steps are the calls, in order, with their exact payloads.
	Steps []model.Step
	// DependsOn are changes that must be done first, sorted; all of them stand
	// earlier in the plan.
	DependsOn []model.Key
	Origin    model.Origin
	// Policy is the resource's own and the one remembered from its last apply.
	Policy model.Policy
}

// FieldChange is one difference. Before or After is [Absent] where the value is
// not there on that side.
type FieldChange struct {
	Path          string
	Before, After any
	Moved         Side
	// Note explains an effect to a human, for example "self-provisioning".
	Note      string
	Sensitive bool
	Origin    model.Origin
}

// Absent stands for a value that is not there, as opposed to null.
type Absent struct{}

// Rule names a guard.
type Rule string

// The rules, in the order in which they are shown.
const (
	// RuleImpossible: Descope cannot do this at all (parent changed, names in a
	// cycle). No flag passes it.
	RuleImpossible Rule = "impossible"
	// RuleTaken: a name or domain is held by an object that stays as it is.
	RuleTaken Rule = "taken"
	// RulePreventDestroy: lifecycle.prevent_destroy is set. No flag passes it.
	RulePreventDestroy Rule = "prevent-destroy"
	// RuleInUse: an object that would be deleted is in use, by what would be lost
	// with it or was done with it since.
	RuleInUse Rule = "in-use"
	// RuleMassChange: more than 30 % of at least 10 managed live objects of a
	// kind would be updated or deleted.
	RuleMassChange Rule = "mass-change"
	// RuleDrift: a value that moved live would be overwritten.
	RuleDrift Rule = "drift"
	// RuleUnknown: in a protected environment, who moved a value is unknown
	// because nothing was ever applied to its object. It counts as moved live,
	// except in a plan that somebody saved and had read.
	RuleUnknown Rule = "unknown-mover"
	// RuleHeld: a value that a rollback took back would be set again.
	RuleHeld Rule = "held"
	// RuleBroken: a flow would be written that cannot run.
	RuleBroken Rule = "broken-flow"
	// RuleAdopt: an existing object would be taken under management.
	RuleAdopt Rule = "adopt"
	// RuleProtected: the environment is protected; confirm with its project id.
	RuleProtected Rule = "protected"
)

// Guard is a rule that a plan meets.
type Guard struct {
	Rule Rule
	Keys []model.Key
	// Detail is one sentence with the numbers or values.
	Detail string
	// Allow is the flag that passes the guard, or "" where nothing does.
	Allow string
}

// Encoder turns a transition into calls; the client provides it. It must be
// pure. An error means that the client cannot express the change.
type Encoder func(model.Transition) ([]model.Step, error)

// Options are the inputs of [Compute] besides the three states.
type Options struct {
	Environment string
	Project     string
	BaseURL     string
	// Protected environments need a confirmation of the project id, and an
	// unknown mover counts as live there.
	Protected bool
	// Targets restrict the plan to these resources; empty means all. What a
	// target needs (its parent) is not included by itself.
	Targets []model.Key
	// Prune deletes the orphans of these kinds.
	Prune []model.Kind
	// PruneUnmanaged deletes exactly these unmanaged resources.
	PruneUnmanaged []model.Key
	// Saved: the desired state is one that a project had, whatever a configuration
	// may say of such a state.
	Saved bool
	// Accepted is drift that stays as it is.
	Accepted []Accepted
	// Held are the values that earlier rollbacks took back.
	Held []Held
	// InUse are facts that speak against the deletion of an object, for example
	// "3 users". Live children need not be among them.
	InUse map[model.Key][]string
	// DeleteFlag is the flag that RuleInUse names; "" is --allow-delete-in-use.
	DeleteFlag string
	// Broken are the lint errors of flows that would change.
	Broken map[model.Key][]flow.Problem
	// Warnings are told with the plan.
	Warnings model.Diagnostics
	// ConfigDigest identifies the configuration where the desired state is not it as
	// written, since flows were made to fit the project.
	ConfigDigest string
	// Tool and Schema are written into the plan.
	Tool, Schema string
	// Encode gives the steps; nil leaves them out, for plans that only show.
	Encode Encoder
}

// Counts is the summary of a plan.
type Counts struct {
	Create    int `json:"create"`
	Update    int `json:"update"`
	Delete    int `json:"delete"`
	Unchanged int `json:"unchanged"`
}

// Counts sums up the plan.
func (p *Plan) Counts() Counts {
	n := Counts{Unchanged: len(p.Unchanged)}
	for _, c := range p.Changes {
		switch c.Action {
		case Create:
			n.Create++
		case Update:
			n.Update++
		case Delete:
			n.Delete++
		}
	}
	return n
}

// Empty reports that there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 }

// Image is what a live resource must still look like when a change computed
// from it is sent: every field as Descope sent it, or the attributes of a
// resource that was not read from Descope. It is never nil.
func Image(r model.Resource) map[string]any {
	if r.Observed != nil {
		return notNil(r.Observed.Fields)
	}
	return notNil(r.Attrs)
}

func notNil(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
