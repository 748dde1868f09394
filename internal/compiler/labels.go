package compiler

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"

	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// changedLabels finds the keys that CUE would not keep as they are written: it
// brings them, though not strings, into the composed form of Unicode, and a tenant
// or an attribute would be another one without a word.
func (m *Module) changedLabels(file *ast.File, data []byte) model.Diagnostics {
	if !bytes.Contains(data, []byte(`\`)) && isASCII(data) {
		return nil
	}
	var diags model.Diagnostics
	kept := map[string]string{}
	ast.Walk(file, func(n ast.Node) bool {
		f, ok := n.(*ast.Field)
		if !ok {
			return true
		}
		name, ok := src.LabelName(f.Label)
		if !ok || isASCII([]byte(name)) || isIdent(f.Label) {
			return true
		}
		if _, ok := kept[name]; !ok {
			kept[name] = src.KeptLabel(name)
		}
		if becomes := kept[name]; becomes != name {
			d := m.fileError(file.Filename, "changed-key", "the key %s would become %s", ascii(name), ascii(becomes))
			d.Origin = m.origin(f.Label.Pos())
			d.Detail = "CUE composes the characters of a key; what looks alike is another key"
			d.Hint = fmt.Sprintf("write %s, or (%s) in parentheses to keep it as it is", ascii(becomes), ascii(name))
			diags = append(diags, d)
		}
		return true
	}, nil)
	return diags
}

func isIdent(l ast.Label) bool {
	if a, ok := l.(*ast.Alias); ok {
		_, ok = a.Expr.(*ast.Ident)
		return ok
	}
	_, ok := l.(*ast.Ident)
	return ok
}

func isASCII(data []byte) bool {
	for _, b := range data {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// ascii is a string as CUE reads it, with escapes for what looks alike.
func ascii(s string) string { return short(strconv.QuoteToASCII(s)) }
