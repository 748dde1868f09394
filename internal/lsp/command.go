package lsp

import (
	"encoding/json"
	"fmt"
	"strings"
)

// execute runs a command of ours; it reports whether it was one.
func (h *hub) execute(m message) bool {
	var p struct {
		Command   string            `json:"command"`
		Arguments []json.RawMessage `json:"arguments"`
	}
	if json.Unmarshal(m.Params, &p) != nil || !strings.HasPrefix(p.Command, ownPrefix) {
		return false
	}
	var err error
	switch {
	case p.Command == commandPlan && len(p.Arguments) == 1:
		var a planArgument
		if err = json.Unmarshal(p.Arguments[0], &a); err == nil {
			err = h.plan(a)
		}
	case p.Command == commandOpen && len(p.Arguments) == 1:
		var a openArgument
		if err = json.Unmarshal(p.Arguments[0], &a); err == nil {
			h.openPlace(a)
		}
	default:
		err = fmt.Errorf("no command %s with %d arguments", p.Command, len(p.Arguments))
	}
	if err != nil {
		h.editor.push(failure(m.ID, codeInvalid, err.Error()))
		return true
	}
	h.editor.push(response(m.ID, nil))
	return true
}

// plan plans an environment elsewhere and shows what came of it. Only modules of this
// session are planned.
func (h *hub) plan(a planArgument) error {
	m := h.modules[a.Root]
	if m == nil || a.Environment == "" {
		return fmt.Errorf("there is no environment %q in %q", a.Environment, a.Root)
	}
	id := a.Root + "\x00" + a.Environment
	if h.planning[id] {
		h.show(typeInfo, a.Environment+" is being planned already")
		return nil
	}
	h.planning[id] = true
	h.log(typeInfo, "descope-mgmt plan --env "+a.Environment)
	h.elsewhere(func() func() {
		text, err := h.o.Plan(h.ctx, a.Root, a.Environment)
		return func() {
			delete(h.planning, id)
			if strings.TrimSpace(text) != "" {
				h.log(typeInfo, text)
			}
			if err != nil {
				h.show(typeError, a.Environment+": "+err.Error())
				return
			}
			h.show(typeInfo, a.Environment+": "+lastLine(text))
		}
	})
	return nil
}

// openPlace shows a place, or says where it is to an editor that cannot be made to.
func (h *hub) openPlace(a openArgument) {
	if h.client.showDocument {
		h.ask(methodShowDocument, map[string]any{"uri": a.URI, "takeFocus": true, "selection": a.Range})
		return
	}
	path, ok := h.paths.path(a.URI)
	if !ok {
		path = a.URI
	}
	h.show(typeInfo, fmt.Sprintf("%s:%d:%d", path, a.Range.Start.Line+1, a.Range.Start.Character+1))
}
