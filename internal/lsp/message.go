package lsp

import (
	"encoding/json"
	"fmt"
)

// message is a request (method and id), a notification (method), or the response to
// a request (id).
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

func (m message) isRequest() bool  { return m.Method != "" && len(m.ID) > 0 }
func (m message) isResponse() bool { return m.Method == "" && len(m.ID) > 0 }

// The codes of errors in responses, as the protocol has them.
const (
	codeParse     = -32700
	codeInvalid   = -32602
	codeCancelled = -32800
	codeFailed    = -32803
)

// The methods that the proxy looks at.
const (
	methodInitialize   = "initialize"
	methodInitialized  = "initialized"
	methodShutdown     = "shutdown"
	methodExit         = "exit"
	methodCancel       = "$/cancelRequest"
	methodDidOpen      = "textDocument/didOpen"
	methodDidChange    = "textDocument/didChange"
	methodDidSave      = "textDocument/didSave"
	methodDidClose     = "textDocument/didClose"
	methodPublish      = "textDocument/publishDiagnostics"
	methodCodeAction   = "textDocument/codeAction"
	methodCodeLens     = "textDocument/codeLens"
	methodDocumentLink = "textDocument/documentLink"
	methodExecute      = "workspace/executeCommand"
	methodWatched      = "workspace/didChangeWatchedFiles"
	methodRegister     = "client/registerCapability"
	methodShowMessage  = "window/showMessage"
	methodLogMessage   = "window/logMessage"
	methodShowDocument = "window/showDocument"
)

// The severities of window/showMessage and window/logMessage.
const (
	typeError   = 1
	typeWarning = 2
	typeInfo    = 3
)

// marshal is the JSON of a value that can always be written.
func marshal(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("lsp: %v", err)) // all of these are plain structs and maps
	}
	return b
}

func notification(method string, params any) []byte {
	return marshal(message{Version: "2.0", Method: method, Params: marshal(params)})
}

func request(id, method string, params any) []byte {
	return marshal(message{Version: "2.0", ID: marshal(id), Method: method, Params: marshal(params)})
}

func response(id json.RawMessage, result any) []byte {
	return marshal(message{Version: "2.0", ID: id, Result: marshal(result)})
}

func failure(id json.RawMessage, code int, text string) []byte {
	return marshal(message{Version: "2.0", ID: id, Error: marshal(map[string]any{"code": code, "message": text})})
}

// position counts from 0; Character in units of UTF-16.
type position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

func (p position) before(q position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Character < q.Character
}

// span is from Start up to End, which is not in it.
type span struct {
	Start position `json:"start"`
	End   position `json:"end"`
}

// touches reports whether two spans share a place; an empty one at the edge does.
func (s span) touches(o span) bool { return !s.End.before(o.Start) && !o.End.before(s.Start) }

type textEdit struct {
	Range   span   `json:"range"`
	NewText string `json:"newText"`
}

type location struct {
	URI   string `json:"uri"`
	Range span   `json:"range"`
}

type documentID struct {
	URI string `json:"uri"`
}
