package emulator

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Scope says who shares a budget.
type Scope string

// The scopes. Descope keys most budgets by the address of the client, and some
// by the project in the Authorization header.
const (
	PerClient  Scope = "client"
	PerProject Scope = "project"
)

// Budget allows Limit requests in any span of length Window. The request that
// exceeds it, and every other one during the Penalty that follows, is refused
// with 429, E130429 and Retry-After; refused requests do not count, and after
// the penalty the count starts at zero. Without a penalty a request is refused
// only while it would be too many.
type Budget struct {
	Name    string
	Limit   int
	Window  time.Duration
	Penalty time.Duration
	Per     Scope
	// Endpoints are those the budget is for, as "POST /v1/mgmt/tenant/create";
	// empty is every endpoint.
	Endpoints []string
}

// DefaultBudgets are 200 tenant writes per minute and project, and 100 of all
// other requests per minute and client, each with a penalty of a minute. A
// request counts against the first budget that it belongs to.
func DefaultBudgets() []Budget {
	return []Budget{
		{
			Name: "tenant-writes", Limit: 200, Window: time.Minute, Penalty: time.Minute, Per: PerProject,
			Endpoints: []string{
				"POST /v1/mgmt/tenant/create",
				"POST /v1/mgmt/tenant/update",
				"POST /v1/mgmt/tenant/delete",
				"POST /v1/mgmt/tenant/settings",
				"POST /v1/mgmt/tenant/updateDefaultRoles",
			},
		},
		{Name: "other", Limit: 100, Window: time.Minute, Penalty: time.Minute, Per: PerClient},
	}
}

// NoBudgets switches rate limits off.
func NoBudgets() []Budget { return []Budget{} }

// ParseBudgets reads what --rate takes: "off", or comma-separated settings of
// the default budgets, each "200/60s" (the tenant writes) or NAME=N/WINDOW
// with the names tenant-writes and other.
func ParseBudgets(s string) ([]Budget, error) {
	if s == "off" {
		return NoBudgets(), nil
	}
	budgets := DefaultBudgets()
	for setting := range strings.SplitSeq(s, ",") {
		name, rate, named := strings.Cut(setting, "=")
		if !named {
			name, rate = "tenant-writes", setting
		}
		i := slices.IndexFunc(budgets, func(b Budget) bool { return b.Name == name })
		limit, window, ok := strings.Cut(rate, "/")
		n, errLimit := strconv.Atoi(limit)
		w, errWindow := time.ParseDuration(window)
		if i < 0 || !ok || errLimit != nil || errWindow != nil || n < 1 || w <= 0 {
			return nil, fmt.Errorf(`rate %q: write "off", "200/60s", or "tenant-writes=200/60s,other=100/60s"`, s)
		}
		budgets[i].Limit, budgets[i].Window, budgets[i].Penalty = n, w, w
	}
	return budgets, nil
}

// limiter is the strict server side of the budgets: a sliding log of arrivals.
// It is not safe for concurrent use.
type limiter struct {
	budgets []Budget
	windows map[string]*window
}

type window struct {
	arrivals []time.Time
	blocked  time.Time
}

// take counts a request, or says how long it must wait. Both edges of a window
// belong to it: a request exactly one Window after another still meets it.
func (l *limiter) take(now time.Time, endpoint, project, client string) (wait time.Duration, budget string) {
	i := slices.IndexFunc(l.budgets, func(b Budget) bool {
		return len(b.Endpoints) == 0 || slices.Contains(b.Endpoints, endpoint)
	})
	if i < 0 {
		return 0, ""
	}
	b := l.budgets[i]
	who := client
	if b.Per == PerProject {
		who = project
	}
	key := b.Name + "\x00" + who
	w := l.windows[key]
	if w == nil {
		w = &window{}
		l.windows[key] = w
	}
	if now.Before(w.blocked) {
		return w.blocked.Sub(now), b.Name
	}
	gone := 0
	for gone < len(w.arrivals) && now.Sub(w.arrivals[gone]) > b.Window {
		gone++
	}
	w.arrivals = w.arrivals[gone:]
	if len(w.arrivals) < b.Limit {
		w.arrivals = append(w.arrivals, now)
		return 0, ""
	}
	if b.Penalty <= 0 {
		return max(time.Nanosecond, b.Window-now.Sub(w.arrivals[0])), b.Name
	}
	// Whoever waits as long as it is told starts afresh.
	w.arrivals, w.blocked = nil, now.Add(b.Penalty)
	return b.Penalty, b.Name
}

// wholeSeconds rounds up, since Retry-After knows no fractions.
func wholeSeconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
