package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// vars makes variables of NAME=value words: those of the environment, then,
// behind "|", those of .env.
func vars(words string) variables {
	environment, dotenv, _ := strings.Cut(words, "|")
	read := func(s string) map[string]string {
		m := map[string]string{}
		for _, w := range strings.Fields(s) {
			name, value, _ := strings.Cut(w, "=")
			m["DESCOPE_"+name] = value
		}
		return m
	}
	env := read(environment)
	return variables{
		environ: func(n string) (string, bool) { v, ok := env[n]; return v, ok },
		dotenv:  read(dotenv),
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, vars  string
		value, from string
	}{
		{"nowhere", "", "", ""},
		{"environment", "MANAGEMENT_KEY=a", "a", "DESCOPE_MANAGEMENT_KEY in the environment"},
		{"of the environment at hand", "MANAGEMENT_KEY=a DEV_EU_MANAGEMENT_KEY=b", "b", "DESCOPE_DEV_EU_MANAGEMENT_KEY in the environment"},
		{"empty is not set", "MANAGEMENT_KEY=a DEV_EU_MANAGEMENT_KEY=", "a", "DESCOPE_MANAGEMENT_KEY in the environment"},
		{"of another environment", "PROD_MANAGEMENT_KEY=c", "", ""},
		{".env", "|MANAGEMENT_KEY=a", "a", "DESCOPE_MANAGEMENT_KEY in .env"},
		{".env, of the environment at hand", "|MANAGEMENT_KEY=a DEV_EU_MANAGEMENT_KEY=b", "b", "DESCOPE_DEV_EU_MANAGEMENT_KEY in .env"},
		{"environment before .env", "MANAGEMENT_KEY=a | DEV_EU_MANAGEMENT_KEY=b", "a", "DESCOPE_MANAGEMENT_KEY in the environment"},
		{"empty in the environment leaves .env", "MANAGEMENT_KEY= | MANAGEMENT_KEY=b", "b", "DESCOPE_MANAGEMENT_KEY in .env"},
	} {
		s := vars(tt.vars).forEnvironment("dev-eu", varKey)
		if s.value != tt.value {
			t.Errorf("%s: %q, want %q", tt.name, s.value, tt.value)
		}
		if tt.from != "" && s.where() != tt.from {
			t.Errorf("%s: from %q, want %q", tt.name, s.where(), tt.from)
		}
	}
}

func TestChooseProject(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, configured, vars string
		want                   string
		code                   int
		says                   string
	}{
		{name: "configured", configured: "P2a", want: "P2a"},
		{name: "configured and the same given", configured: "P2a", vars: "PROJECT_ID=P2a", want: "P2a"},
		{name: "not configured", vars: "PROJECT_ID=P2b", want: "P2b"},
		{name: "not configured, one of the environment", vars: "PROJECT_ID=P2b DEV_PROJECT_ID=P2c", want: "P2c"},
		{name: "not configured, .env", vars: "|DEV_PROJECT_ID=P2c", want: "P2c"},
		{name: "none", code: exitConfig, says: "set DESCOPE_DEV_PROJECT_ID"},
		{name: "another in the environment", configured: "P2a", vars: "PROJECT_ID=P2b", code: exitRefused, says: "DESCOPE_PROJECT_ID in the environment says P2b"},
		{name: "another for the environment", configured: "P2a", vars: "PROJECT_ID=P2a DEV_PROJECT_ID=P2b", code: exitRefused, says: "DESCOPE_DEV_PROJECT_ID"},
		{name: "another in .env", configured: "P2a", vars: "|PROJECT_ID=P2b", code: exitRefused, says: "in .env says P2b"},
		{name: "the right one for the environment outranks the general one", configured: "P2a", vars: "PROJECT_ID=P2b DEV_PROJECT_ID=P2a", want: "P2a"},
		{name: "case counts", configured: "P2a", vars: "PROJECT_ID=p2A", code: exitRefused},
	} {
		s, err := chooseProject("dev", tt.configured, vars(tt.vars))
		checkSetting(t, tt.name, s, err, tt.want, tt.code, tt.says)
	}
}

