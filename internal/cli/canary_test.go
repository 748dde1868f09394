package cli

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// canaryKeys are management keys of all sorts. None of them may come to light.
func canaryKeys() map[string]string {
	return map[string]string{
		"short":          "Kx9q7w",
		"like a UUID":    "K3b241101-e2bb-4255-8caf-4136c566a962",
		"JSON and shell": testKey,
		"base64":         "K2NhbmFyeSBjYW5hcnkgY2FuYXJ5+/Pz8/Pj4+Pg==",
	}
}

// traces are what would give a key away: the key in the spellings of all that writes
// text here, and parts of it. Its first four characters may be shown, to tell it from
// another.
func traces(key string) []string {
	quoted, _ := json.Marshal(key)
	all := []string{
		key, strings.Trim(string(quoted), `"`), strings.Trim(strconv.Quote(key), `"`), strings.Trim(strconv.QuoteToASCII(key), `"`),
		url.QueryEscape(key), url.PathEscape(key), html.EscapeString(key), shellQuote(key), strings.ReplaceAll(key, "`", ""),
		hex.EncodeToString([]byte(key)), base64.StdEncoding.EncodeToString([]byte(key)), base64.RawURLEncoding.EncodeToString([]byte(key)),
		base64.StdEncoding.EncodeToString([]byte(devProject + ":" + key)),
	}
	const part = 8
	for i := 1; i+part <= len(key); i++ {
		all = append(all, key[i:i+part])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// canary runs commands with a key and looks for it in all that they leave behind.
type canary struct {
	*world
	key    string
	traces []string
	// runs, streams and files are how many of them were looked at.
	runs, streams, files *atomic.Int64
}

func (c *canary) search(what, text string) {
	c.t.Helper()
	for _, trace := range c.traces {
		if strings.Contains(text, trace) {
			at := strings.Index(text, trace)
			c.t.Errorf("%s shows %q of the key: …%q…", what, trace, text[max(0, at-60):min(at+60, len(text))])
			return
		}
	}
}

// command runs a command line and searches both of its streams.
func (c *canary) command(ctx context.Context, args ...string) ran {
	c.t.Helper()
	a, captured := c.app()
	a.disk = unsynced{store.OSDisk()}
	code := a.run(ctx, args)
	c.forgetRate()
	c.runs.Add(1)
	for name, text := range map[string]string{"output": captured.Out(), "error stream": captured.ErrOut()} {
		if text != "" {
			c.streams.Add(1)
			c.search("the "+name+" of descope-mgmt "+strings.Join(args, " "), text)
		}
	}
	return ran{code, captured.Out(), captured.ErrOut()}
}

// everyFile searches all files around the program: state, backups, logs, saved plans.
func (c *canary) everyFile() {
	c.t.Helper()
	err := filepath.WalkDir(filepath.Dir(c.dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == ".env" {
			return err
		}
		text, err := os.ReadFile(path)
		c.files.Add(1)
		c.search(path, string(text))
		return err
	})
	if err != nil {
		c.t.Error(err)
	}
}

// canaryStory is a working life, command after command. Those that are to fail are in
// it, too. RUN stands for the id of the last run that is on record.
func canaryStory() [][]string {
	all := []string{"--yes", "--adopt-existing", "--overwrite-drift", "--allow-mass-change", "--allow-reapply"}
	sure := func(args ...string) []string { return append(args, all...) }
	return [][]string{
		{"version"},
		{"fmt"},
		{"validate"},
		{"eval"},
		{"env", "list"},
		{"env", "diff", "dev", "prod"},
		{"env", "diff", "dev", "prod", "--live"},
		{"env", "promote", "staging", "dev", "--dry-run"},
		{"explain", "tenant/acme-corp"},
		{"report", "--live", "--out", "report.html"},
		{"init", "--yes"},
		{"init", "fresh", "--yes", "--env", "dev", "--project-id", "dev=" + devProject, "--from-project"},
		{"init", "--env", "qa", "--yes", "--dir", "fresh"},
		{"schema", "sync"},
		{"schema", "check"},
		{"schema", "export", "yaml", "--out", "descope.schema.json"},
		{"lsp"}, // whose input is empty
		{"doctor"},
		{"help"},
		{"plan", "--out", "saved.plan"},
		{"sync", "--dry-run"},
		{"sync"},
		sure("sync", "--plan", "saved.plan"), sure("sync"),
		{"sync", "--plan", "saved.plan", "--yes"},
		{"drift"},
		{"drift", "--resolve", "--accept", "all", "--reason", "it may", "--yes"},
		{"tenant", "list"},
		{"tenant", "show", "acme-corp"},
		sure("tenant", "create", "new", "--name", "New"), sure("tenant", "sync"),
		sure("rollback", "RUN"),
		{"runs", "list"},
		{"runs", "show", "RUN"},
		sure("sync", "--resume", "RUN"),
		{"rollback", "nobody"},
		sure("tenant", "delete", "acme-corp", "--allow-delete-in-use"), sure("rollback", "RUN"),
		sure("flow", "import", "flow.json"),
		{"flow", "lint", "flow.json"},
		{"flow", "merge", "flow.json", "flow.json", "flow.json"},
		{"flow", "diff", "flow.json", "live"},
		{"flow", "show", "sign-in"},
		{"flow", "history", "sign-in"},
		sure("flow", "deploy"),
		sure("flow", "rollback", "sign-in", "--to", "1"),
		{"flow", "list"},
		{"flow", "export", "sign-in"},
		{"project", "list"},
		{"project", "show"},
		{"project", "rename", "Development", "--yes"},
		{"project", "tag", "a", "--yes"},
		{"project", "clone", "Copy", "--yes"},
		{"project", "delete", "--yes"},
		{"project", "export", "tree"},
		sure("project", "import", "tree"),
		{"backup", "create", "--settings"},
		{"backup", "list"},
		{"backup", "show", "latest"},
		{"backup", "diff", "latest"},
		{"backup", "verify"},
		sure("backup", "restore", "latest"), sure("backup", "restore", "latest", "--full", "--prune", "--confirm-project", devProject),
		{"backup", "prune", "--older-than", "7d"},
		{"import", "--dry-run"},
		{"import", "--yes"},
		{"audit", "list"},
		{"audit", "verify"},
		{"plan", "--target", "x"},
		{"plan", "--nonsense"},
		{"nonsense"},
		{"runs", "show", "nobody"},
		{"__complete", "rollback", ""},
		{"__complete", "backup", "show", ""},
		{"__complete", "tenant", "show", ""},
		{"completion", "bash"},
		{"completion", "fish"},
		{"completion", "powershell"},
		{"completion", "zsh"},
		sure("sync", "--emulator"),
		{"emulator", "reset", "--yes"},
		{"plan", "--log-file", "no/such/dir"},
	}
}

// TestCanaryKnowsEveryCommand: a command that is new must be told to the canary.
func TestCanaryKnowsEveryCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	a, _ := w.app()
	var missing []string
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		path := strings.Fields(cmd.CommandPath())[1:]
		known := func(args []string) bool { return len(args) >= len(path) && slices.Equal(args[:len(path)], path) }
		if !cmd.HasSubCommands() && !slices.ContainsFunc(canaryStory(), known) {
			missing = append(missing, cmd.CommandPath())
		}
	}
	walk(newRootCmd(a))
	if len(missing) > 0 { // emulator itself, which has subcommands, is in TestCanary
		t.Errorf("the canary does not know %q", missing)
	}
}

