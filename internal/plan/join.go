package plan

import (
	"cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// trio is what the three states say of one key; nil where they say nothing.
type trio struct{ want, live, last *model.Resource }

func (t trio) key() model.Key { return cmp.Or(t.want, t.live, t.last).Key }

// join walks three lists of one kind, sorted by id, side by side.
func join(desired, live, last []model.Resource) func(yield func(trio) bool) {
	return func(yield func(trio) bool) {
		lists := [3][]model.Resource{desired, live, last}
		for {
			var first *model.Resource
			for i := range lists {
				if len(lists[i]) > 0 && (first == nil || lists[i][0].Key.ID < first.Key.ID) {
					first = &lists[i][0]
				}
			}
			if first == nil {
				return
			}
			var heads [3]*model.Resource
			for i := range lists {
				if len(lists[i]) > 0 && lists[i][0].Key.ID == first.Key.ID {
					heads[i], lists[i] = &lists[i][0], lists[i][1:]
				}
			}
			if !yield(trio{heads[0], heads[1], heads[2]}) {
				return
			}
		}
	}
}
