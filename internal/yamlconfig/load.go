package yamlconfig

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Directory is the name of a directory that holds a configuration: config.yaml, and
// beside it a file for each environment, dev.yaml.
const Directory = ".descope"

// DefaultEnvironment is the name of the one environment of a configuration that names
// none.
const DefaultEnvironment = "default"

// Config is a configuration in YAML, read and found to be well formed. It is safe for
// concurrent use.
type Config struct {
	root   string
	path   string
	base   *document
	own    map[string]*document // by environment
	names  []string
	files  map[string]*file
	lookup Lookup
}

// extensions are those of YAML and JSON.
func extensions() []string { return []string{".yaml", ".yml", ".json"} }

// IsFile reports whether a name is one that is read as YAML or JSON.
func IsFile(name string) bool { return slices.Contains(extensions(), filepath.Ext(name)) }

// Find looks into a directory for a configuration: descope.yaml, then
// .descope/config.yaml, with .yml and .json as well. It returns "" where there is none,
// and an error where there are several in one place. In the directory .descope itself it
// looks for config.yaml.
func Find(dir string) (string, error) {
	places := []string{filepath.Join(dir, "descope"), filepath.Join(dir, Directory, "config")}
	if filepath.Base(dir) == Directory {
		places = []string{filepath.Join(dir, "config")}
	}
	for _, place := range places {
		var found []string
		for _, ext := range extensions() {
			if _, err := os.Stat(place + ext); err == nil {
				found = append(found, place+ext)
			}
		}
		if len(found) > 1 {
			return "", fmt.Errorf("there are both %s and %s; name the one that counts with --config", found[0], filepath.Base(found[1]))
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	return "", nil
}

// Load reads a configuration: a file, and the files of its environments if it is the
// config.yaml of a directory .descope. The config is nil exactly if there are errors; what
// is wrong with values is told by [Config.Environment].
func Load(path string, lookup Lookup) (*Config, model.Diagnostics) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, model.Diagnostics{mistake(model.Origin{}, "unreadable", err.Error())}
	}
	c := &Config{root: filepath.Dir(path), path: path, lookup: lookup, own: map[string]*document{}, files: map[string]*file{}}
	dir, name := filepath.Split(path)
	inDirectory := filepath.Base(dir) == Directory && strings.TrimSuffix(name, filepath.Ext(name)) == "config"
	if inDirectory {
		c.root = filepath.Dir(c.root)
	}
	var diags model.Diagnostics
	if c.base, diags = c.read(path, ""); len(diags) == 0 && inDirectory {
		diags = c.readEnvironments(filepath.Dir(path), name)
	}
	if c.base != nil {
		diags = append(diags, c.named()...)
	}
	if len(diags) > 0 {
		return nil, diags.Sort()
	}
	return c, nil
}

// LoadBytes is [Load] for one file whose text is given.
func LoadBytes(name string, data []byte, lookup Lookup) (*Config, model.Diagnostics) {
	c := &Config{root: ".", path: name, lookup: lookup, own: map[string]*document{}, files: map[string]*file{}}
	var diags model.Diagnostics
	if c.base, diags = c.document(name, data, ""); c.base != nil {
		diags = append(diags, c.named()...)
	}
	if len(diags) > 0 {
		return nil, diags.Sort()
	}
	return c, nil
}

// Root is the absolute path of the directory that positions are relative to: the one
// that the file is in, or that .descope is in.
func (c *Config) Root() string { return c.root }

// File is the configuration's file, as positions show it.
func (c *Config) File() string { return c.rel(c.path) }

// Environments are the names of the environments, sorted.
func (c *Config) Environments() []string { return slices.Clone(c.names) }

func (c *Config) rel(path string) string {
	rel, err := filepath.Rel(c.root, path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	return filepath.ToSlash(rel)
}

// read reads one file, which is that of an environment or, for "", the base.
func (c *Config) read(path, env string) (*document, model.Diagnostics) {
	name := c.rel(path)
	data, err := readBounded(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, model.Diagnostics{mistake(model.Origin{File: name, Line: 1, Column: 1}, "unreadable", fmt.Sprintf("cannot read %s: %s", name, err))}
	}
	return c.document(name, data, env)
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a directory")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(data) > maxFileBytes {
		err = fmt.Errorf("it is larger than %d MiB", maxFileBytes>>20)
	}
	return data, err
}

// readEnvironments reads the files beside config.yaml.
func (c *Config) readEnvironments(dir, base string) model.Diagnostics {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return model.Diagnostics{mistake(model.Origin{}, "unreadable", err.Error())}
	}
	var diags model.Diagnostics
	for _, e := range entries {
		name := e.Name()
		env := strings.TrimSuffix(name, filepath.Ext(name))
		if name == base || !IsFile(name) || strings.HasPrefix(name, ".") {
			continue
		}
		at := model.Origin{File: c.rel(filepath.Join(dir, name)), Line: 1, Column: 1}
		switch {
		case c.own[env] != nil:
			d := mistake(at, "duplicate-file", fmt.Sprintf("the environment %s has two files", quoted(env)))
			d.Also = []model.Origin{{File: c.own[env].file, Line: 1, Column: 1}}
			diags = append(diags, d)
			continue
		case len(c.base.environments) > 0 && !slices.Contains(c.base.environments, env):
			d := mistake(at, "unknown-environment", fmt.Sprintf("%s is the file of no environment", c.rel(filepath.Join(dir, name))))
			d.Detail = didYouMean(env, c.base.environments)
			d.Hint = "add " + shortText(env) + ": under environments in " + c.File() + ", or take the file away"
			diags = append(diags, d)
			continue
		}
		doc, found := c.read(filepath.Join(dir, name), env)
		if diags = append(diags, found...); doc != nil {
			c.own[env] = doc
		}
	}
	return diags
}

// named settles which environments there are, and refuses names that could not be that
// of a directory.
func (c *Config) named() model.Diagnostics {
	names := slices.Clone(c.base.environments)
	for env := range c.own {
		if !slices.Contains(names, env) {
			names = append(names, env)
		}
	}
	slices.Sort(names)
	if c.names = names; len(names) == 0 {
		c.names = []string{DefaultEnvironment}
	}
	var diags model.Diagnostics
	for _, name := range names {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" || name == "" {
			at := c.base.environmentAt(name)
			d := mistake(at, "environment-name", "environments: "+quoted(name)+" cannot be the name of an environment")
			d.Detail = "expected: letters, digits, hyphens and underscores"
			diags = append(diags, d)
		}
	}
	return diags
}