// TestCanary sends keys through every command, in every form of output, at every log
// level, against a server that works and those that do not, and looks for them on both
// streams and in every file that is left behind.
func TestCanary(t *testing.T) {
	campaign(t)
	t.Parallel()
	var runs, streams, files atomic.Int64
	t.Cleanup(func() {
		if !t.Failed() {
			t.Logf("counts: %d runs with %d keys: 0 occurrences in %d streams and %d files", runs.Load(), len(canaryKeys()), streams.Load(), files.Load())
		}
	})
	outputs, levels := []string{formatText, formatJSON, formatYAML}, []string{"debug", "info", "warning", "error"}
	for round, name := range []string{"short", "like a UUID", "JSON and shell", "base64"} {
		key := canaryKeys()[name]
		open := func(t *testing.T, server func(*world) string) *canary {
			w := newWorld(t, emulator.Options{})
			w.write("flow.json", `{"flowId": "sign-in", "metadata": {"name": "Sign in"}, "contents": {"startTask": "0", "tasks": {"0": {"id": "0", "name": "Start"}}}}`)
			w.env["DESCOPE_BASE_URL"] = server(w)
			if round%2 == 0 {
				w.env["DESCOPE_MANAGEMENT_KEY"] = key
			} else {
				delete(w.env, "DESCOPE_MANAGEMENT_KEY")
				w.write(".env", "DESCOPE_MANAGEMENT_KEY='"+key+"'\n")
			}
			return &canary{world: w, key: key, traces: traces(key), runs: &runs, streams: &streams, files: &files}
		}
		// The four rounds of six forms are all combinations of output, level and sink.
		form := func(i int) []string {
			n := i*len(canaryKeys()) + round
			args := []string{"--env", "dev", "-o", outputs[n%3], "--log-level", levels[n/3%4]}
			if n/12%2 == 1 {
				args = append(args, "--log-file", "debug.log")
			}
			return append(args, []string{"-v", "-q"}[i%2])
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, func(w *world) string { return w.serve(w) })
			for i := range 6 {
				c.live(devProject, `{"id": "acme-corp", "name": "By hand", "enforceSSO": true}`)
				if err := os.RemoveAll(filepath.Join(c.env["DESCOPE_STATE_DIR"], "last-applied")); err != nil {
					t.Fatal(err)
				}
				for _, args := range canaryStory() {
					args = slices.Clone(args)
					if at := slices.Index(args, "RUN"); at > 0 {
						args[at] = latest
					}
					if args[0] != "__complete" && args[0] != "completion" {
						args = append(args, form(i)...)
					}
					if args[0] == "report" {
						args = append(args, "-o", formatHTML) // it has no other form
					}
					c.command(t.Context(), args...)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			c.command(ctx, "emulator", "--key", key)
			if r := c.command(t.Context(), "runs", "list", "--env", "dev", "-o", "json"); strings.Count(r.out, `"done"`) < 30 {
				t.Errorf("few runs were done: %s", r.out)
			}
			c.everyFile()
		})
		for server, address := range badServers() {
			t.Run(name+", "+server, func(t *testing.T) {
				t.Parallel()
				c := open(t, address)
				for i, args := range commandsThatConnect() {
					c.command(t.Context(), slices.Concat(args, form(i%6), []string{"--log-level", "debug"})...)
				}
				c.everyFile()
			})
		}
	}
}

