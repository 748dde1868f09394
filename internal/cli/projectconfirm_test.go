package cli

import (
	"net/http"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// TestProjectQuestions pins what the commands about a project itself have typed, that
// nothing is sent and nothing on record without it, and that a backup comes first.
func TestProjectQuestions(t *testing.T) {
	t.Parallel()
	clone := []string{"project", "clone", "Copy", "--env", "dev"}
	remove := []string{"project", "delete", "--env", "dev"}
	for name, c := range map[string]struct {
		args, answers []string
		path          string
		code, calls   int
	}{
		"clone, yes":                  {clone, []string{"y"}, "project/clone", 0, 1},
		"clone, no":                   {clone, []string{"n"}, "project/clone", exitRefused, 0},
		"clone, protected":            {[]string{"project", "clone", "Copy", "--env", "prod"}, []string{prodProject, "y"}, "project/clone", 0, 1},
		"clone, protected, other id":  {[]string{"project", "clone", "Copy", "--env", "prod"}, []string{devProject, "y"}, "project/clone", exitRefused, 0},
		"delete, typed":               {remove, []string{devProject}, "project/delete", 0, 1},
		"delete, a yes is no id":      {remove, []string{"y", "y"}, "project/delete", exitRefused, 0},
		"delete, --yes is no id":      {append(remove[:len(remove):len(remove)], "--yes"), []string{"y"}, "project/delete", exitRefused, 0},
		"delete, --yes and typed":     {append(remove[:len(remove):len(remove)], "--yes"), []string{devProject}, "project/delete", 0, 1},
		"delete, protected, never":    {[]string{"project", "delete", "--env", "prod"}, []string{prodProject, "y"}, "project/delete", exitRefused, 0},
		"delete, the id and then no":  {append(remove[:len(remove):len(remove)], "--confirm-project", devProject), []string{"n"}, "project/delete", exitRefused, 0},
		"delete, the id beforehand":   {append(remove[:len(remove):len(remove)], "--confirm-project", devProject), []string{"y"}, "project/delete", 0, 1},
		"rename, protected, other id": {[]string{"project", "rename", "X", "--env", "prod"}, []string{devProject, "y"}, "update/name", exitRefused, 0},
		"rename, protected, typed":    {[]string{"project", "rename", "X", "--env", "prod"}, []string{prodProject, "y"}, "update/name", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{Tier: "tier2"})
			if err := w.server.Seed([]byte(`{"projects":{"` + devProject + `":{"name":"D","tenants":[{"id":"a","name":"A"}]},"` + prodProject + `":{"name":"P"},"P2other":{}}}`)); err != nil {
				t.Fatal(err)
			}
			w.prompter = answering(c.answers...)
			saved := false
			w.onRequest(func(r *http.Request) {
				if strings.HasSuffix(r.URL.Path, c.path) {
					w.prompter = nil
					list := w.run("backup", "list", "--env", c.args[len(c.args)-1], "-o", "json")
					saved = list.code != 0 || strings.Contains(list.out, `"operation": "project `)
				}
			})
			r := w.run(c.args...)
			w.onRequest(nil)
			if calls := w.requests("POST /v1/mgmt/" + c.path); r.code != c.code || calls != c.calls && w.requests("POST /v1/mgmt/project/"+c.path) != c.calls {
				t.Errorf("exit %d with %d calls\n%s%s", r.code, calls, r.out, r.err)
			}
			if c.calls > 0 && !saved {
				t.Error("there was no backup before the call")
			}
		})
	}
}
