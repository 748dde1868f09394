package yamlconfig

import (
	"fmt"
	"regexp"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Lookup finds the value of a variable.
type Lookup func(name string) (value string, ok bool)

// variable is a reference, and what looks like one; $${ stands for ${ itself.
var variable = regexp.MustCompile(`\$?\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\})?`)

// keySuffix is how the names of variables end that hold management keys.
const keySuffix = "MANAGEMENT_KEY"

// onlyVariable is the name of the variable that a text consists of, or "".
func onlyVariable(text string) string {
	m := variable.FindStringSubmatch(text)
	if m == nil || m[0] != text || m[2] != "" || strings.HasPrefix(text, "$$") {
		return ""
	}
	return m[1]
}

// expander puts values in the place of variables. They are data: whatever they hold,
// the result is text, and nothing in them is read as YAML or as a variable.
type expander struct {
	lookup Lookup
	files  map[string]*file
	diags  model.Diagnostics
	used   map[string]model.Origin
}

// expand returns a node with values for its variables. An exported flow is left as it
// is: its scripts may say ${} of their own.
func (e *expander) expand(n *Node) *Node {
	switch n.Kind {
	case Text:
		if !strings.Contains(n.Text, "${") {
			return n
		}
		out := *n
		out.Text = e.text(n)
		return &out
	case List:
		out := *n
		out.Items = make([]*Node, len(n.Items))
		for i, item := range n.Items {
			out.Items[i] = e.expand(item)
		}
		return &out
	case Map:
		out := *n
		out.Fields = make([]Field, len(n.Fields))
		for i, f := range n.Fields {
			if strings.Contains(f.Name, "${") {
				d := mistake(f.At, "variable-in-key", fmt.Sprintf("the key %s holds a variable", quoted(f.Name)))
				d.Detail = "only values have variables"
				e.diags = append(e.diags, d)
			}
			if f.Name != "definition" {
				f.Value = e.expand(f.Value)
			}
			out.Fields[i] = f
		}
		return &out
	default:
		return n
	}
}

func (e *expander) text(n *Node) string {
	return variable.ReplaceAllStringFunc(n.Text, func(ref string) string {
		m := variable.FindStringSubmatch(ref)
		name, fallback := m[1], m[2] != ""
		switch {
		case strings.HasPrefix(ref, "$$"):
			return ref[1:]
		case name == "":
			d := mistake(e.place(n, ref), "variable-syntax", "this is no variable: "+quoted(n.Text))
			d.Detail = "expected: ${NAME} or ${NAME:-value if it is unset}"
			d.Hint = "to have ${ in a text, write $${"
			e.diags = append(e.diags, d)
			return ref
		case strings.HasSuffix(strings.ToUpper(name), keySuffix):
			d := mistake(e.place(n, ref), "secret-variable", fmt.Sprintf("${%s} is a management key, which has no place here", name))
			d.Detail = "values of a configuration are shown and sent to Descope; a key stands under auth: management_key only"
			e.diags = append(e.diags, d)
			return ref
		case strings.Contains(m[3], "${"):
			d := mistake(e.place(n, ref), "variable-syntax", fmt.Sprintf("the default of ${%s} holds a variable", name))
			d.Detail = "a default is text, and ends at the first }"
			d.Hint = fmt.Sprintf("write ${%s} and set %s", name, name)
			e.diags = append(e.diags, d)
			return ref
		}
		value, ok := e.lookup(name)
		switch {
		case fallback && value == "":
			return m[3]
		case ok:
			e.used[name] = e.place(n, ref)
			return value
		}
		d := mistake(e.place(n, ref), "unset-variable", fmt.Sprintf("the variable %s is not set", name))
		d.Detail = fmt.Sprintf("${%s} is taken from the environment and from .env; ${%s:-value} gives it a default", name, name)
		d.Hint = fmt.Sprintf("export %s=…", name)
		e.diags = append(e.diags, d)
		return ref
	})
}

// place is where a reference stands, if that can be told, or the value that holds it.
func (e *expander) place(n *Node, ref string) model.Origin {
	at := n.At
	f := e.files[at.File]
	if f == nil {
		return at
	}
	line := f.line(at.Line)
	if at.Column-1 <= len(line) {
		if i := strings.Index(string(line[at.Column-1:]), ref); i >= 0 {
			at.Column += i
		}
	}
	return at
}
