package compiler

import (
	"fmt"
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// null explains a null of an overlay that meets a value of the base. It takes a
// custom attribute away, where the base says that it may; nothing else can be null.
func (x *explainer) null(g *group, where place, d *model.Diagnostic) bool {
	if where.subject == "" || g.with(formatConflict) == nil && g.with(formatMismatch) == nil {
		return false
	}
	var null ast.Expr
	var in, other *decl
	for _, w := range x.index.find(g.path...) {
		all := operands(w.value)
		if i := slices.IndexFunc(all, isNull); i >= 0 {
			null, in = all[i], &w
		} else {
			other = &w
		}
	}
	if null == nil || other == nil || in.level <= other.level {
		return false
	}
	d.Origin, d.Also = x.module.origin(null.Pos()), []model.Origin{x.module.origin(other.value.Pos())}
	if where.definition == "#Tenant" && where.name == "custom_attributes[]" {
		d.Code = "needs-null"
		d.Summary = fmt.Sprintf("%s is null here, which only the base can allow", where)
		d.Detail = "null takes away what the base gives"
		d.Hint = fmt.Sprintf("write %s | null there", x.asDefault(other.value))
		return true
	}
	d.Code = "wrong-value"
	d.Summary = fmt.Sprintf("%s cannot be null", where)
	d.Detail = "expected: " + allowed(where.definition, where.name)
	switch {
	case where.field == "":
		d.Hint = "to leave it out of an environment, write enabled_in there"
	case where.name == "domains" || where.name == "default_roles":
		d.Hint = fmt.Sprintf("to have none, write [] here and %s there", x.asDefault(other.value))
	case where.name != "name":
		d.Hint = "an overlay takes nothing away: write it in those overlays that have it"
	}
	return true
}

func isNull(e ast.Expr) bool {
	lit, ok := e.(*ast.BasicLit)
	return ok && lit.Kind == token.NULL
}

// asDefault is the text of a value of the base as one that an overlay can change.
func (x *explainer) asDefault(e ast.Expr) string {
	if !isPlain(e) {
		return x.show(e)
	}
	return fmt.Sprintf("*%s | %s", x.show(e), typeFor(e, e))
}
