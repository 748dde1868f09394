package literal

import (
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Tenant is a tenant that was taken.
type Tenant struct {
	ID string
	// Fields are its values, normalised, as CUE would evaluate them: with the id.
	Fields map[string]any
	// Origin is where it was written first; Origins are where its fields were
	// written, by path, those of the overlay where it writes them.
	Origin   model.Origin
	Origins  map[string]model.Origin
	defaults []preset
}

// preset is a value that is given as a default.
type preset struct {
	path     string
	level    int
	replaced bool // by the overlay
}

// Defaults are the paths that are given as a default, replaced or not.
func (t *Tenant) Defaults() []string {
	var paths []string
	for _, d := range t.defaults {
		paths = append(paths, d.path)
	}
	return paths
}

func (t *Tenant) preset(path string) *preset {
	for i := range t.defaults {
		if t.defaults[i].path == path {
			return &t.defaults[i]
		}
	}
	return nil
}

// Taken is what can be done with the files of an environment.
type Taken struct {
	// Tenants are those that can be taken, by id.
	Tenants map[string]*Tenant
	// Separable are the ids of all others, sorted, if each of them can be evaluated
	// without the rest of them, and without the flows; else nil.
	Separable []string
}

// Take looks for tenants that can be taken from the files of an environment.
// base are the shared files, overlay those of the environment, each in the order
// of their names.
func Take(base, overlay []*File) Taken {
	t := taker{refers: map[string]bool{}, drafts: map[string]*draft{}}
	separable := true
	for level, files := range [][]*File{base, overlay} {
		for _, f := range files {
			if f.opaque || f.refers[tenants] || f.refers["self"] {
				return Taken{}
			}
			separable = separable && f.separable()
			for name := range f.refers {
				t.refers[name] = true
			}
			for _, d := range f.declares {
				for i := range d.pieces {
					t.add(f, &d.pieces[i], level)
				}
			}
		}
	}
	taken := Taken{Tenants: make(map[string]*Tenant, len(t.drafts))}
	for id, d := range t.drafts {
		referred := d.plain && t.refers[id]
		if !d.refused && !referred && allowed(id, d.tenant.Fields) {
			d.tenant.Fields["id"] = id
			taken.Tenants[id] = &d.tenant
			continue
		}
		separable = separable && !referred
		taken.Separable = append(taken.Separable, id)
	}
	if !separable || t.refers["flows"] {
		taken.Separable = nil
	}
	slices.Sort(taken.Separable)
	return taken
}

type taker struct {
	refers map[string]bool
	drafts map[string]*draft
}

// draft is a tenant in the making.
type draft struct {
	tenant  Tenant
	plain   bool // one of its labels is a name that others might refer to
	refused bool
}

func (t *taker) add(f *File, p *piece, level int) {
	d := t.drafts[p.id]
	if d == nil {
		d = &draft{tenant: Tenant{ID: p.id, Origin: f.origin(p.at), Fields: map[string]any{}, Origins: make(map[string]model.Origin, len(p.fields))}}
		t.drafts[p.id] = d
	}
	d.plain = d.plain || p.plain
	if !p.literal || p.schemaUses > 0 && f.schemaImport.end == 0 {
		d.refused = true
	}
	if !d.refused {
		d.refused = !d.merge(f, p.fields, level)
	}
}

// merge adds fields. It reports whether no value is given twice, but for a
// default of the shared files and what the overlay says instead.
func (d *draft) merge(file *File, fields []field, level int) bool {
	var below map[string]any
	for i := range fields {
		f := &fields[i]
		d.tenant.Origins[f.path] = file.origin(f.at)
		into := d.tenant.Fields
		if f.below {
			into = below
		}
		before, again := into[f.name]
		if f.nested {
			if below, again = before.(map[string]any); !again {
				below = map[string]any{}
				into[f.name] = below
			}
			continue
		}
		if f.name == "enabled_in" && level > 0 && !f.below {
			return false // for the compiler to refuse
		}
		if again {
			p := d.tenant.preset(f.path)
			if p == nil || f.preset || p.level == level || p.replaced || !replaces(before, f.value) {
				return false
			}
			p.replaced = true
		}
		if f.preset {
			d.tenant.defaults = append(d.tenant.defaults, preset{path: f.path, level: level})
		}
		into[f.name] = f.value
	}
	return true
}
