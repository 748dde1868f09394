package lsp

import (
	"encoding/json"
	"path"
	"strings"
	"time"
)

// fromEditor handles what the editor sends.
func (h *hub) fromEditor(frame []byte) {
	var m message
	if err := json.Unmarshal(frame, &m); err != nil {
		h.editor.push(failure(json.RawMessage("null"), codeParse, "not a JSON-RPC message: "+err.Error()))
		return
	}
	switch {
	case m.isRequest():
		h.requestOf(m, frame)
	case m.isResponse():
		var id string
		if json.Unmarshal(m.ID, &id) != nil || !strings.HasPrefix(id, ownPrefix) {
			h.toServer(frame)
		}
	default:
		h.notified(m, frame)
	}
}

// requestOf handles a request of the editor.
func (h *hub) requestOf(m message, frame []byte) {
	p := &pendingRequest{id: m.ID, method: m.Method, params: m.Params}
	switch m.Method {
	case methodInitialize:
		h.initialized(m.Params)
	case methodShutdown:
		h.shutdown = true
		for _, m := range h.modules {
			m.stop()
		}
	case methodCodeAction:
		h.pending[string(m.ID)] = p
		h.codeAction(p)
	case methodCodeLens:
		h.pending[string(m.ID)] = p
		h.codeLens(p)
	case methodDocumentLink:
		h.pending[string(m.ID)] = p
		h.documentLink(p)
		return // theirs knows none
	case methodExecute:
		if h.execute(m) {
			return
		}
	}
	h.pending[string(m.ID)] = p
	if p.forwarded = h.server != nil && !h.server.again; !p.forwarded {
		h.withoutServer(p)
		return
	}
	h.toServer(frame)
}

// notified handles a notification of the editor.
func (h *hub) notified(m message, frame []byte) {
	forward := true
	switch m.Method {
	case methodExit:
		h.toServer(frame)
		if h.shutdown {
			h.end(nil)
		} else {
			h.end(ErrExit)
		}
	case methodInitialized:
		h.ready = true
		h.watch()
	case methodDidOpen:
		h.didOpen(m.Params)
	case methodDidChange:
		h.didChange(m.Params)
	case methodDidSave:
		h.didSave(m.Params)
	case methodDidClose:
		h.didClose(m.Params)
	case methodWatched:
		forward = h.watched(m.Params)
	case methodCancel:
		h.cancelled(m.Params)
	}
	if forward && m.Method != methodExit {
		h.toServer(frame)
	}
}

// initialized keeps what the first request says.
func (h *hub) initialized(params json.RawMessage) {
	h.initialize = params
	var p struct {
		Capabilities struct {
			Window struct {
				ShowDocument struct {
					Support bool `json:"support"`
				} `json:"showDocument"`
			} `json:"window"`
			Workspace struct {
				DidChangeWatchedFiles struct {
					DynamicRegistration bool `json:"dynamicRegistration"`
				} `json:"didChangeWatchedFiles"`
			} `json:"workspace"`
		} `json:"capabilities"`
	}
	if json.Unmarshal(params, &p) == nil {
		h.client.showDocument = p.Capabilities.Window.ShowDocument.Support
		h.client.watch = p.Capabilities.Workspace.DidChangeWatchedFiles.DynamicRegistration
	}
}

// watch asks to be told of files that the configuration embeds; CUE's server asks for
// the others.
func (h *hub) watch() {
	if h.client.watch {
		h.ask(methodRegister, map[string]any{"registrations": []any{map[string]any{
			"id": ownPrefix + "watch", "method": methodWatched,
			"registerOptions": map[string]any{"watchers": []any{map[string]any{"globPattern": "**/envs/**/*.json"}}},
		}}})
	}
}

type documentParams struct {
	TextDocument struct {
		URI        string          `json:"uri"`
		LanguageID string          `json:"languageId"`
		Version    json.RawMessage `json:"version"`
		Text       string          `json:"text"`
	} `json:"textDocument"`
	ContentChanges []contentChange `json:"contentChanges"`
}

