package literal

import (
	"strings"

	"cuelang.org/go/cue/scanner"
	"cuelang.org/go/cue/token"
)

// lexeme is a token with its place in the text.
type lexeme struct {
	token.Token
	text  string // of what has one: names, literals, commas ("," or "\n")
	start int    // offset of the first byte
	// depth is how many brackets are open around it; a bracket is not inside itself.
	depth int
}

// end is the offset behind a token that is a literal, a name, a comma that is
// written, or a single character.
func (l lexeme) end() int {
	switch {
	case l.Token == token.COMMA && l.text == "\n":
		return l.start
	case l.text != "":
		return l.start + len(l.text)
	default:
		return l.start + 1
	}
}

// lexer splits a text into tokens, interpolations included. It keeps one token
// of look-ahead, which tells a label from a reference.
type lexer struct {
	scanner scanner.Scanner
	now     lexeme
	next    lexeme
	open    []bool // brackets around next, and whether they are an interpolation's
	resumes bool   // the next parenthesis is an interpolation's
}

func newLexer(name string, text []byte) *lexer {
	l := &lexer{}
	l.scanner.Init(token.NewFile(name, -1, len(text)), text, nil, 0)
	l.scan()
	return l
}

func (l *lexer) scan() {
	pos, tok, text := l.scanner.Scan()
	l.next = lexeme{Token: tok, text: text, start: pos.Offset(), depth: len(l.open)}
	switch tok {
	case token.INTERPOLATION:
		l.resumes = true
	case token.LPAREN:
		l.open = append(l.open, l.resumes)
		l.resumes = false
	case token.LBRACK, token.LBRACE:
		l.open = append(l.open, false)
	case token.RPAREN, token.RBRACK, token.RBRACE:
		if len(l.open) == 0 {
			l.scanner.ErrorCount++ // for the parser to explain
			return
		}
		interpolation := l.open[len(l.open)-1]
		l.open = l.open[:len(l.open)-1]
		l.next.depth = len(l.open)
		if interpolation {
			l.resumes = strings.HasSuffix(l.scanner.ResumeInterpolation(), "(")
		}
	default:
	}
}

// failed reports whether the text so far has a mistake that the scanner sees.
func (l *lexer) failed() bool { return l.scanner.ErrorCount > 0 }
