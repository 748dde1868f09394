package flow

import (
	"errors"
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Spelling is one of the three forms in which a flow is written down.
type Spelling string

// The spellings. Descope: the console and API v1 write Console; API v2, the
// command line and the official providers write Exported; a project snapshot is
// a directory for each flow.
const (
	Console  Spelling = "console"
	Exported Spelling = "exported"
	Snapshot Spelling = "snapshot"
)

// Parse reads a flow in the console's or the exported spelling, alone or in the
// reply of an export. Errors name the line, or the path of the value that has
// the wrong type. What the package does not know is kept.
func Parse(data []byte) (Flow, Spelling, error) {
	v, err := decode(data)
	if err != nil {
		return Flow{}, "", err
	}
	return recognise(v)
}

// FromValue is [Parse] for a document that is decoded already, such as the
// definition of a flow in a configuration. The argument is not modified, and may
// change afterwards.
func FromValue(v any) (Flow, Spelling, error) {
	v, err := model.Normalize(v)
	if err != nil {
		return Flow{}, "", err
	}
	return recognise(v)
}

// recognise tells the spellings apart by their keys, as Descope's own tool does.
func recognise(v any) (Flow, Spelling, error) {
	doc, ok := v.(map[string]any)
	if !ok {
		return Flow{}, "", fmt.Errorf("a flow is an object, this is %s", kindOf(v))
	}
	spelling := Exported
	if inner, ok := doc["flow"]; ok {
		flow, ok := inner.(map[string]any)
		if !ok {
			return Flow{}, "", fmt.Errorf("flow: want an object, found %s", kindOf(inner))
		}
		if has(flow, "metadata", "contents") {
			doc = flow // the reply of an export
		} else {
			var err error
			if doc, err = fromConsole(doc); err != nil {
				return Flow{}, "", err
			}
			spelling = Console
		}
	}
	if !has(doc, "metadata", "contents") {
		return Flow{}, "", unknownSpelling(doc)
	}
	f, err := newFlow(doc)
	return f, spelling, err
}

// unknownSpelling says what a document may be instead of a flow.
func unknownSpelling(doc map[string]any) error {
	switch {
	case has(doc, "dsl"):
		return errors.New("this is a flow without its screens, as a list of flows shows it: export the flow")
	case has(doc, "startTask", "tasks"), has(doc, "name", "screens"):
		return errors.New("this is one file of a flow in a snapshot: name its directory")
	default:
		return errors.New("not a flow: it has neither metadata and contents, as an exported flow, nor flow and screens, as the console writes it")
	}
}

func has[V any](m map[string]V, names ...string) bool {
	for _, name := range names {
		if _, ok := m[name]; !ok {
			return false
		}
	}
	return true
}
