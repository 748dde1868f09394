package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
)

// named are things of a project that have a name and an id, the ids by name. Nil
// stands for things that the project does not list, and then there is any.
// Descope: ids differ in every project, so that a flow finds a thing of another
// project only by its name.
type named map[string]string

// UnmarshalJSON reads an object of ids by name, or a list of names, whose ids are
// left empty.
func (n *named) UnmarshalJSON(data []byte) error {
	var names []string
	if json.Unmarshal(data, &names) != nil {
		return json.Unmarshal(data, (*map[string]string)(n))
	}
	if names == nil {
		return nil
	}
	*n = named{}
	for _, name := range names {
		if _, twice := (*n)[name]; twice {
			return fmt.Errorf("%q is there twice", name)
		}
		(*n)[name] = ""
	}
	return nil
}

// complete mints the ids that are left empty. The error says what is wrong with
// a name or an id.
func (n named) complete(kind, project string) (named, error) {
	out := maps.Clone(n)
	byID := map[string]string{}
	for name, id := range n {
		if name == "" {
			return nil, errors.New("a name is empty")
		}
		if id == "" {
			id = mintID(kind, project, name)
		}
		if byID[id] != "" {
			return nil, fmt.Errorf("%q and %q have the same id", min(name, byID[id]), max(name, byID[id]))
		}
		out[name], byID[id] = id, name
	}
	return out, nil
}

func (n named) has(id string) bool {
	for _, is := range n {
		if is == id {
			return true
		}
	}
	return false
}

// exported is the flow as the project exports it, with the names of what it
// uses. Descope: an export lists the ids in the flow under the names that they
// have in its project. What the project lists is looked up there, other
// references are as imported.
func (p *project) exported(f *flow) map[string]any {
	if p.connectors == nil && p.roles == nil {
		return f.content
	}
	texts := map[string]bool{}
	for name, v := range f.content {
		if name != "references" {
			collectTexts(v, texts)
		}
	}
	references := maps.Clone(objectIn(f.content, "references"))
	if references == nil {
		references = map[string]any{}
	}
	for kind, known := range map[string]named{"connectors": p.connectors, "roles": p.roles} {
		if known == nil {
			continue
		}
		stored := map[string]bool{}
		collectTexts(references[kind], stored)
		entries := map[string]any{}
		for name, id := range known {
			if texts[id] || stored[id] {
				entries[name] = id
			}
		}
		delete(references, kind)
		if len(entries) > 0 {
			references[kind] = entries
		}
	}
	if len(references) == 0 && f.content["references"] == nil {
		return f.content
	}
	content := maps.Clone(f.content)
	content["references"] = references
	return content
}

// collectTexts adds all texts in a value to a set.
func collectTexts(v any, into map[string]bool) {
	switch v := v.(type) {
	case string:
		into[v] = true
	case []any:
		for _, e := range v {
			collectTexts(e, into)
		}
	case map[string]any:
		for _, e := range v {
			collectTexts(e, into)
		}
	}
}
