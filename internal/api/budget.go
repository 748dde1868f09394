package api

import "time"

// The names of the budgets.
const (
	BudgetTenantWrites = "tenant-writes"
	BudgetOther        = "other"
)

// Budget is how many requests Descope takes in any window of time.
type Budget struct {
	Name     string
	Requests int
	Window   time.Duration
	// PerProject budgets count per project; the others per host, shared by all
	// projects there.
	PerProject bool
}

// DefaultBudgets is the table of budgets. Descope: everything that its page on
// rate limits does not list shares 100 requests a minute; tenant writes are
// counted by project.
func DefaultBudgets() []Budget {
	return []Budget{
		{Name: BudgetTenantWrites, Requests: 200, Window: time.Minute, PerProject: true},
		{Name: BudgetOther, Requests: 100, Window: time.Minute},
	}
}

// Slots remembers across processes which requests were sent, so that a command
// which follows another stays within the budget of both. Budgets are named by
// text that is unique for budget, host and project, and safe in a file name
// once escaped. Implementations are safe for concurrent use and quick: they
// stand in the path of every request. Their errors are logged and otherwise
// ignored, since a budget that was overdrawn costs a pause and nothing else.
type Slots interface {
	// Open calls yield for every request of the budget that is remembered,
	// with the times at which it was sent and answered; done is zero where no
	// answer was ever recorded (the process died, or is still waiting).
	// Requests older than an hour may be forgotten.
	Open(budget string, yield func(sent, done time.Time)) error
	// Sent records that a request is about to be sent. It must survive a kill
	// of the process by the time it returns; ids are unique across processes.
	Sent(budget, id string, at time.Time) error
	// Done records that the request was answered.
	Done(budget, id string, at time.Time) error
}

// WaitReason says why a call has not been sent yet.
type WaitReason string

// The reasons for waiting.
const (
	// WaitBudget: the budget of the moment is used up.
	WaitBudget WaitReason = "rate limited"
	// WaitPause: Descope refused a request for coming too soon, so that all
	// requests of this process are held back.
	WaitPause WaitReason = "paused by Descope"
	// WaitRetry: a call failed and will be tried again.
	WaitRetry WaitReason = "retrying"
)

// Wait is a delay that a user may want to know of.
type Wait struct {
	Reason WaitReason
	Until  time.Time
	// Err is the failure that led to a retry; nil for the other reasons.
	Err error
}
