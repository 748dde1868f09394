package flow

import (
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// massBackfill is on how many components the same new value is a default.
const massBackfill = 3

// backfill is a property that only one of the flows has, on a component that
// both have: index is the place in the changes.
type backfill struct {
	index int
	added bool
	key   string
	// component and prop are what the key was made from.
	component, prop string
}

// propertyNoise says why a change of a property is noise by itself, or "".
// Descope: newer versions of components write out properties that had this value
// anyhow. The values are those seen in exports.
func propertyNoise(c Change, prop string, isProp bool, before, after map[string]any) Reason {
	if c.Before != nil && c.After != nil {
		return ""
	}
	value := c.Before
	if value == nil {
		value = c.After
	}
	if !isProp {
		switch c.Field {
		case "hidden", "isCanvas", "linkedNodes", "custom":
			if model.Unset(value) {
				return Backfilled
			}
		}
		return ""
	}
	backfilled := false
	switch {
	case prop == "link-target-blank":
		backfilled = value == true
	case prop == "tooltipText":
		backfilled = value == "Tooltip text"
	case prop == "label-type":
		backfilled = value == "static"
	case prop == "aria-label":
		backfilled = ariaDefault(text(value), before) || ariaDefault(text(value), after)
	case strings.HasPrefix(prop, "data-errormessage-"):
		backfilled = slices.Contains([]string{
			"Please fill out this field.", "Required", "Must be a valid email", "Must be a valid phone number",
			"Must be a 6 digit number", "Passwords do not match", "Please enter a valid phone", "Value does not comply with requirements",
		}, text(value))
	}
	if backfilled {
		return Backfilled
	}
	return ""
}

// ariaDefault reports whether a description for screen readers is the one that a
// component has by itself: its own text, or that of its kind of button.
func ariaDefault(description string, node map[string]any) bool {
	provider, isButton := strings.CutSuffix(component(node), "Button")
	own := strings.TrimSpace(text(object(node["props"])["children"]))
	return description != "" && description == own ||
		isButton && provider != "" && strings.EqualFold(description, "Sign in with "+provider)
}

// mayBeBackfill remembers a change that is about to be added. What people write
// is never a default, however often it is there.
func (d *differ) mayBeBackfill(c Change, prop string) {
	if (c.Before == nil) == (c.After == nil) {
		return
	}
	switch prop {
	case "children", "label", "placeholder", "alt", "title", "name", "href", "src", "required", "pattern", "data", "default-value":
		return
	}
	value, added := c.After, c.Before == nil
	if !added {
		value = c.Before
	}
	switch value.(type) {
	case map[string]any, []any:
		return
	}
	key := string(model.CanonicalJSON([]any{c.Component, prop, value, added}))
	d.backfills = append(d.backfills, backfill{len(d.report.Changes), added, key, c.Component, prop})
}

// settleBackfills moves to the noise what components of a newer version wrote
// out by themselves: the same value of a property on three components of a kind
// or more, which no component of that kind had in the older flow. Without a
// newer version nothing but a person can have done that.
func (d *differ) settleBackfills() {
	versions := CompareIDs(d.b.flow.ComponentsVersion(), d.a.flow.ComponentsVersion())
	if versions == 0 || d.a.flow.ComponentsVersion() == "" || d.b.flow.ComponentsVersion() == "" {
		return
	}
	count := map[string]int{}
	for _, b := range d.backfills {
		count[b.key]++
	}
	drop := map[int]bool{}
	for _, b := range d.backfills {
		older := d.a.flow
		if !b.added {
			older = d.b.flow
		}
		if count[b.key] >= massBackfill && b.added == (versions > 0) && !older.uses(b.component, b.prop) {
			drop[b.index] = true
			d.noise(Backfilled, d.report.Changes[b.index])
		}
	}
	kept := d.report.Changes[:0]
	for i, c := range d.report.Changes {
		if !drop[i] {
			kept = append(kept, c)
		}
	}
	d.report.Changes = kept
}

// uses reports whether any component of a kind has a property.
func (f Flow) uses(kind, prop string) bool {
	for _, s := range f.Screens() {
		for _, v := range object(s.doc["contents"]) {
			if node := object(v); component(node) == kind && has(object(node["props"]), prop) {
				return true
			}
		}
	}
	return false
}
