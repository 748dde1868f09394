package yamlconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Limits on one file, far above any configuration.
const (
	// maxFileBytes keeps the tree of the parser, which is large, within a few hundred MB.
	maxFileBytes = 16 << 20
	// maxNesting is that of the compiler.
	maxNesting = 256
	// maxAliased is how many values aliases may stand for in all.
	maxAliased = 200_000
)

// file is one file of the configuration.
type file struct {
	name  string // as positions show it
	data  []byte
	lines []int // where each line begins
	// parsed are the same in the eyes of the parser, which knows other ends of lines, too.
	parsed []int
	ascii  bool
	// last is the place that was asked for last, so that a long line is not counted
	// anew for each of its values.
	last struct{ line, column, bytes int }
}

func newFile(name string, data []byte) *file {
	f := &file{name: name, data: bytes.TrimPrefix(data, []byte("\ufeff")), lines: []int{0}, parsed: []int{0}}
	f.ascii = !bytes.ContainsFunc(f.data, func(r rune) bool { return r >= utf8.RuneSelf })
	for i := 0; i < len(f.data); {
		n := lineBreak(f.data[i:])
		if n == 0 {
			i++
			continue
		}
		i += n
		f.parsed = append(f.parsed, i)
		if f.data[i-1] == '\n' {
			f.lines = append(f.lines, i)
		}
	}
	return f
}

// lineBreak is the length of a line break of YAML 1.1 at the beginning of data.
func lineBreak(data []byte) int {
	switch {
	case data[0] == '\n':
		return 1
	case data[0] == '\r' && len(data) > 1 && data[1] == '\n':
		return 2
	case data[0] == '\r':
		return 1
	case bytes.HasPrefix(data, []byte("\u0085")):
		return 2
	case bytes.HasPrefix(data, []byte("\u2028")), bytes.HasPrefix(data, []byte("\u2029")):
		return 3
	default:
		return 0
	}
}

// line is the text of a line, which counts from 1.
func (f *file) line(n int) []byte { return lineOf(f.data, f.lines, n) }

func lineOf(data []byte, lines []int, n int) []byte {
	if n < 1 || n > len(lines) {
		return nil
	}
	end := len(data)
	if n < len(lines) {
		end = lines[n]
	}
	return data[lines[n-1]:end]
}

// at is a place of the parser, which counts characters, as an origin, which counts
// bytes.
func (f *file) at(line, column int) model.Origin {
	line, column = max(line, 1), max(column, 1)
	if line > len(f.parsed) {
		return f.offset(len(f.data)) // where nothing is, which is a null
	}
	if f.ascii && len(f.lines) == len(f.parsed) {
		return model.Origin{File: f.name, Line: line, Column: column}
	}
	text, at, counted := lineOf(f.data, f.parsed, line), 0, 1
	if f.last.line == line && f.last.column <= column {
		at, counted = f.last.bytes, f.last.column
	}
	for ; counted < column && at < len(text); counted++ {
		_, n := utf8.DecodeRune(text[at:])
		at += n
	}
	f.last.line, f.last.column, f.last.bytes = line, counted, at
	return f.offset(f.parsed[line-1] + at)
}

// offset is a place that is given in bytes of the whole file.
func (f *file) offset(offset int) model.Origin {
	line := sort.SearchInts(f.lines, offset+1)
	return model.Origin{File: f.name, Line: line, Column: offset - f.lines[line-1] + 1}
}

// parse reads a file: YAML, or JSON if its name says so. The node is nil exactly if
// there are errors.
func (f *file) parse(isJSON bool) (root *Node, diags model.Diagnostics) {
	if at := invalidUTF8(f.data); at >= 0 {
		d := mistake(f.offset(at), "not-utf8", fmt.Sprintf("%s is not UTF-8: byte %#x", f.name, f.data[at]))
		d.Hint = "convert the file, for example with iconv -t UTF-8"
		return nil, model.Diagnostics{d}
	}
	defer func() {
		if p := recover(); p != nil { // the parser is not ours
			root, diags = nil, model.Diagnostics{mistake(f.at(1, 1), "syntax", fmt.Sprintf("%s cannot be read as YAML: %s", f.name, shortText(fmt.Sprint(p))))}
		}
	}()
	p := &parser{file: f, active: map[*yaml.Node]bool{}, built: map[*yaml.Node]built{}}
	if isJSON {
		root = p.json()
	} else {
		root = p.yaml()
	}
	if len(p.diags) > 0 {
		return nil, p.diags
	}
	return root, nil
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; ; {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
}

// parser turns one file into nodes.
type parser struct {
	*file
	diags  model.Diagnostics
	active map[*yaml.Node]bool  // anchors that are being read
	built  map[*yaml.Node]built // anchors that have been read
	// aliased counts the values that aliases stand for.
	aliased int
}

// built is what an anchor stands for, and of how many values it is made.
type built struct {
	node *Node
	size int
}

func (p *parser) add(d model.Diagnostic) { p.diags = append(p.diags, d) }

// yaml reads the one document of the file.
func (p *parser) yaml() *Node {
	decoder := yaml.NewDecoder(bytes.NewReader(p.data))
	var document, next yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		d := mistake(p.at(1, 1), "empty", p.name+" is empty")
		d.Hint = "write at least: tenants: []"
		p.add(d)
		return nil
	} else if err != nil {
		p.syntax(err)
		return nil
	}
	if err := decoder.Decode(&next); err == nil {
		d := mistake(p.at(next.Line, next.Column), "many-documents", p.name+" holds more than one document")
		d.Detail = "a configuration is one document; the second begins here"
		d.Hint = "what is another environment's belongs under environments, or into a file of its own"
		p.add(d)
		return nil
	} else if !errors.Is(err, io.EOF) {
		p.syntax(err)
		return nil
	}
	if len(document.Content) != 1 {
		p.add(mistake(p.at(1, 1), "empty", p.name+" is empty"))
		return nil
	}
	node, _ := p.node(document.Content[0], 0)
	return node
}

// whereSaid finds the line in an error of the parser, which says it in words only.
var whereSaid = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntax explains an error of the parser.
func (p *parser) syntax(err error) {
	line, text := 1, strings.Join(strings.Fields(err.Error()), " ")
	if m := whereSaid.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		text = m[2]
	}
	line = min(line, len(p.parsed))
	shown := lineOf(p.data, p.parsed, line)
	indent := shown[:len(shown)-len(bytes.TrimLeft(shown, " \t"))]
	d := mistake(p.at(line, len([]rune(string(indent)))+1), "syntax", "syntax error: "+shortText(text))
	if trimmed := strings.TrimSpace(string(shown)); trimmed != "" {
		d.Detail = "in: " + shortText(trimmed)
	}
	d.Raw = err.Error()
	switch {
	case bytes.ContainsRune(indent, '\t'):
		d.Hint = "indent with spaces: YAML allows no tabs there"
	case bytes.Contains(shown, []byte("${")):
		d.Hint = `write "${NAME}" in quotes`
	}
	p.add(d)
}
