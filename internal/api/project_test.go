package api_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
)

func company(t *testing.T, o emulator.Options) (*emulator.Server, *api.Client) {
	t.Helper()
	server, c := start(t, o)
	seed := `{"projects":{"` + project + `":{"name":"Development","tags":["b","a"],
		"connector_details":{"Mail":{"type":"smtp","configuration":{"password":"hunter2"}}},
		"theme":{"styles":{"light":{"a":1}},"componentsVersion":"1.0.0","references":{}}},"P3other":{"name":"Other"}}}`
	if err := server.Seed([]byte(seed)); err != nil {
		t.Fatal(err)
	}
	return server, c
}

func only(k model.Kind, id string) model.Key { return model.Key{Kind: k, ID: id} }

// TestProjectAndTheme: both are reached by plans, and then nothing is left to do.
func TestProjectAndTheme(t *testing.T) {
	_, c := company(t, emulator.Options{})
	own := only(model.Project, project)
	if calls, err := reach(t, c, own, map[string]any{"name": "Other name", "tags": []any{"c"}}); err != nil || calls != 2 {
		t.Errorf("%d calls, %v", calls, err)
	}
	if calls, err := reach(t, c, own, map[string]any{"name": "Other name", "tags": []any{"c"}}); err != nil || calls != 0 {
		t.Errorf("again: %d calls, %v", calls, err)
	}
	theme := only(model.Theme, model.ThemeID)
	want := map[string]any{"styles": map[string]any{"dark": map[string]any{"b": true}}, "components_version": "1.0.0"}
	if _, err := reach(t, c, theme, want); err != nil {
		t.Error(err)
	}
	live, _, err := c.Get(t.Context(), theme)
	if err != nil || !model.Equal(live.Attrs["styles"], want["styles"]) {
		t.Errorf("%v, %v", live.Attrs, err)
	}
	state, err := c.Read(t.Context(), model.Project, model.Theme)
	if err != nil || state.Len() != 2 {
		t.Errorf("%v, %v", state, err)
	}
	for _, s := range []model.Step{
		{Op: model.ProjectRename, Key: only(model.Project, "P3other"), Body: json.RawMessage(`{"name":"x"}`)},
		{Op: model.ThemeImport, Key: only(model.Theme, "other"), Body: json.RawMessage(`{"theme":{}}`)},
	} {
		if n, err := c.Do(t.Context(), s, nil); err == nil || n != 0 {
			t.Errorf("%s was sent: %v", s.Key, err)
		}
	}
	for _, tr := range []model.Transition{{Key: own, After: map[string]any{"name": "x"}}, {Key: theme, After: map[string]any{}}} {
		if steps, err := api.Encode(tr); err == nil {
			t.Errorf("%s can be made by %v", tr.Key, steps)
		}
	}
	if _, exists, err := c.Get(t.Context(), only(model.Project, "P3other")); exists || err != nil {
		t.Error("another project can be read", err)
	}
}

func TestProjects(t *testing.T) {
	server, c := company(t, emulator.Options{Keys: []emulator.Key{{Key: key}, {Key: "K-limited", Projects: []string{project}}}})
	got, err := c.Projects(t.Context())
	if err != nil || len(got) != 2 || got[0].Name != "Development" || !slices.Equal(got[0].Tags, []string{"b", "a"}) || got[1].Tags == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := connect(t, server, project, "K-limited").Projects(t.Context()); !api.IsAuth(err) {
		t.Error(err)
	}
	for _, fault := range []string{"missing-list", "duplicate-list", "truncated,count=0"} {
		synctest.Test(t, func(t *testing.T) {
			f, err := emulator.ParseFault(fault)
			if err != nil {
				t.Fatal(err)
			}
			if err := server.SetFaults(f); err != nil {
				t.Fatal(err)
			}
			if got, err := connect(t, server, project, key).Projects(t.Context()); err == nil {
				t.Errorf("%s: %v", fault, got)
			}
		})
	}
	if err := server.SetFaults(); err != nil {
		t.Fatal(err)
	}
}

// TestCloneOnce: a clone whose answer is lost is found, and never made twice.
func TestCloneOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, c := company(t, emulator.Options{Tier: "tier2"})
		made, err := c.Clone(t.Context(), "Copy", "production", []string{"x"})
		if err != nil || made.Name != "Copy" || made.Environment != "production" || !slices.Equal(made.Tags, []string{"x"}) {
			t.Fatalf("%+v, %v", made, err)
		}
		fault := func(text string) {
			t.Helper()
			f, err := emulator.ParseFault(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := server.SetFaults(f); err != nil {
				t.Fatal(err)
			}
		}
		fault("drop-after-write,count=1")
		lost, err := c.Clone(t.Context(), "Lost", "", nil)
		if err != nil || lost.Name != "Lost" {
			t.Errorf("%+v, %v", lost, err)
		}
		fault("reset,count=1,match=/clone")
		_, err = c.Clone(t.Context(), "Never", "", nil)
		if e, ok := errors.AsType[*api.Error](err); !ok || !e.Unanswered() {
			t.Errorf("it is known what became of it: %v", err)
		}
		fault("429,count=1,match=/clone")
		if _, err := c.Clone(t.Context(), "Later", "", nil); err != nil {
			t.Error(err)
		}
		all, err := c.Projects(t.Context())
		if err != nil || len(all) != 5 {
			t.Errorf("%d projects, %v", len(all), err)
		}
		fault("drop-after-write,count=1")
		if err := connect(t, server, lost.ID, key).DeleteProject(t.Context()); err != nil {
			t.Error(err)
		}
		if err := connect(t, server, made.ID, key).DeleteProject(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLicence(t *testing.T) {
	_, c := company(t, emulator.Options{})
	_, cloned := c.Clone(t.Context(), "Copy", "", nil)
	_, exported := c.ExportSnapshot(t.Context())
	_, validated := c.ValidateSnapshot(t.Context(), map[string]any{})
	for _, err := range []error{cloned, exported, validated, c.ImportSnapshot(t.Context(), map[string]any{})} {
		if !api.IsLicence(err) || api.IsAuth(err) || !strings.Contains(err.Error(), "pro license") {
			t.Error(err)
		}
	}
}

func TestSnapshots(t *testing.T) {
	server, c := company(t, emulator.Options{Tier: "tier2"})
	files, err := c.ExportSnapshot(t.Context())
	if err != nil || files["connectors/mail.json"] == nil || strings.Contains(string(files["connectors/mail.json"]), "hunter2") {
		t.Fatal(files, err)
	}
	wire := map[string]any{}
	for name, raw := range files {
		if wire[name], err = model.DecodeJSON(raw); err != nil {
			t.Fatal(err)
		}
	}
	other := connect(t, server, "P3other", key)
	report, err := other.ValidateSnapshot(t.Context(), wire)
	want := api.SnapshotSecret{ID: "", Name: "Mail", Type: "password"}
	if err != nil || len(report.Failures) != 0 || len(report.Missing["connectors"]) != 1 {
		t.Fatal(report, err)
	}
	want.ID = report.Missing["connectors"][0].ID
	if report.Missing["connectors"][0] != want || want.ID == "" {
		t.Error(report)
	}
	if err := other.ImportSnapshot(t.Context(), wire); err == nil || api.IsLicence(err) {
		t.Error(err)
	}
	if err := c.ImportSnapshot(t.Context(), wire); err != nil {
		t.Error(err)
	}
	report, err = c.ValidateSnapshot(t.Context(), map[string]any{})
	if err != nil || len(report.Failures) != 1 {
		t.Error(report, err)
	}
}
