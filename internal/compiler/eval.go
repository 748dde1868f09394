package compiler

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

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
	return cached(m, env, asked("eval", env, o.Expr, o.Format), func() ([]byte, model.Diagnostics) {
		return evalNow(ctx, m, env, o)
	}, packText, unpackText)
}

func evalNow(ctx context.Context, m *Module, env string, o EvalOptions) ([]byte, model.Diagnostics) {
	c, diags := compile(ctx, m, env, true, o.Expr != "")
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
	var v any = c.document(o.Format == FormatCUE)
	if o.Expr != "" {
		result, diags := c.expression(o.Expr)
		if len(diags) > 0 {
			return nil, diags
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

// To be a configuration that says the same, it must not hold both a template
// and the definition that it made.
func (c *compiled) document(configuration bool) document {
	byKind := map[model.Kind]map[string]any{model.Tenant: {}, model.Flow: {}}
	for _, o := range c.tree.objects {
		if o.excluded {
			continue
		}
		fields := o.fields
		if configuration && o.template() != "" {
			fields = maps.Clone(fields)
			delete(fields, "definition")
		}
		byKind[o.key.Kind][o.key.ID] = fields
	}
	return document{c.tree.environment, byKind[model.Tenant], byKind[model.Flow]}
}

// expression evaluates an expression in the scope of the environment. What
// enabled_in leaves out is not there for it: the fields that hold resources are
// shadowed by their evaluated values.
func (c *compiled) expression(text string) (cue.Value, model.Diagnostics) {
	if d := c.loaded.module.scan(&source{path: exprFile, data: []byte(text)}); d != nil {
		d.Origin.File = exprFile
		return cue.Value{}, model.Diagnostics{*d}
	}
	expr, err := parser.ParseExpr(exprFile, text)
	if err != nil {
		return cue.Value{}, c.exprErrors(errors.Errors(err))
	}
	options := []cue.BuildOption{cue.Scope(c.tree.value), cue.InferBuiltins(true), cue.ImportPath(c.loaded.instance.ImportPath)}
	ctx := c.tree.context
	var v cue.Value
	if len(c.result.Excluded) == 0 {
		v = ctx.BuildExpr(expr, options...)
	} else {
		result := &ast.Field{Label: ast.NewIdent(exprField), Value: expr}
		shadow := &ast.StructLit{Elts: append(documentDecls(c.document(false)), result)}
		v = ctx.BuildExpr(shadow, options...)
		if result := v.LookupPath(cue.ParsePath(exprField)); result.Exists() || v.Err() == nil {
			v = result
		}
	}
	if err := v.Validate(); err != nil {
		return v, c.exprErrors(errors.Errors(err))
	}
	return v, nil
}

// exprField holds the expression where it has to stand in a struct.
const exprField = "#result"

// exprErrors explains what is wrong with an expression, once: the other errors
// of CUE follow from the first.
func (c *compiled) exprErrors(problems []errors.Error) model.Diagnostics {
	e := problems[0]
	m := c.loaded.module
	text := strings.ReplaceAll(e.Error(), m.root+"/", "")
	text = strings.TrimPrefix(text, strings.Join(e.Path(), ".")+": ")
	d := model.Diagnostic{Severity: model.Error, Code: "expr", Summary: "--expr: " + oneLine(text), Raw: details(m, e)}
	for _, pos := range errors.Positions(e) {
		switch {
		case pos.Filename() == exprFile && d.Origin.File != exprFile:
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
