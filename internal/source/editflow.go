package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// A flow's document is one value that no overlay can change: CUE would merge two of
// them. So an environment with a document of its own has a file of its own, and the
// shared declaration gets a condition that leaves the environment out.

const (
	definitionField = "definition"
	externEmbed     = "@extern(embed)"
)

// definition gives a flow another document in the environment.
func (e *editor) definition(edit Edit) {
	doc, ok := edit.Value.(map[string]any)
	if edit.Absent || !ok {
		e.refuse(edit, place{}, "not-removable", "a flow is not without its document")
		return
	}
	places, suspects := e.find([]string{model.Spec(edit.Key.Kind).Field, edit.Key.ID, definitionField})
	var own, shared []place
	for _, p := range places {
		c, conditional := p.via.node.(*ast.Comprehension)
		switch {
		case p.file.layer == other:
		case p.via.kind == "" && p.file.layer == overlay:
			own = append(own, p)
		case p.via.kind == "" && p.file.layer == base:
			shared = append(shared, p)
		case conditional && p.file.layer == base:
			if names, ok := leftOut(c); ok && slices.Contains(names, e.env) {
				continue // it is not for this environment
			} else if ok {
				shared = append(shared, p)
				continue
			}
			suspects = append(suspects, p)
		default:
			suspects = append(suspects, p)
		}
	}
	for _, p := range suspects {
		if p.file.layer != other && !p.via.maybe {
			e.refuse(edit, p, "computed", "the document comes from %s", p.via.kind)
			return
		}
	}
	switch {
	case len(own) > 0:
		e.document(edit, own[0], doc)
	case len(shared) > 0 && e.alone(edit.Key):
		e.document(edit, shared[0], doc)
	default:
		for _, p := range shared {
			e.leaveOut(edit, p)
		}
		e.ownDocument(edit.Key, doc, nil)
	}
}

// alone reports whether no other environment has a resource.
func (e *editor) alone(key model.Key) bool {
	if len(e.o.Environments) == 1 {
		return true
	}
	for _, p := range e.enabledIn(key) {
		if list, ok := listOf(e.classify(p)); ok && len(list) == 1 && list[0] == any(e.env) {
			return true
		}
	}
	return false
}

// document replaces the document that a place has: the file that it embeds, if nothing
// else does, or what is written out.
func (e *editor) document(edit Edit, p place, doc map[string]any) {
	file, attr := embedOf(p)
	switch {
	case attr == nil:
		if _, ok := valueOf(p.value); !ok {
			e.refuse(edit, p, "computed", "the document is not written out")
			return
		}
		p.file.splice(start(p.value), p.file.end(p.value), text(doc, p.file.indent(start(p.value))))
	case file == "" || path.Ext(file) != ".json":
		e.refuse(edit, p, "computed", "the document is embedded from something else than one JSON file")
	case e.embeds(file) == 1:
		e.out.Files[file] = documentText(doc)
	default: // others have it, too
		name := e.documentFile(path.Dir(p.file.path), edit.Key)
		e.out.Files[path.Join(path.Dir(p.file.path), name)] = documentText(doc)
		p.file.splice(offset(attr.Pos()), offset(attr.End()), embedText(name))
	}
}

// ownDocument gives the environment a file of its own for a flow, with what else its
// declaration says.
func (e *editor) ownDocument(key model.Key, doc map[string]any, fields map[string]any) {
	f := e.embeddingFile()
	name := e.documentFile(path.Dir(f.path), key)
	e.out.Files[path.Join(path.Dir(f.path), name)] = documentText(doc)
	d := e.declaration(f, key)
	d.fields = append(d.fields, appendedField{[]string{definitionField}, raw("_ " + embedText(name))})
	for field, v := range fields {
		if field != definitionField {
			d.fields = append(d.fields, appendedField{[]string{field}, v})
		}
	}
}

// raw is a value that is text of CUE already.
type raw string

func embedText(file string) string { return "@embed(file=" + file + ")" }

// documentText is a document as flow export writes it.
func documentText(doc map[string]any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		panic("source: " + err.Error()) // a normalised value can be written
	}
	return b.Bytes()
}

// documentFile is the name of a file for a flow, as seen from a directory, that is not
// there yet.
func (e *editor) documentFile(dir string, key model.Key) string {
	safe := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, key.ID)
	for i := 1; ; i++ {
		name := "flows/" + safe + ".json"
		if i > 1 {
			name = fmt.Sprintf("flows/%s-%d.json", safe, i)
		}
		full := path.Join(dir, name)
		_, made := e.out.Files[full]
		if !made && (e.o.Exists == nil || !e.o.Exists(full)) {
			return name
		}
	}
}

