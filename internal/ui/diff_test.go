package ui

import (
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

func TestDiffText(t *testing.T) {
	t.Parallel()
	key := func(id string) model.Key { return model.Key{Kind: model.Tenant, ID: id} }
	p := &plan.Plan{
		Changes: []plan.Change{
			{Key: key("a"), Action: plan.Create, Fields: []plan.FieldChange{{Path: "name", Before: plan.Absent{}, After: "A"}}},
			{Key: key("b"), Action: plan.Update, Adopts: true, Fields: []plan.FieldChange{{Path: "name", Before: "B", After: "C", Moved: plan.Live, Note: "x"}}},
			{Key: key("d"), Action: plan.Delete, Fields: []plan.FieldChange{{Path: "name", Before: "D", After: plan.Absent{}}}},
		},
		Unchanged: []model.Key{key("e")},
	}
	want := `tenant/a              + create
    name               "A"
tenant/b              ~ update
    name               "B" → "C"
tenant/d              - delete
    name               "D"
Differences: 1 added, 1 changed, 1 removed. 1 the same.
`
	if got := DiffText(p, Style{}); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := DiffText(&plan.Plan{Unchanged: []model.Key{key("e")}}, Style{}); got != "No differences. 1 object compared.\n" {
		t.Errorf("got %q", got)
	}
}
