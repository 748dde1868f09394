package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/flow"
)

// maxFlowFile bounds what is read of a file or a stream.
const maxFlowFile = flow.MaxBytes

// namedFlow is a flow and the name under which it was found: its id, or the file.
type namedFlow struct {
	name string
	flow.Flow
}

// readFlow reads one flow in any spelling: a file, "-" for the standard input, or the
// directory of a flow in a snapshot.
func (a *app) readFlow(name string) (flow.Flow, error) {
	found, err := a.readFlows(name)
	if err != nil {
		return flow.Flow{}, err
	}
	if len(found) != 1 {
		return flow.Flow{}, configError("", "%s has %d flows; name one of them", name, len(found))
	}
	return found[0].Flow, nil
}

// readFlows reads a flow, or all flows of a directory: of a snapshot, or of files.
func (a *app) readFlows(name string) ([]namedFlow, error) {
	if name == "-" {
		data, err := io.ReadAll(io.LimitReader(a.streams.In, maxFlowFile+1))
		if err != nil {
			return nil, configError("", "reading the standard input: %w", err)
		}
		return oneFlow(name, data)
	}
	path := a.path(name)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, configError("", "there is no file %s", name)
	case err != nil:
		return nil, configError("", "%w", err)
	case info.IsDir():
		return a.readFlowDir(name)
	case !info.Mode().IsRegular() || info.Size() > maxFlowFile:
		return nil, configError("", "%s is not a file of at most %d MB", name, maxFlowFile>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, configError("", "%w", err)
	}
	return oneFlow(name, data)
}

func oneFlow(name string, data []byte) ([]namedFlow, error) {
	f, _, err := flow.Parse(data)
	if err != nil {
		return nil, configError("", "%s is not a flow: %w", name, err)
	}
	return []namedFlow{{name, f}}, nil
}

// readFlowDir reads a directory: that of one flow in a snapshot, or one that holds
// such directories, or files of flows, below "flows" if there is such a directory.
func (a *app) readFlowDir(name string) ([]namedFlow, error) {
	dir := a.path(name)
	if isDir(filepath.Join(dir, "flows")) {
		name, dir = filepath.Join(name, "flows"), filepath.Join(dir, "flows")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, configError("", "%w", err)
	}
	if isSnapshotFlow(entries) {
		f, err := readSnapshotFlow(dir)
		if err != nil {
			return nil, configError("", "%s is not a flow of a snapshot: %w", name, err)
		}
		return []namedFlow{{name, f.WithID(filepath.Base(dir))}}, nil
	}
	var found []namedFlow
	for _, e := range entries {
		path := filepath.Join(name, e.Name())
		switch {
		case e.IsDir():
			inner, err := os.ReadDir(a.path(path))
			if err != nil {
				return nil, configError("", "%w", err)
			}
			if !isSnapshotFlow(inner) {
				continue
			}
		case filepath.Ext(e.Name()) != ".json" || e.Name() == "flows.json":
			continue
		}
		flows, err := a.readFlows(path)
		if err != nil {
			return nil, err
		}
		found = append(found, flows...)
	}
	if len(found) == 0 {
		return nil, configError("", "the directory %s has no flows", name)
	}
	return found, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isSnapshotFlow(entries []fs.DirEntry) bool {
	has := func(name string) bool {
		return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name })
	}
	return has("metadata.json") && has("contents.json")
}

func readSnapshotFlow(dir string) (flow.Flow, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return flow.Flow{}, err
	}
	files, size := map[string][]byte{}, 0
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return flow.Flow{}, err
		}
		if size += int(info.Size()); size > maxFlowFile {
			return flow.Flow{}, fmt.Errorf("it has more than %d MB", maxFlowFile>>20)
		}
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return flow.Flow{}, err
		}
	}
	return flow.ParseSnapshot(files)
}