// badServers are addresses where there is something wrong: what answers there says
// again what it was told, wherever it can.
func badServers() map[string]func(*world) string {
	echo := func(status int, form string) func(*world) string {
		return func(w *world) string {
			return w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				all := r.Header.Get("Authorization")
				_, key, _ := strings.Cut(all, ":")
				rw.Header().Set("Location", "https://elsewhere.example/"+url.PathEscape(key))
				rw.Header().Set("Cf-Ray", url.PathEscape(key))
				rw.Header().Set("Content-Type", form)
				rw.WriteHeader(status)
				if form == "text/html" {
					_, _ = fmt.Fprintf(rw, "<html><h1>%s</h1>%s</html>", html.EscapeString(all), key)
					return
				}
				_ = json.NewEncoder(rw).Encode(map[string]any{
					"errorCode": key, "errorDescription": all, "errorMessage": "you said " + key, "tenants": key,
				})
			}))
		}
	}
	servers := map[string]func(*world) string{
		"a certificate that nobody signed": func(w *world) string {
			s := httptest.NewUnstartedServer(w)
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			w.t.Cleanup(s.Close)
			return s.URL
		},
		"no TLS at all": func(w *world) string { return strings.Replace(w.serve(w), "http://", "https://", 1) },
		"a wrong path":  func(*world) string { return "https://127.0.0.1:1/not/a/base" },
		"html 200":      echo(200, "text/html"),
		"html 403":      echo(403, "text/html"),
	}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 500} {
		servers[fmt.Sprintf("echo %d", status)] = echo(status, "application/json")
	}
	return servers
}

// TestCanaryUnreachable: nor is a key in what is said while a server that does not
// answer is tried again and again.
func TestCanaryUnreachable(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 15 s of waiting")
	}
	for name, key := range canaryKeys() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			w.env["DESCOPE_MANAGEMENT_KEY"], w.env["DESCOPE_BASE_URL"] = key, "https://127.0.0.1:1"
			var runs, streams, files atomic.Int64
			c := &canary{world: w, key: key, traces: traces(key), runs: &runs, streams: &streams, files: &files}
			r := c.command(t.Context(), "plan", "--env", "dev", "--log-level", "debug", "-v")
			if r.code != exitFailed {
				t.Errorf("exit %d: %s", r.code, r.err)
			}
			contains(t, r.err, "trying again in", "level=DEBUG")
			c.everyFile()
		})
	}
}

