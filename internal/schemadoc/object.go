package schemadoc

import (
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// object translates a struct: its fields, a pattern for all others, and what holds where
// another field is written or not. A struct is closed unless it ends in "...".
func (t *translator) object(s *ast.StructLit) (*Schema, error) {
	out := &Schema{Type: "object", Additional: nothing()}
	for _, decl := range s.Elts {
		switch d := decl.(type) {
		case *ast.Ellipsis:
			out.Additional = nil
		case *ast.Comprehension:
			rule, err := t.conditional(d)
			if err != nil {
				return nil, err
			}
			out.AllOf = append(out.AllOf, rule)
		case *ast.Field:
			if err := t.field(d, out); err != nil {
				return nil, err
			}
		default:
			return nil, unknown(d)
		}
	}
	return out, nil
}

func (t *translator) field(f *ast.Field, out *Schema) error {
	if pattern, ok := f.Label.(*ast.ListLit); ok {
		if len(pattern.Elts) != 1 {
			return unknown(f)
		}
		if key, ok := pattern.Elts[0].(*ast.Ident); !ok || key.Name != "string" {
			return unknown(f)
		}
		value, err := t.expr(f.Value)
		out.Additional = value
		return err
	}
	name, _, err := ast.LabelName(f.Label)
	if err != nil {
		return unknown(f)
	}
	if strings.HasPrefix(name, "_") {
		return nil // nobody writes it
	}
	value, err := t.expr(f.Value)
	if err != nil {
		return err
	}
	if value.Description = paragraph(comment(f)); value.Ref != "" && value.Description == "" {
		value.Description = paragraph(t.document.byName["#"+strings.TrimPrefix(value.Ref, refPrefix)].Doc)
	}
	out.Properties = append(out.Properties, Property{name, value})
	if f.Constraint == token.NOT {
		out.Required = append(out.Required, name)
	}
	return nil
}

// conditional translates "if NAME == _|_ {...}", which says what holds where a field is
// not written.
func (t *translator) conditional(c *ast.Comprehension) (*Schema, error) {
	body, isStruct := c.Value.(*ast.StructLit)
	if len(c.Clauses) != 1 || !isStruct {
		return nil, unknown(c)
	}
	clause, isIf := c.Clauses[0].(*ast.IfClause)
	if !isIf {
		return nil, unknown(c)
	}
	test, isBinary := clause.Condition.(*ast.BinaryExpr)
	if !isBinary || test.Op != token.EQL {
		return nil, unknown(c)
	}
	name, isIdent := test.X.(*ast.Ident)
	_, isBottom := test.Y.(*ast.BottomLit)
	if !isIdent || !isBottom {
		return nil, unknown(c)
	}
	then, err := t.object(body)
	if err != nil {
		return nil, err
	}
	// It says something of fields that are declared elsewhere.
	then.Type, then.Additional, then.Required = "", nil, nil
	return &Schema{If: &Schema{Required: []string{name.Name}}, Else: then}, nil
}

// definition translates a definition with its comment.
func (t *translator) definition(name string) (*Schema, error) {
	def := t.document.byName[name]
	s, err := t.expr(def.decls[0].Value)
	if err != nil {
		return nil, err
	}
	out := *s
	out.Description = paragraph(def.Doc)
	return &out, nil
}

// definitions translates all definitions that were referred to, and those that these
// refer to, unless they have been given.
func (t *translator) definitions(given Properties) (Properties, error) {
	out := slices.Clone(given)
	for i := 0; i < len(t.used); i++ {
		name := strings.TrimPrefix(t.used[i], "#")
		if out.get(name) != nil {
			continue
		}
		s, err := t.definition(t.used[i])
		if err != nil {
			return nil, err
		}
		out = append(out, Property{name, s})
	}
	slices.SortFunc(out, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
