package yamlconfig

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// node makes a node, and says of how many values it is made. What cannot be read is
// null, and a mistake.
func (p *parser) node(n *yaml.Node, depth int) (*Node, int) {
	out := &Node{At: p.at(n.Line, n.Column), Comment: comment(n)}
	if depth > maxNesting {
		if len(p.diags) == 0 { // once is enough
			p.add(mistake(out.At, "beyond-limits", fmt.Sprintf("values are nested more than %d levels deep", maxNesting)))
		}
		return out, 1
	}
	size := 1
	switch n.Kind {
	case yaml.AliasNode:
		return p.alias(n, depth)
	case yaml.ScalarNode:
		p.scalar(n, out)
	case yaml.SequenceNode:
		out.Kind = List
		p.tagged(n, "!!seq")
		for _, item := range n.Content {
			child, s := p.node(item, depth+1)
			out.Items = append(out.Items, child)
			size += s
		}
	case yaml.MappingNode:
		out.Kind = Map
		p.tagged(n, "!!map")
		size += p.fields(n, out, depth)
	default:
		p.add(mistake(out.At, "syntax", "syntax error: no value"))
	}
	return out, size
}

// comment is what is written above, beside and below a value.
func comment(n *yaml.Node) string {
	var lines []string
	for line := range strings.Lines(n.HeadComment + "\n" + n.LineComment + "\n" + n.FootComment) {
		if line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#")); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// alias reads what an alias stands for, once for each anchor. Aliases of aliases can
// stand for more values than any memory holds, so they are counted.
func (p *parser) alias(n *yaml.Node, depth int) (*Node, int) {
	at := p.at(n.Line, n.Column)
	target := n.Alias
	switch {
	case target == nil:
		p.add(mistake(at, "unknown-anchor", "there is no anchor "+quoted(n.Value)))
		return &Node{At: at}, 1
	case p.active[target]:
		p.add(mistake(at, "endless", fmt.Sprintf("the anchor %s contains itself", quoted(n.Value))))
		return &Node{At: at}, 1
	}
	b, known := p.built[target]
	if !known {
		p.active[target] = true
		b.node, b.size = p.node(target, depth)
		p.active[target] = false
		p.built[target] = b
	}
	before := p.aliased
	p.aliased = min(p.aliased+b.size, 2*maxAliased)
	if p.aliased > maxAliased && before <= maxAliased {
		d := mistake(at, "beyond-limits", fmt.Sprintf("the aliases of this file stand for more than %d values", maxAliased))
		d.Detail = "here, *" + shortText(n.Value)
		p.add(d)
	}
	if p.aliased > maxAliased {
		return &Node{At: at}, 1
	}
	return b.node, min(b.size, 2*maxAliased)
}

// fields reads a mapping: keys are text as they are written, and none comes twice.
func (p *parser) fields(n *yaml.Node, out *Node, depth int) int {
	size := 0
	first := map[string]model.Origin{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := p.at(key.Line, key.Column)
		if key.Kind == yaml.AliasNode && key.Alias != nil {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			p.add(mistake(at, "wrong-key", "a key must be text, not a list or a mapping"))
			continue
		}
		if before, again := first[key.Value]; again {
			d := mistake(at, "duplicate-key", fmt.Sprintf("the key %s is written twice", quoted(key.Value)))
			d.Detail = "YAML leaves open which of the two counts"
			d.Hint = "remove one of them"
			d.Also = []model.Origin{before}
			p.add(d)
			continue
		}
		first[key.Value] = at
		if key.Tag == "!!merge" {
			merges = append(merges, value)
			continue
		}
		child, s := p.node(value, depth+1)
		if above := comment(key); above != "" {
			child = withComment(child, above)
		}
		out.Fields = append(out.Fields, Field{key.Value, at, child})
		size += s
	}
	for _, m := range merges {
		size += p.merge(m, out, depth)
	}
	return size
}

// withComment is a node below the comment of its key.
func withComment(n *Node, above string) *Node {
	out := *n // which may be an anchor's
	out.Comment = strings.TrimSpace(above + "\n" + n.Comment)
	return &out
}

// merge adds what << brings: fields that are not written, of one mapping or of several,
// of which the first counts.
func (p *parser) merge(n *yaml.Node, out *Node, depth int) int {
	source, size := p.node(n, depth+1)
	list := []*Node{source}
	if source.Kind == List {
		list = source.Items
	}
	for _, m := range list {
		if m.Kind != Map {
			if len(p.diags) == 0 {
				d := mistake(p.at(n.Line, n.Column), "wrong-merge", "<< needs a mapping, not "+m.Kind.String())
				d.Detail = "expected: an alias of a mapping, such as *base, or a list of such"
				p.add(d)
			}
			return size
		}
		for _, f := range m.Fields {
			if !slices.ContainsFunc(out.Fields, func(have Field) bool { return have.Name == f.Name }) {
				out.Fields = append(out.Fields, f)
			}
		}
	}
	return size
}

// tagged refuses an explicit tag other than the ones that are allowed.
func (p *parser) tagged(n *yaml.Node, allowed ...string) bool {
	if n.Style&yaml.TaggedStyle == 0 || slices.Contains(allowed, n.ShortTag()) {
		return true
	}
	d := mistake(p.at(n.Line, n.Column), "unknown-tag", fmt.Sprintf("the tag %s has no place here", quoted(n.ShortTag())))
	d.Detail = "allowed: values that JSON has too"
	p.add(d)
	return false
}

// scalar reads a scalar by its style and its tag.
func (p *parser) scalar(n *yaml.Node, out *Node) {
	if !p.tagged(n, "!", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp") {
		return
	}
	tag := ""
	if n.Style&yaml.TaggedStyle != 0 {
		tag = n.ShortTag()
	}
	if tag == "!" || tag == "!!str" || tag == "!!timestamp" || tag == "" && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		out.Kind, out.Text = Text, n.Value
		return
	}
	kind, text, err := resolve(n.Value)
	if err != nil {
		d := mistake(out.At, "wrong-number", shortText(err.Error()))
		d.Hint = `in quotes it is text`
		p.add(d)
		return
	}
	wanted := map[string]Kind{"!!int": Number, "!!float": Number, "!!bool": Bool, "!!null": Null}
	if want, is := wanted[tag]; is && want != kind {
		p.add(mistake(out.At, "unknown-tag", fmt.Sprintf("%s is not %s, as its tag says", quoted(n.Value), want)))
		return
	}
	out.Kind, out.Text = kind, text
}
