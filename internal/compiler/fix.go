package compiler

import (
	"path/filepath"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/scanner"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// maxFixTokens bounds how far from the origin of a mistake its word is looked for.
const maxFixTokens = 200

// rename lets a diagnostic know the name or string that was meant: it stands in the
// declaration that the diagnostic is about. Without one that was meant, or where the
// word is not written there, nothing is known.
func (l *loaded) rename(d *model.Diagnostic, from, to string) {
	if to == "" || to == from {
		return
	}
	l.replace(d, from, func(tok token.Token) string {
		label := ast.Node(src.Label(to))
		if tok == token.STRING {
			label = src.Quoted(to)
		}
		text, err := format.Node(label)
		if err != nil {
			return ""
		}
		return string(text)
	})
}

// rewrite is rename of a value, both written as in CUE.
func (l *loaded) rewrite(d *model.Diagnostic, from, to string) {
	word, err := unquoteCUE(from)
	if err != nil {
		word = from
	}
	if to != "" {
		l.replace(d, word, func(token.Token) string { return to })
	}
}

// replace looks for a word from the origin of a diagnostic to the end of the
// declaration there.
func (l *loaded) replace(d *model.Diagnostic, word string, by func(token.Token) string) {
	if l.module.yaml != nil || d.Origin.IsZero() {
		return
	}
	data, ok := l.contents[filepath.Join(l.module.root, filepath.FromSlash(d.Origin.File))]
	if !ok {
		return
	}
	start := 0
	for line := 1; line < d.Origin.Line; line++ {
		for start < len(data) && data[start] != '\n' {
			start++
		}
		start++
	}
	if start += d.Origin.Column - 1; start >= len(data) {
		return
	}
	file := token.NewFile(d.Origin.File, -1, len(data)-start)
	var s scanner.Scanner
	s.Init(file, data[start:], func(token.Pos, string, []any) {}, 0)
	for depth, n := 0, 0; n < maxFixTokens; n++ {
		pos, tok, text := s.Scan()
		switch tok {
		case token.LBRACE, token.LBRACK, token.LPAREN:
			depth++
		case token.RBRACE, token.RBRACK, token.RPAREN:
			depth--
		case token.EOF:
			return
		case token.COMMA:
			if depth <= 0 {
				return
			}
		default:
		}
		if depth < 0 || !says(tok, text, word) {
			continue
		}
		at := pos.Position()
		fix := model.Fix{At: model.Origin{File: d.Origin.File, Line: d.Origin.Line + at.Line - 1, Column: at.Column}, Old: text, New: by(tok)}
		if at.Line == 1 {
			fix.At.Column += d.Origin.Column - 1
		}
		if fix.New != "" {
			d.Fix = &fix
		}
		return
	}
}

// says reports whether a token is a word: a name as it stands, a string by what it
// holds.
func says(tok token.Token, text, word string) bool {
	switch tok {
	case token.IDENT, token.INT, token.FLOAT, token.TRUE, token.FALSE, token.NULL:
		return text == word
	case token.STRING:
		if len(text) >= 6 && text[:3] == `"""` {
			return false
		}
		s, err := literal.Unquote(text)
		return err == nil && s == word
	default:
		return false
	}
}

// importFix adds an import below the package clause of a file.
func (l *loaded) importFix(path, pkg string) *model.Fix {
	for _, s := range l.sources {
		if s.path == path && s.pkg != "" && l.module.yaml == nil {
			return &model.Fix{At: s.pkgAt, Old: s.pkg, New: s.pkg + "\n\nimport " + literal.String.Quote(pkg)}
		}
	}
	return nil
}
