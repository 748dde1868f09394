package literal

import (
	"encoding/json"
	"strings"

	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// maxDigits keeps whole numbers within what needs no second thought.
const maxDigits = 15

// value reads the value of a field, and goes past it.
func (r *reader) value(f *field) (end int, ok bool) {
	if r.is(token.LBRACK) {
		return r.list(f)
	}
	f.preset = r.accept(token.MUL)
	kind := ""
	switch r.now.Token {
	case token.STRING:
		s, plain := r.unquote()
		if !plain {
			return 0, false
		}
		f.value, kind = r.intern(s), "string"
	case token.INT:
		n := r.now.text
		if len(n) > maxDigits || strings.Trim(n, "0123456789") != "" {
			return 0, false
		}
		f.value, kind = json.Number(r.intern(n)), "int"
	case token.TRUE, token.FALSE:
		f.value, kind = r.is(token.TRUE), "bool"
	case token.NULL:
	default:
		return 0, false
	}
	end = r.now.end()
	r.advance()
	if !f.preset {
		return end, true
	}
	if !r.accept(token.OR) || !r.is(token.IDENT) || r.now.text != kind && (kind != "int" || r.now.text != "number") {
		return 0, false
	}
	end = r.now.end()
	r.advance()
	return end, true
}

// list reads a list of texts, and goes past it.
func (r *reader) list(f *field) (end int, ok bool) {
	list := []any{}
	r.advance()
	for !r.is(token.RBRACK) {
		s, ok := r.unquote()
		if !ok {
			return 0, false
		}
		list = append(list, r.intern(s))
		r.advance()
		if !r.accept(token.COMMA) && !r.is(token.RBRACK) {
			return 0, false
		}
	}
	f.value = list
	end = r.now.end()
	r.advance()
	return end, true
}

// unquote is the text of the current token, if it is one in plain quotes.
func (r *reader) unquote() (string, bool) {
	s := r.now.text
	if !r.is(token.STRING) || len(s) < 2 || s[0] != '"' || strings.HasPrefix(s, `"""`) {
		return "", false
	}
	if !strings.Contains(s, `\`) {
		return s[1 : len(s)-1], true
	}
	if strings.Contains(s, `\u`) || strings.Contains(s, `\U`) {
		return "", false
	}
	text, err := literal.Unquote(s)
	return text, err == nil
}
