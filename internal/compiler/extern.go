package compiler

import (
	"fmt"

	"cuelang.org/go/cue/ast"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// externEmbed is what a file has to begin with for its @embed to count.
const externEmbed = "@extern(embed)"

// embedsNothing finds a file whose @embed would be left out without a word: tenants
// or flows that come from it would be taken for none.
func (m *Module) embedsNothing(file *ast.File) *model.Diagnostic {
	var embed, late *ast.Attribute
	pkg := ""
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.Package:
			pkg = d.Name.Name
		case *ast.Attribute:
			if name, arguments := d.Split(); name == "extern" && arguments == "embed" {
				if pkg == "" {
					return nil
				}
				late = d
			}
		}
	}
	ast.Walk(file, func(n ast.Node) bool {
		if a, ok := n.(*ast.Attribute); ok && embed == nil && a.Name() == "embed" {
			embed = a
		}
		return embed == nil
	}, nil)
	if embed == nil {
		return nil
	}
	d := m.fileError(file.Filename, "embed-without-extern", "nothing is embedded: %s does not begin with %s", m.rel(file.Filename), externEmbed)
	d.Origin = m.origin(embed.Pos())
	d.Detail = "CUE leaves out every @embed of such a file without a word"
	d.Hint = fmt.Sprintf("write %s in the first line of %s, before package %s", externEmbed, m.rel(file.Filename), pkg)
	if late != nil {
		d.Origin = m.origin(late.Pos())
		d.Detail = fmt.Sprintf("%s counts only before the package clause", externEmbed)
		d.Hint = "move it to the first line of " + m.rel(file.Filename)
	}
	return &d
}
