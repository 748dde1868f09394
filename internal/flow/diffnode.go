package flow

import (
	"encoding/json"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// nodes compares the components of a screen.
func (d *differ) nodes(base Change, a, b map[string]any) {
	parentsA, parentsB := parents(a), parents(b)
	for _, id := range union(a, b) {
		before, after := object(a[id]), object(b[id])
		c := base
		c.Node, c.Component = id, component(after)
		switch {
		case !has(a, id):
			c.Kind, c.After = ComponentAdded, placed(id, after, parentsB, b)
			d.add(c)
		case !has(b, id):
			c.Component = component(before)
			c.Kind, c.Before = ComponentRemoved, placed(id, before, parentsA, a)
			d.add(c)
		case parentsA[id] == parentsB[id] && model.Equal(before, after):
		default:
			d.node(c, before, after, parentsA[id], parentsB[id])
			d.order(c, model.Texts(before["nodes"]), model.Texts(after["nodes"]), parentsA, parentsB)
		}
	}
}

// parents is the parent of each node: the one that lists it, which decides where
// it stands on the screen, or else the one that it names itself.
func parents(nodes map[string]any) map[string]string {
	out := map[string]string{}
	for id, v := range nodes {
		out[id] = text(object(v)["parent"])
	}
	for _, id := range keys(nodes) {
		for _, child := range model.Texts(object(nodes[id])["nodes"]) {
			out[child] = id
		}
	}
	return out
}

// placed is what is worth saying of a component that comes or goes.
func placed(id string, node map[string]any, parents map[string]string, nodes map[string]any) map[string]any {
	out := map[string]any{"component": component(node), "parent": parents[id]}
	if i := slices.Index(model.Texts(object(nodes[parents[id]])["nodes"]), id); i >= 0 {
		out["index"] = json.Number(itoa(i))
	}
	for _, prop := range []string{"children", "label", "placeholder"} {
		if s := text(object(node["props"])[prop]); s != "" {
			out["text"] = s
			break
		}
	}
	return out
}

// node compares a component that both screens have.
func (d *differ) node(c Change, before, after map[string]any, parentA, parentB string) {
	if x, y := component(before), component(after); x != y {
		c := c
		c.Kind, c.Before, c.After = ComponentChanged, x, y
		d.add(c)
	}
	if parentA != parentB {
		c := c
		c.Kind, c.Before, c.After = ComponentMoved, parentA, parentB
		d.add(c)
	}
	fields := func(node map[string]any) map[string]any {
		out := without(node, "props", "nodes")
		if component(before) != component(after) {
			delete(out, "type")
		}
		if parentA != parentB {
			delete(out, "parent")
		}
		for name, v := range object(node["props"]) {
			out["props."+name] = v
		}
		return out
	}
	a, b := fields(before), fields(after)
	for _, name := range union(a, b) {
		if change, ok := differs(PropertyChanged, c, name, a, b); ok {
			d.property(change, before, after)
		}
	}
}

// property adds a change of a property: of a text, of anything else, or noise.
func (d *differ) property(c Change, before, after map[string]any) {
	prop, isProp := strings.CutPrefix(c.Field, "props.")
	if isProp && isText(prop) && isTextOrNil(c.Before) && isTextOrNil(c.After) {
		c.Kind = TextChanged
	}
	if reason := propertyNoise(c, prop, isProp, before, after); reason != "" {
		d.noise(reason, c)
		return
	}
	if isProp {
		d.mayBeBackfill(c, prop)
	}
	d.add(c)
}

func isTextOrNil(v any) bool {
	_, ok := v.(string)
	return ok || v == nil
}

// isText reports whether users read what a property says.
func isText(prop string) bool {
	switch prop {
	case "children", "label", "placeholder", "alt", "title", "text", "description", "tooltipText", "helper-text", "helperText":
		return true
	}
	return strings.HasSuffix(prop, "-label") || strings.HasSuffix(prop, "-placeholder") || strings.HasSuffix(prop, "-message") ||
		strings.HasPrefix(prop, "data-errormessage-") || strings.HasPrefix(prop, "data-password-policy-message-")
}

// order compares the children that a component has in both screens. What comes,
// goes or moves elsewhere is not an order.
func (d *differ) order(c Change, before, after []string, parentsA, parentsB map[string]string) {
	stays := func(children []string) []string {
		return slices.DeleteFunc(slices.Clone(children), func(id string) bool {
			return parentsA[id] != c.Node || parentsB[id] != c.Node
		})
	}
	a, b := stays(before), stays(after)
	if !slices.Equal(a, b) {
		c.Kind, c.Before, c.After = ComponentsReordered, anyList(a), anyList(b)
		d.add(c)
	}
}
