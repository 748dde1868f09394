package cli

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/lsp"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// MakeDefault edits the base so that an overlay can have the value that it writes.
func (c *lspChecker) MakeDefault(_ context.Context, root string, d model.Diagnostic, unsaved map[string][]byte) map[string][]byte {
	m, err := moduleWith(root, unsaved)
	if err != nil {
		return nil
	}
	files, _ := m.Sources()
	var key model.Key
	if d.Key != nil {
		key = *d.Key
	}
	after, err := src.MakeDefault(files, overlayOf(d.Origin.File), key, d.Path)
	if err != nil {
		return nil
	}
	return after
}

// Outline finds the lenses and links of a file.
func (c *lspChecker) Outline(_ context.Context, file string, unsaved map[string][]byte) lsp.Outline {
	root, ok := c.Root(file)
	if !ok {
		return lsp.Outline{}
	}
	m, err := moduleWith(root, unsaved)
	if err != nil {
		return lsp.Outline{}
	}
	rel, err := filepath.Rel(root, file)
	if err != nil {
		return lsp.Outline{}
	}
	files, _ := m.Sources()
	o := outlineOf(filepath.ToSlash(rel), c.declared(root, files))
	o.Root = root
	return o
}

// declared is what the files of a module declare, by file. A file is parsed once for
// each of its contents.
func (c *lspChecker) declared(root string, files map[string][]byte) map[string][]src.Declared {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string][]src.Declared{}
	for name, data := range files {
		key := filepath.Join(root, name)
		known, ok := c.outlines[key]
		if !ok || !bytes.Equal(known.data, data) {
			declared, err := src.Outline(name, data)
			if err != nil && ok {
				declared = known.declared // while it is being typed
			}
			known = outlined{data, declared}
			c.outlines[key] = known
		}
		out[name] = known.declared
	}
	return out
}

// outlineOf makes the lenses and links of a file of what all files declare: from the
// base to each overlay, and from an overlay to the base.
func outlineOf(file string, declared map[string][]src.Declared) lsp.Outline {
	env := overlayOf(file)
	others := map[model.Key][]src.Declared{}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		for _, d := range declared[name] {
			in := func(o src.Declared) bool { return overlayOf(o.Origin.File) == overlayOf(name) }
			if (overlayOf(name) == "") != (env == "") && !slices.ContainsFunc(others[d.Key], in) {
				others[d.Key] = append(others[d.Key], d)
			}
		}
	}
	var out lsp.Outline
	planned := false
	for _, d := range declared[file] {
		switch {
		case d.Key == (model.Key{}):
			if env != "" && !planned {
				planned = true
				out.Lenses = append(out.Lenses, lsp.Lens{At: d.Origin, Title: "plan " + env, Plan: env})
			}
		case env == "":
			for _, other := range others[d.Key] {
				out.Lenses = append(out.Lenses, lsp.Lens{At: d.Origin, Title: "changed in " + overlayOf(other.Origin.File), Target: other.Origin})
			}
		case len(others[d.Key]) > 0:
			base := others[d.Key][0]
			out.Lenses = append(out.Lenses, lsp.Lens{At: d.Origin, Title: "base", Target: base.Origin})
			out.Links = append(out.Links, lsp.Link{At: d.Origin, Text: d.Label, Title: fmt.Sprintf("%s in %s", d.Key, base.Origin.File), Target: base.Origin})
		}
	}
	return out
}
