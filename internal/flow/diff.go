package flow

import (
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Diff says how b does something else than a. Ids of screens and of what the
// references name do not count, so that flows of different projects compare as
// well as two versions of one. The ids of the flows do not count either.
//
// Two flows with equal normal forms have no changes; two without have at least
// one entry among the changes or the noise. Noise is symmetric: a value that a
// newer version fills in is noise whichever of the two flows has it.
func Diff(a, b Flow) Report {
	namesA, namesB := commonNames(a.names(), b.names())
	d := &differ{
		a: side{a, a.normal(namesA), a.byTask()}, b: side{b, b.normal(namesB), b.byTask()},
		report: Report{From: identity(a), To: identity(b), Changes: []Change{}, Moved: []Change{}, Noise: []Change{}},
	}
	if d.a.normal.Start != d.b.normal.Start {
		d.add(Change{Kind: StartTask, Before: d.a.normal.Start, After: d.b.normal.Start})
	}
	d.metadata()
	d.references()
	d.fields(DocumentChanged, Change{}, d.a.normal.Extra, d.b.normal.Extra)
	d.tasks()
	d.screens()
	d.settleBackfills()
	return d.report
}

// side is one of the two flows.
type side struct {
	flow   Flow
	normal Normal
	// tasks are the documents of the tasks.
	tasks map[string]map[string]any
}

// differ is one run of Diff.
type differ struct {
	a, b   side
	report Report
	// backfills are the changes of properties that may turn out to be noise.
	backfills []backfill
}

func identity(f Flow) Identity {
	return Identity{ID: f.ID(), Name: f.Name(), ComponentsVersion: f.ComponentsVersion()}
}

// commonNames are the names by id for each flow. An id that only one of them
// names means the same in both, unless the other has that name for something
// else. One that was renamed keeps its name, so that the rename is one change and
// not one at every use.
func commonNames(a, b map[string]string) (namesA, namesB map[string]string) {
	namesA, namesB = maps.Clone(a), maps.Clone(b)
	takenA, takenB := slices.Collect(maps.Values(a)), slices.Collect(maps.Values(b))
	for id, name := range a {
		if b[id] != name && !slices.Contains(takenB, name) && (b[id] == "" || !slices.Contains(takenA, b[id])) {
			namesB[id] = name
		}
	}
	for id, name := range b {
		if a[id] == "" && !slices.Contains(takenA, name) {
			namesA[id] = name
		}
	}
	return namesA, namesB
}

// byTask are the documents of the tasks by id.
func (f Flow) byTask() map[string]map[string]any {
	out := map[string]map[string]any{}
	for id, v := range object(f.contents()["tasks"]) {
		out[id] = object(v)
	}
	return out
}

func (d *differ) add(c Change) { d.report.Changes = append(d.report.Changes, c) }

func (d *differ) noise(reason Reason, c Change) {
	c.Reason = reason
	d.report.Noise = append(d.report.Noise, c)
}

// addUnless adds a change, to the noise if there is a reason.
func (d *differ) addUnless(reason Reason, c Change) {
	if reason != "" {
		d.noise(reason, c)
		return
	}
	d.add(c)
}

// union are the keys of both maps in the order of [CompareIDs].
func union[V any](a, b map[string]V) []string {
	all := slices.Collect(maps.Keys(a))
	for k := range b {
		if _, ok := a[k]; !ok {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, CompareIDs)
	return all
}

// fields adds a change of one kind for each field that differs, with what base
// says of all of them.
func (d *differ) fields(kind Kind, base Change, a, b map[string]any) {
	for _, name := range union(a, b) {
		if c, ok := differs(kind, base, name, a, b); ok {
			d.add(c)
		}
	}
}

// differs is the change of one field, if there is one. A field that holds null
// is not the same as none.
func differs(kind Kind, base Change, name string, a, b map[string]any) (Change, bool) {
	before, inA := a[name]
	after, inB := b[name]
	if inA == inB && model.Equal(before, after) {
		return Change{}, false
	}
	base.Kind, base.Field, base.Before, base.After = kind, name, before, after
	return base, true
}

// entries compares two maps of things that come and go.
func (d *differ) entries(added, removed, changed Kind, base Change, a, b map[string]any) {
	for _, name := range union(a, b) {
		if c, ok := differs(changed, base, name, a, b); ok {
			c.Kind = presence(added, removed, changed, name, a, b)
			d.add(c)
		}
	}
}

func presence(added, removed, changed Kind, name string, a, b map[string]any) Kind {
	switch {
	case !has(a, name):
		return added
	case !has(b, name):
		return removed
	default:
		return changed
	}
}

func (d *differ) metadata() {
	if before, after := d.a.flow.ComponentsVersion(), d.b.flow.ComponentsVersion(); before != after {
		d.noise(Stamp, Change{Kind: MetadataChanged, Field: "componentsVersion", Before: before, After: after})
	}
	for _, name := range union(d.a.normal.Metadata, d.b.normal.Metadata) {
		c, ok := differs(MetadataChanged, Change{}, name, d.a.normal.Metadata, d.b.normal.Metadata)
		switch {
		case !ok:
		// Descope: newer components write the empty configuration out.
		case name == "managementConfig" && hollow(c.Before) && hollow(c.After):
			d.noise(Backfilled, c)
		default:
			d.add(c)
		}
	}
	d.entries(SharedAdded, SharedRemoved, SharedChanged, Change{}, d.a.normal.Shared, d.b.normal.Shared)
}

// references compares the names. What has the same id under another name was
// renamed; other ids under the same name are another project's.
func (d *differ) references() {
	before, after := d.a.flow.References(), d.b.flow.References()
	for _, kind := range union(before, after) {
		a, b := before[kind], after[kind]
		renamed := map[string]bool{}
		for _, name := range keys(a) {
			if b[name] != "" {
				continue
			}
			c := Change{Kind: ReferenceRemoved, Field: kind + "/" + name, Before: a[name]}
			for _, other := range keys(b) {
				if a[other] == "" && !renamed[other] && b[other] == a[name] {
					c = Change{Kind: ReferenceRenamed, Field: a[name], Before: kind + "/" + name, After: kind + "/" + other}
					renamed[other] = true
					break
				}
			}
			d.add(c)
		}
		for _, name := range keys(b) {
			if a[name] == "" && !renamed[name] {
				d.add(Change{Kind: ReferenceAdded, Field: kind + "/" + name, After: b[name]})
			}
		}
	}
	d.fields(DocumentChanged, Change{}, d.a.flow.otherReferences(), d.b.flow.otherReferences())
}

// otherReferences are those that are not ids by name, if there ever are any.
func (f Flow) otherReferences() map[string]any {
	out := map[string]any{}
	for kind, v := range object(f.doc["references"]) {
		if _, ok := v.(map[string]any); !ok && !model.Unset(v) {
			out["references."+kind] = v
		}
	}
	return out
}
