package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Held is a value that a rollback took back: the configuration still asks for
// it, and the next run would set it again. It is not set until somebody says so.
type Held struct {
	Key model.Key
	// Path is the path of a field as in [FieldChange], or "" for the existence
	// of the object.
	Path string
	// Value is what must not come back, [Absent] where that is the absence of a
	// value or of the object. For an object that must not be created again it
	// is any other value, true by custom.
	Value any
	// Run is the rollback, Of the run that it took back.
	Run, Of string
	// GitCommit is the commit of the configuration that Of applied, or "".
	GitCommit string
	// At is when the rollback was.
	At time.Time
}

// heldJSON leaves out a value that is absent, as opposed to null.
type heldJSON struct {
	Key       model.Key       `json:"key"`
	Path      string          `json:"path"`
	Value     json.RawMessage `json:"value,omitempty"`
	Run       string          `json:"run"`
	Of        string          `json:"of"`
	GitCommit string          `json:"git_commit"`
	At        time.Time       `json:"at"`
}

// MarshalJSON writes what is held, in UTC.
func (h Held) MarshalJSON() ([]byte, error) {
	return json.Marshal(heldJSON{h.Key, h.Path, valueToJSON(h.Value), h.Run, h.Of, h.GitCommit, h.At.UTC()})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (h *Held) UnmarshalJSON(data []byte) error {
	var in heldJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("reading what is held: %w", err)
	}
	if in.Key == (model.Key{}) {
		return errors.New("reading what is held: it names no object")
	}
	if _, ok := model.SplitPath(in.Path); !ok && in.Path != "" {
		return fmt.Errorf("reading what is held of %s: %q is not a path", in.Key, in.Path)
	}
	value, err := valueFromJSON(in.Value)
	if err != nil {
		return fmt.Errorf("reading what is held of %s: %w", in.Key, err)
	}
	*h = Held{in.Key, in.Path, value, in.Run, in.Of, in.GitCommit, in.At}
	return nil
}

// Holds are what a rollback of p must keep from coming back: of every change for
// which undone is true, the values that it set. The rest of each is as in by.
func (p *Plan) Holds(undone func(model.Key) bool, by Held) []Held {
	var held []Held
	hold := func(k model.Key, path string, value any) {
		h := by
		h.Key, h.Path, h.Value = k, path, value
		held = append(held, h)
	}
	for i := range p.Changes {
		switch ch := &p.Changes[i]; {
		case !undone(ch.Key):
		case ch.Action == Create:
			hold(ch.Key, "", true)
		case ch.Action == Delete:
			hold(ch.Key, "", Absent{})
		default:
			for _, f := range ch.Fields {
				if !derived(ch.Key.Kind, f.Path) {
					hold(ch.Key, f.Path, f.After)
				}
			}
		}
	}
	return held
}

// derived reports that a field says nothing which another one does not say:
// self-provisioning is on where there are domains for it.
func derived(k model.Kind, path string) bool {
	return k == model.Tenant && path == "self_provisioning"
}

// Reapplies returns those of held, in their order, that the plan would set again.
// One that a plan of the whole configuration leaves alone is spent.
func (p *Plan) Reapplies(held []Held) []Held {
	if len(held) == 0 {
		return nil
	}
	changes := make(map[model.Key]*Change, len(p.Changes))
	for i := range p.Changes {
		changes[p.Changes[i].Key] = &p.Changes[i]
	}
	var again []Held
	for _, h := range held {
		if ch := changes[h.Key]; ch != nil && h.setBy(ch) {
			again = append(again, h)
		}
	}
	return again
}

func (h Held) setBy(ch *Change) bool {
	_, absent := h.Value.(Absent)
	switch {
	case h.Path == "":
		return ch.Action == Create && !absent || ch.Action == Delete && absent
	case ch.Action == Delete:
		return false
	}
	return slices.ContainsFunc(ch.Fields, func(f FieldChange) bool {
		return f.Path == h.Path && Same(h.Key.Kind, f.Path, f.After, h.Value)
	})
}

// String names what is held in a sentence.
func (h Held) String() string {
	_, absent := h.Value.(Absent)
	switch {
	case h.Path == "" && absent:
		return "the deletion of " + h.Key.String()
	case h.Path == "":
		return "the creation of " + h.Key.String()
	case absent:
		return h.Key.String() + " without " + h.Path
	}
	spec := model.Spec(h.Key.Kind)
	if sensitive(&spec, h.Path) {
		return h.Key.String() + " " + h.Path
	}
	return h.Key.String() + " " + h.Path + " " + brief(h.Value)
}

// guardHeld adds one guard for each rollback whose work the plan would undo.
func (c *computation) guardHeld() {
	type origin struct{ run, of, commit string }
	var order []origin
	groups := map[origin][]Held{}
	for _, h := range c.plan.Reapplies(c.options.Held) {
		from := origin{h.Run, h.Of, h.GitCommit}
		if groups[from] == nil {
			order = append(order, from)
		}
		groups[from] = append(groups[from], h)
	}
	for _, from := range order {
		var keys []model.Key
		var words []string
		for _, h := range groups[from] {
			keys, words = append(keys, h.Key), append(words, h.String())
		}
		slices.SortFunc(keys, model.Key.Compare)
		slices.Sort(words)
		words = slices.Compact(words)
		detail := fmt.Sprintf("run %s took back from run %s what would be set again: %s", from.run, from.of, list(words))
		if from.commit != "" {
			detail += "; take it out of the configuration: git revert " + from.commit
		}
		c.guards = append(c.guards, Guard{Rule: RuleHeld, Keys: slices.Compact(keys), Detail: detail, Allow: "--allow-reapply"})
	}
}
