package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// small is a snapshot with one of everything.
func small() map[string][]byte {
	return map[string][]byte{
		VersionFile:                   []byte("{\n  \"version\": 5\n}\n"),
		"flows/flows.json":            []byte("{\n  \"flows\": [\n    \"asked\"\n  ]\n}\n"),
		"flows/asked/metadata.json":   []byte("{\n  \"name\": \"Asked \\u003c1\",\n  \"screens\": [\n    \"abc\"\n  ]\n}\n"),
		"flows/asked/contents.json":   []byte("{\n  \"startTask\": \"0\",\n  \"tasks\": {}\n}\n"),
		"flows/asked/screen-abc.json": []byte("{\n  \"contents\": {},\n  \"screenId\": \"SCabc\"\n}\n"),
		"connectors/connectors.json":  []byte("{\n  \"connectors\": [\n    \"mail\"\n  ]\n}\n"),
		"connectors/mail.json":        []byte("{\n  \"id\": \"CI1\",\n  \"name\": \"Mail\",\n  \"type\": \"smtp\"\n}\n"),
		"styles/styles.json":          []byte("{\n  \"componentsVersion\": \"1.2.3\",\n  \"styles\": [\n    \"light\"\n  ]\n}\n"),
		"styles/light.json":           []byte("{\n  \"size\": 1e+21\n}\n"),
		"roles.json":                  []byte("{\n  \"roles\": [\n    {\n      \"name\": \"Admin\"\n    }\n  ]\n}\n"),
		"assets/assets.json":          []byte("{\n  \"mapping\": {}\n}\n"),
		"assets/body-1.html":          []byte("<p>Hello</p>\n"),
		"assets/img-1.svg":            []byte("<svg/>"),
		"somebody/else.json":          []byte("{\n  \"a\": 0.5\n}\n"),
	}
}

func parsed(t *testing.T, files map[string][]byte) Tree {
	t.Helper()
	tree, err := Parse(files)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// sent is a tree after it went to the API and back.
func sent(t *testing.T, tree Tree) Tree {
	t.Helper()
	files, left, err := tree.Wire()
	if err != nil || left != nil {
		t.Fatal(left, err)
	}
	raw := map[string]json.RawMessage{}
	for name, v := range files {
		raw[name] = model.CanonicalJSON(v)
	}
	back, err := FromWire(raw)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func sameBytes(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got[name], data)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is new", name)
		}
	}
}

func TestParts(t *testing.T) {
	tree := parsed(t, small())
	sameBytes(t, tree.Files(), small())
	sameBytes(t, sent(t, tree).Files(), small())
	ids, err := tree.Flows()
	if err != nil || !slices.Equal(ids, []string{"asked"}) {
		t.Error(ids, err)
	}
	f, err := tree.Flow("asked")
	if err != nil || f.ID() != "asked" || f.Name() != "Asked <1" || len(f.Screens()) != 1 {
		t.Error(f, err)
	}
	connectors, err := tree.Connectors()
	if err != nil || !slices.Equal(connectors, []Connector{{"CI1", "Mail", "smtp"}}) {
		t.Error(connectors, err)
	}
	roles, err := tree.Roles()
	if err != nil || !slices.Equal(roles, []string{"Admin"}) {
		t.Error(roles, err)
	}
	theme, err := tree.Theme()
	if err != nil || theme.ComponentsVersion != "1.2.3" || len(theme.Styles) != 1 {
		t.Error(theme, err)
	}
	if got := tree.Assets(); !slices.Equal(got, []string{"assets/body-1.html", "assets/img-1.svg"}) {
		t.Error(got)
	}
	built, err := New([]flow.Flow{f}, theme)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Diff(tree, built) {
		if c.What == Changed && !strings.HasPrefix(c.Path, "flows/asked/") || c.What == Added && !strings.HasPrefix(c.Path, "flows/asked/") {
			t.Errorf("%+v", c)
		}
	}
	if got, _ := built.File("styles/light.json"); !bytes.Equal(got, small()["styles/light.json"]) {
		t.Errorf("%s", got)
	}
}

