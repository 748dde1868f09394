package cli

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// spellings are the forms in which a key could come to light.
func spellings(key string) []string {
	quoted, _ := json.Marshal(key)
	return []string{
		key, strings.Trim(string(quoted), `"`), url.QueryEscape(key), url.PathEscape(key),
		base64.StdEncoding.EncodeToString([]byte(key)), strings.ReplaceAll(key, "`", ""), key[5:20],
	}
}

// TestKeyStaysSecret sends a key through every command, in every form of output,
// and looks for it on both streams and in every file that was written.
func TestKeyStaysSecret(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(testKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	forms := [][]string{
		{"-v", "--log-level", "debug"},
		{"--log-level", "debug", "--management-key-file", file},
		{"-v", "--log-level", "debug", "--management-key-command", "printf %s " + shellQuote(testKey)},
		{"-o", "json", "-v", "--log-level", "debug"},
		{"-o", "yaml", "--log-level", "debug", "--log-file", "debug.log"},
	}
	// A server that tells everybody what it was told.
	echo := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, key, _ := strings.Cut(r.Header.Get("Authorization"), ":")
			w.Header().Set("Location", "https://elsewhere.example/"+url.PathEscape(key))
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"errorCode": "E1", "errorDescription": key, "errorMessage": "you said " + key})
		})
	}
	servers := map[string]func(*world) http.Handler{
		"works":     func(w *world) http.Handler { return w },
		"echo 400":  func(*world) http.Handler { return echo(400) },
		"echo 401":  func(*world) http.Handler { return echo(401) },
		"echo 302":  func(*world) http.Handler { return echo(302) },
		"echo 500":  func(*world) http.Handler { return echo(500) },
		"echo 200":  func(*world) http.Handler { return echo(200) },
		"not there": func(*world) http.Handler { return nil },
	}
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			w.write("flow.json", `{"flowId": "f", "metadata": {"name": "F"}, "contents": {"tasks": {}}}`)
			h := server(w)
			if h == nil {
				w.env["DESCOPE_BASE_URL"] = "https://127.0.0.1:1/not/a/base"
			} else {
				w.env["DESCOPE_BASE_URL"] = w.serve(h)
			}
			commands, forms := commandsThatConnect(), forms
			if name == "works" {
				commands = append(commands, []string{"eval"}, []string{"validate"}, []string{"env", "list"}, []string{"plan", "--out", "saved.plan"},
					[]string{"sync", "--emulator", "--yes"}, []string{"version"}, []string{"fmt"}, []string{"plan", "--nonsense"}, []string{"plan", "--target", "x"})
			} else {
				forms = forms[2:4]
			}
			for _, c := range commands {
				for _, form := range forms {
					args := slices.Concat(c, form, []string{"--env", "dev"})
					r := w.run(args...)
					for _, s := range spellings(testKey) {
						if strings.Contains(r.out+r.err, s) {
							t.Errorf("descope-mgmt %s shows %s:\n%s%s", strings.Join(args, " "), s, r.out, r.err)
						}
					}
				}
			}
			found := 0
			err := filepath.WalkDir(filepath.Dir(w.dir), func(path string, d fs.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return err
				}
				found++
				text, err := os.ReadFile(path)
				for _, s := range spellings(testKey) {
					if strings.Contains(string(text), s) {
						t.Errorf("%s contains %s", path, s)
					}
				}
				return err
			})
			if err != nil || found < 6 {
				t.Errorf("looked at %d files (%v)", found, err)
			}
		})
	}
}

