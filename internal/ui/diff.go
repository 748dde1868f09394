package ui

import (
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

// DiffText renders the differences between two states of a project, computed as a
// plan that nobody will run: what is only in the later one, what differs, and what is
// only in the earlier one. It begins with "No differences." or ends with the counts.
func DiffText(p *plan.Plan, s Style) string {
	if len(p.Changes) == 0 {
		return s.paint(blue, "No differences.") + fmt.Sprintf(" %s compared.\n", Counted(len(p.Unchanged), "object"))
	}
	var b strings.Builder
	address := minAddress
	for _, c := range p.Changes {
		address = max(address, min(cells(Safe(c.Key.String()))+2, maxAddress))
	}
	for _, c := range p.Changes {
		c.Fields = slices.Clone(c.Fields)
		for i := range c.Fields {
			c.Fields[i].Moved, c.Fields[i].Note = plan.Config, ""
		}
		c.Adopts = false
		writeChange(&b, c, address, s)
	}
	n := p.Counts()
	fmt.Fprintf(&b, "%s %d added, %d changed, %d removed. %d the same.\n", s.paint(bold, "Differences:"), n.Create, n.Update, n.Delete, n.Unchanged)
	return b.String()
}