// embeddingFile is a file of the environment that may embed others.
func (e *editor) embeddingFile() *editedFile {
	name := envsDir + "/" + e.env + "/flows.cue"
	var named *editedFile
	for _, f := range e.files {
		if f.layer != overlay {
			continue
		}
		if f.embeds() {
			return f
		}
		if f.path == name {
			named = f
		}
	}
	if named == nil {
		return e.newFile(name, externEmbed+"\n\n")
	}
	at := 0
	if bytes.HasPrefix(named.src, []byte("\ufeff")) {
		at = len("\ufeff")
	}
	named.splice(at, at, externEmbed+"\n\n")
	return named
}

// embeds reports whether @embed counts in a file.
func (f *editedFile) embeds() bool {
	return slices.ContainsFunc(f.ast.Decls, func(d ast.Decl) bool {
		a, ok := d.(*ast.Attribute)
		return ok && strings.ReplaceAll(a.Text, " ", "") == externEmbed
	})
}

// embedOf is the file that a field embeds, relative to the module, and the attribute
// that says so. The file is "" if it is not one that is named.
func embedOf(p place) (file string, attr *ast.Attribute) {
	for _, a := range p.field().Attrs {
		name, body := a.Split()
		if name != "embed" {
			continue
		}
		for part := range strings.SplitSeq(body, ",") {
			k, v, _ := strings.Cut(part, "=")
			if strings.TrimSpace(k) != "file" {
				return "", a
			}
			v = strings.TrimSpace(v)
			if unquoted, err := literal.Unquote(v); err == nil {
				v = unquoted
			}
			file = path.Join(path.Dir(p.file.path), v)
		}
		return file, a
	}
	return "", nil
}

// embeds counts the fields of all environments that embed a file.
func (e *editor) embeds(file string) int {
	n := 0
	for _, f := range e.files {
		ast.Walk(f.ast, func(node ast.Node) bool {
			if d, ok := node.(*ast.Field); ok && len(d.Attrs) > 0 {
				if name, attr := embedOf(place{file: f, chain: []link{{d, nil}}}); attr != nil && (name == file || name == "") {
					n++
				}
			}
			return true
		}, nil)
	}
	return n
}

// leaveOut gives a shared document a condition that leaves the environment out.
func (e *editor) leaveOut(edit Edit, p place) {
	why := fmt.Sprintf("%s has a document of its own, which CUE would merge with this one", e.env)
	not := "environment.name != " + strconv.Quote(e.env)
	if c, ok := p.via.node.(*ast.Comprehension); ok {
		at := p.file.end(c.Clauses[0].(*ast.IfClause).Condition)
		e.editBase(edit, p.file, at, why, splice{at, at, " && " + not})
		return
	}
	d := p.field()
	open, closing := "if "+not+" {", "}"
	if in := p.chain[len(p.chain)-1].in; in == nil || !in.Lbrace.IsValid() {
		open, closing = "{"+open, closing+"}"
	}
	from, to := start(d), p.file.end(d)
	e.editBase(edit, p.file, from, why, splice{from, from, open}, splice{to, to, closing})
}

// leftOut are the environments that a condition leaves out, if that is all it does.
func leftOut(c *ast.Comprehension) (names []string, ok bool) {
	if len(c.Clauses) != 1 {
		return nil, false
	}
	clause, ok := c.Clauses[0].(*ast.IfClause)
	if !ok {
		return nil, false
	}
	var walk func(x ast.Expr) bool
	walk = func(x ast.Expr) bool {
		b, ok := x.(*ast.BinaryExpr)
		if !ok {
			return false
		}
		if b.Op == token.LAND {
			return walk(b.X) && walk(b.Y)
		}
		s, isSelector := b.X.(*ast.SelectorExpr)
		lit, isLiteral := b.Y.(*ast.BasicLit)
		if b.Op != token.NEQ || !isSelector || !isLiteral {
			return false
		}
		id, isIdent := s.X.(*ast.Ident)
		sel, named := labelName(s.Sel)
		name, err := literal.Unquote(lit.Value)
		names = append(names, name)
		return isIdent && named && id.Name == "environment" && sel == "name" && err == nil
	}
	return names, walk(clause.Condition)
}
