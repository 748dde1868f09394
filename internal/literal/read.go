package literal

import (
	"bytes"
	"slices"

	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Names with a meaning of their own in a configuration.
const (
	tenants    = "tenants"
	schemaName = "schema"
)

// reader reads one file. What it does not understand below a tenant makes that
// piece not literal; what it does not understand elsewhere, the file opaque.
type reader struct {
	*lexer
	*File
	schemaPath string
	// lines are counted up to the offset counted.
	line               int32
	lineStart, counted int
	// fields are those of the tenant that is being read.
	fields []field
	// texts are strings that come again and again, once each.
	texts map[string]string
	// labels are those of fields, by the field above and the name.
	labels map[string]map[string]*label
}

// Read takes a file apart. name is what its positions are reported with,
// schemaPath the import path of the schema.
func Read(name string, text []byte, schemaPath string) *File {
	r := &reader{
		lexer:      newLexer(name, text),
		File:       &File{name: name, text: text, refers: map[string]bool{}},
		schemaPath: schemaPath, line: 1,
		texts: map[string]string{}, labels: map[string]map[string]*label{},
	}
	r.advance()
	understood := r.file()
	r.opaque = r.opaque || !understood || r.failed()
	return r.File
}

// advance goes to the next token, and notes what the file refers to.
func (r *reader) advance() {
	before := r.now
	r.now = r.next
	if r.now.Token != token.EOF {
		r.scan()
	}
	if r.now.Token != token.IDENT {
		return
	}
	switch r.next.Token {
	case token.COLON, token.OPTION, token.NOT, token.BIND, token.TILDE:
		// Where a name means something else than usual, all bets are off.
		r.opaque = r.opaque || r.now.text == schemaName || isType(r.now.text)
		return
	case token.PERIOD:
		if r.now.text == schemaName && before.Token != token.PERIOD {
			r.schemaUses++
		}
	default:
	}
	r.refers[r.intern(r.now.text)] = true
}

// isType tells the predeclared types that may stand beside a default.
func isType(name string) bool {
	return name == "string" || name == "int" || name == "number" || name == "bool"
}

func (r *reader) intern(s string) string {
	if t, ok := r.texts[s]; ok {
		return t
	}
	r.texts[s] = s
	return s
}

// at is the position of the current token. Positions are asked for in the order
// of the text.
func (r *reader) at() place {
	between := r.text[r.counted:r.now.start]
	if n := bytes.Count(between, []byte{'\n'}); n > 0 {
		r.line += int32(n) //nolint:gosec // files are small
		r.lineStart = r.counted + bytes.LastIndexByte(between, '\n') + 1
	}
	r.counted = r.now.start
	return place{r.line, int32(r.now.start - r.lineStart + 1)} //nolint:gosec // as above
}

func (r *reader) is(t token.Token) bool { return r.now.Token == t }

// accept goes past a token if it is the current one.
func (r *reader) accept(t token.Token) bool {
	if !r.is(t) {
		return false
	}
	r.advance()
	return true
}

// word accepts a name.
func (r *reader) word(name string) bool {
	if !r.is(token.IDENT) || r.now.text != name {
		return false
	}
	r.advance()
	return true
}

// isLabel reports whether a field begins here whose name can be told.
func (r *reader) isLabel() bool {
	return (r.is(token.IDENT) || r.is(token.STRING)) && r.next.Token == token.COLON
}

// separated goes past the comma between two declarations. One that is written
// belongs to what is before it; end is its end then. Two in a row are a mistake.
func (r *reader) separated(end *int) bool {
	if !r.is(token.COMMA) {
		return r.is(token.EOF) || r.is(token.RBRACE)
	}
	*end = max(*end, r.now.end())
	r.advance()
	return !r.is(token.COMMA)
}

func (r *reader) file() bool {
	for r.is(token.ATTRIBUTE) {
		if r.now.text != "@extern(embed)" {
			return false // it might change what the language means
		}
		r.advance()
		if end := 0; !r.separated(&end) {
			return false
		}
	}
	if !r.word("package") || !r.is(token.IDENT) {
		return false
	}
	r.pkg = r.now.text
	for {
		r.advance()
		if end := 0; !r.separated(&end) {
			return false
		}
		if !r.is(token.IDENT) || r.now.text != "import" || r.next.Token == token.COLON {
			break
		}
		if !r.imported() {
			return false
		}
	}
	for !r.is(token.EOF) {
		start := r.now.start
		switch {
		case r.is(token.LET):
			r.others++
			r.lets = true
			r.skip(0)
		case !r.isLabel():
			return false // an embedding, a comprehension, a pattern
		case r.label() == tenants:
			d := declaration{span: span{start: start}}
			r.advance()
			if !r.tenants(&d) {
				return false
			}
			if !r.separated(&d.end) {
				return false
			}
			r.declares = append(r.declares, d)
			continue
		default:
			r.others++
			isFlows, uses := r.label() == "flows", r.schemaUses
			r.skip(0)
			end := r.now.start
			if !r.separated(&end) {
				return false
			}
			if isFlows {
				r.flows = append(r.flows, span{start, end})
				r.flowUses += r.schemaUses - uses
			}
			continue
		}
		if end := 0; !r.separated(&end) {
			return false
		}
	}
	return true
}

// skip goes to the comma or bracket that ends a declaration which began with
// depth open brackets.
func (r *reader) skip(depth int) {
	for !r.is(token.EOF) && r.now.depth >= depth && (r.now.depth > depth || !r.is(token.COMMA)) {
		r.advance()
	}
}

// label is the name that a field begins with; "" is none that would count.
func (r *reader) label() string {
	if r.is(token.IDENT) {
		if s := r.now.text; s[0] != '_' && s[0] != '#' && isPlain(s) {
			return s
		}
		return ""
	}
	s, ok := r.unquote()
	if !ok || !isPlain(s) {
		return ""
	}
	return s
}

// isPlain reports whether CUE keeps a label as it is written.
func isPlain(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(b byte) bool { return b < ' ' || b >= 0x7f })
}

