package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// memberships reads a list of {"tenantId": …, "roleNames": […]} and refuses a
// tenant that is not there.
func (c *call) memberships(name string) ([]any, *apiError) {
	if c.body[name] == nil {
		return []any{}, nil
	}
	list, ok := c.body[name].([]any)
	if !ok {
		return nil, badRequest("The %s field has the wrong type", name)
	}
	out := make([]any, 0, len(list))
	for _, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, badRequest("The %s field has the wrong type", name)
		}
		own := map[string]any{}
		if e := overlay(own, []field{{name: "tenantId"}, {name: "roleNames", kind: texts}}, m, false); e != nil {
			return nil, e
		}
		if _, e := c.lookup(own["tenantId"].(string)); e != nil {
			return nil, e
		}
		out = append(out, own)
	}
	return out, nil
}

// renderMember is a user or an access key as a read shows it: whole, with the
// names of its tenants.
func (c *call) renderMember(stored map[string]any, fields []field, tenants string) map[string]any {
	out := blank(fields)
	maps.Copy(out, stored)
	list, _ := stored[tenants].([]any)
	named := make([]any, 0, len(list))
	for _, v := range list {
		m := map[string]any{"roleNames": []any{}}
		if own, ok := v.(map[string]any); ok {
			maps.Copy(m, own)
		}
		if t := c.project.tenant(tenantIDOf(v)); t != nil {
			m["tenantName"] = t.name
		}
		named = append(named, m)
	}
	out[tenants] = named
	return out
}

// blank is an object in which nothing is set, spelt out.
func blank(fields []field) map[string]any {
	out := make(map[string]any, len(fields))
	for _, f := range fields {
		out[f.name] = f.empty()
	}
	return out
}

// filter is a list of a search request, and where what it names is looked for:
// any one of the values must be there. Fields combine with and.
type filter struct{ name, in string }

func (f filter) matches(want, member map[string]any) bool {
	wanted, _ := want[f.name].([]any)
	if len(wanted) == 0 {
		return true
	}
	have, isList := member[f.in].([]any)
	if !isList {
		have = []any{member[f.in]}
	}
	return slices.ContainsFunc(have, func(v any) bool { return slices.Contains(wanted, v) })
}

// inTenants reports whether a member belongs to one of some tenants; no tenants
// are no condition.
func inTenants(ids []any, member map[string]any, field string) bool {
	return len(ids) == 0 || slices.ContainsFunc(ids, func(id any) bool { return belongs(member, field, id.(string)) })
}

// page cuts a page out of a list.
func page(list []any, limit, number int) []any {
	from := min(len(list), max(0, number)*limit)
	return list[from:min(len(list), from+limit)]
}

func number(v any) int {
	n, _ := v.(json.Number)
	i, _ := strconv.Atoi(n.String())
	return i
}

// replaced is a list in which one member has another in its place, or is gone
// if next is nil.
func replaced(list []map[string]any, i int, next map[string]any) []map[string]any {
	if next == nil {
		return slices.Delete(slices.Clone(list), i, i+1)
	}
	out := slices.Clone(list)
	out[i] = next
	return out
}

// with is an object with one field set.
func with(m map[string]any, name string, v any) map[string]any {
	m = model.CloneMap(m)
	m[name] = v
	return m
}

func (c *call) unixNow() json.Number { return json.Number(strconv.FormatInt(c.now.Unix(), 10)) }

func (c *call) noMember(code, format string, args ...any) *apiError {
	return &apiError{status: c.quirks.NotFoundStatus, code: code, message: fmt.Sprintf(format, args...)}
}