func TestChooseBaseURL(t *testing.T) {
	t.Parallel()
	const us, eu = "P2aaaaaaaaaaaaaaaaaaaaaaaaaa", "Peuc12aaaaaaaaaaaaaaaaaaaaaaaaaa"
	for _, tt := range []struct {
		name, flag, configured, project, vars string
		want                                  string
		code                                  int
		says                                  string
	}{
		{name: "by the project", project: us, want: "https://api.descope.com"},
		{name: "by the project's region", project: eu, want: "https://api.euc1.descope.com"},
		{name: "a project without a region", project: "P2short", code: exitConfig, says: "P2short"},
		{name: "flag first", flag: "http://127.0.0.1:1/", configured: "https://b.descope.com", vars: "BASE_URL=http://127.0.0.1:2 | BASE_URL=http://127.0.0.1:3", want: "http://127.0.0.1:1"},
		{name: "then the environment", configured: "https://b.descope.com", vars: "BASE_URL=http://127.0.0.1:2 | BASE_URL=http://127.0.0.1:3", want: "http://127.0.0.1:2"},
		{name: "then .env", configured: "https://b.descope.com", vars: "|BASE_URL=http://127.0.0.1:3", want: "http://127.0.0.1:3"},
		{name: "then the configuration", configured: "https://b.descope.com", project: us, want: "https://b.descope.com"},
		{name: "a flag may say anything", flag: "http://proxy.example:8080", want: "http://proxy.example:8080"},
		{name: "so may the environment", vars: "BASE_URL=https://proxy.example", want: "https://proxy.example"},
		{name: "but not .env", vars: "|BASE_URL=https://proxy.example", code: exitRefused, says: "proxy.example"},
		{name: ".env, a name that looks right", vars: "|BASE_URL=https://api.descope.com.evil.example", code: exitRefused},
		{name: ".env, not encrypted", vars: "|BASE_URL=http://api.descope.com", code: exitRefused},
		{name: ".env, a password", vars: "|BASE_URL=https://user:hunter2@api.descope.com", code: exitRefused},
		{name: "nor the configuration", configured: "https://evil.example", code: exitRefused, says: "the configuration"},
		{name: "no URL", flag: "localhost:8080", code: exitConfig},
		{name: "a path", flag: "http://127.0.0.1:1/v1", code: exitConfig},
		{name: "a password in a flag", flag: "http://user:hunter2@127.0.0.1:1", code: exitConfig},
	} {
		s, err := chooseBaseURL(tt.flag, tt.configured, tt.project, vars(tt.vars))
		checkSetting(t, tt.name, s, err, tt.want, tt.code, tt.says)
		if err != nil {
			lacks(t, err.Error(), "hunter2")
		}
	}
}

func TestChooseEnvironment(t *testing.T) {
	t.Parallel()
	names := []string{"dev", "prod", "staging"}
	for _, tt := range []struct {
		name, flag, vars, branch string
		want                     string
		code                     int
		says                     string
	}{
		{name: "flag first", flag: "dev", vars: "ENVIRONMENT=prod", branch: "staging", want: "dev"},
		{name: "then the environment", vars: "ENVIRONMENT=prod | ENVIRONMENT=dev", branch: "staging", want: "prod"},
		{name: "then .env", vars: "|ENVIRONMENT=dev", branch: "staging", want: "dev"},
		{name: "then the branch", branch: "staging", want: "staging"},
		{name: "a branch of another name", branch: "feature/dev", code: exitConfig, says: "choose one with --env: dev, prod, staging"},
		{name: "nothing", code: exitConfig, says: "no environment given"},
		{name: "a wrong flag does not fall back", flag: "stagin", vars: "ENVIRONMENT=dev", branch: "dev", code: exitConfig, says: `no environment "stagin" (from the flag --env)`},
		{name: "a wrong variable does not fall back", vars: "ENVIRONMENT=nowhere", branch: "dev", code: exitConfig, says: "DESCOPE_ENVIRONMENT in the environment"},
		{name: "case counts", flag: "Dev", code: exitConfig},
	} {
		s, err := chooseEnvironment(tt.flag, names, vars(tt.vars), tt.branch)
		checkSetting(t, tt.name, s, err, tt.want, tt.code, tt.says)
	}
}

func checkSetting(t *testing.T, name string, s setting, err error, want string, code int, says string) {
	t.Helper()
	if s.value != want || exitCode(err) != code {
		t.Errorf("%s: %q, exit %d (%v), want %q, exit %d", name, s.value, exitCode(err), err, want, code)
	}
	if err != nil {
		contains(t, err.Error(), says)
	}
}

