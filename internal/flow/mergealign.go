package flow

import (
	"cmp"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// align copies three documents so that what is the same in them has the same
// id: screens, and what the references name. Which id that is means nothing: that
// of ours, or of theirs if only they changed it. Halves of pairs have the
// arguments that another version writes out.
func align(base, ours, theirs Flow) [3]map[string]any {
	flows := [3]Flow{base, ours, theirs}
	screens, references := alignScreens(flows), alignReferences(flows)
	var docs [3]map[string]any
	for i, f := range flows {
		doc := model.CloneMap(f.doc)
		if doc == nil {
			doc = map[string]any{}
		}
		for _, s := range objects(doc["screens"]) {
			s["screenId"] = screens[i][text(s["screenId"])]
		}
		for _, v := range object(object(doc["contents"])["tasks"]) {
			task := object(v)
			if id, ok := screens[i][text(task["screenId"])]; ok {
				task["screenId"] = id
			}
			for _, argument := range object(task["arguments"]) {
				if a := object(argument); a["value"] != nil && len(references[i]) > 0 {
					a["value"] = named(a["value"], references[i])
				}
			}
		}
		for _, ids := range object(doc["references"]) {
			for name, id := range object(ids) {
				object(ids)[name] = named(id, references[i])
			}
		}
		docs[i] = doc
	}
	alignTwins(docs)
	return docs
}

// settled is the id of something that has these ids in base, ours and theirs,
// each "" where it is not there.
func settled(ids [3]string) string {
	if ids[1] != "" && ids[1] == ids[0] {
		return cmp.Or(ids[2], ids[1])
	}
	return cmp.Or(ids[1], ids[2], ids[0])
}

// alignScreens are new ids by old ones. A screen is the same in two versions if
// it has the same id, then if one task shows it in both, then if nothing shows it
// and it is all the same.
func alignScreens(flows [3]Flow) [3]map[string]string {
	var classes [][3]string
	of := func(i int, id string) int {
		return slices.IndexFunc(classes, func(c [3]string) bool { return id != "" && c[i] == id })
	}
	for _, s := range flows[0].Screens() {
		classes = append(classes, [3]string{0: s.ID})
	}
	// Each is matched with base, and then what is left of the two with each other.
	for i := 1; i <= 2; i++ {
		for _, p := range sameScreens(flows[0], flows[i]) {
			if c := of(0, p[0]); classes[c][i] == "" && of(i, p[1]) < 0 {
				classes[c][i] = p[1]
			}
		}
		for _, s := range flows[i].Screens() {
			if of(i, s.ID) < 0 {
				c := [3]string{}
				c[i] = s.ID
				classes = append(classes, c)
			}
		}
	}
	for _, p := range sameScreens(flows[1], flows[2]) {
		x, y := of(1, p[0]), of(2, p[1])
		if classes[x][2] == "" && classes[y][1] == "" && (classes[x][0] == "" || classes[y][0] == "") {
			classes[x][2] = classes[y][2]
			classes[x][0] = cmp.Or(classes[x][0], classes[y][0])
			classes = slices.Delete(classes, y, y+1)
		}
	}
	var out [3]map[string]string
	for i := range out {
		out[i] = map[string]string{}
	}
	taken := map[string]bool{}
	for _, c := range classes {
		id := settled(c)
		for i := 2; taken[id]; i++ {
			id = settled(c) + "-" + itoa(i)
		}
		taken[id] = true
		for i, old := range c {
			if old != "" {
				out[i][old] = id
			}
		}
	}
	return out
}

// sameScreens are the ids of the screens that two flows have in common, each
// side's in a pair, the surest first.
func sameScreens(a, b Flow) [][2]string {
	var out [][2]string
	shownA, shownB := a.shown(), b.shown()
	for _, x := range a.Screens() {
		if _, ok := b.Screen(x.ID); ok {
			out = append(out, [2]string{x.ID, x.ID})
		}
	}
	for _, task := range union(shownA, shownB) {
		if x, y := shownA[task], shownB[task]; x != nil && y != nil {
			out = append(out, [2]string{x.ID, y.ID})
		}
	}
	for _, x := range a.Screens() {
		for _, y := range b.Screens() {
			if len(tasksOf(shownA, x.ID))+len(tasksOf(shownB, y.ID)) == 0 && model.Equal(normalScreen(x.doc), normalScreen(y.doc)) {
				out = append(out, [2]string{x.ID, y.ID})
			}
		}
	}
	return out
}

// alignReferences are new ids by old ones of what has one name in all versions.
func alignReferences(flows [3]Flow) [3]map[string]string {
	var out [3]map[string]string
	var all [3]map[string]string // ids by "<kind>/<name>"
	names := map[string]any{}
	for i, f := range flows {
		out[i], all[i] = map[string]string{}, map[string]string{}
		for id, name := range f.names() {
			all[i][name] = id
			names[name] = nil
		}
	}
	for _, name := range unionOf(names) {
		ids := [3]string{all[0][name], all[1][name], all[2][name]}
		id := settled(ids)
		for i, old := range ids {
			if old != "" && old != id {
				out[i][old] = id
			}
		}
	}
	return out
}

// keepNames keeps the names of what the merged tasks use, where a version does
// not use it and dropped the name. Without it no importer could find the object.
func (m *merger) keepNames(merged map[string]any) {
	used := idsIn(Flow{doc: merged})
	for _, side := range [][2]Flow{{m.ours, m.theirs}, {m.theirs, m.ours}} {
		references, others := side[0].References(), idsIn(side[1])
		for _, kind := range keys(references) {
			for _, name := range keys(references[kind]) {
				id := references[kind][name]
				if !used[id] || others[id] || has(object(object(merged["references"])[kind]), name) {
					continue
				}
				all := without(object(merged["references"]))
				ids := without(object(all[kind]))
				ids[name], all[kind], merged["references"] = id, ids, all
			}
		}
	}
}

// idsIn are all texts in arguments of tasks.
func idsIn(f Flow) map[string]bool {
	out := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out[v] = true
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	for _, task := range f.byTask() {
		for _, argument := range object(task["arguments"]) {
			walk(object(argument)["value"])
		}
	}
	return out
}

// alignTwins writes out the name and the arguments that the second half of a pair
// shares with the first, where only some of the versions do.
func alignTwins(docs [3]map[string]any) {
	tasks := func(doc map[string]any) map[string]any { return object(object(doc["contents"])["tasks"]) }
	for _, id := range unionOf(tasks(docs[0]), tasks(docs[1]), tasks(docs[2])) {
		first, ok := strings.CutSuffix(id, ".end")
		if !ok {
			continue
		}
		var names []string
		named := false
		for _, doc := range docs {
			twin := object(tasks(doc)[id])
			names = append(names, keys(object(twin["arguments"]))...)
			named = named || text(twin["name"]) != ""
		}
		for _, doc := range docs {
			twin, base := object(tasks(doc)[id]), object(tasks(doc)[first])
			if twin == nil || base == nil {
				continue
			}
			if named && text(twin["name"]) == "" && has(base, "name") {
				twin["name"] = base["name"]
			}
			for _, name := range names {
				if v, ok := object(base["arguments"])[name]; ok && !has(object(twin["arguments"]), name) {
					if twin["arguments"] == nil {
						twin["arguments"] = map[string]any{}
					}
					object(twin["arguments"])[name] = model.Clone(v)
				}
			}
		}
	}
}

// touched are the tasks and the components that a version changed, apart from
// what is noise.
type touched struct{ tasks, nodes map[string]bool }

func nodeKey(screen, node string) string { return screen + "\x00" + node }

// changedBetween are what [Diff] says of two versions with the same ids. A task
// stands for its pair and its screen, and a component for its place and for what
// came into it.
func changedBetween(a, b Flow) touched {
	out := touched{map[string]bool{}, map[string]bool{}}
	for _, c := range Diff(a, b).Changes {
		for _, task := range append([]string{c.Task}, c.Also...) {
			out.tasks[group(task)] = true
		}
		if c.Screen == "" {
			continue
		}
		if c.Node != "" {
			out.nodes[nodeKey(c.Screen, c.Node)] = true
		}
		switch c.Kind {
		case ComponentAdded:
			out.nodes[nodeKey(c.Screen, text(object(c.After)["parent"]))] = true
		case InteractionChanged:
			out.nodes[nodeKey(c.Screen, c.Field)] = true
		case ComponentMoved:
			out.nodes[nodeKey(c.Screen, text(c.After))] = true
		default:
		}
	}
	return out
}

// group is the task that stands for a pair.
func group(task string) string {
	for {
		first, ok := strings.CutSuffix(task, ".end")
		if !ok {
			return task
		}
		task = first
	}
}