func TestPaths(t *testing.T) {
	for _, name := range []string{"", ".", "..", "../a.json", "/a.json", "a/../b.json", "a//b.json", `a\b.json`, "a/", "c:a.json", "a\x00.json", "a\n.json"} {
		files := small()
		files[name] = nil
		if _, err := Parse(files); err == nil || !strings.Contains(err.Error(), "no path") {
			t.Errorf("%q: %v", name, err)
		}
	}
	files := small()
	files[".git/config"], files["__MACOSX/a.json"], files["flows/.DS_Store"] = nil, nil, nil
	sameBytes(t, parsed(t, files).Files(), small())
	files = small()
	files["roles.json/a.json"] = nil
	if _, err := Parse(files); err == nil || !strings.Contains(err.Error(), "file and a directory") {
		t.Error(err)
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{VersionFile, `{"version": 6}`, "version 6"},
		{VersionFile, `[]`, "no JSON object"},
		{VersionFile, `{`, "snapshot.json"},
		{"flows/flows.json", `{"flows": ["../a"]}`, "flows.0 is no name"},
		{"flows/flows.json", `{"flows": ["asked", "asked"]}`, "twice"},
		{"flows/flows.json", `{"flows": {}}`, "no list"},
		{"flows/flows.json", `{"flows": []}`, "flow asked is not in"},
		{"flows/asked/contents.json", `[]`, "flow asked: contents.json"},
		{"connectors/mail.json", `{"name": "Mail"}`, "no id"},
		{"styles/styles.json", `{"styles": ["dark"]}`, "styles/dark.json is missing"},
		{"roles.json", `{"roles": [{}]}`, "roles.0 has no name"},
		{"somebody/else.json", "{\"a\": \"\xff\"}", "not UTF-8"},
		{"assets/body-1.html", "\xff", "not UTF-8"},
		{TenantsFile, `{"tenants": {}}`, "no list"},
		{TenantsFile, `{"tenants": [1]}`, "tenants.0"},
	} {
		files := small()
		files[c.name] = []byte(c.data)
		if err := everything(files); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v", c.name, c.data, err)
		}
	}
	files := small()
	delete(files, VersionFile)
	if _, err := Parse(files); !errors.Is(err, ErrNoSnapshot) {
		t.Error(err)
	}
	for name, raw := range map[string]string{"a.json": `"text"`, "a.exe": `"text"`, "a.png": `"?"`, "b.json": `1`, "../a.json": `{}`} {
		if tree, err := FromWire(map[string]json.RawMessage{VersionFile: json.RawMessage(`{"version":5}`), name: json.RawMessage(raw)}); err == nil {
			t.Errorf("%s %s gave %v", name, raw, tree.Paths())
		}
	}
	for _, id := range []string{"", "a/b", "..", ".git"} {
		f, err := parsed(t, small()).Flow("asked")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New([]flow.Flow{f.WithID(id)}, Theme{}); err == nil {
			t.Errorf("a flow %q was taken", id)
		}
	}
}

// everything asks for all there is.
func everything(files map[string][]byte) error {
	t, err := Parse(files)
	if err != nil {
		return err
	}
	ids, err := t.Flows()
	for _, id := range ids {
		_, flowErr := t.Flow(id)
		err = errors.Join(err, flowErr)
	}
	_, connectors := t.Connectors()
	_, roles := t.Roles()
	_, theme := t.Theme()
	_, _, tenants := t.Tenants()
	_, _, wire := t.Wire(TenantsFile)
	t.Assets()
	return errors.Join(err, connectors, roles, theme, tenants, wire)
}

