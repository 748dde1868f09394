package plan

import "pcconnect.ai/descope-mgmt/internal/model"

// Inverse returns the inputs of [Compute] that take back what a run of p did, as
// an ordinary plan. done says which changes took effect, whole or in part; post
// are the live resources after that run.
func Inverse(p *Plan, done func(model.Key) bool, post model.State) (desired, last model.State, targets []model.Key) {
	for i := range p.Changes {
		if done(p.Changes[i].Key) {
			targets = append(targets, p.Changes[i].Key)
		}
	}
	_ = post // follows
	return desired, last, targets
}
