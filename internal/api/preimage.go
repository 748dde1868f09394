package api

import (
	"context"
	"sync"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// maxAge is how old a pre-image may be when a write relies on it.
const maxAge = 10 * time.Second

// preimages keeps the last list of each kind, so that many writes in a row need
// few reads. Ages count from the moment at which the read was sent. It is safe
// for concurrent use.
type preimages struct {
	client *Client
	// reading is held by whoever refreshes the list; the others wait for it.
	reading chan struct{}

	mu       sync.Mutex
	lists    map[model.Kind]snapshot
	written  map[model.Key]written
	failure  error
	failedAt time.Time
}

// snapshot is a list, the time at which it was asked for, and its number: two
// lists may be of one moment as far as the clock can tell.
type snapshot struct {
	state  model.State
	at     time.Time
	number uint64
}

// written is an object that we wrote, or may have written, after a list was
// read. If known, it is the object as the list (of the number base) showed it
// with our write on top.
type written struct {
	at     time.Time
	known  bool
	base   uint64
	live   model.Resource
	exists bool
}

func newPreimages(c *Client) *preimages {
	return &preimages{
		client: c, reading: make(chan struct{}, 1),
		lists: map[model.Kind]snapshot{}, written: map[model.Key]written{},
	}
}

// keep remembers a list that was read at a time, unless a newer one is known. Of
// two from one moment the one that came in later counts.
func (p *preimages) keep(k model.Kind, resources []model.Resource, at time.Time) {
	state, err := model.NewState(resources)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.lists[k]; !at.Before(old.at) {
		p.lists[k] = snapshot{state: state, at: at, number: old.number + 1}
	}
}

// wrote notes that we sent a write, and with what effect if that is certain.
func (p *preimages) wrote(s model.Step, e endpoint, certain bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.lists[s.Key.Kind]
	w := written{at: time.Now(), base: list.number}
	if certain && e.result != nil {
		live, exists := list.state.Get(s.Key)
		if before := p.written[s.Key]; before.known && before.base == list.number {
			live, exists = before.live, before.exists
		}
		w.live, w.exists, w.known = e.result(s.Body, live, exists)
	}
	p.written[s.Key] = w
}

// get returns an object as it was at most maxAge ago, with our own writes since.
// Where the list cannot serve, because what became of a write is not known or
// because the list takes longer to read than it may be old, the object is read
// by itself.
func (p *preimages) get(ctx context.Context, key model.Key) (model.Resource, bool, error) {
	r, err := rowOf(key.Kind)
	if err != nil {
		return model.Resource{}, false, err
	}
	if r.snapshot {
		s, err := p.fresh(ctx, r)
		if err != nil {
			return model.Resource{}, false, err
		}
		p.mu.Lock()
		w := p.written[key]
		p.mu.Unlock()
		switch {
		case time.Since(s.at) > maxAge:
		case s.at.After(w.at):
			live, exists := s.state.Get(key)
			return live, exists, nil
		case w.known && w.base == s.number:
			return w.live, w.exists, nil
		}
	}
	return r.get(ctx, p.client, key.ID)
}

// fresh returns the list, read again if it is too old. Of many callers one
// reads; those that waited share its result, a failure too.
func (p *preimages) fresh(ctx context.Context, r row) (snapshot, error) {
	asked := time.Now()
	select {
	case p.reading <- struct{}{}:
		defer func() { <-p.reading }()
	case <-ctx.Done():
		return snapshot{}, ended(ctx)
	}
	p.mu.Lock()
	s, failure, failedAt := p.lists[r.kind], p.failure, p.failedAt
	p.mu.Unlock()
	switch {
	case s.at.After(asked) || time.Since(s.at) <= maxAge:
		return s, nil
	case failure != nil && failedAt.After(asked):
		return snapshot{}, failure
	}
	_, err := p.client.Read(ctx, r.kind)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		p.failure, p.failedAt = err, time.Now()
	}
	return p.lists[r.kind], err
}
