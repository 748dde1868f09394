package yamlconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// json reads the file as JSON. It is nearly YAML, but for tabs and for escapes that
// stand for half a character.
func (p *parser) json() *Node {
	d := &decoder{parser: p, json: json.NewDecoder(bytes.NewReader(p.data))}
	d.json.UseNumber()
	node := d.value(0)
	if d.failed {
		return nil
	}
	at := d.next()
	if _, err := d.json.Token(); !errors.Is(err, io.EOF) {
		p.add(mistake(at, "many-documents", p.name+" holds more than one value"))
	}
	return node
}

type decoder struct {
	*parser
	json   *json.Decoder
	failed bool
}

// next is where the next token begins.
func (d *decoder) next() model.Origin {
	at := int(d.json.InputOffset())
	for at < len(d.data) && bytes.IndexByte([]byte(" \t\r\n,:"), d.data[at]) >= 0 {
		at++
	}
	return d.offset(at)
}

// fail notes the first error; nothing can be read behind it.
func (d *decoder) fail(at model.Origin, err error) *Node {
	if d.failed {
		return &Node{At: at}
	}
	d.failed = true
	switch ends := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); {
	case ends && len(bytes.TrimSpace(d.data)) == 0:
		d.add(mistake(d.at(1, 1), "empty", d.name+" is empty"))
	case ends:
		d.add(mistake(d.offset(len(d.data)), "syntax", "syntax error: the file ends in the middle of a value"))
	default:
		d.add(mistake(at, "syntax", "syntax error: "+shortText(err.Error())))
	}
	return &Node{At: at}
}

func (d *decoder) value(depth int) *Node {
	at := d.next()
	if depth > maxNesting {
		d.failed = true
		d.add(mistake(at, "beyond-limits", fmt.Sprintf("values are nested more than %d levels deep", maxNesting)))
		return &Node{At: at}
	}
	token, err := d.json.Token()
	if err != nil {
		return d.fail(at, err)
	}
	node := &Node{At: at}
	switch t := token.(type) {
	case nil:
	case bool:
		node.Kind, node.Text = Bool, fmt.Sprint(t)
	case string:
		node.Kind, node.Text = Text, t
	case json.Number:
		if node.Kind, node.Text, err = number(t.String()); err != nil {
			d.add(mistake(at, "wrong-number", shortText(err.Error())))
		}
	case json.Delim:
		if t == '[' {
			node.Kind = List
			for d.json.More() && !d.failed {
				node.Items = append(node.Items, d.value(depth+1))
			}
		} else {
			d.object(node, depth)
		}
		if !d.failed {
			end := d.next()
			if _, err := d.json.Token(); err != nil {
				d.fail(end, err)
			}
		}
	}
	return node
}

func (d *decoder) object(node *Node, depth int) {
	node.Kind = Map
	first := map[string]model.Origin{}
	for d.json.More() && !d.failed {
		at := d.next()
		token, err := d.json.Token()
		if err != nil {
			d.fail(at, err)
			return
		}
		name, _ := token.(string)
		value := d.value(depth + 1)
		if before, again := first[name]; again {
			dup := mistake(at, "duplicate-key", fmt.Sprintf("the key %s is written twice", quoted(name)))
			dup.Hint, dup.Also = "remove one of them", []model.Origin{before}
			d.add(dup)
			continue
		}
		first[name] = at
		node.Fields = append(node.Fields, Field{name, at, value})
	}
}
