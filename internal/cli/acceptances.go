package cli

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// acceptedFile is where the accepted drift of an environment is on record: beside its
// overlay, so that it is reviewed and kept like the configuration.
func acceptedFile(env string) string { return path.Join("envs", env, "accepted-drift.json") }

// acceptances reads the accepted drift of an environment. Nothing on record is none; a
// file that cannot be read is an error, since what it would have let be would be
// overwritten.
func acceptances(m *compiler.Module, env string) ([]plan.Acceptance, model.Diagnostics) {
	file := acceptedFile(env)
	data, err := os.ReadFile(filepath.Join(m.Root(), filepath.FromSlash(file)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []plan.Acceptance
	if err == nil {
		list, err = plan.ParseAcceptances(data)
	}
	if err != nil {
		return nil, model.Diagnostics{{
			Severity: model.Error, Code: "accepted-drift", Origin: model.Origin{File: file, Line: 1, Column: 1},
			Summary: err.Error(), Hint: "mend it, or take out the entry and decide again: descope-mgmt drift --resolve --env " + env,
		}}
	}
	return list, nil
}

// saveAcceptances writes the accepted drift of an environment.
func saveAcceptances(m *compiler.Module, env string, list []plan.Acceptance) error {
	file := filepath.Join(m.Root(), filepath.FromSlash(acceptedFile(env)))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // source code, for everybody who works on it
		return configError("", "nothing was put on record: %w", err)
	}
	if err := writable(file); err != nil {
		return refusedError("", "nothing was put on record: %s: %w", acceptedFile(env), err)
	}
	if err := store.ReplaceFile(file, plan.FormatAcceptances(list), 0o644); err != nil {
		return configError("", "nothing was put on record: %w", err)
	}
	return nil
}