// tenants reads the value of the field "tenants": the current token is the colon.
func (r *reader) tenants(d *declaration) bool {
	r.advance()
	if r.isLabel() {
		end := 0
		if !r.tenant(d, d.start, &end) {
			return false
		}
		d.end = end
		return true
	}
	for {
		switch {
		case r.is(token.LBRACE):
			if !r.members(d) {
				return false
			}
		case r.word(schemaName):
			if !r.accept(token.PERIOD) || !r.is(token.IDENT) || r.now.text != "#Tenants" {
				return false
			}
			d.more = true
		default:
			return false
		}
		d.end = r.now.end()
		r.advance()
		if !r.accept(token.AND) {
			return r.is(token.COMMA) || r.is(token.EOF)
		}
	}
}

// members reads the tenants in braces, and stays on the closing one.
func (r *reader) members(d *declaration) bool {
	depth := r.now.depth
	r.advance()
	for !r.is(token.RBRACE) {
		switch {
		case r.is(token.LET):
			r.lets = true
			fallthrough
		case r.isLabel() && r.is(token.IDENT) && (r.now.text[0] == '_' || r.now.text[0] == '#'):
			d.more = true
			r.skip(depth + 1)
			if end := 0; !r.separated(&end) {
				return false
			}
		case r.isLabel():
			end := 0
			if !r.tenant(d, r.now.start, &end) || !r.separated(&end) {
				return false
			}
			d.pieces[len(d.pieces)-1].end = end
		default:
			return false // it may bear on every tenant
		}
		if r.is(token.EOF) {
			return false
		}
	}
	return r.now.depth == depth
}

// tenant reads what a field says about one tenant, whose name is the current
// token; start is where the text about it begins.
func (r *reader) tenant(d *declaration, start int, end *int) bool {
	p := piece{span: span{start: start}, plain: r.is(token.IDENT), at: r.at(), id: r.label()}
	if p.id == "" {
		return false // its name cannot be told
	}
	depth, uses := r.now.depth, r.schemaUses
	r.advance()
	r.advance()
	r.fields = r.fields[:0]
	last, ok := r.tenantValue()
	p.literal = ok && (r.is(token.COMMA) || r.is(token.EOF) || r.is(token.RBRACE) && r.now.depth < depth)
	if p.literal {
		p.fields = slices.Clone(r.fields)
	} else {
		r.skip(depth)
		last = r.now.start
	}
	p.end, *end = last, last
	p.schemaUses = r.schemaUses - uses
	d.pieces = append(d.pieces, p)
	return true
}

// tenantValue reads {...}, schema.#Tenant, both with & between them, or one
// field without braces. It returns the end.
func (r *reader) tenantValue() (end int, ok bool) {
	if r.isLabel() {
		return r.field("")
	}
	for {
		switch {
		case r.is(token.LBRACE):
			if end, ok = r.braces(""); !ok {
				return end, false
			}
		case r.word(schemaName):
			if !r.accept(token.PERIOD) || !r.is(token.IDENT) || r.now.text != "#Tenant" {
				return 0, false
			}
			end = r.now.end()
			r.advance()
		default:
			return 0, false
		}
		if !r.accept(token.AND) {
			return end, true
		}
	}
}

// braces reads fields in braces.
func (r *reader) braces(above string) (end int, ok bool) {
	r.advance()
	for !r.is(token.RBRACE) {
		if !r.isLabel() {
			return 0, false
		}
		if _, ok := r.field(above); !ok {
			return 0, false
		}
		if unused := 0; !r.separated(&unused) || r.is(token.EOF) {
			return 0, false
		}
	}
	end = r.now.end()
	r.advance()
	return end, true
}

func (r *reader) labelOf(above, name string) *label {
	byName := r.labels[above]
	if byName == nil {
		byName = map[string]*label{}
		r.labels[above] = byName
	}
	l := byName[name]
	if l == nil {
		l = &label{name: name, path: model.JoinPath(name)}
		if above != "" {
			l.path = model.JoinPath(above, name)
		}
		byName[name] = l
	}
	return l
}

// field reads a field of a tenant, or of one of its fields above.
func (r *reader) field(above string) (end int, ok bool) {
	f := field{at: r.at(), below: above != ""}
	name := r.label()
	if name == "" {
		return 0, false
	}
	f.label = r.labelOf(above, name)
	r.advance()
	r.advance()
	if above == "" && (f.name == "custom_attributes" || f.name == "lifecycle") {
		f.nested = true
		r.fields = append(r.fields, f)
		switch {
		case r.is(token.LBRACE):
			return r.braces(f.name)
		case r.isLabel():
			return r.field(f.name)
		}
		return 0, false
	}
	end, ok = r.value(&f)
	r.fields = append(r.fields, f)
	return end, ok && allows(above, f.name, f.value)
}
