package compiler

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue/scanner"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Limits on the text of one file, far above any configuration and far below
// what the recursive parser and evaluator of CUE survive.
const (
	maxNesting        = 256
	maxOpenTokens     = 20_000
	maxBracketsWithAt = 1 << 20 // attributes are scanned recursively
	maxExponent       = 99_999  // beyond, CUE reads 1e999999999 as 1
)

// scan looks at the text of a file before CUE does: it finds the package
// clause, and refuses what would overflow the stack of the parser, which no
// program survives.
func (m *Module) scan(s *source) *model.Diagnostic {
	if at := invalidUTF8(s.data); at >= 0 {
		d := m.fileError(s.path, "not-utf8", "%s is not UTF-8: byte %#x", m.rel(s.path), s.data[at])
		d.Origin.Line = 1 + bytes.Count(s.data[:at], []byte("\n"))
		d.Origin.Column = at - bytes.LastIndexByte(s.data[:at], '\n')
		d.Detail = "expected: UTF-8 text"
		d.Hint = "convert the file, for example with iconv -t UTF-8"
		return &d
	}
	if bytes.IndexByte(s.data, '@') >= 0 && countBrackets(s.data) > maxBracketsWithAt {
		d := m.fileError(s.path, "beyond-limits", "%s has attributes and more than %d brackets", m.rel(s.path), maxBracketsWithAt)
		d.Hint = "split the file"
		return &d
	}
	file := token.NewFile(s.path, -1, len(s.data))
	n := nesting{stack: []level{{closer: token.EOF}}}
	n.scanner.Init(file, s.data, nil, 0)
	pos, problem := n.run(s)
	s.pkgAt = m.origin(n.clauseAt)
	if problem == "" {
		return nil
	}
	d := m.fileError(s.path, "beyond-limits", "%s", problem)
	d.Origin = m.origin(pos)
	d.Detail = fmt.Sprintf("allowed: %d levels, %d words in one value, exponents up to %d", maxNesting, maxOpenTokens, maxExponent)
	return &d
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	i := 0
	for {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
}

func countBrackets(data []byte) int {
	return bytes.Count(data, []byte("(")) + bytes.Count(data, []byte("[")) + bytes.Count(data, []byte("{"))
}

// nesting measures how deep the brackets and the chains of fields (a: b: c:) of
// a file go, and how many words are unfinished at a time. Both bound the
// recursion of whatever walks the syntax later.
type nesting struct {
	scanner scanner.Scanner
	stack   []level
	depth   int // brackets and colons that are open
	open    int // tokens of the unfinished items of all levels
	// clauseAt is where the package is named.
	clauseAt token.Pos
}

// level is an open bracket; the first one is the file.
type level struct {
	closer        token.Token
	interpolation bool
	colons        int // in the current item
	tokens        int // in the current item
}

// run scans to the end, or to the first place that goes too far. It notes the
// package clause, which may come after attributes only.
func (n *nesting) run(s *source) (token.Pos, string) {
	interpolation, preamble, clause := false, true, false
	for {
		pos, tok, lit := n.scanner.Scan()
		top := &n.stack[len(n.stack)-1]
		top.tokens++
		n.open++
		if clause && tok == token.IDENT {
			s.pkg, n.clauseAt = lit, pos
		}
		clause = preamble && tok == token.IDENT && lit == "package"
		preamble = preamble && (tok == token.ATTRIBUTE || tok == token.COMMA)
		switch tok {
		case token.EOF:
			return token.NoPos, ""
		case token.COMMA:
			n.finish(top)
		case token.COLON:
			top.colons++
			n.depth++
		case token.INTERPOLATION:
			interpolation = true
		case token.LPAREN:
			n.push(level{closer: token.RPAREN, interpolation: interpolation})
			interpolation = false
		case token.LBRACK:
			n.push(level{closer: token.RBRACK})
		case token.LBRACE:
			n.push(level{closer: token.RBRACE})
		case token.FLOAT:
			if hugeExponent(lit) {
				return pos, "the number " + short(lit) + " is too large or too small"
			}
		case top.closer:
			interpolation = n.pop()
		default:
		}
		switch {
		case n.depth > maxNesting:
			return pos, fmt.Sprintf("values are nested more than %d levels deep", maxNesting)
		case n.open > maxOpenTokens:
			return pos, fmt.Sprintf("a value is more than %d words long", maxOpenTokens)
		}
	}
}

func hugeExponent(number string) bool {
	i := strings.IndexAny(number, "eE")
	if i < 0 {
		return false
	}
	exponent, err := strconv.Atoi(strings.ReplaceAll(number[i+1:], "_", ""))
	return err != nil || exponent > maxExponent || exponent < -maxExponent
}

func (n *nesting) push(l level) {
	n.stack = append(n.stack, l)
	n.depth++
}

// pop closes the innermost bracket. It reports whether a string goes on with
// another interpolation.
func (n *nesting) pop() bool {
	top := n.stack[len(n.stack)-1]
	n.finish(&top)
	n.depth--
	n.stack = n.stack[:len(n.stack)-1]
	return top.interpolation && strings.HasSuffix(n.scanner.ResumeInterpolation(), "(")
}

// finish starts the next item of a level.
func (n *nesting) finish(l *level) {
	n.depth -= l.colons
	n.open -= l.tokens
	l.colons, l.tokens = 0, 0
}
