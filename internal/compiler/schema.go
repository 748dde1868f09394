package compiler

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue/load"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/schema"
)

// SchemaStatus says how the copy of the schema in a module compares with the
// schema of the binary, which is the one that counts.
type SchemaStatus string

// The statuses.
const (
	SchemaNone    SchemaStatus = "none"    // there is no copy
	SchemaCurrent SchemaStatus = "current" // the copy is the binary's schema
	SchemaStale   SchemaStatus = "stale"   // the copy is of another version, or edited
)

// maxDifferences bounds how many files a comparison names.
const maxDifferences = 5

// SchemaCopy compares the copy of the schema in the module with the binary's.
// The detail says what is different, and is empty for a current copy.
func SchemaCopy(m *Module) (SchemaStatus, string) {
	if m.yaml != nil {
		return SchemaNone, "the configuration is written in YAML"
	}
	dir := filepath.Join(m.root, schemaDir)
	names, err := cueFiles(dir)
	if err != nil || len(names) == 0 {
		return SchemaNone, "there is no schema/ directory: editors cannot complete, and cue vet cannot check"
	}
	var differences []string
	embedded := schemaFiles()
	for _, name := range slices.Sorted(maps.Keys(embedded)) {
		have, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case err != nil:
			differences = append(differences, name+" is missing")
		case !bytes.Equal(have, embedded[name]):
			differences = append(differences, name+" is different")
		}
	}
	for _, name := range names {
		if _, ok := embedded[name]; !ok {
			differences = append(differences, name+" does not belong there")
		}
	}
	if len(differences) == 0 {
		return SchemaCurrent, ""
	}
	if more := len(differences) - maxDifferences; more > 0 {
		differences = append(differences[:maxDifferences], fmt.Sprintf("and %d more", more))
	}
	return SchemaStale, strings.Join(differences, ", ")
}

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

// SchemaFiles returns the files of the binary's schema by name: what a copy in
// a module holds.
func SchemaFiles() map[string][]byte { return schemaFiles() }

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

func (m *Module) schemaWarning() model.Diagnostics {
	status, detail := SchemaCopy(m)
	if status != SchemaStale {
		return nil
	}
	return model.Diagnostics{{
		Severity: model.Warning,
		Code:     "schema-copy",
		Summary:  "the copy of the schema in schema/ is not the one of this descope-mgmt: " + detail,
		Detail:   "the schema of descope-mgmt counts; editors and cue vet see the copy",
		Hint:     "delete schema/: only editors read it, and a stale copy misleads them",
	}}
}