// TestKeyFromDotEnv: neither does a key that comes from a file, a malformed one
// included.
func TestKeyFromDotEnv(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"K2secret with spaces in it", "K2secret\\twith\\tmore", "K2secretümlaut", "short"} {
		w := newWorld(t, emulator.Options{Keys: []emulator.Key{{Key: "another"}}})
		delete(w.env, "DESCOPE_MANAGEMENT_KEY")
		w.write(".env", "DESCOPE_MANAGEMENT_KEY=\""+key+"\"\n")
		for _, args := range [][]string{{"plan"}, {"plan", "-v", "--log-level", "debug", "-o", "json"}, {"doctor"}} {
			r := w.run(append(args, "--env", "dev")...)
			if r.code != exitConfig && r.code != exitAuth {
				t.Errorf("%q: exit %d", key, r.code)
			}
			lacks(t, r.out+r.err, "secret", "short")
		}
	}
}

// TestLogFile: the log is JSON, a record a line, for its owner alone, and says
// what was called without saying with which key.
func TestLogFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	r := w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--log-level", "debug", "--log-file", "debug.log")
	if r.err != "" {
		t.Errorf("the log goes to the error stream too: %s", r.err)
	}
	w.mustRun(exitOK, "plan", "--env", "dev", "--log-level", "debug", "--log-file", "debug.log")
	path := filepath.Join(w.dir, "debug.log")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read from
	calls := map[string]int{}
	for s := bufio.NewScanner(f); s.Scan(); {
		var line struct {
			Time, Level, Msg, Method, Path string
			Status                         int
		}
		if err := json.Unmarshal(s.Bytes(), &line); err != nil || line.Time == "" || line.Level == "" {
			t.Fatalf("%v: %s", err, s.Bytes())
		}
		if line.Msg == "request" && line.Status == 200 {
			calls[line.Method+" "+line.Path]++
		}
	}
	if calls[createPath] != 2 || calls["GET /v1/mgmt/tenant/all"] != w.requests("GET /v1/mgmt/tenant/all") {
		t.Errorf("the log knows of %v", calls)
	}

	// Without being asked for, there is no debugging.
	if r := w.mustRun(exitOK, "plan", "--env", "dev"); r.err != "" {
		t.Errorf("%s", r.err)
	}
	contains(t, w.mustRun(exitOK, "plan", "--env", "dev", "--log-level", "debug").err, "level=DEBUG", "path=/v1/mgmt/tenant/all")
	contains(t, w.mustRun(exitConfig, "plan", "--env", "dev", "--log-file", "no/such/dir/debug.log").err, "--log-file", "no/such/dir")
}

// TestNoKeyOnTheCommandLine: what is given with a flag that there is none of, or in the
// place of a file, may be a key, and is not repeated.
func TestNoKeyOnTheCommandLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	for _, flags := range [][]string{
		{"--key=" + testKey},
		{"--management-key", testKey},
		{"--management-key=" + testKey},
		{"--management=" + testKey},
		{"--management-key-fil=" + testKey},
		{"--management-key-comand", testKey},
		{"--management-key-file", testKey},
		{"--api-token=" + testKey},
		{"--=" + testKey},
		{"-k=" + testKey},
		{"-k" + testKey},
		{"--enw", "dev", "--management-key", testKey},
		{"--enw=dev", "--management-key=" + testKey},
		{"--enw=dev", "--management-key-command", testKey},
	} {
		for _, form := range []string{"text", "json"} {
			r := w.run(slices.Concat([]string{"plan", "-o", form}, flags)...)
			if r.code != exitConfig || strings.Contains(r.out+r.err, testKey) {
				t.Errorf("%v: exit %d\n%s%s", flags, r.code, r.out, r.err)
			}
			if given := strings.Contains(r.err, "--management-key-file"); !given && strings.HasPrefix(flags[0], "--man") {
				t.Errorf("%v: not told how a key is given:\n%s", flags, r.err)
			}
		}
	}
	if r := w.run("plan", "--management-key", testKey, "--enw", "dev"); !strings.Contains(r.err, "others can read") {
		t.Errorf("not told why there is no such flag:\n%s", r.err)
	}
	if r := w.run("plan", "--enw", "dev", "--key", testKey, "--quiet"); !strings.Contains(r.err, "\n    descope-mgmt plan --env dev --quiet\n") {
		t.Errorf("not told what to type:\n%s", r.err)
	}
}
