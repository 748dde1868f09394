package flow

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// The files of a flow in a snapshot directory.
const (
	metadataFile = "metadata.json"
	contentsFile = "contents.json"
	screenPrefix = "screen-"
	// extraFile is our own, and only there if the document has keys at the top
	// that nobody knows. Descope ignores files that it does not know.
	extraFile = "extra.json"
)

// ParseSnapshot reads the directory of one flow in a project snapshot, file name
// to content. The flow has no id, since the directory's name is the id: see
// [Flow.WithID]. Files that are not JSON are ignored. A screen that the list in
// metadata.json lacks is an error, since Descope would leave it out in silence.
func ParseSnapshot(files map[string][]byte) (Flow, error) {
	read := func(name string) (map[string]any, error) {
		data, ok := files[name]
		if !ok {
			return nil, fmt.Errorf("%s is missing", name)
		}
		v, err := decode(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		o, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: want an object, found %s", name, kindOf(v))
		}
		return o, nil
	}
	if err := snapshotSize(files); err != nil {
		return Flow{}, err
	}
	meta, err := read(metadataFile)
	if err != nil {
		return Flow{}, err
	}
	contents, err := read(contentsFile)
	if err != nil {
		return Flow{}, err
	}
	doc := map[string]any{}
	if _, ok := files[extraFile]; ok {
		if doc, err = read(extraFile); err != nil {
			return Flow{}, err
		}
	}
	screenFiles, err := listedScreens(files, meta)
	if err != nil {
		return Flow{}, err
	}
	var screens []any
	for _, name := range screenFiles {
		screen, err := read(name)
		if err != nil {
			return Flow{}, err
		}
		screens = append(screens, screen)
	}
	slices.SortStableFunc(screens, func(a, b any) int {
		return strings.Compare(text(object(a)["screenId"]), text(object(b)["screenId"]))
	})
	if references, ok := meta["references"]; ok {
		doc["references"] = references
	}
	if screens != nil {
		doc["screens"] = screens
	}
	doc = without(doc, "flowId")
	doc["metadata"], doc["contents"] = without(meta, "screens", "references"), contents
	return newFlow(doc)
}

// snapshotSize bounds all files together.
func snapshotSize(files map[string][]byte) error {
	size := 0
	for _, data := range files {
		size += len(data)
	}
	if size > MaxBytes {
		return fmt.Errorf("%d bytes are too many for a flow: at most %d are read", size, MaxBytes)
	}
	return nil
}

// listedScreens are the files of the screens, by name. A list that is not there
// at all stands for all files.
func listedScreens(files map[string][]byte, meta map[string]any) ([]string, error) {
	var found []string
	for _, name := range keys(files) {
		if strings.HasPrefix(name, screenPrefix) && path.Ext(name) == ".json" {
			found = append(found, name)
		}
	}
	value, ok := meta["screens"]
	if !ok {
		return found, nil
	}
	if _, ok := value.([]any); !ok && value != nil {
		return nil, fmt.Errorf("%s: screens: want a list, found %s", metadataFile, kindOf(value))
	}
	var listed []string
	for i, v := range list(value) {
		key, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("%s: screens.%d: want text, found %s", metadataFile, i, kindOf(v))
		}
		name := screenPrefix + key + ".json"
		if slices.Contains(listed, name) {
			return nil, fmt.Errorf("%s: screens.%d: %s is listed twice", metadataFile, i, key)
		}
		listed = append(listed, name)
	}
	for _, name := range found {
		if !slices.Contains(listed, name) {
			return nil, fmt.Errorf("%s is not in the list of screens in %s, so an import would leave it out", name, metadataFile)
		}
	}
	slices.Sort(listed)
	return listed, nil
}

// Snapshot writes the flow as the directory of a project snapshot, file name to
// content: metadata.json, contents.json and a file for each screen. The id is
// not in it. Descope: a snapshot writes out the empty values that an export
// leaves away. It is an error if the metadata use a name that the snapshot needs.
func (f Flow) Snapshot() (map[string][]byte, error) {
	meta := without(f.metadata())
	for _, name := range []string{"screens", "references"} {
		if _, ok := meta[name]; ok {
			return nil, fmt.Errorf("metadata.%s: a snapshot keeps something else under this name", name)
		}
	}
	fill(meta, map[string]any{"description": "", "disabled": false, "fingerprint": false})
	files := map[string][]byte{contentsFile: write(without(f.contents()))}
	names := f.screenKeys()
	listed := []any{}
	for _, s := range f.Screens() {
		files[screenPrefix+names[s.ID]+".json"] = write(snapshotScreen(s.doc))
	}
	for _, id := range slices.SortedFunc(slices.Values(keys(names)), func(a, b string) int { return strings.Compare(names[a], names[b]) }) {
		listed = append(listed, names[id])
	}
	meta["screens"] = listed
	if references, ok := f.doc["references"]; ok && !model.Unset(references) {
		meta["references"] = references
	}
	files[metadataFile] = write(meta)
	if extra := without(f.doc, "flowId", "metadata", "contents", "screens", "references"); len(extra) > 0 {
		files[extraFile] = write(extra)
	}
	return files, nil
}

// snapshotScreen is a screen with its empty values written out.
func snapshotScreen(screen map[string]any) map[string]any {
	out := without(screen)
	if interactions, ok := screen["interactions"].([]any); ok && len(interactions) > 0 {
		full := make([]any, len(interactions))
		for i, v := range interactions {
			interaction := without(object(v))
			fill(interaction, map[string]any{"icon": "", "label": "", "subType": "", "type": ""})
			full[i] = interaction
		}
		out["interactions"] = full
	}
	return out
}

func fill(m, values map[string]any) {
	for name, v := range values {
		if m[name] == nil {
			m[name] = v
		}
	}
}
