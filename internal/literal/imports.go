package literal

import (
	"strings"

	"cuelang.org/go/cue/token"
)

// imported reads an import declaration, and stays on its last token.
func (r *reader) imported() bool {
	whole := span{start: r.now.start}
	r.advance()
	if !r.is(token.LPAREN) {
		whole.end = r.importSpec(whole.start)
		if r.schemaImport.end == whole.end {
			r.schemaImport = whole
		}
		return whole.end > 0
	}
	specs := 0
	for !r.is(token.RPAREN) {
		r.advance()
		if r.is(token.RPAREN) {
			break
		}
		start := r.now.start
		end := r.importSpec(start)
		if end == 0 {
			return false
		}
		specs++
		switch r.next.Token {
		case token.COMMA:
			r.advance()
			if r.schemaImport.end == end {
				r.schemaImport.end = max(end, r.now.end())
			}
		case token.RPAREN:
			r.advance()
		default:
			return false
		}
	}
	if whole.end = r.now.end(); specs == 1 && r.schemaImport.start >= whole.start {
		r.schemaImport = whole
	}
	return true
}

// importSpec reads one import, and stays on its path. It returns the end, or 0.
func (r *reader) importSpec(start int) int {
	name := ""
	if r.is(token.IDENT) {
		name = r.now.text
		r.advance()
	}
	if !r.is(token.STRING) {
		return 0
	}
	r.imports++
	path := r.now.text == `"`+r.schemaPath+`"`
	switch {
	case path && (name == "" || name == schemaName):
		if r.schemaImport.end > 0 {
			return 0 // twice
		}
		r.schemaImport = span{start, r.now.end()}
	case name == schemaName || strings.HasSuffix(r.now.text, schemaName+`"`) || strings.Contains(r.now.text, schemaName+"@"):
		return 0 // another package of that name
	}
	return r.now.end()
}
