package compiler

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"cuelang.org/go/cue/load"

	"pcconnect.ai/descope-mgmt/schema"
)

// SchemaHash identifies the schema of the binary: "sha256:" and 64 hexadecimal
// digits.
func SchemaHash() string {
	h := sha256.New()
	files := schemaFiles()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, _ = fmt.Fprintf(h, "%s\x00%d\x00", name, len(files[name]))
		_, _ = h.Write(files[name])
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

func schemaFiles() map[string][]byte {
	files := map[string][]byte{}
	entries, err := schema.FS.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("compiler: reading the embedded schema: %v", err))
	}
	for _, e := range entries {
		data, err := fs.ReadFile(schema.FS, e.Name())
		if err != nil {
			panic(fmt.Sprintf("compiler: reading the embedded schema: %v", err))
		}
		files[e.Name()] = data
	}
	return files
}

// overlaySchema puts the binary's schema in the place of the copy, with the flow
// templates or without. Files that do not belong there are blanked, so that they
// cannot add constraints.
func (m *Module) overlaySchema(overlay map[string]load.Source, templates bool) {
	dir := filepath.Join(m.root, schemaDir)
	names, _ := cueFiles(dir) // no copy is fine
	for _, name := range names {
		if !isDir(filepath.Join(dir, name)) {
			overlay[filepath.Join(dir, name)] = load.FromString("package schema\n")
		}
	}
	for name, data := range schemaFiles() {
		if templates || !isTemplateFile(name) {
			overlay[filepath.Join(dir, name)] = load.FromBytes(data)
		}
	}
}
