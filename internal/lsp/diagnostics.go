package lsp

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// sourceName says whose the diagnostics are.
const sourceName = "descope-mgmt"

// diagnostic is one as the protocol has it.
type diagnostic struct {
	Range    span      `json:"range"`
	Severity int       `json:"severity"`
	Code     string    `json:"code,omitempty"`
	Source   string    `json:"source"`
	Message  string    `json:"message"`
	Related  []related `json:"relatedInformation,omitempty"`
}

type related struct {
	Location location `json:"location"`
	Message  string   `json:"message"`
}

// shown is a diagnostic with what it was made of.
type shown struct {
	diagnostic
	of   model.Diagnostic
	envs []string
}

// rebuild publishes what the reports of a module say together, for the files where
// that has changed.
func (h *hub) rebuild(m *module) {
	texts := map[string]*text{}
	contents := func(path string) *text {
		if texts[path] == nil {
			texts[path] = h.contents(path)
		}
		return texts[path]
	}
	next := map[string][]shown{}
	for _, f := range m.findings() {
		path := h.paths.join(m.root, f.file)
		next[path] = append(next[path], h.shown(m, f, contents))
	}
	before := m.shown
	m.shown = next
	for path, list := range next {
		if string(marshal(plain(list))) != string(marshal(plain(before[path]))) {
			h.publish(path)
		}
	}
	for path := range before {
		if len(next[path]) == 0 {
			h.publish(path)
		}
	}
}

func plain(list []shown) []diagnostic {
	out := make([]diagnostic, len(list))
	for i, s := range list {
		out[i] = s.diagnostic
	}
	return out
}

// finding is a diagnostic of one or more environments.
type finding struct {
	model.Diagnostic
	file string
	envs []string
}

// findings are what the reports say, each thing once.
func (m *module) findings() []finding {
	byText := map[string]*finding{}
	var order []*finding
	for _, env := range sortedKeys(m.reports) {
		r := m.reports[env]
		for _, d := range r.Diagnostics.Sort() {
			file := d.Origin.File
			if d.Origin.IsZero() {
				file = r.Main
			}
			key := ""
			if d.Key != nil {
				key = d.Key.String()
			}
			// What counts as the same is what counts so in validate: the hint may differ.
			id := strings.Join([]string{file, d.Origin.String(), string(d.Severity), d.Code, key, d.Path, d.Summary}, "\x00")
			f := byText[id]
			if f == nil {
				f = &finding{Diagnostic: d, file: file}
				byText[id] = f
				order = append(order, f)
			}
			if env != "" && !slices.Contains(f.envs, env) {
				f.envs = append(f.envs, env)
			}
		}
	}
	slices.SortStableFunc(order, func(a, b *finding) int {
		return cmp.Or(strings.Compare(a.file, b.file), cmp.Compare(a.Origin.Line, b.Origin.Line), cmp.Compare(a.Origin.Column, b.Origin.Column))
	})
	out := make([]finding, len(order))
	for i, f := range order {
		out[i] = *f
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// wording is what validate prints of a diagnostic, without the places.
func wording(d model.Diagnostic) string {
	lines := []string{d.Summary}
	for _, s := range []string{d.Detail, d.Hint} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	return strings.Join(lines, "\n")
}

// shown makes a diagnostic for the editor.
func (h *hub) shown(m *module, f finding, contents func(string) *text) shown {
	d := diagnostic{Severity: typeError, Code: f.Code, Source: sourceName, Message: wording(f.Diagnostic)}
	if f.Severity == model.Warning {
		d.Severity = typeWarning
	}
	if !f.Origin.IsZero() {
		known := ""
		if f.Fix != nil && f.Fix.At == f.Origin {
			known = f.Fix.Old
		}
		d.Range = contents(h.paths.join(m.root, f.file)).word(f.Origin.Line, f.Origin.Column, known)
	}
	for _, o := range f.Also {
		path := h.paths.join(m.root, o.File)
		d.Related = append(d.Related, related{location{h.uri(path), contents(path).word(o.Line, o.Column, "")}, "see here"})
	}
	if n := m.reported(); len(f.envs) > 0 && len(f.envs) < n && !inOverlay(f.file, f.envs) {
		d.Message += "\nenvironments: " + strings.Join(f.envs, ", ")
	}
	return shown{d, f.Diagnostic, f.envs}
}

// reported counts the environments of which there is a report.
func (m *module) reported() int {
	n := len(m.reports)
	if _, ok := m.reports[""]; ok {
		n--
	}
	return n
}

// inOverlay reports whether a file says by itself which environment it belongs to.
func inOverlay(file string, envs []string) bool {
	return len(envs) == 1 && strings.Contains("/"+file, "/"+envs[0]+"/")
}

// publish tells the editor what is wrong with a file: what the server found together
// with what the compiler found. A file that cannot be parsed is told of once, by the
// one that names the right line.
func (h *hub) publish(path string) {
	list := []json.RawMessage{}
	broken := false
	for _, m := range h.modules {
		for _, s := range m.shown[path] {
			list = append(list, marshal(s.diagnostic))
			broken = broken || s.Code == "syntax"
		}
	}
	if !broken {
		list = append(list, h.theirs[path]...)
	}
	h.editor.push(notification(methodPublish, map[string]any{"uri": h.uri(path), "diagnostics": list}))
}

// fromTheirs keeps what the server publishes.
func (h *hub) fromTheirs(params json.RawMessage) {
	var p struct {
		URI         string            `json:"uri"`
		Diagnostics []json.RawMessage `json:"diagnostics"`
	}
	path, ok := "", false
	if err := json.Unmarshal(params, &p); err == nil {
		path, ok = h.paths.path(p.URI)
	}
	if !ok {
		h.editor.push(notification(methodPublish, params))
		return
	}
	if len(p.Diagnostics) == 0 {
		delete(h.theirs, path)
	} else {
		h.theirs[path] = p.Diagnostics
	}
	h.publish(path)
}
