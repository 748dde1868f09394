package flow

import (
	"encoding/json"
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// checkShape refuses a document in which a value that the package reads has
// another type than Descope gives it. A value may be missing or null: whether
// the flow makes sense is another question.
func checkShape(doc map[string]any) error {
	s := &shape{}
	s.texts(doc, "flowId")
	s.object(doc, "metadata", func(meta map[string]any) {
		s.texts(meta, "name", "description", "componentsVersion")
		s.flags(meta, "disabled", "fingerprint", "widget")
		s.objects(meta, "sharedInteractions", func(shared map[string]any) { s.texts(shared, "id", "label", "type") })
		s.object(meta, "translation", func(map[string]any) {})
	})
	s.object(doc, "contents", func(contents map[string]any) {
		s.texts(contents, "startTask")
		s.entries(contents, "tasks", s.task)
	})
	seen := map[string]bool{}
	s.objects(doc, "screens", func(screen map[string]any) {
		id := text(screen["screenId"])
		s.texts(screen, "screenId")
		if id == "" && s.err == nil {
			s.err = fmt.Errorf("%s: a screen needs an id", s.at("screenId"))
		}
		if seen[id] && s.err == nil {
			s.err = fmt.Errorf("%s: another screen has the id %q too", s.at("screenId"), id)
		}
		seen[id] = true
		s.entries(screen, "contents", func(node map[string]any) {
			s.texts(node, "parent")
			s.object(node, "props", func(map[string]any) {})
			s.textLists(node, "nodes")
		})
		s.objects(screen, "interactions", func(i map[string]any) { s.texts(i, "id", "label", "type", "subType", "icon") })
	})
	s.object(doc, "references", func(references map[string]any) {
		for _, kind := range keys(references) {
			if ids, ok := references[kind].(map[string]any); ok {
				s.object(references, kind, func(map[string]any) { s.texts(ids, keys(ids)...) })
			}
		}
	})
	return s.err
}

func (s *shape) task(task map[string]any) {
	s.texts(task, "id", "name", "type", "action", "screenId")
	s.object(task, "view", func(map[string]any) {})
	s.object(task, "next", func(next map[string]any) {
		s.objects(next, "rules", func(rule map[string]any) { s.texts(rule, "interactionId", "taskId") })
	})
	s.entries(task, "arguments", func(argument map[string]any) { s.texts(argument, "type") })
	s.objects(task, "conditions", func(c map[string]any) {
		s.texts(c, "name", "interactionId")
		s.objects(c, "atomicConditions", func(map[string]any) {})
	})
	s.object(task, "errorHandlingV2", func(map[string]any) {})
}

// shape is a walk through a document; err is the first thing wrong in it.
type shape struct {
	path []string
	err  error
}

func (s *shape) at(name string) string {
	return model.JoinPath(append(s.path[:len(s.path):len(s.path)], name)...)
}

func (s *shape) wrong(name, want string, v any) {
	if s.err == nil {
		s.err = fmt.Errorf("%s: want %s, found %s", s.at(name), want, kindOf(v))
	}
}

func (s *shape) texts(m map[string]any, names ...string) {
	for _, name := range names {
		if v := m[name]; v != nil {
			if _, ok := v.(string); !ok {
				s.wrong(name, "text", v)
			}
		}
	}
}

func (s *shape) flags(m map[string]any, names ...string) {
	for _, name := range names {
		if v := m[name]; v != nil {
			if _, ok := v.(bool); !ok {
				s.wrong(name, "true or false", v)
			}
		}
	}
}

func (s *shape) textLists(m map[string]any, name string) {
	s.elements(m, name, func(i string, v any) {
		if _, ok := v.(string); !ok {
			s.wrong(i, "text", v)
		}
	})
}

// object looks at one field that holds an object.
func (s *shape) object(m map[string]any, name string, look func(map[string]any)) {
	v := m[name]
	if v == nil {
		return
	}
	o, ok := v.(map[string]any)
	if !ok {
		s.wrong(name, "an object", v)
		return
	}
	s.path = append(s.path, name)
	look(o)
	s.path = s.path[:len(s.path)-1]
}

// entries looks at the objects in an object.
func (s *shape) entries(m map[string]any, name string, look func(map[string]any)) {
	s.object(m, name, func(o map[string]any) {
		for _, key := range keys(o) {
			if o[key] == nil {
				s.wrong(key, "an object", nil)
				return
			}
			s.object(o, key, look)
		}
	})
}

// objects looks at the objects in a list.
func (s *shape) objects(m map[string]any, name string, look func(map[string]any)) {
	s.elements(m, name, func(i string, v any) {
		if v == nil {
			s.wrong(i, "an object", nil)
			return
		}
		s.object(map[string]any{i: v}, i, look)
	})
}

func (s *shape) elements(m map[string]any, name string, look func(i string, v any)) {
	v := m[name]
	if v == nil {
		return
	}
	l, ok := v.([]any)
	if !ok {
		s.wrong(name, "a list", v)
		return
	}
	s.path = append(s.path, name)
	for i, e := range l {
		look(itoa(i), e)
	}
	s.path = s.path[:len(s.path)-1]
}

// kindOf names the type of a JSON value for a message.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case bool:
		return "true or false"
	case string:
		return "text"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
