package plan

import (
	"encoding/json"
	"errors"
	"fmt"
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
