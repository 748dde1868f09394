package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/yamlconfig"
)

// module finds the configuration: --config, DESCOPE_CONFIG, else a CUE module from the
// working directory upwards, else descope.yaml or .descope/ in the working directory.
func (a *app) module() (*compiler.Module, error) {
	given := setting{a.flags.config, "--config", fromFlag}
	if given.value == "" {
		given = variables{environ: a.environ}.general(varConfig)
	}
	if given.value == "" {
		return a.find(a.dir())
	}
	path := a.path(given.value)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, configError("", "no configuration %s (from %s): %w", given.value, given.where(), reason(err))
	case info.IsDir():
		return a.findIn(path)
	case yamlconfig.IsFile(path):
		return a.yaml(path)
	default:
		return nil, configError("", "%s (from %s) is no configuration: name a directory, or a file that ends in .yaml, .yml or .json", given.value, given.where())
	}
}

// reason is what the system says of a path, without the path.
func reason(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// findIn finds the configuration of a directory that was named: what is in it counts
// before what is above it.
func (a *app) findIn(dir string) (*compiler.Module, error) {
	if _, err := os.Stat(filepath.Join(dir, "cue.mod")); err != nil {
		if path, err := yamlconfig.Find(dir); err == nil && path != "" {
			return a.yaml(path)
		}
	}
	return a.find(dir)
}

// find finds the configuration that a directory belongs to.
func (a *app) find(dir string) (*compiler.Module, error) {
	m, err := compiler.Find(dir)
	if err == nil {
		return a.traced(a.withCache(m)), nil
	}
	var missing *compiler.NotFoundError
	if !errors.As(err, &missing) {
		return nil, configError("", "%w", err)
	}
	path, ambiguous := yamlconfig.Find(dir)
	switch {
	case ambiguous != nil:
		return nil, configError("", "%w", ambiguous)
	case path != "":
		return a.yaml(path)
	default:
		return nil, configError("descope-mgmt init", "%w, nor a descope.yaml or .descope/config.yaml in it; init makes a configuration, and -C DIR takes the one in another directory", err)
	}
}

// yaml reads a configuration in YAML. Its variables are those of the environment and of
// the .env beside it.
func (a *app) yaml(path string) (*compiler.Module, error) {
	config, err := a.yamlConfig(path)
	if err != nil {
		return nil, err
	}
	m, err := compiler.OfYAML(config)
	if err != nil {
		return nil, configError("", "%w", err)
	}
	return m, nil
}

func (a *app) yamlConfig(path string) (*yamlconfig.Config, error) {
	root := filepath.Dir(path)
	if filepath.Base(root) == yamlconfig.Directory {
		root = filepath.Dir(root)
	}
	dotenv, err := readDotEnv(root)
	if err != nil {
		return nil, err
	}
	config, diagnostics := yamlconfig.Load(path, func(name string) (string, bool) {
		if value, ok := a.environ(name); ok {
			return value, true
		}
		value, ok := dotenv[name]
		return value, ok
	})
	if config == nil {
		return nil, &diagnosticsError{diagnostics: diagnostics}
	}
	return config, nil
}

// inCUE refuses what only a configuration in CUE can do: nothing is written into YAML.
func (a *app) inCUE(m *compiler.Module, what string) error {
	if m.YAML() == "" {
		return nil
	}
	file := a.relative(filepath.Join(m.Root(), filepath.FromSlash(m.YAML())))
	return refusedError("descope-mgmt import --from-yaml "+shellQuote(file), "%s needs a configuration in CUE, and %s is YAML; convert it first", what, file)
}

// withCache has the module keep what it evaluates to where this user's programs keep such
// things; DESCOPE_CACHE=off keeps nothing.
func (a *app) withCache(m *compiler.Module) *compiler.Module {
	dir := a.cacheDir()
	if off, _ := a.environ(varCache); off == "off" || dir == "" {
		return m
	}
	path, err := os.Executable()
	if err != nil {
		return m
	}
	info, err := os.Stat(path)
	if err != nil {
		return m
	}
	program := fmt.Sprintf("%s %d %d", version(), info.Size(), info.ModTime().UnixNano())
	return m.WithCache(store.OpenCache(dir), program)
}

// traced has the module say with --verbose how it compiles.
func (a *app) traced(m *compiler.Module) *compiler.Module {
	if !a.flags.verbose {
		return m
	}
	var mu sync.Mutex
	return m.WithTrace(func(line string) {
		mu.Lock()
		defer mu.Unlock()
		a.note(line + "\n")
	})
}

// cacheDir is where the system keeps a user's caches, or "".
func (a *app) cacheDir() string {
	base, _ := a.environ("XDG_CACHE_HOME")
	switch {
	case filepath.IsAbs(base):
	case runtime.GOOS == "windows":
		base, _ = a.environ("LocalAppData")
	case a.home == "":
		return ""
	case runtime.GOOS == "darwin":
		base = filepath.Join(a.home, "Library", "Caches")
	default:
		base = filepath.Join(a.home, ".cache")
	}
	if base == "" {
		return ""
	}
	return filepath.Join(base, "descope-mgmt")
}
