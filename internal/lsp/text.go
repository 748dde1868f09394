package lsp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text is the contents of a file, with the beginnings of its lines.
type text struct {
	data  []byte
	lines []int
}

func newText(data []byte) *text {
	t := &text{data: data, lines: []int{0}}
	for i, b := range data {
		if b == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// line is the text of a line, counted from 0, without its end.
func (t *text) line(n int) []byte {
	if n < 0 || n >= len(t.lines) {
		return nil
	}
	end := len(t.data)
	if n+1 < len(t.lines) {
		end = t.lines[n+1] - 1
	}
	return bytes.TrimSuffix(t.data[t.lines[n]:end], []byte("\r"))
}

// at is the position of a line and a column of bytes, both counted from 1 as in
// origins.
func (t *text) at(line, column int) position {
	if line < 1 {
		return position{}
	}
	text := t.line(line - 1)
	return position{Line: line - 1, Character: units(text[:max(0, min(column-1, len(text)))])}
}

// position is that of an offset.
func (t *text) position(offset int) position {
	line := 0
	for high := len(t.lines); high-line > 1; {
		if mid := (line + high) / 2; t.lines[mid] <= offset {
			line = mid
		} else {
			high = mid
		}
	}
	return position{Line: line, Character: units(t.data[t.lines[line]:offset])}
}

// offset is that of a position; one behind the end of a line is its end.
func (t *text) offset(p position) int {
	if p.Line < 0 {
		return 0
	}
	if p.Line >= len(t.lines) {
		return len(t.data)
	}
	at, line := t.lines[p.Line], t.line(p.Line)
	for n := 0; n < p.Character && len(line) > 0; {
		r, size := utf8.DecodeRune(line)
		n += width(r)
		if n > p.Character {
			break // in the middle of a pair
		}
		at, line = at+size, line[size:]
	}
	return at
}

// units is the length of a text in UTF-16.
func units(b []byte) int {
	n := 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		n, b = n+width(r), b[size:]
	}
	return n
}

func width(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// word is the span of what stands at a place, for people to see: a string, a name or
// number, else one character.
func (t *text) word(line, column int, known string) span {
	start := t.at(line, column)
	text := t.line(line - 1)
	text = text[max(0, min(column-1, len(text))):]
	n := 0
	switch {
	case known != "" && bytes.HasPrefix(text, []byte(known)):
		n = len(known)
	case len(text) > 0 && text[0] == '"':
		n = quotedLength(text)
	default:
		for n < len(text) {
			r, size := utf8.DecodeRune(text[n:])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_$#.-", r) {
				break
			}
			n += size
		}
		if _, size := utf8.DecodeRune(text); n == 0 && len(text) > 0 {
			n = size
		}
	}
	return span{start, position{start.Line, start.Character + units(text[:n])}}
}

// quotedLength is the length of the string that a line begins with.
func quotedLength(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// document is a file that is open in the editor.
type document struct {
	uri      string
	language string
	version  json.RawMessage
	text     *text
}

// contentChange replaces a span, or all where there is none.
type contentChange struct {
	Range *span  `json:"range"`
	Text  string `json:"text"`
}

// change applies the changes of an editor, one after the other.
func (d *document) change(changes []contentChange) error {
	for _, c := range changes {
		if c.Range == nil {
			d.text = newText([]byte(c.Text))
			continue
		}
		from, to := d.text.offset(c.Range.Start), d.text.offset(c.Range.End)
		if from > to {
			return fmt.Errorf("a change from %v to %v", c.Range.Start, c.Range.End)
		}
		d.text = newText(bytes.Join([][]byte{d.text.data[:from], []byte(c.Text), d.text.data[to:]}, nil))
	}
	return nil
}

// difference is the edit that makes one text of another.
func difference(before *text, after []byte) textEdit {
	old := before.data
	start := 0
	for start < min(len(old), len(after)) && old[start] == after[start] {
		start++
	}
	for start > 0 && start < len(old) && !utf8.RuneStart(old[start]) {
		start--
	}
	end := 0
	for end < min(len(old), len(after))-start && old[len(old)-1-end] == after[len(after)-1-end] {
		end++
	}
	for end > 0 && !utf8.RuneStart(old[len(old)-end]) {
		end--
	}
	return textEdit{
		Range:   span{before.position(start), before.position(len(old) - end)},
		NewText: string(after[start : len(after)-end]),
	}
}
