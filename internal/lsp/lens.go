package lsp

import (
	"encoding/json"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

type command struct {
	Title     string `json:"title"`
	Command   string `json:"command"`
	Arguments []any  `json:"arguments,omitempty"`
}

type codeLens struct {
	Range   span    `json:"range"`
	Command command `json:"command"`
}

type documentLink struct {
	Range   span   `json:"range"`
	Target  string `json:"target"`
	Tooltip string `json:"tooltip"`
}

// planArgument and openArgument are what our commands take.
type planArgument struct {
	Root        string `json:"root"`
	Environment string `json:"environment"`
}

type openArgument struct {
	URI   string `json:"uri"`
	Range span   `json:"range"`
}

// place is where a place is, for the editor.
func (h *hub) place(root string, o model.Origin, open map[string]document) openArgument {
	path := h.paths.join(root, o.File)
	d, ok := open[path]
	if !ok {
		d = document{uri: h.paths.uri(path), text: readText(path)}
	}
	return openArgument{URI: d.uri, Range: d.text.word(o.Line, o.Column, "")}
}

// outlined contributes what f makes of the outline of the file that a request is
// about.
func (h *hub) outlined(p *pendingRequest, f func(o Outline, contents *text, open map[string]document) []any) {
	var params struct {
		TextDocument documentID `json:"textDocument"`
	}
	_ = json.Unmarshal(p.params, &params)
	path, ok := h.paths.path(params.TextDocument.URI)
	if !ok || h.module(path) == nil {
		h.contribute(p, func() []any { return nil })
		return
	}
	contents, unsaved, open := h.contents(path), h.unsaved(), h.open()
	h.contribute(p, func() []any {
		return f(h.o.Checker.Outline(h.ctx, path, unsaved), contents, open)
	})
}

func (h *hub) codeLens(p *pendingRequest) {
	h.outlined(p, func(o Outline, contents *text, open map[string]document) []any {
		var out []any
		for _, l := range o.Lenses {
			c := command{Title: l.Title, Command: commandOpen, Arguments: []any{h.place(o.Root, l.Target, open)}}
			if l.Plan != "" {
				c = command{Title: l.Title, Command: commandPlan, Arguments: []any{planArgument{o.Root, l.Plan}}}
			}
			out = append(out, codeLens{contents.word(l.At.Line, l.At.Column, ""), c})
		}
		return out
	})
}

// documentLink answers with ours alone: the server has none.
func (h *hub) documentLink(p *pendingRequest) {
	p.its, p.have.its = json.RawMessage("[]"), true
	h.outlined(p, func(o Outline, contents *text, open map[string]document) []any {
		var out []any
		for _, l := range o.Links {
			at := h.place(o.Root, l.Target, open)
			out = append(out, documentLink{
				Range: contents.word(l.At.Line, l.At.Column, l.Text),
				// The fragment is how editors take a line and a column.
				Target:  at.URI + fragment(at.Range.Start),
				Tooltip: l.Title,
			})
		}
		return out
	})
}

func fragment(p position) string {
	return "#" + string(marshal(p.Line+1)) + "," + string(marshal(p.Character+1))
}

// lastLine is the line that sums a plan up: the last one that says anything.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
