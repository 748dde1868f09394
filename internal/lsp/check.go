package lsp

import (
	"context"
	"path/filepath"
	"time"
)

// module is a configuration that files of the session belong to.
type module struct {
	root string
	// reports are the last word on each environment.
	reports map[string]Report
	// environments are all there are, once a check has ended.
	environments []string
	// shown is what is published, by path.
	shown map[string][]shown
	// cancel ends the check that runs, timer starts the next.
	cancel  context.CancelFunc
	timer   *time.Timer
	due     time.Time
	noticed map[string]bool
	// took is how long the last check did.
	took time.Duration
}

func (m *module) stop() {
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	if m.cancel != nil {
		m.cancel()
		m.cancel = nil
	}
}

// module is the one that a file belongs to, or nil.
func (h *hub) module(file string) *module {
	root, ok := h.o.Checker.Root(file)
	if !ok {
		return nil
	}
	m := h.modules[root]
	if m == nil {
		m = &module{root: root, reports: map[string]Report{}, shown: map[string][]shown{}, noticed: map[string]bool{}}
		h.modules[root] = m
	}
	return m
}

// check checks the configuration that a file belongs to, after a while. What is not
// saved waits longer where a check takes long, so that typing does not keep the machine
// busy. Checks that are due sooner are not put off.
func (h *hub) check(file string, after time.Duration) {
	m := h.module(file)
	if m == nil || h.shutdown {
		return
	}
	if after == h.o.Pause {
		after = max(after, m.took)
	}
	due := time.Now().Add(after)
	if m.timer != nil && after != h.o.Pause && m.due.Before(due) {
		return
	}
	if m.timer != nil {
		m.timer.Stop()
	}
	if after == 0 {
		m.timer = nil
		h.start(m)
		return
	}
	m.due = due
	var timer *time.Timer
	timer = time.AfterFunc(after, func() {
		h.events.push(func() {
			if m.timer == timer {
				m.timer = nil
				h.start(m)
			}
		})
	})
	m.timer = timer
}

// start starts a check; the one that runs ends.
func (h *hub) start(m *module) {
	if m.cancel != nil {
		m.cancel()
	}
	ctx, cancel := context.WithCancel(h.ctx)
	m.cancel = cancel
	c := Change{Root: m.root, Recent: append([]string(nil), h.recent...), Unsaved: h.unsaved()}
	for path := range c.Unsaved {
		if rel, err := filepath.Rel(m.root, path); err != nil || !filepath.IsLocal(rel) {
			delete(c.Unsaved, path)
		}
	}
	begun := time.Now()
	h.elsewhere(func() func() {
		s := h.o.Checker.Check(ctx, c, func(r Report) {
			h.events.push(func() {
				if ctx.Err() == nil {
					m.reports[r.Environment] = r
					h.rebuild(m)
				}
			})
		})
		return func() {
			if ctx.Err() != nil {
				return
			}
			cancel()
			m.cancel, m.took = nil, time.Since(begun)
			h.settle(m, s)
		}
	})
}

// settle ends a check: what was reported on environments that are no more is gone.
func (h *hub) settle(m *module, s Summary) {
	known := map[string]bool{"": true}
	for _, env := range s.Environments {
		known[env] = true
	}
	for env := range m.reports {
		if !known[env] {
			delete(m.reports, env)
		}
	}
	m.environments = s.Environments
	h.rebuild(m)
	if s.Notice != "" && !m.noticed[s.Notice] {
		m.noticed[s.Notice] = true
		h.show(typeInfo, s.Notice)
	}
}