func TestGitBranch(t *testing.T) {
	t.Parallel()
	plain := func(t *testing.T, head string) string {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, ".git", "HEAD"), head)
		return dir
	}
	for name, tt := range map[string]struct {
		dir  func(*testing.T) string
		want string
	}{
		"a branch":           {func(t *testing.T) string { return plain(t, "ref: refs/heads/staging\n") }, "staging"},
		"a branch in a path": {func(t *testing.T) string { return plain(t, "ref: refs/heads/team/staging\n") }, "team/staging"},
		"a detached head":    {func(t *testing.T) string { return plain(t, "0123456789abcdef0123456789abcdef01234567\n") }, ""},
		"a tag":              {func(t *testing.T) string { return plain(t, "ref: refs/tags/prod\n") }, ""},
		"an empty HEAD":      {func(t *testing.T) string { return plain(t, "") }, ""},
		"below": {func(t *testing.T) string {
			dir := filepath.Join(plain(t, "ref: refs/heads/dev\n"), "a", "b")
			makeDir(t, dir, 0o700)
			return dir
		}, "dev"},
		"a worktree": {func(t *testing.T) string {
			main, tree := plain(t, "ref: refs/heads/main\n"), t.TempDir()
			git := filepath.Join(main, ".git", "worktrees", "x")
			writeFile(t, filepath.Join(git, "HEAD"), "ref: refs/heads/staging\n")
			writeFile(t, filepath.Join(tree, ".git"), "gitdir: "+git+"\n")
			return tree
		}, "staging"},
		"a submodule": {func(t *testing.T) string {
			dir := plain(t, "ref: refs/heads/main\n")
			writeFile(t, filepath.Join(dir, ".git", "modules", "sub", "HEAD"), "ref: refs/heads/dev\n")
			writeFile(t, filepath.Join(dir, "sub", ".git"), "gitdir: ../.git/modules/sub\n")
			return filepath.Join(dir, "sub")
		}, "dev"},
		"a worktree that is gone": {func(t *testing.T) string {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, ".git"), "gitdir: /nowhere/at/all\n")
			return dir
		}, ""},
		"a directory without HEAD": {func(t *testing.T) string {
			dir := t.TempDir()
			makeDir(t, filepath.Join(dir, ".git"), 0o700)
			return dir
		}, ""},
		"none": {func(t *testing.T) string { return t.TempDir() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := gitBranch(tt.dir(t)); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestGitBranchOfGit compares with what git itself makes of a worktree.
func TestGitBranchOfGit(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	dir := filepath.Join(t.TempDir(), "main")
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	tree := filepath.Join(t.TempDir(), "tree")
	git("init", "-q", "-b", "dev", dir)
	git("-C", dir, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x")
	git("-C", dir, "worktree", "add", "-q", "-b", "staging", tree)
	if got := gitBranch(dir); got != "dev" {
		t.Errorf("%q, want dev", got)
	}
	if got := gitBranch(tree); got != "staging" {
		t.Errorf("%q, want staging", got)
	}
	git("-C", tree, "checkout", "-q", "--detach")
	if got := gitBranch(tree); got != "" {
		t.Errorf("%q of a detached head", got)
	}
}

func TestReadDotEnv(t *testing.T) {
	t.Parallel()
	const secret = "K2secretsecretsecretsecret"
	for name, tt := range map[string]struct {
		text string
		want string // of DESCOPE_MANAGEMENT_KEY
		bad  bool
	}{
		"plain":                {"DESCOPE_MANAGEMENT_KEY=" + secret + "\n", secret, false},
		"no line end":          {"DESCOPE_MANAGEMENT_KEY=" + secret, secret, false},
		"Windows":              {"A=1\r\nDESCOPE_MANAGEMENT_KEY=" + secret + "\r\n", secret, false},
		"quoted":               {`DESCOPE_MANAGEMENT_KEY="` + secret + `"`, secret, false},
		"exported":             {"export DESCOPE_MANAGEMENT_KEY='" + secret + "' # mine", secret, false},
		"empty":                {"", "", false},
		"only a comment":       {"# nothing\n", "", false},
		"a byte order mark":    {"\ufeffDESCOPE_MANAGEMENT_KEY=" + secret + "\n", "", true},
		"no name":              {"=" + secret, "", false},
		"no value":             {secret + "\n", "", true},
		"an unfinished string": {`DESCOPE_MANAGEMENT_KEY="` + secret, "", true},
		"JSON":                 {`{"DESCOPE_MANAGEMENT_KEY": "` + secret + `"}`, "", true},
		"binary":               {"\x00\x01\xff" + secret, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, ".env"), tt.text)
			m, err := readDotEnv(dir)
			if tt.bad {
				if exitCode(err) != exitConfig {
					t.Fatalf("%v, %v", m, err)
				}
				contains(t, err.Error(), filepath.Join(dir, ".env"))
				lacks(t, err.Error(), "secret")
				return
			}
			if err != nil || m["DESCOPE_MANAGEMENT_KEY"] != tt.want {
				t.Errorf("%v, %v", m, err)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		if m, err := readDotEnv(t.TempDir()); len(m) > 0 || err != nil {
			t.Errorf("%v, %v", m, err)
		}
	})
	t.Run("a directory", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		makeDir(t, filepath.Join(dir, ".env"), 0o700)
		if _, err := readDotEnv(dir); exitCode(err) != exitConfig {
			t.Errorf("%v", err)
		}
	})
}

// TestPrecedence holds whole commands to "flags, environment, .env, file" for
// every variable that they read.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	t.Run("state directory", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		base := filepath.Dir(w.dir)
		w.write(".env", "DESCOPE_STATE_DIR="+filepath.Join(base, "dotenv")+"\n")
		for _, step := range []struct {
			env  string
			args []string
			want string
		}{
			{"", nil, "dotenv"},
			{filepath.Join(base, "environment"), nil, "environment"},
			{filepath.Join(base, "environment"), []string{"--state-dir", filepath.Join(base, "flag")}, "flag"},
			{"", []string{"--state-dir", "relative"}, filepath.Join("module", "relative")},
		} {
			w.env["DESCOPE_STATE_DIR"] = step.env
			r := w.mustRun(exitOK, append([]string{"doctor", "--env", "dev"}, step.args...)...)
			contains(t, r.out, "ok       state          "+filepath.Join(base, step.want)+"\n")
		}
	})
	t.Run("key", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{Keys: []emulator.Key{{Key: "K2right"}}})
		delete(w.env, "DESCOPE_MANAGEMENT_KEY")
		contains(t, w.mustRun(exitAuth, "plan", "--env", "dev").err, "set DESCOPE_DEV_MANAGEMENT_KEY or DESCOPE_MANAGEMENT_KEY")
		w.write(".env", "DESCOPE_MANAGEMENT_KEY=K2wrong\n")
		w.mustRun(exitAuth, "plan", "--env", "dev")
		w.write(".env", "DESCOPE_MANAGEMENT_KEY=K2wrong\nDESCOPE_DEV_MANAGEMENT_KEY=K2right\n")
		w.mustRun(exitOK, "plan", "--env", "dev")
		w.mustRun(exitAuth, "plan", "--env", "staging")
		w.env["DESCOPE_MANAGEMENT_KEY"] = "K2wrong"
		w.mustRun(exitAuth, "plan", "--env", "dev")
		w.env["DESCOPE_DEV_MANAGEMENT_KEY"] = "K2right"
		contains(t, w.mustRun(exitOK, "doctor", "--env", "dev").out, "from DESCOPE_DEV_MANAGEMENT_KEY in the environment")
	})
	t.Run("base URL", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		delete(w.env, "DESCOPE_BASE_URL")
		file, dotenv, environment, flag := w.serve(w), w.serve(w), w.serve(w), w.serve(w)
		is := func(url string, args ...string) {
			t.Helper()
			r := w.mustRun(exitOK, append([]string{"doctor", "--env", "dev"}, args...)...)
			contains(t, r.out, devProject+" at "+url+"\n")
		}
		w.edit("envs/dev/dev.cue", `"dev"`, `"dev", base_url: "`+file+`"`)
		is(file)
		w.write(".env", "DESCOPE_BASE_URL="+dotenv+"\n")
		is(dotenv)
		w.env["DESCOPE_BASE_URL"] = environment
		is(environment)
		is(flag, "--base-url", flag)
		is(emulatorURL, "--emulator")
	})
	t.Run("configuration", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		other := filepath.Join(filepath.Dir(w.dir), "other")
		if err := copyTree("testdata/base", other); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(other, "envs", "tenants.cue"), "package envs\n\ntenants: only: name: \"Only\"\n")
		w.env["DESCOPE_CONFIG"] = other
		contains(t, w.mustRun(exitOK, "eval", "--env", "dev").out, `"only"`)
		lacks(t, w.mustRun(exitOK, "eval", "--env", "dev", "--config", w.dir).out, `"only"`)
		w.env["DESCOPE_CONFIG"] = "descope.yaml"
		contains(t, w.mustRun(exitConfig, "eval", "--env", "dev").err, "DESCOPE_CONFIG in the environment")
	})
	t.Run("two servers", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		contains(t, w.mustRun(exitConfig, "plan", "--env", "dev", "--emulator", "--base-url", w.env["DESCOPE_BASE_URL"]).err, "--emulator", "--base-url")
	})
}