// file reads the parameters of a notification about a document.
func (h *hub) file(params json.RawMessage) (documentParams, string, bool) {
	var p documentParams
	if err := json.Unmarshal(params, &p); err != nil {
		h.o.Log("parameters: %v", err)
		return p, "", false
	}
	name, ok := h.paths.path(p.TextDocument.URI)
	return p, name, ok
}

// openDelay lets an editor that opens many files do so before they are checked.
const openDelay = 10 * time.Millisecond

func (h *hub) didOpen(params json.RawMessage) {
	p, name, ok := h.file(params)
	if !ok {
		return
	}
	h.documents[name] = &document{uri: p.TextDocument.URI, language: p.TextDocument.LanguageID, version: p.TextDocument.Version, text: newText([]byte(p.TextDocument.Text))}
	h.touched(name)
	h.publish(name) // an address of the editor's own spelling
	h.check(name, openDelay)
}

func (h *hub) didChange(params json.RawMessage) {
	p, name, ok := h.file(params)
	d := h.documents[name]
	if !ok || d == nil {
		return
	}
	d.version = p.TextDocument.Version
	if err := d.change(p.ContentChanges); err != nil {
		h.o.Log("%s: %v", name, err)
	}
	h.touched(name)
	if h.o.Pause > 0 {
		h.check(name, h.o.Pause)
	}
}

func (h *hub) didSave(params json.RawMessage) {
	if _, name, ok := h.file(params); ok {
		h.touched(name)
		h.check(name, 0)
	}
}

func (h *hub) didClose(params json.RawMessage) {
	_, name, ok := h.file(params)
	if ok && h.documents[name] != nil {
		delete(h.documents, name)
		h.check(name, openDelay) // what was not saved is gone
	}
}

// watched checks what changed on disk. It reports whether the server wants to know.
func (h *hub) watched(params json.RawMessage) bool {
	var p struct {
		Changes []documentID `json:"changes"`
	}
	if json.Unmarshal(params, &p) != nil {
		return true
	}
	cue := false
	for _, c := range p.Changes {
		name, ok := h.paths.path(c.URI)
		if !ok {
			continue
		}
		cue = cue || path.Ext(name) == ".cue"
		if h.documents[name] == nil { // what is open is told of when it is saved
			h.check(name, openDelay)
		}
	}
	return cue || len(p.Changes) == 0
}

// cancelled answers a request that is not wanted any more, if it is ours to answer.
func (h *hub) cancelled(params json.RawMessage) {
	var c struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(params, &c) != nil {
		return
	}
	if p := h.pending[string(c.ID)]; p != nil && !p.forwarded {
		delete(h.pending, string(c.ID))
		h.editor.push(failure(p.id, codeCancelled, "cancelled"))
	}
}

// answer takes the server's result of a request.
func (h *hub) answer(p *pendingRequest, result json.RawMessage) {
	switch {
	case p.method == methodInitialize:
		delete(h.pending, string(p.id))
		h.editor.push(response(p.id, h.abilities(result)))
	case p.merge != nil:
		p.its, p.have.its = result, true
		h.merged(p)
	default:
		delete(h.pending, string(p.id))
		h.editor.push(response(p.id, result))
	}
}

// merged answers a request once both sides have said what they know.
func (h *hub) merged(p *pendingRequest) {
	if h.pending[string(p.id)] == p && p.have.ours && p.have.its {
		delete(h.pending, string(p.id))
		h.editor.push(response(p.id, p.merge(p.its)))
	}
}

// contribute works out what is ours of a response, elsewhere.
func (h *hub) contribute(p *pendingRequest, f func() []any) {
	p.merge = func(theirs json.RawMessage) json.RawMessage {
		var list []json.RawMessage
		_ = json.Unmarshal(theirs, &list) // null, or no list, is none
		for _, x := range p.ours {
			list = append(list, marshal(x))
		}
		if list == nil {
			list = []json.RawMessage{}
		}
		return marshal(list)
	}
	h.elsewhere(func() (event func()) {
		var ours []any
		defer func() { // whatever became of f, the request is answered
			defect := recover()
			event = func() {
				if defect != nil {
					h.defect(defect)
				}
				p.ours, p.have.ours = ours, true
				h.merged(p)
			}
		}()
		ours = f()
		return nil
	})
}
