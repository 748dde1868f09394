package compiler

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/mod/modfile"

	"pcconnect.ai/descope-mgmt/internal/yamlconfig"
)

const (
	envsDir    = "envs"
	schemaDir  = "schema"
	moduleFile = "cue.mod/module.cue"
	// languageVersion is the line of a module file that CUE asks for.
	languageVersion = `language: version: "v0.17.0"`
	languageBlock   = "language: {\n\tversion: \"v0.17.0\"\n}"
	// newModule is the path of a module that nobody has named.
	newModule = "example.com/descope"
)

// Module is a CUE module that holds environments. It is immutable and safe for
// concurrent use; the files of the module are read anew by every call that
// needs them.
type Module struct {
	root    string // absolute
	path    string // import path, without a version
	unsaved map[string][]byte
	// yaml is the configuration that the module stands for, where it is not written in
	// CUE; root is then a directory that does not exist. See [OfYAML].
	yaml *yamlconfig.Config
	// cache is nil where nothing is kept; see [Module.WithCache].
	cache   Cache
	program string
	// trace is told how each environment was compiled; see [Module.WithTrace].
	trace func(string)
	// shardSize is another one than usual, for tests.
	shardSize int
	// literals are kept for environments that share files; see [Module.keepingLiterals].
	literals *literals
}

// NotFoundError says that there is no module with environments, as opposed to one that
// cannot be read.
type NotFoundError struct {
	text string
	// module is the one that has no environments, if there is one.
	module *Module
}

func (e *NotFoundError) Error() string { return e.text }

// Find looks for the module that dir belongs to: the nearest directory from dir
// upwards that has a cue.mod, which must then have an envs directory. A
// relative dir counts from the working directory. The error names what is
// missing and how to make it; it is a [*NotFoundError] where nothing is there.
func Find(dir string) (*Module, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the module of %s: %w", dir, err)
	}
	if info, err := os.Stat(start); err != nil {
		return nil, fmt.Errorf("finding the module: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("finding the module: %s is not a directory", start)
	}
	for root := start; ; root = filepath.Dir(root) {
		if isDir(filepath.Join(root, "cue.mod")) {
			return open(root)
		}
		if root == filepath.Dir(root) {
			return nil, &NotFoundError{text: fmt.Sprintf("no cue.mod in %s or in any directory above it", start)}
		}
	}
}

func open(root string) (*Module, error) {
	data, err := os.ReadFile(filepath.Join(root, moduleFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf(`%s has a cue.mod without a module.cue; write into it: module: "example.com/descope@v0", %s`, root, languageVersion)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the module file: %w", err)
	}
	file, err := modfile.ParseNonStrict(data, moduleFile)
	if err != nil {
		return nil, fmt.Errorf("%s is not a valid module file: %s%s", filepath.Join(root, moduleFile), oneLine(err.Error()), remedy(err))
	}
	path, _, _ := strings.Cut(file.QualifiedModule(), "@")
	if path == "" {
		return nil, fmt.Errorf(`%s names no module; write for example module: "example.com/descope@v0"`, filepath.Join(root, moduleFile))
	}
	m := &Module{root: root, path: path}
	if !isDir(filepath.Join(root, envsDir)) {
		return nil, &NotFoundError{fmt.Sprintf("%s has no envs directory; %s", root, writeEnvironment("dev")), m}
	}
	return m, nil
}

// remedy says what to write where CUE refuses a module file.
func remedy(err error) string {
	switch text := err.Error(); {
	case strings.Contains(text, "no language version declared"):
		return "; write into it: " + languageVersion
	case strings.Contains(text, "is too new for"):
		return "; write into it: " + languageVersion + ", or take a newer descope-mgmt"
	case strings.HasPrefix(text, "module: "):
		return `; write for example module: "example.com/descope@v0"`
	default:
		return ""
	}
}

// With returns the module as it would be with a file of these contents, which is
// not written. The path is slash-separated and relative to the root.
func (m *Module) With(path string, contents []byte) *Module {
	other := *m
	other.unsaved = maps.Clone(m.unsaved)
	if other.unsaved == nil {
		other.unsaved = map[string][]byte{}
	}
	other.unsaved[filepath.Join(m.root, filepath.FromSlash(path))] = contents
	return &other
}

// New is the module that dir belongs to, as [Find] finds it, or one that is yet to be
// made: at the nearest cue.mod, or at dir with a module file of its own, which is then
// among [Module.Unsaved].
func New(dir string) (*Module, error) {
	m, err := Find(dir)
	var missing *NotFoundError
	if !errors.As(err, &missing) {
		return m, err
	}
	if missing.module != nil {
		return missing.module, nil
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return Make(root, newModule), nil
}

// Make is a module that is yet to be made, at an absolute directory that need not be
// there; its module file is among [Module.Unsaved].
func Make(root, path string) *Module {
	m := &Module{root: root, path: path}
	return m.With(moduleFile, ModuleFile(path))
}

// ModuleFile is the text of cue.mod/module.cue of a module with this path.
func ModuleFile(path string) []byte {
	return []byte(fmt.Sprintf("module: %q\n%s\n", path+"@v0", languageBlock))
}

// Unsaved are the files that [Module.With] added, by path.
func (m *Module) Unsaved() map[string][]byte {
	out := map[string][]byte{}
	for path, text := range m.unsaved {
		out[m.rel(path)] = text
	}
	return out
}

// Root is the absolute path of the directory that holds cue.mod, or to which a
// configuration in YAML belongs.
func (m *Module) Root() string {
	if m.yaml != nil {
		return m.yaml.Root()
	}
	return m.root
}

// Environments returns the names of the environments, sorted: the directories
// under envs that hold a .cue file.
func (m *Module) Environments() ([]string, error) {
	if m.yaml != nil {
		return m.yaml.Environments(), nil
	}
	entries, err := os.ReadDir(filepath.Join(m.root, envsDir))
	if err != nil && (!errors.Is(err, fs.ErrNotExist) || len(m.unsaved) == 0) {
		return nil, fmt.Errorf("listing the environments: %w", err)
	}
	names := []string{}
	for path := range m.unsaved {
		dir, base := filepath.Split(path)
		if name := filepath.Base(dir); filepath.Dir(filepath.Clean(dir)) == filepath.Join(m.root, envsDir) && filepath.Ext(base) == ".cue" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, e := range entries {
		dir := filepath.Join(m.root, envsDir, e.Name())
		if strings.HasPrefix(e.Name(), ".") || !isDir(dir) {
			continue
		}
		files, err := cueFiles(dir)
		if err != nil {
			return nil, fmt.Errorf("listing the environments: %w", err)
		}
		if len(files) > 0 && !slices.Contains(names, e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// cueFiles names the files of a directory that CUE would load, sorted; a
// directory or a dangling link with such a name is among them.
func cueFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		base, ok := strings.CutSuffix(name, ".cue")
		if !ok || name[0] == '.' || name[0] == '_' || strings.HasSuffix(base, "_tool") || strings.HasSuffix(base, "_test") {
			continue
		}
		names = append(names, name)
	}
	return names, nil
}

// isDir follows links, so that envs/ may be one.
func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// rel is a path inside the module as positions show it.
func (m *Module) rel(path string) string {
	if m.yaml != nil && !filepath.IsAbs(path) {
		return path // the files of the user are known by their names alone
	}
	if r, ok := strings.CutPrefix(path, m.root+string(filepath.Separator)); ok {
		return filepath.ToSlash(r) // what it nearly always is
	}
	r, err := filepath.Rel(m.root, path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	return filepath.ToSlash(r)
}
