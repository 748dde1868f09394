package compiler

import (
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

const (
	// shardSize is how many tenants are evaluated at a time: with more, memory grows, with
	// fewer, the shared definitions are evaluated too often.
	shardSize = 200
	// shardWorkers evaluate at the same time.
	shardWorkers = 2
)

// evaluateShards evaluates the tenants that were set aside, a part at a time, each with
// all that is no tenant and no flow, and adds them to the tree. It reports whether the
// whole at once would have given the same: if anything is wrong, it is left to the whole
// to say so.
func (l *loaded) evaluateShards(t *tree) bool {
	defer collectLess()()
	shards := make([][]*object, len(l.shards))
	todo := make(chan int, len(l.shards))
	for i := range l.shards {
		todo <- i
	}
	close(todo)
	var wg sync.WaitGroup
	panics := make(chan any, shardWorkers)
	for range shardWorkers {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panics <- p
				}
			}()
			for i := range todo {
				if shards[i] = l.evaluateShard(l.shards[i]); shards[i] == nil {
					for range todo { // nobody needs the others
					}
				}
			}
		})
	}
	wg.Wait()
	if len(panics) > 0 {
		panic(<-panics)
	}
	for _, s := range shards {
		if s == nil {
			return false
		}
		t.objects = append(t.objects, s...)
	}
	return true
}

// collectLess lets the heap grow to two and a half times what is in use before garbage is
// collected, until the function that it returns is called: a part is little that lives and
// much garbage, and collecting it at twice takes a fifth of the time. Whoever chose
// another percentage than the standard one, with GOGC or in the program, keeps it.
func collectLess() (undo func()) {
	const standard, percent = 100, 150
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 || sample[0].Value.Uint64() != standard {
		return func() {}
	}
	debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(standard) }
}

// evaluateShard returns nil where anything is wrong.
func (l *loaded) evaluateShard(ids []string) []*object {
	instance := l.shardInstance(ids)
	if instance == nil {
		return nil
	}
	v := cuecontext.New().BuildInstance(instance)
	w := &walker{problems: mistakes(v)}
	if len(w.problems) > 0 {
		return nil
	}
	spec := model.Spec(model.Tenant)
	objects := w.objects(v, spec, l.env)
	if len(w.problems) > 0 || len(objects) != len(ids) {
		return nil
	}
	written := newIndex(l.module, instance.Files)
	for _, o := range objects {
		// Nothing of the context and of the syntax is kept: it would be most of the memory.
		o.where = written.positions(written.children(spec.Field)[o.key.ID])
		o.value = cue.Value{}
		inOverlay := strings.HasPrefix(o.where.origins["enabled_in"].File, l.module.rel(l.overlayDir())+"/")
		if _, ok := slices.BinarySearch(ids, o.key.ID); !ok || o.where.origin.IsZero() || inOverlay {
			return nil
		}
	}
	return objects
}

// shardInstance is the environment without flows, and with some of its tenants.
func (l *loaded) shardInstance(ids []string) *build.Instance {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	instance := *l.instance
	instance.Files = nil
	add := func(name string, text []byte) bool {
		file, err := parser.ParseFile(name, text, l.config)
		if err != nil {
			return false
		}
		astutil.Resolve(file, func(token.Pos, string, ...any) {})
		instance.Files = append(instance.Files, file)
		return true
	}
	for i, s := range l.sources {
		if text := l.files[i].Only(wanted); text != nil && !add(s.path, text) {
			return nil
		}
	}
	if !add(filepath.Join(l.module.root, envsDir, generatedFile), []byte(l.threeLines())) {
		return nil
	}
	return &instance
}