// panicking is a network in which a panic shows all of a request.
type panicking struct{ method string }

func (p panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == p.method {
		panic(fmt.Sprintf("%+v %q", r, r.Header))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestCanaryPanic: a panic shows no key, ends with the code of a failure, and a run in
// which it happened gives its account, can be finished, and gave back its lock.
func TestCanaryPanic(t *testing.T) {
	t.Parallel()
	for name, key := range canaryKeys() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			w.env["DESCOPE_MANAGEMENT_KEY"] = key
			var runs, streams, files atomic.Int64
			c := &canary{world: w, key: key, traces: traces(key), runs: &runs, streams: &streams, files: &files}
			crash := func(method string, args ...string) ran {
				a, captured := w.app()
				a.transport = panicking{method}
				r := ran{a.run(t.Context(), args), captured.Out(), captured.ErrOut()}
				c.search("the output of "+args[0], r.out)
				c.search("the error stream of "+args[0], r.err)
				contains(t, r.out+r.err, "internal error", "Authorization", "panics.go")
				return r
			}
			for _, form := range [][]string{{"-v", "--log-level", "debug"}, {"-o", "json"}, {"-o", "yaml", "--log-level", "debug", "--log-file", "a.log"}} {
				r := crash(http.MethodGet, slices.Concat([]string{"plan", "--env", "dev", "--detailed-exitcode"}, form)...)
				if r.code != exitFailed {
					t.Errorf("plan: exit %d", r.code)
				}
			}
			r := crash(http.MethodPost, "sync", "--env", "dev", "--yes", "--parallelism", "1")
			contains(t, r.out, "unknown", "sync --resume")
			if r.code != exitPartly {
				t.Errorf("sync: exit %d\n%s%s", r.code, r.out, r.err)
			}
			w.mustRun(exitOK, "sync", "--resume", "latest", "--env", "dev", "--yes")
			contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, "No changes")
			c.everyFile()
		})
	}
}

// TestCanaryInMemory: what a command holds while it is connected can be printed, by a
// panic or by somebody who looks for a mistake: there is no text with a key in it.
func TestCanaryInMemory(t *testing.T) {
	t.Parallel()
	for name, key := range canaryKeys() {
		w := newWorld(t, emulator.Options{})
		w.env["DESCOPE_MANAGEMENT_KEY"] = key
		a, _ := w.app()
		a.flags.env, a.flags.logLevel, a.flags.timeout, a.flags.parallelism = "dev", "error", time.Second, 1
		c, err := a.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen := map[uintptr]bool{}
		texts := textsIn(reflect.ValueOf(c), "connection", seen, map[string]string{})
		for where, text := range texts {
			if strings.Contains(text, key) {
				t.Errorf("%s: %s holds the key as text", name, where)
			}
		}
		if len(texts) < 20 {
			t.Errorf("looked at %d texts only", len(texts))
		}
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			if strings.Contains(fmt.Sprintf(verb, c), key) || strings.Contains(fmt.Sprintf(verb, c.client), key) {
				t.Errorf("%s: %s of a connection shows the key", name, verb)
			}
		}
		if err := c.close(); err != nil {
			t.Error(err)
		}
	}
}

// textsIn collects the texts that can be reached from a value, by their path.
func textsIn(v reflect.Value, path string, seen map[uintptr]bool, found map[string]string) map[string]string {
	switch v.Kind() {
	case reflect.String:
		found[path] = v.String()
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() || strings.Count(path, ".") > 12 {
			break
		}
		if v.Kind() == reflect.Pointer {
			if seen[v.Pointer()] {
				break
			}
			seen[v.Pointer()] = true
		}
		textsIn(v.Elem(), path, seen, found)
	case reflect.Struct:
		if v.Type().PkgPath() == "testing" {
			break
		}
		for i := range v.NumField() {
			textsIn(v.Field(i), path+"."+v.Type().Field(i).Name, seen, found)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			break
		}
		for i := range v.Len() {
			textsIn(v.Index(i), fmt.Sprintf("%s[%d]", path, i), seen, found)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			textsIn(it.Key(), path+"[]", seen, found)
			textsIn(it.Value(), path+"["+fmt.Sprint(it.Key())+"]", seen, found)
		}
	default:
	}
	return found
}
