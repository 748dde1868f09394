package lsp

import (
	"encoding/json"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// kindQuickFix is the kind of our code actions.
const kindQuickFix = "quickfix"

type codeAction struct {
	Title       string       `json:"title"`
	Kind        string       `json:"kind"`
	Diagnostics []diagnostic `json:"diagnostics"`
	Preferred   bool         `json:"isPreferred"`
	Edit        struct {
		Changes map[string][]textEdit `json:"changes"`
	} `json:"edit"`
}

// codeAction works out the quick fixes for a place.
func (h *hub) codeAction(p *pendingRequest) {
	var params struct {
		TextDocument documentID `json:"textDocument"`
		Range        span       `json:"range"`
		Context      struct {
			Only []string `json:"only"`
		} `json:"context"`
	}
	_ = json.Unmarshal(p.params, &params) // what is not there is no file
	path, ok := h.paths.path(params.TextDocument.URI)
	m := h.module(path)
	if !ok || m == nil || !wanted(params.Context.Only) {
		h.contribute(p, func() []any { return nil })
		return
	}
	var actions []any
	var later []shown
	contents := h.contents(path)
	for _, s := range m.shown[path] {
		if !s.Range.touches(params.Range) {
			continue
		}
		if a, ok := replacement(s, h.uri(path), contents); ok {
			actions = append(actions, a)
		}
		if s.Code == NeedsDefault {
			later = append(later, s)
		}
	}
	root, unsaved, open := m.root, h.unsaved(), h.open()
	h.contribute(p, func() []any {
		for _, s := range later {
			after := h.o.Checker.MakeDefault(h.ctx, root, s.of, unsaved)
			if len(after) == 0 {
				continue
			}
			a := codeAction{Title: defaultTitle(s.of), Kind: kindQuickFix, Diagnostics: []diagnostic{s.diagnostic}, Preferred: true}
			a.Edit.Changes = h.edits(root, after, open)
			actions = append(actions, a)
		}
		return actions
	})
}

// wanted reports whether quick fixes are among the kinds that are asked for.
func wanted(only []string) bool {
	for _, kind := range only {
		if kind == kindQuickFix || kind == "" || strings.HasPrefix(kind, kindQuickFix+".") {
			return true
		}
	}
	return len(only) == 0
}

// replacement is the action of a diagnostic that knows the right word. What stands in
// the file must still be the wrong one.
func replacement(s shown, uri string, contents *text) (codeAction, bool) {
	fix := s.of.Fix
	if fix == nil {
		return codeAction{}, false
	}
	place := contents.word(fix.At.Line, fix.At.Column, fix.Old)
	from, to := contents.offset(place.Start), contents.offset(place.End)
	if string(contents.data[from:to]) != fix.Old {
		return codeAction{}, false
	}
	a := codeAction{Title: "Change " + fix.Old + " to " + fix.New, Kind: kindQuickFix, Diagnostics: []diagnostic{s.diagnostic}, Preferred: true}
	if strings.Contains(fix.New, "\n") {
		a.Title = "Fix: " + s.of.Hint
	}
	a.Edit.Changes = map[string][]textEdit{uri: {{Range: place, NewText: fix.New}}}
	return a, true
}

func defaultTitle(d model.Diagnostic) string {
	if len(d.Also) == 0 {
		return "Make the value of the base a default"
	}
	return "Make the value of the base a default (" + d.Also[0].File + ")"
}

// edits turn new contents of files into edits. It runs outside of the hub.
func (h *hub) edits(root string, after map[string][]byte, open map[string]document) map[string][]textEdit {
	changes := map[string][]textEdit{}
	for name, data := range after {
		path := h.paths.join(root, name)
		d, ok := open[path]
		if !ok {
			d = document{uri: h.paths.uri(path), text: readText(path)}
		}
		changes[d.uri] = []textEdit{difference(d.text, data)}
	}
	return changes
}
