package schemadoc

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"
)

// Markdown is the reference of the schema for people: every definition with its fields,
// their types and rules, and their comments.
func (d *Document) Markdown() (string, error) {
	var b strings.Builder
	b.WriteString("# Schema reference\n\n<!-- Generated from schema/ by internal/schemadoc; make golden writes it. -->\n\n" +
		"Every definition that a configuration in CUE can name, as `schema.#Tenant`, and what\n" +
		"its fields may be. The same for reading at length: [configuration](configuration.md).\n")
	for _, def := range d.Public() {
		if err := def.markdown(&b); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func (def *Definition) markdown(b *strings.Builder) error {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", def.Name, escaped(paragraph(def.Doc)))
	if def.Fields == nil {
		value, err := format.Node(def.decls[0].Value)
		if err != nil {
			return fmt.Errorf("%s: %w", def.decls[0].Pos(), err)
		}
		fmt.Fprintf(b, "\n```cue\n%s: %s\n```\n", def.Name, value)
		return nil
	}
	b.WriteString("\n| field | may be | |\n| --- | --- | --- |\n")
	for _, f := range def.Fields {
		rule, err := f.rule(def)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Name, cell(rule), cell(escaped(paragraph(f.Doc))))
	}
	return nil
}

// rule is what a field may be, with whether it is required and what counts where it is
// left out.
func (f Field) rule(def *Definition) (string, error) {
	var allowed []string
	fallback := ""
	for _, arm := range alternatives(f.value) {
		if mark, ok := arm.(*ast.UnaryExpr); ok && mark.Op == token.MUL {
			text, err := exprText(mark.X)
			if err != nil {
				return "", err
			}
			fallback = text
			allowed = append([]string{text}, allowed...)
			continue
		}
		text, err := exprText(arm)
		if err != nil {
			return "", err
		}
		allowed = append(allowed, text)
	}
	if fallback == "true" || fallback == "false" {
		allowed = slices.DeleteFunc(allowed, func(s string) bool { return s == fallback })
	}
	text := "`" + strings.Join(allowed, " | ") + "`"
	if more, err := def.more(f.Name); err != nil || more != "" {
		text += "; unless `imported`: `" + more + "`"
		if err != nil {
			return "", err
		}
	}
	switch {
	case f.Required:
		text += "; required"
	case fallback != "":
		text += "; left out: `" + fallback + "`"
	}
	return text, nil
}

// more is what holds of a field besides, where the condition of the definition is met.
func (def *Definition) more(field string) (string, error) {
	s, ok := def.decls[0].Value.(*ast.StructLit)
	if !ok {
		return "", nil
	}
	for _, decl := range s.Elts {
		c, ok := decl.(*ast.Comprehension)
		if !ok {
			continue
		}
		if body, ok := c.Value.(*ast.StructLit); ok {
			for _, f := range fields(body) {
				if f.Name == field {
					return exprText(f.value)
				}
			}
		}
	}
	return "", nil
}

// exprText is an expression in one line.
func exprText(e ast.Expr) (string, error) {
	text, err := format.Node(e)
	if err != nil {
		return "", fmt.Errorf("%s: %w", e.Pos(), err)
	}
	return strings.Join(strings.Fields(string(text)), " "), nil
}

// cell keeps a text in its cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// escaped keeps the signs of a comment from being marks: it is not written in Markdown.
func escaped(s string) string {
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`).Replace(s)
}
