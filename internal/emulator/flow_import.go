package emulator

import (
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// takeFlow stores a flow as an import does, in the spelling of v2: steps lose
// connectors that the project does not have, screens get their ids, and the
// service's own fields are set. The content is modified.
func (c *call) takeFlow(id string, content map[string]any, skipRender bool) (*flow, *apiError) {
	if e := c.connect(content); e != nil {
		return nil, e
	}
	if c.quirks.ScreenIDs == "minted" {
		mintScreens(content, c.project.id, strconv.FormatUint(c.serial, 10))
	}
	if c.quirks.FlowEcho == "restamp" {
		switch c.quirks.FlowZeros {
		case "filled":
			fillFlow(content)
		case "left-out":
			stripFlow(content)
		}
		sortScreens(content)
		if meta, ok := content["metadata"].(map[string]any); ok && !skipRender {
			meta["componentsVersion"] = c.componentsVersion()
		}
	}
	f := c.project.flow(id)
	if f == nil {
		f = &flow{id: id}
		c.project.flows = append(c.project.flows, f)
	}
	f.content = content
	f.stamp = f.stamp.next(content, c.now, c.quirks.Etag)
	return f, nil
}

// componentsVersion is the version that the project's service stamps.
func (c *call) componentsVersion() string {
	return cmp.Or(c.project.componentsVersion, c.quirks.ComponentsVersion)
}

// connect looks up the connectors of steps and of the translation. Descope: an
// import keeps ids as they are, and a step whose connector is of another project
// loses it without a word; the argument is then there without its value.
func (c *call) connect(content map[string]any) *apiError {
	if c.project.connectors == nil || c.quirks.UnknownConnectors == "keep" {
		return nil
	}
	type place struct {
		holder map[string]any
		name   string
	}
	var places []place
	tasks := objectIn(content, "contents", "tasks")
	for _, id := range slices.Sorted(maps.Keys(tasks)) {
		if argument := objectIn(tasks, id, "arguments", "connectorId"); argument["type"] != "context" {
			places = append(places, place{argument, "value"})
		}
	}
	places = append(places, place{objectIn(content, "metadata", "translation"), "connectorId"})
	for _, p := range places {
		id, _ := p.holder[p.name].(string)
		// Descope: a translation by hand has the connector "manual".
		if id == "" || id == "manual" || strings.Contains(id, "{{") || c.project.connectors.has(id) {
			continue
		}
		if c.quirks.UnknownConnectors == "refuse" {
			return invalid("Connector %q does not exist", id)
		}
		delete(p.holder, p.name)
	}
	return nil
}

// objectIn is the object at a path of object fields, or nil.
func objectIn(m map[string]any, path ...string) map[string]any {
	for _, name := range path {
		m, _ = m[name].(map[string]any)
	}
	return m
}

// objectsIn are the objects in a list.
func objectsIn(v any) []map[string]any {
	list, _ := v.([]any)
	var out []map[string]any
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// mintScreens gives every screen a new id, and has the tasks show it.
func mintScreens(content map[string]any, seed ...string) {
	ids := map[string]string{}
	for _, screen := range objectsIn(content["screens"]) {
		if old, _ := screen["screenId"].(string); old != "" {
			ids[old] = mintID("SC", append(slices.Clone(seed), old)...)
			screen["screenId"] = ids[old]
		}
	}
	tasks := objectIn(content, "contents", "tasks")
	for id := range tasks {
		task := objectIn(tasks, id)
		if old, _ := task["screenId"].(string); ids[old] != "" {
			task["screenId"] = ids[old]
		}
	}
}

// mintID makes an id of the form that the service gives out, the same for the
// same seed. Descope: two or three letters for the kind, then 27 of base 62.
func mintID(kind string, seed ...string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256(model.CanonicalJSON(seed))
	random := make([]byte, 27)
	for i := range random {
		random[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return kind + string(random)
}

// sortScreens puts screens into the order of exports. Descope: sorted by id.
func sortScreens(content map[string]any) {
	list, _ := content["screens"].([]any)
	slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(screenID(a), screenID(b)) })
}

func screenID(v any) string {
	screen, _ := v.(map[string]any)
	id, _ := screen["screenId"].(string)
	return id
}

// zeros calls do with each object of a flow that has optional fields, and with
// their empty values. Descope: these are the ones that one export spells out and
// another leaves away; empty values deeper down have a meaning.
func zeros(content map[string]any, do func(object, empty map[string]any)) {
	if meta := objectIn(content, "metadata"); meta != nil {
		do(meta, map[string]any{"description": "", "disabled": false, "fingerprint": false, "widget": false})
	}
	for _, screen := range objectsIn(content["screens"]) {
		for _, interaction := range objectsIn(screen["interactions"]) {
			do(interaction, map[string]any{"label": "", "type": "", "icon": "", "subType": ""})
		}
		do(screen, map[string]any{"interactions": []any{}})
	}
	do(content, map[string]any{"screens": []any{}, "references": map[string]any{}})
}

// fillFlow spells the empty values out, as a project snapshot does.
func fillFlow(content map[string]any) {
	zeros(content, func(object, empty map[string]any) {
		for name, v := range empty {
			if object[name] == nil {
				object[name] = v
			}
		}
	})
}

// stripFlow leaves the empty values out, as the export of a single flow does.
func stripFlow(content map[string]any) {
	zeros(content, func(object, empty map[string]any) {
		for name, v := range empty {
			if model.Equal(object[name], v) || object[name] == nil {
				delete(object, name)
			}
		}
	})
}
