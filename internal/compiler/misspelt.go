package compiler

import (
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// misspelt finds unknown fields that CUE does not mention: it is silent about
// them where the same resource has certain other mistakes.
func (x *explainer) misspelt(found model.Diagnostics) model.Diagnostics {
	var diags model.Diagnostics
	told := map[model.Origin]bool{}
	for _, d := range found {
		told[d.Origin] = true
	}
	check := func(path []string, decls []decl) {
		where := placeOf(path)
		fields := x.schema[where.definition]
		for _, d := range decls {
			d.members(func(name string, m decl) {
				at := x.module.origin(m.label.Pos())
				if strings.HasPrefix(name, "_") || strings.HasPrefix(name, "#") || slices.Contains(fields, name) || told[at] {
					return
				}
				u := unknownField(where, name, fields)
				u.Key, u.Path, u.Origin = where.key, name, at
				x.rename(&u, name, model.Suggest(name, fields))
				diags = append(diags, u)
			})
		}
	}
	check([]string{"environment"}, x.index.top["environment"])
	for _, spec := range model.Kinds() {
		for id, decls := range x.index.children(spec.Field) {
			check([]string{spec.Field, id}, decls)
		}
	}
	return diags
}
