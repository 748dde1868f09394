package compiler

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// missingImports explains the packages that a file uses without importing them,
// once for each file, and returns the other problems. An import counts in its own
// file only.
func (x *explainer) missingImports(problems []errors.Error) (diags model.Diagnostics, others []errors.Error) {
	first := map[string]token.Pos{} // by file and import path
	for _, e := range problems {
		pkg, pos := x.missingImport(e)
		if pkg == "" {
			others = append(others, e)
			continue
		}
		key := pos.Filename() + "\x00" + pkg
		if before, ok := first[key]; !ok || pos.Compare(before) < 0 {
			first[key] = pos
		}
	}
	for key, pos := range first {
		file, pkg, _ := strings.Cut(key, "\x00")
		clause := "package " + x.instance.PkgName
		diags = append(diags, model.Diagnostic{
			Severity: model.Error,
			Code:     "missing-import",
			Fix:      x.importFix(file, pkg),
			Summary:  fmt.Sprintf("%s is used, but %s does not import it", packageOf(pkg), x.module.rel(file)),
			Detail:   "an import counts in the file that it stands in",
			Hint:     fmt.Sprintf("write below %s: import %q", clause, pkg),
			Origin:   x.pos(pos),
		})
	}
	return diags.Sort(), others
}

// missingImport is the package that a reference to nothing means, and where it
// stands: the name of one, followed by a dot.
func (x *explainer) missingImport(e errors.Error) (pkg string, pos token.Pos) {
	format, args := e.Msg()
	if format != formatNotFound || len(args) != 1 {
		return "", token.NoPos
	}
	name, pos := fmt.Sprint(args[0]), e.Position()
	rest := x.contents[pos.Filename()]
	if x.pos(pos).IsZero() || len(rest) < pos.Offset() || !strings.HasPrefix(string(rest[pos.Offset():min(len(rest), pos.Offset()+len(name)+1)]), name+".") {
		return "", token.NoPos
	}
	for _, p := range append(builtinPackages(), x.module.path+"/"+schemaDir) {
		if packageOf(p) == name {
			pkg = p
		}
	}
	return pkg, pos
}

// packageOf is the name under which an import path is known.
func packageOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
