package compiler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	cuejson "cuelang.org/go/encoding/json"
	cueyaml "cuelang.org/go/encoding/yaml"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// EvalFormat is a way to write a configuration.
type EvalFormat string

// The formats.
const (
	FormatCUE  EvalFormat = "cue"
	FormatJSON EvalFormat = "json"
	FormatYAML EvalFormat = "yaml"
)

// EvalOptions say what [Eval] writes.
type EvalOptions struct {
	// Expr is an expression of CUE that sees what the files of the environment
	// see; "" stands for the whole configuration.
	Expr string
	// Format is the format of the output; "" is [FormatJSON].
	Format EvalFormat
}

// exprFile stands for the expression in positions.
const exprFile = "--expr"

// Eval writes an evaluated environment: {environment, tenants, flows}, with the
// resources that the environment has and all their fields, or the value of an
// expression. Numbers keep their value but not their spelling, keys are sorted,
// and the output ends in a newline. It is nil exactly if there is an error
// among the diagnostics, which are those of [Compile] and of the expression.
func Eval(ctx context.Context, m *Module, env string, o EvalOptions) ([]byte, model.Diagnostics) {
	c, diags := compile(ctx, m, env)
	if c == nil {
		return nil, diags
	}
	var out []byte
	more, problem := guarded(ctx, func() model.Diagnostics {
		var d model.Diagnostics
		out, d = c.eval(o)
		return d
	})
	if problem != nil {
		more = model.Diagnostics{*problem}
	}
	if len(more) > 0 {
		return nil, append(diags, more...).Sort()
	}
	return out, diags
}

func (c *compiled) eval(o EvalOptions) ([]byte, model.Diagnostics) {
	var v any = c.document()
	if o.Expr != "" {
		result, diags := c.expression(o.Expr)
		if len(diags) > 0 {
			return nil, diags
		}
		if o.Format == FormatCUE {
			return c.source(result)
		}
		w := &walker{}
		v = w.value(result)
		if len(w.problems) > 0 {
			return nil, c.exprErrors(w.problems)
		}
	}
	out, err := encode(v, o.Format)
	if err != nil {
		return nil, model.Diagnostics{{Severity: model.Error, Code: "eval", Summary: oneLine(err.Error())}}
	}
	return out, nil
}

// document is the configuration of the environment as JSON values.
type document struct {
	Environment map[string]any `json:"environment"`
	Tenants     map[string]any `json:"tenants"`
	Flows       map[string]any `json:"flows"`
}

func (c *compiled) document() document {
	byKind := map[model.Kind]map[string]any{model.Tenant: {}, model.Flow: {}}
	for _, o := range c.tree.objects {
		if !o.excluded {
			byKind[o.key.Kind][o.key.ID] = o.fields
		}
	}
	return document{c.tree.environment, byKind[model.Tenant], byKind[model.Flow]}
}

func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func encode(v any, f EvalFormat) ([]byte, error) {
	if f != "" && f != FormatJSON && f != FormatCUE && f != FormatYAML {
		return nil, fmt.Errorf("no format %q; the formats are cue, json and yaml", string(f))
	}
	data, err := encodeJSON(v)
	if err != nil || f == "" || f == FormatJSON {
		return data, err
	}
	expr, err := cuejson.Extract("", data)
	if err != nil {
		return nil, err
	}
	if f == FormatYAML {
		return cueyaml.Encode(cuecontext.New().BuildExpr(expr))
	}
	return formatExpr(expr)
}

// formatExpr writes an expression as a file: a struct without its braces.
func formatExpr(expr ast.Expr) ([]byte, error) {
	var node ast.Node = expr
	if s, ok := expr.(*ast.StructLit); ok {
		file := &ast.File{Decls: s.Elts}
		node = file
	}
	out, err := format.Node(node)
	if err != nil {
		return nil, err
	}
	return append(bytes.TrimRight(out, "\n"), '\n'), nil
}

// expression evaluates an expression in the scope of the environment. What
// enabled_in leaves out is not there for it.
func (c *compiled) expression(text string) (cue.Value, model.Diagnostics) {
	if d := scanExpr(c.loaded.module, text); d != nil {
		return cue.Value{}, model.Diagnostics{*d}
	}
	expr, err := parser.ParseExpr(exprFile, text)
	if err != nil {
		return cue.Value{}, c.exprErrors(errors.Errors(err)[:1])
	}
	scope, ctx := c.tree.value, c.tree.value.Context()
	options := []cue.BuildOption{cue.Scope(scope), cue.InferBuiltins(true), cue.ImportPath(c.loaded.instance.ImportPath)}
	var v cue.Value
	if len(c.result.Excluded) == 0 {
		v = ctx.BuildExpr(expr, options...)
	} else {
		data, err := encodeJSON(c.document())
		if err != nil {
			return v, model.Diagnostics{{Severity: model.Error, Code: "eval", Summary: oneLine(err.Error())}}
		}
		without, err := cuejson.Extract("", data)
		if err != nil {
			return v, model.Diagnostics{{Severity: model.Error, Code: "eval", Summary: oneLine(err.Error())}}
		}
		shadow, _ := without.(*ast.StructLit)
		shadow.Elts = append(shadow.Elts, &ast.Field{Label: ast.NewIdent("#result"), Value: expr})
		v = ctx.BuildExpr(shadow, options...).LookupPath(cue.ParsePath("#result"))
	}
	if err := v.Validate(); err != nil {
		return v, c.exprErrors(errors.Errors(err))
	}
	return v, nil
}

// source writes a value that may not be concrete.
func (c *compiled) source(v cue.Value) ([]byte, model.Diagnostics) {
	out, err := format.Node(v.Syntax(cue.Final(), cue.Definitions(true), cue.Docs(false)))
	if err != nil {
		return nil, model.Diagnostics{{Severity: model.Error, Code: "eval", Summary: oneLine(err.Error())}}
	}
	return append(bytes.TrimRight(out, "\n"), '\n'), nil
}

// exprErrors explains what is wrong with an expression, once: the other errors
// of CUE follow from the first.
func (c *compiled) exprErrors(problems []errors.Error) model.Diagnostics {
	e := problems[0]
	m := c.loaded.module
	text := strings.ReplaceAll(e.Error(), m.root+"/", "")
	if _, after, ok := strings.Cut(text, "#result: "); ok {
		text = after
	}
	d := model.Diagnostic{Severity: model.Error, Code: "expr", Summary: "--expr: " + oneLine(text), Raw: details(m, e)}
	for _, pos := range errors.Positions(e) {
		switch {
		case pos.Filename() == exprFile:
			d.Origin = exprOrigin(pos)
		case d.Origin.IsZero():
			d.Origin = m.userOrigin(pos)
		}
	}
	format, args := e.Msg()
	if len(args) == 1 && (format == formatNotFound || format == formatUndefined) {
		var names []string
		if iter, err := c.tree.value.Fields(cue.All()); err == nil {
			for iter.Next() {
				names = append(names, iter.Selector().String())
			}
		}
		d.Detail = didYouMean(fmt.Sprint(args[0]), names, "")
	}
	return model.Diagnostics{d}
}

func exprOrigin(pos token.Pos) model.Origin {
	p := pos.Position()
	return model.Origin{File: exprFile, Line: p.Line, Column: p.Column}
}

func scanExpr(m *Module, text string) *model.Diagnostic {
	d := m.scan(&source{path: exprFile, data: []byte(text)})
	if d != nil {
		d.Origin.File = exprFile
	}
	return d
}
