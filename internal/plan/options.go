package plan

import (
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// checkOptions refuses keys that no state knows: a misspelt --target must not
// look like a clean run.
func (c *computation) checkOptions() error {
	for _, k := range c.options.Targets {
		if !has(c.desired, k) && !has(c.live, k) && !has(c.last, k) {
			return &model.MistypedError{
				Text: fmt.Sprintf("target %s is neither in the configuration nor live%s", k, c.didYouMean(k)),
				Word: k.String(), Meant: c.nearest(k),
			}
		}
	}
	for _, k := range c.options.PruneUnmanaged {
		switch {
		case !has(c.live, k):
			return fmt.Errorf("%s cannot be pruned: it does not exist%s", k, c.didYouMean(k))
		case has(c.desired, k):
			return fmt.Errorf("%s is not unmanaged: the configuration has it; remove it there first", k)
		case has(c.last, k):
			return fmt.Errorf("%s is not unmanaged but an orphan: it was applied before; use --prune=%s", k, k.Kind)
		case len(c.targets) > 0 && !c.targets[k]:
			return fmt.Errorf("%s cannot be pruned: it is not among the targets", k)
		}
	}
	return nil
}

func (c *computation) didYouMean(k model.Key) string {
	if meant := c.nearest(k); meant != "" {
		return "; did you mean " + meant + "?"
	}
	return ""
}

// nearest is the address that was likely meant, or "".
func (c *computation) nearest(k model.Key) string {
	var ids []string
	for _, s := range []model.State{c.desired, c.live} {
		for _, r := range s.Of(k.Kind) {
			ids = append(ids, r.Key.ID)
		}
	}
	if id := model.Suggest(k.ID, ids); id != "" {
		return model.Key{Kind: k.Kind, ID: id}.String()
	}
	return ""
}

func has(s model.State, k model.Key) bool {
	_, ok := s.Get(k)
	return ok
}
