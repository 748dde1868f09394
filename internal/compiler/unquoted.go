package compiler

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// truth is the bool that a word of other languages stands for, or "".
func truth(word string) string {
	switch strings.ToLower(word) {
	case "true", "yes", "on":
		return "true"
	case "false", "no", "off":
		return "false"
	}
	return ""
}

// bare explains a word that stands for nothing where a value belongs: text without
// quotes, or a yes.
func (x *explainer) bare(g *group, where place, pos token.Pos, d *model.Diagnostic) {
	e, data := x.exprAt(pos), x.contents[pos.Filename()]
	if e == nil || e.End().Offset() > len(data) {
		return
	}
	text := string(data[pos.Offset():e.End().Offset()])
	if !regexp.MustCompile(`^\pL[\pL\d._-]*$`).MatchString(text) {
		return
	}
	for _, w := range x.index.find(g.path...) {
		if list, ok := w.value.(*ast.ListLit); ok && slices.Contains(list.Elts, e) {
			where = x.place(append(slices.Clip(g.path), "0"))
		}
	}
	expected, inQuotes := x.allowed(g, where), literal.String.Quote(text)
	meant := corrected(where, inQuotes)
	switch b := truth(text); {
	case meant != "":
		d.Hint = "did you mean " + meant + "?"
	case expected == onOff || strings.ContainsAny(expected, "{@") || strings.HasPrefix(expected, "a list"):
		d.Detail = "expected: " + expected // which no text is
	case b != "":
		d.Hint = "write " + b + ", or as text " + inQuotes
	default:
		meant = inQuotes
		d.Hint = needsQuotes(text)
	}
	if meant != "" {
		d.Fix = &model.Fix{At: d.Origin, Old: text, New: meant}
	}
}

func needsQuotes(text string) string { return "text needs quotes: " + quoted(text) }

// unquoted explains a syntax error at text without quotes: a value of several words, or
// a key that is no name.
func unquoted(data []byte, d *model.Diagnostic) {
	lines := bytes.Split(data, []byte("\n"))
	n := d.Origin.Line
	if n < 1 || n > len(lines) {
		return
	}
	text, column := unquotedAt(string(lines[n-1]), d.Origin.Column)
	if text == "" && n > 1 { // after "Inc." CUE looks for more in the next line
		n--
		if m := regexp.MustCompile(`:[ \t]*([\pL\d][\pL\d ,.&'-]*\.)[ \t\r]*$`).FindSubmatchIndex(lines[n-1]); m != nil {
			text, column = string(lines[n-1][m[2]:m[3]]), m[2]+1
		}
	}
	if text != "" {
		d.Hint = needsQuotes(text)
		d.Fix = &model.Fix{At: model.Origin{File: d.Origin.File, Line: n, Column: column}, Old: text, New: literal.String.Quote(text)}
	}
}

// unquotedAt finds the text without quotes around a column of a line, and the column
// where it begins.
func unquotedAt(line string, column int) (text string, start int) {
	words := regexp.MustCompile(`https?://[^\s,\]}"]+|[\pL\d][\pL\d._@/&'-]*( +[\pL\d&][\pL\d._@/&'-]*)*`)
	name := regexp.MustCompile(`^[\pL_$][\pL\d_$]*$|^[^\pL]*$|^(for|if|let) `)
	for _, m := range words.FindAllStringIndex(line, -1) {
		text, before, after := line[m[0]:m[1]], strings.TrimSpace(line[:m[0]]), strings.TrimSpace(line[m[1]:])
		if m[0] >= column || column > m[1]+1 || name.MatchString(text) {
			continue
		}
		isKey := strings.HasPrefix(after, ":") && !strings.Contains(text, " ") && (before == "" || strings.ContainsAny(before[len(before)-1:], ":{,"))
		isValue := before != "" && strings.ContainsAny(before[len(before)-1:], ":[,") && (after == "" || strings.ContainsAny(after[:1], ",]}/"))
		if isKey || isValue {
			return text, m[0] + 1
		}
	}
	return "", 0
}
