package flow

import "pcconnect.ai/descope-mgmt/internal/model"

// Screen is one screen of a flow, read from its document.
type Screen struct {
	// ID is "SC" and a random part. Descope: it differs in every project.
	ID string
	// Index is the place among the screens of the document.
	Index int

	doc map[string]any
}

// Interaction is something that a user can do on a screen. The rules of the task
// that shows it refer to its id, which mostly is that of a node.
type Interaction struct{ ID, Label, Type, SubType, Icon string }

// Node is one component on a screen.
type Node struct {
	ID string
	// Component is what it is: Text, EmailInput, Container, …
	Component string
	// Parent is the node that it is in, "" for the root.
	Parent string
	// Children are the nodes in it, as they follow each other on the screen.
	Children []string

	doc map[string]any
}

// Interactions are what a user can do, in the order of the document.
func (s Screen) Interactions() []Interaction {
	var out []Interaction
	for _, i := range objects(s.doc["interactions"]) {
		out = append(out, Interaction{
			ID: text(i["id"]), Label: text(i["label"]), Type: text(i["type"]), SubType: text(i["subType"]), Icon: text(i["icon"]),
		})
	}
	return out
}

// Nodes are all components, sorted by id.
func (s Screen) Nodes() []Node {
	var out []Node
	for _, id := range keys(object(s.doc["contents"])) {
		n, _ := s.Node(id)
		out = append(out, n)
	}
	return out
}

// Node is one component by id.
func (s Screen) Node(id string) (Node, bool) {
	doc, ok := object(s.doc["contents"])[id].(map[string]any)
	return newNode(id, doc), ok
}

func newNode(id string, doc map[string]any) Node {
	return Node{ID: id, Component: component(doc), Parent: text(doc["parent"]), Children: model.Texts(doc["nodes"]), doc: doc}
}

// component is what a node is. Descope: type.resolvedName; plain HTML would be
// the type itself.
func component(node map[string]any) string {
	if name, ok := node["type"].(string); ok {
		return name
	}
	return text(object(node["type"])["resolvedName"])
}

// Props are the names of the properties, sorted.
func (n Node) Props() []string { return keys(object(n.doc["props"])) }

// Prop is one property by name. The caller must not modify the value.
func (n Node) Prop(name string) (any, bool) {
	v, ok := object(n.doc["props"])[name]
	return v, ok
}

// Value is the screen as it stands in the document. The caller owns the copy.
func (s Screen) Value() map[string]any { return model.CloneMap(s.doc) }
