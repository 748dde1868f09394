package compiler

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"pcconnect.ai/descope-mgmt/internal/literal"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/schema"
)

// takeLiterals reads the tenants that need no evaluation from the text of the files,
// and, unless they are to stay together, sets the others aside where there are many, for
// [loaded.evaluateShards]. It returns the files as they are without both.
func (l *loaded) takeLiterals(together bool) map[string][]byte {
	m := l.module
	rules, err := schema.FS.ReadFile("tenant.cue")
	above, _ := cueFiles(m.root) // they may be part of the package, too
	if err != nil || !literal.Knows(rules) || len(above) > 0 {
		return nil
	}
	var base, overlay []*literal.File
	files := make([]*literal.File, len(l.sources))
	for i, s := range l.sources {
		files[i] = m.literals.read(m, s)
		if filepath.Dir(s.path) == l.overlayDir() {
			overlay = append(overlay, files[i])
		} else {
			base = append(base, files[i])
		}
	}
	t := literal.Take(base, overlay)
	l.taken = t.Tenants
	aside := map[string]bool{}
	size := cmp.Or(m.shardSize, shardSize)
	if !together && len(t.Separable) >= 2*size {
		l.files = files
		l.shards = slices.Collect(slices.Chunk(t.Separable, size))
		for _, id := range t.Separable {
			aside[id] = true
		}
	}
	rest := make(map[string][]byte, len(files))
	for i, s := range l.sources {
		rest[s.path] = files[i].Without(func(id string) bool { return l.taken[id] != nil || aside[id] })
	}
	return rest
}

// WithTrace returns the module with a function that is told, in a line for people, how
// each environment was compiled. It must be safe for concurrent use.
func (m *Module) WithTrace(f func(line string)) *Module {
	other := *m
	other.trace = f
	return &other
}

func (m *Module) tell(format string, args ...any) {
	if m.trace != nil {
		m.trace(fmt.Sprintf(format, args...))
	}
}

// tellStrategy says what CUE had to do.
func (l *loaded) tellStrategy(t *tree) {
	taken, how := len(l.taken), "evaluated by CUE"
	if len(l.shards) > 0 {
		how += fmt.Sprintf(" in %d parts", len(l.shards))
	}
	if taken > 0 || len(l.shards) > 0 {
		noun := "tenants"
		if taken == 1 {
			noun = "tenant"
		}
		how = fmt.Sprintf("%d %s read from the text, %d %s", taken, noun, t.tenants()-taken, how)
	}
	l.module.tell("%s: %s", l.env, how)
}

func (t *tree) tenants() int {
	n := 0
	for _, o := range t.objects {
		if o.key.Kind == model.Tenant {
			n++
		}
	}
	return n
}

// takenObjects are the tenants that CUE does not see.
func (l *loaded) takenObjects() []*object {
	objects := make([]*object, 0, len(l.taken))
	for _, id := range slices.Sorted(maps.Keys(l.taken)) {
		t := l.taken[id]
		o := &object{key: model.Key{Kind: model.Tenant, ID: id}, fields: t.Fields, where: positions{origin: t.Origin, origins: t.Origins, defaults: t.Defaults()}}
		if in, ok := t.Fields["enabled_in"].([]any); ok {
			o.leaveOut(in, l.env)
		}
		objects = append(objects, o)
	}
	return objects
}

// literals keeps files that were taken apart for the environments that share
// them. The nil pointer keeps nothing.
type literals struct {
	mu    sync.Mutex
	files map[string]*literal.File
}

// keepingLiterals returns the module with files kept for what is compiled next.
func (m *Module) keepingLiterals() *Module {
	other := *m
	other.literals = &literals{files: map[string]*literal.File{}}
	return &other
}

func (k *literals) read(m *Module, s source) *literal.File {
	read := func() *literal.File { return literal.Read(m.rel(s.path), s.data, m.path+"/"+schemaDir) }
	if k == nil {
		return read()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if have, ok := k.files[s.path]; ok && have.IsOf(s.data) {
		return have
	}
	f := read()
	k.files[s.path] = f
	return f
}
