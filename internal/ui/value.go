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

// valuePair writes two values that differ so that the difference is seen: where
// they are too long, what they have in common at the start goes first.
func valuePair(before, after any, width int) (string, string) {
	b, a := compact(before), compact(after)
	if width <= 0 || cells(b) <= width && cells(a) <= width {
		return b, a
	}
	common := 0
	rb, ra := []rune(b), []rune(a)
	for common < len(rb) && common < len(ra) && rb[common] == ra[common] {
		common++
	}
	if context := width / 4; common > context {
		start := common - context
		b, a = ellipsis+string(rb[start:]), ellipsis+string(ra[start:])
	}
	return elide(b, width), elide(a, width)
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