func TestTenants(t *testing.T) {
	tree := parsed(t, small()).WithTenants([]map[string]any{{"id": "a", "name": "A"}})
	tenants, ok, err := tree.Tenants()
	if err != nil || !ok || len(tenants) != 1 || tenants[0]["id"] != "a" {
		t.Error(tenants, ok, err)
	}
	files, _, err := tree.Wire(TenantsFile)
	if err != nil || files[TenantsFile] != nil || len(files) != len(small()) {
		t.Error(files, err)
	}
	if _, ok, _ := parsed(t, small()).Tenants(); ok {
		t.Error("there are tenants")
	}
	if got := Diff(parsed(t, small()), tree); !slices.Equal(got, []Change{{TenantsFile, Added}}) {
		t.Error(got)
	}
}

func TestDiffGoesByValue(t *testing.T) {
	files := small()
	files["styles/light.json"] = []byte(`{"size":1000000000000000000000}`)
	if got := Diff(parsed(t, small()), parsed(t, files)); len(got) != 0 {
		t.Error(got)
	}
	files["assets/img-1.svg"] = []byte("<svg />")
	delete(files, "roles.json")
	want := []Change{{"assets/img-1.svg", Changed}, {"roles.json", Removed}}
	if got := Diff(parsed(t, small()), parsed(t, files)); !slices.Equal(got, want) {
		t.Error(got)
	}
}

// TestSnapshotCorpus: real trees are read, written, sent and received again without
// another byte.
func TestSnapshotCorpus(t *testing.T) {
	corpus := os.Getenv("DESCOPE_MGMT_CORPUS")
	if corpus == "" {
		t.Skip("DESCOPE_MGMT_CORPUS does not name a directory of real exports")
	}
	trees, err := filepath.Glob(filepath.Join(corpus, "snapshot", "*", VersionFile))
	if err != nil || len(trees) == 0 {
		t.Fatal("no snapshot in the corpus", err)
	}
	for _, file := range trees {
		files := readDir(t, filepath.Dir(file))
		tree := parsed(t, files)
		sameBytes(t, tree.Files(), files)
		sameBytes(t, sent(t, tree).Files(), files)
		if err := everything(files); err != nil {
			t.Error(err)
		}
		var flows []flow.Flow
		ids, _ := tree.Flows()
		for _, id := range ids {
			f, _ := tree.Flow(id)
			flows = append(flows, f)
		}
		theme, err := tree.Theme()
		if err != nil || len(flows) == 0 {
			t.Fatal(len(flows), err)
		}
		built, err := New(flows, theme)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range built.Files() {
			if strings.HasPrefix(name, "flows/") && strings.Count(name, "/") == 2 {
				continue // how flows are spelt is the business of package flow
			}
			if !bytes.Equal(data, files[name]) {
				t.Errorf("%s is written otherwise:\n%s", name, data)
			}
		}
		connectors, err := tree.Connectors()
		if err != nil || len(connectors) == 0 {
			t.Error(connectors, err)
		}
	}
}

func readDir(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = os.ReadFile(filepath.Join(dir, name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func FuzzSnapshot(f *testing.F) {
	f.Add("flows/flows.json", []byte(`{"flows":["asked"]}`), []byte(`{"version":5}`))
	f.Add("tenants.json", []byte(`{"tenants":[{}]}`), []byte(`{"version":5}`))
	f.Add("assets/a.html", []byte("\xff"), []byte(`{"version":"5"}`))
	f.Fuzz(func(t *testing.T, name string, data, version []byte) {
		files := small()
		files[name], files[VersionFile] = data, version
		_ = everything(files)
		raw := map[string]json.RawMessage{VersionFile: version, name: data}
		tree, err := FromWire(raw)
		if err != nil {
			return
		}
		again, err := Parse(tree.Files())
		if err != nil || len(Diff(tree, again)) != 0 {
			t.Errorf("%q does not come back: %v", name, err)
		}
		sameBytes(t, sent(t, tree).Files(), tree.Files())
	})
}
