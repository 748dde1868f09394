package report_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/report"
)

// embedded is the data that the script of a page reads.
func embedded(t *testing.T, page string) map[string]any {
	t.Helper()
	m := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no data")
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(m[1]), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func rowOf(t *testing.T, data map[string]any, kind, id string) map[string]any {
	t.Helper()
	for _, o := range data["objects"].([]any) {
		if o := o.(map[string]any); o["kind"] == kind && o["id"] == id {
			return o
		}
	}
	t.Fatalf("there is no row of %s/%s", kind, id)
	return nil
}

func statuses(row map[string]any) string {
	var out []string
	for _, c := range row["cells"].([]any) {
		c := c.(map[string]any)
		s := c["status"].(string)
		if v, ok := c["variant"]; ok {
			s += "(" + v.(string) + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestReport(t *testing.T) {
	text := page(t, world(t, 100))
	data := embedded(t, text)
	for _, c := range []struct{ kind, id, want string }{
		{"tenant", "tenant-0000", "update(a) configured(a) same(a) create(a) same(b)"},
		{"tenant", "tenant-0001", "same configured same same same"},
		{"tenant", "tenant-0002", "same configured update same same"},
		{"tenant", "by-hand", "unmanaged none unmanaged unmanaged unmanaged"},
		{"tenant", "gone", "orphan none orphan orphan orphan"},
		{"tenant", "sandbox", "none none none none left-out"},
		{"tenant", hostile, "create configured create create create"},
		{"flow", "login", "update configured update update update"},
	} {
		if got := statuses(rowOf(t, data, c.kind, c.id)); got != c.want {
			t.Errorf("%s/%s is %s, want %s", c.kind, c.id, got, c.want)
		}
	}
	moved := rowOf(t, data, "tenant", "tenant-0002")["cells"].([]any)[2].(map[string]any)["change"].(map[string]any)
	field := moved["fields"].([]any)[0].(map[string]any)
	if moved["moved"] != "live" || field["path"] != "custom_attributes.tier" || field["before"] != `"moved by hand"` || field["after"] != `"standard"` {
		t.Errorf("the change is %v", moved)
	}
	if graphs := data["graphs"].([]any); len(graphs) != 1 {
		t.Errorf("%d drawings of one flow", len(graphs))
	}
	if again := page(t, world(t, 100)); again != text {
		t.Error("the same report is written otherwise")
	}
}

// TestReportIsSafe looks for what a name could do where it is taken for more than text.
func TestReportIsSafe(t *testing.T) {
	text := page(t, world(t, 3))
	if n := strings.Count(text, "<script"); n != 2 {
		t.Errorf("%d scripts, want the data and the script of the page", n)
	}
	for _, bad := range []string{"<img", "onerror=\"", "<!--"} {
		if strings.Contains(strings.TrimPrefix(text, "<!DOCTYPE html>"), bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "#") {
			t.Errorf("the page leads to %s", m[1])
		}
	}
	if m := regexp.MustCompile(`\son[a-z]+="|javascript:|style="`).FindString(text); m != "" {
		t.Errorf("the page has %s", m)
	}
	if got := rowOf(t, embedded(t, text), "tenant", hostile)["name"]; got != hostile {
		t.Errorf("the name arrives as %q", got)
	}
	if !strings.Contains(text, "default-src &#39;none&#39;") || strings.Contains(text, "unsafe-") {
		t.Error("the page has no policy, or a weak one")
	}
}

func TestReportOfNothing(t *testing.T) {
	for name, r := range map[string]report.Report{
		"nothing":    {},
		"unreadable": {Environments: []report.Environment{{Name: "dev", Problem: "does not compile"}, {Name: "prod", State: state(t, tenant(t, "a", map[string]any{"name": "A"}, 1))}}},
		"no flow":    {Environments: []report.Environment{{Name: "dev", State: state(t, model.Resource{Key: model.Key{Kind: model.Flow, ID: "f"}, Attrs: map[string]any{"definition": "x"}})}}},
	} {
		data := embedded(t, page(t, r))
		for _, list := range []string{"environments", "objects", "graphs", "runs"} {
			if _, ok := data[list].([]any); !ok {
				t.Errorf("%s: %s is %v", name, list, data[list])
			}
		}
		if name == "unreadable" {
			if got := statuses(rowOf(t, data, "tenant", "a")); got != "unknown configured" {
				t.Errorf("what does not compile is %s", got)
			}
		}
	}
}
