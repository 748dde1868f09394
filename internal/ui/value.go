package ui

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

const (
	// nothing and masked stand for a value that is not there or not shown.
	nothing = "(none)"
	masked  = "(sensitive)"
)

// Value writes a value on one line, as JSON with a space after commas and
// colons, keys sorted, and everything that could move a terminal escaped. A
// text wider than width loses its middle; 0 means no limit. [plan.Absent] is
// written as (none).
func Value(v any, width int) string { return elide(compact(v), width) }

// valuePair writes two values that differ so that the difference is seen. Both
// together take at most width columns; the shorter one leaves its room to the
// other, and what they have in common at the start goes where it would push the
// difference out of sight.
func valuePair(before, after any, width int) (string, string) {
	b, a := compact(before), compact(after)
	if width <= 0 || cells(b)+cells(a) <= width {
		return b, a
	}
	wb := max(min(cells(b), width/2), width-cells(a))
	wa := width - wb
	narrow := min(wb, wa)
	shared := commonPrefix(b, a)
	if head := narrow - 1 - (narrow-1)/2; cells(shared)+2 > head {
		drop := len(shared) - len(tailOf(shared, narrow/4))
		b, a = ellipsis+b[drop:], ellipsis+a[drop:]
	}
	return elide(b, wb), elide(a, wa)
}

func commonPrefix(a, b string) string {
	for i, r := range a {
		if !strings.HasPrefix(b[i:], string(r)) {
			return a[:i]
		}
	}
	return a
}

func compact(v any) string {
	switch v := v.(type) {
	case plan.Absent:
		return nothing
	case string:
		return quoted(v)
	case json.Number:
		return Safe(v.String())
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = compact(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, quoted(k)+": "+compact(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return Safe(fmt.Sprint(v))
		}
		return Safe(string(b))
	}
}
