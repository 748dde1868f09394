package cli

import (
	"slices"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// TestSettle: what is there as a run was about to leave it was done by the run,
// and nothing else.
func TestSettle(t *testing.T) {
	tenant := func(id, name string, attributes map[string]any) model.Resource {
		return model.Resource{Key: model.Key{Kind: model.Tenant, ID: id}, Attrs: map[string]any{"name": name, "custom_attributes": attributes}}
	}
	state := func(resources ...model.Resource) model.State {
		s, err := model.NewState(resources)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	none := map[string]any{}
	rec := record{
		last: state(tenant("updated", "Old", none), tenant("not-updated", "Old", none), tenant("half", "Same", map[string]any{"gone": "x"})),
		pending: state(
			tenant("created", "New", none), tenant("not-created", "New", none), tenant("updated", "New", none),
			tenant("not-updated", "New", none), tenant("half", "Same", none), tenant("moved", "New", none),
		),
	}
	live := state(
		tenant("created", "New", none), tenant("updated", "New", none), tenant("not-updated", "Old", none),
		tenant("half", "Same", map[string]any{"gone": "x"}), tenant("moved", "By hand", none), tenant("foreign", "Foreign", none),
	)
	got, err := rec.settle(live)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, r := range got.Resources() {
		have = append(have, r.Key.ID+" "+r.Attrs["name"].(string))
	}
	want := []string{"created New", "half Same", "not-updated Old", "updated New"}
	if !slices.Equal(have, want) {
		t.Errorf("recorded as applied are %q, want %q", have, want)
	}
	half, _ := got.Get(model.Key{Kind: model.Tenant, ID: "half"})
	if !model.Equal(half.Attrs["custom_attributes"], map[string]any{"gone": "x"}) {
		t.Errorf("an attribute that was to be removed is forgotten: %v", half.Attrs)
	}
	if same, err := (record{last: rec.last}).settle(live); err != nil || same.Digest() != rec.last.Digest() {
		t.Errorf("with nothing pending the record changes (%v)", err)
	}
}
