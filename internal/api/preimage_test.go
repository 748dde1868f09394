package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func TestOneReadServesManyWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.latency = func() time.Duration { return time.Second }
		c := client(t, f)
		if _, err := c.Read(t.Context(), model.Tenant); err != nil {
			t.Fatal(err)
		}
		runAll(t, c, creations(t, 100)) // 5 s
		if got := f.seen("/all"); got != 1 {
			t.Errorf("%d reads, want the one before the writes", got)
		}
		time.Sleep(10 * time.Second)
		runAll(t, c, creations(t, 120)[100:])
		if got := f.seen("/all"); got != 2 {
			t.Errorf("%d reads, want another one after 10 s", got)
		}
	})
}

func TestPreimageIsAtMostTenSecondsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a", "b")
		c := client(t, f)
		if _, err := c.Read(t.Context(), model.Tenant); err != nil {
			t.Fatal(err)
		}
		f.put("a", map[string]any{"id": "a", "name": "Moved"})
		time.Sleep(maxAge + time.Millisecond)
		live, _, err := c.preimages.get(t.Context(), tenantKey("a"))
		if err != nil || live.Attrs["name"] != "Moved" {
			t.Errorf("%v, %v", live.Attrs, err)
		}
	})
}

func TestListSlowerThanItMayBeOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		f.hook = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
			if strings.HasSuffix(r.URL.Path, "/all") {
				time.Sleep(15 * time.Second)
			}
			return false
		}
		live, exists, err := client(t, f).preimages.get(t.Context(), tenantKey("a"))
		if err != nil || !exists || live.Key != tenantKey("a") || f.seen("/tenant") != 1 {
			t.Errorf("%v, %v, %v; %d single reads", live, exists, err, f.seen("/tenant"))
		}
	})
}

// TestOwnWritesAreKnown: a second step on an object that we have just written
// sees our write, without another read.
func TestOwnWritesAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		f.tenants["a"]["enforceSSO"] = true
		c := client(t, f)
		rename := update(t, c, "a", "Renamed")
		single := f.seen("/tenant")
		expect := func(step model.Step, want func(model.Resource, bool) bool) {
			t.Helper()
			_, err := c.Do(t.Context(), step, func(live model.Resource, exists bool) error {
				if !want(live, exists) {
					return fmt.Errorf("%s %s sees %v %v", step.Op, step.Key, live.Attrs, exists)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		named := func(name string) func(model.Resource, bool) bool {
			return func(live model.Resource, exists bool) bool { return exists && live.Attrs["name"] == name }
		}
		expect(rename, named("Name of a"))
		expect(defaultRoles(tenantKey("a"), []any{"Admin"}), func(live model.Resource, exists bool) bool {
			return named("Renamed")(live, exists) && live.Observed.Fields["enforceSSO"] == true
		})
		expect(deletion("a"), func(live model.Resource, _ bool) bool {
			return model.Equal(live.Attrs["default_roles"], []any{"Admin"}) && live.Attrs["name"] == "Renamed"
		})
		expect(creation(t, "a"), func(_ model.Resource, exists bool) bool { return !exists })
		expect(defaultRoles(tenantKey("a"), []any{"User"}), named("Name of a"))
		if f.seen("/all") != 1 || f.seen("/tenant") != single {
			t.Errorf("%d lists and %d single reads", f.seen("/all"), f.seen("/tenant")-single)
		}
		time.Sleep(maxAge + time.Second)
		expect(deletion("a"), named("Name of a"))
	})
}

// TestWriteInDoubtIsReadAgain: after a write that failed in doubt the list says
// nothing about its object.
func TestWriteInDoubtIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		f.hook = failing("/delete", 1, status(500))
		c := client(t, f)
		pass := func(model.Resource, bool) error { return nil }
		if _, err := c.Do(t.Context(), deletion("a"), pass); err == nil {
			t.Fatal("the fault is not met")
		}
		before := f.seen("/tenant")
		if _, err := c.Do(t.Context(), deletion("a"), pass); err != nil || f.seen("/tenant") != before+1 {
			t.Errorf("%v, %d single reads", err, f.seen("/tenant")-before)
		}
	})
}

func TestFailedReadIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.latency = func() time.Duration { return 100 * time.Millisecond }
		f.hook = failing("/all", 999, status(500))
		c := client(t, f)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if _, _, err := c.preimages.get(t.Context(), tenantKey("a")); err == nil {
					t.Error("a failed read passes")
				}
			})
		}
		group.Wait()
		if got := f.seen("/all"); got != 1 {
			t.Errorf("%d reads for one failure", got)
		}
		// A waiter whose context ends does not wait for the reader.
		f.hook = nil
		f.latency = func() time.Duration { return 10 * time.Second }
		group.Go(func() {
			if _, _, err := c.preimages.get(t.Context(), tenantKey("a")); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := c.preimages.get(ctx, tenantKey("a")); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		group.Wait()
	})
}

// TestListsOfOneMoment: a clock may be too coarse to tell two lists apart, or a
// list from a write.
func TestListsOfOneMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		c := client(t, f)
		name := func() any {
			t.Helper()
			live, _, err := c.preimages.get(t.Context(), tenantKey("a"))
			if err != nil {
				t.Fatal(err)
			}
			return live.Attrs["name"]
		}
		read := func() {
			t.Helper()
			if _, err := c.Read(t.Context(), model.Tenant); err != nil {
				t.Fatal(err)
			}
		}
		read()
		f.put("a", map[string]any{"id": "a", "name": "Moved"})
		read()
		if got := name(); got != "Moved" {
			t.Errorf("after a second list: %v", got)
		}
		update := model.Step{Op: model.TenantUpdate, Key: tenantKey("a"), Body: []byte(`{"id":"a","name":"Ours"}`)}
		if _, err := c.Do(t.Context(), update, nil); err != nil {
			t.Fatal(err)
		}
		if got := name(); got != "Ours" {
			t.Errorf("after a write: %v", got)
		}
		f.put("a", map[string]any{"id": "a", "name": "Moved again"})
		read()
		if got := name(); got != "Moved again" {
			t.Errorf("after a write and a list: %v", got)
		}
	})
}
