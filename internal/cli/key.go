package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// keySource is where a management key is to come from: the value of the setting
// is the key itself, the name of a file, or a command, as its form says.
type keySource struct {
	setting
	form string // varKey, varKeyFile or varKeyCommand
}

// keyError is a source that gave no key.
type keyError struct{ err error }

func (e *keyError) Error() string { return e.err.Error() }

func (e *keyError) Unwrap() error { return e.err }

// chooseKey finds the source that counts: the flags before the real environment
// before .env and, in each of these, what is for one environment before what is
// for all; the variable that a configuration in YAML names comes last. Two sources beside each other are refused, since either could be the
// one that was forgotten, and so is a command in .env: a repository that was
// checked out must not run any.
func chooseKey(env, file, command string, v variables) (keySource, error) {
	for _, name := range slices.Sorted(maps.Keys(v.dotenv)) {
		if strings.HasPrefix(name, varPrefix) && strings.HasSuffix(name, varKeyCommand) && v.dotenv[name] != "" {
			return keySource{}, refusedError("", "%s in .env: a command comes from --management-key-command or the real environment only, since .env may come with a repository", name)
		}
	}
	levels := [][]keySource{{
		{setting{file, "--management-key-file", fromFlag}, varKeyFile},
		{setting{command, "--management-key-command", fromFlag}, varKeyCommand},
	}}
	shell := variables{environ: v.environ}
	dotenv := variables{environ: func(string) (string, bool) { return "", false }, dotenv: v.dotenv}
	for _, from := range []variables{shell, dotenv} {
		for _, prefix := range []string{environmentVariable(env, ""), varPrefix} {
			var level []keySource
			for _, form := range []string{varKey, varKeyFile, varKeyCommand} {
				level = append(level, keySource{from.lookup(prefix + form), form})
			}
			levels = append(levels, level)
		}
		if named := v.keyVariable(env); named != "" {
			levels = append(levels, []keySource{{from.lookup(named), varKey}})
		}
	}
	for _, level := range levels {
		level = slices.DeleteFunc(level, func(s keySource) bool { return s.value == "" })
		if len(level) > 1 {
			return keySource{}, configError("", "the management key is given twice, by %s and by %s; take one away", level[0].where(), level[1].where())
		}
		if len(level) == 1 {
			return level[0], nil
		}
	}
	return keySource{}, &codedError{
		code: exitAuth, hint: "descope-mgmt plan --env " + env + " --emulator",
		err: fmt.Errorf("no management key: set %s or DESCOPE_MANAGEMENT_KEY, name a file or a command that has it (--management-key-file, --management-key-command), or try the embedded emulator with --emulator", environmentVariable(env, varKey)),
	}
}

// keyTimeout is how long a command may take to give a key: a person may have to
// unlock something.
const keyTimeout = 30 * time.Second

// managementKey gets the key, with where it is from. Names of files in .env are
// taken from the root of the configuration, where it stands.
func (a *app) managementKey(ctx context.Context, root, env string, v variables) (setting, error) {
	s, err := chooseKey(env, a.flags.keyFile, a.flags.keyCommand, v)
	if err != nil {
		return setting{}, &keyError{err}
	}
	switch s.form {
	case varKeyFile:
		path := a.path(s.value)
		if s.source == fromDotEnv && !filepath.IsAbs(s.value) {
			path = filepath.Join(root, s.value)
		}
		s.value, err = a.readKey(path)
	case varKeyCommand:
		s.value, err = runKeyCommand(ctx, s.value, a.workDir, keyTimeout)
	}
	if ctx.Err() != nil {
		return setting{}, ctx.Err()
	}
	if err != nil {
		return setting{}, &keyError{configError("", "management key from %s: %w", s.where(), err)}
	}
	return s.setting, nil
}

// maxKey bounds what is read of a file or a command; keys are short.
const maxKey = 64 << 10

// readKey reads a file that holds a key and nothing else.
func (a *app) readKey(path string) (string, error) {
	name := a.relative(path)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no file %s", keyless(name, "")) // which may be the key itself
	}
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read from
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return "", fmt.Errorf("%s is a directory", name)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKey))
	if err != nil {
		return "", err
	}
	key := withoutLineEnd(string(text))
	switch {
	case key == "":
		return "", fmt.Errorf("%s is empty", name)
	case strings.Contains(key, "\n"):
		return "", fmt.Errorf("%s has several lines; it must hold the key alone", name)
	}
	a.warnReadable(path)
	return key, nil
}

// runKeyCommand has a shell run a command and takes what it prints for the key. Of
// what it says besides, the last line is shown if it fails, without anything that
// could be a key.
func runKeyCommand(ctx context.Context, command, dir string, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var out, said capped
	cmd := exec.CommandContext(ctx, "sh", "-c", command) //nolint:gosec // the user's own, from a flag or the environment
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &said
	cmd.WaitDelay = time.Second // for what it started and that holds on to its output
	err := cmd.Run()
	key := withoutLineEnd(out.String())
	because := ""
	if line := lastLine(said.String()); line != "" {
		because = ": " + keyless(line, out.String())
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("the command gave no key within %s%s", timeout, because)
	case errors.As(err, &exit) && exit.ExitCode() < 0:
		return "", fmt.Errorf("the command was killed%s", because)
	case errors.As(err, &exit):
		return "", fmt.Errorf("the command ended with exit code %d%s", exit.ExitCode(), because)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // a child that lives on is no failure
		return "", fmt.Errorf("the command could not be run: %w", err)
	case key == "":
		return "", fmt.Errorf("the command printed nothing%s", because)
	case strings.Contains(key, "\n"):
		return "", errors.New("the command printed several lines; it must print the key alone")
	}
	return key, nil
}

// capped keeps the beginning of what is written to it.
type capped struct{ bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	_, _ = c.Buffer.Write(p[:min(len(p), maxKey-c.Len())])
	return len(p), nil
}

// withoutLineEnd takes one line end away.
func withoutLineEnd(s string) string {
	return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// keys are words that could be management keys. Descope: they begin with K.
var keys = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\bK\S{19,}`) })

// keyless is a line without what could be a key: long words like one, and
// whatever of a line was printed as one.
func keyless(line, printed string) string {
	const shown = 200
	for p := range strings.Lines(printed) {
		if p = strings.TrimSpace(p); len(p) > 3 {
			line = strings.ReplaceAll(line, p, "***")
		}
	}
	line = keys().ReplaceAllString(line, "***")
	if runes := []rune(line); len(runes) > shown {
		line = string(runes[:shown]) + "…"
	}
	return line
}

// warnReadable says so if everybody on this machine can read a file with a key.
func (a *app) warnReadable(path string) {
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" || !info.Mode().IsRegular() || info.Mode().Perm()&0o004 == 0 {
		return // on Windows these bits say nothing
	}
	name := a.relative(path)
	a.note(ui.Safe(fmt.Sprintf("warning: everybody on this machine can read %s, which holds a management key: chmod 600 %s", name, shellQuote(name))) + "\n")
}

// warnDotEnv does that for .env, if it holds a key.
func (a *app) warnDotEnv(root string, v variables) {
	for name, value := range v.dotenv {
		if value != "" && strings.HasPrefix(name, varPrefix) && strings.HasSuffix(name, varKey) {
			a.warnReadable(filepath.Join(root, ".env"))
			return
		}
	}
}

// warnUnencrypted says so if the key goes to another machine for everybody on the
// way to read. Only a flag and the real environment can lead there.
func (a *app) warnUnencrypted(base setting) {
	u, err := url.Parse(base.value)
	if err != nil || !strings.EqualFold(u.Scheme, "http") || api.CheckBaseURL(base.value, false) == nil {
		return // encrypted, or this machine
	}
	a.note(ui.Safe(fmt.Sprintf("warning: base URL %s (from %s) is not https: the management key travels unencrypted to %s", base.value, base.where(), u.Hostname())) + "\n")
}
