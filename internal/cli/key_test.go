package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

func TestChooseKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file, command, vars string
		want, form                string
		code                      int
		says                      string
	}{
		{name: "none", code: exitAuth, says: "no management key: set DESCOPE_DEV_EU_MANAGEMENT_KEY"},
		{name: "a flag", file: "f", vars: "MANAGEMENT_KEY=k DEV_EU_MANAGEMENT_KEY=k", want: "f", form: varKeyFile},
		{name: "the other flag", command: "c", vars: "MANAGEMENT_KEY=k", want: "c", form: varKeyCommand},
		{name: "both flags", file: "f", command: "c", code: exitConfig, says: "by the flag --management-key-file and by the flag --management-key-command"},
		{name: "a value", vars: "MANAGEMENT_KEY=k", want: "k", form: varKey},
		{name: "a file", vars: "MANAGEMENT_KEY_FILE=f", want: "f", form: varKeyFile},
		{name: "a command", vars: "MANAGEMENT_KEY_COMMAND=c", want: "c", form: varKeyCommand},
		{name: "of one environment before all", vars: "MANAGEMENT_KEY=k DEV_EU_MANAGEMENT_KEY_FILE=f", want: "f", form: varKeyFile},
		{name: "of another environment", vars: "PROD_MANAGEMENT_KEY_FILE=f", code: exitAuth},
		{name: "empty is not set", vars: "MANAGEMENT_KEY= MANAGEMENT_KEY_FILE=f", want: "f", form: varKeyFile},
		{name: "value and file", vars: "MANAGEMENT_KEY=k MANAGEMENT_KEY_FILE=f", code: exitConfig, says: "twice"},
		{name: "file and command", vars: "DEV_EU_MANAGEMENT_KEY_FILE=f DEV_EU_MANAGEMENT_KEY_COMMAND=c", code: exitConfig, says: "twice"},
		{name: "two that are outranked", file: "g", vars: "MANAGEMENT_KEY=k MANAGEMENT_KEY_FILE=f", want: "g", form: varKeyFile},
		{name: "the environment before .env", vars: "MANAGEMENT_KEY_FILE=f | DEV_EU_MANAGEMENT_KEY=k", want: "f", form: varKeyFile},
		{name: ".env", vars: "| MANAGEMENT_KEY_FILE=f", want: "f", form: varKeyFile},
		{name: ".env, twice", vars: "| MANAGEMENT_KEY_FILE=f MANAGEMENT_KEY=k", code: exitConfig, says: "DESCOPE_MANAGEMENT_KEY_FILE in .env"},
		{name: "a command in .env", vars: "| MANAGEMENT_KEY_COMMAND=c", code: exitRefused, says: "DESCOPE_MANAGEMENT_KEY_COMMAND in .env"},
		{name: "of another environment, though outranked", file: "f", vars: "MANAGEMENT_KEY=k | PROD_MANAGEMENT_KEY_COMMAND=c", code: exitRefused, says: "DESCOPE_PROD_MANAGEMENT_KEY_COMMAND in .env"},
		{name: "an empty one is none", vars: "MANAGEMENT_KEY=k | MANAGEMENT_KEY_COMMAND=", want: "k", form: varKey},
	} {
		s, err := chooseKey("dev-eu", tt.file, tt.command, vars(tt.vars))
		checkSetting(t, tt.name, s.setting, err, tt.want, tt.code, tt.says)
		if s.form != tt.form {
			t.Errorf("%s: %q, want %q", tt.name, s.form, tt.form)
		}
	}
}

// TestKeyCommandTakesTooLong: a command that does not end is not waited for, nor
// what it started and left behind.
func TestKeyCommandTakesTooLong(t *testing.T) {
	t.Parallel()
	start := time.Now()
	key, err := runKeyCommand(t.Context(), "echo Ksecret; echo waiting for a finger >&2; sleep 20", t.TempDir(), 200*time.Millisecond)
	if key != "" || err == nil || err.Error() != "the command gave no key within 200ms: waiting for a finger" {
		t.Errorf("%q, %v", key, err)
	}
	if key, err := runKeyCommand(t.Context(), "sleep 20 & echo Ksecret", t.TempDir(), 20*time.Second); key != "Ksecret" || err != nil {
		t.Errorf("%q, %v", key, err)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestKeyCommandSaysMuch: what a command prints takes little room, and what it says
// of itself little of the message.
func TestKeyCommandSaysMuch(t *testing.T) {
	t.Parallel()
	_, err := runKeyCommand(t.Context(), "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1", t.TempDir(), 20*time.Second)
	if err == nil || len(err.Error()) > 300 || !strings.HasSuffix(err.Error(), "xxx…") {
		t.Errorf("%v", err)
	}
}

// TestKeyCommandInterrupted: an interrupt ends the command, and is no failure of it.
func TestKeyCommandInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	w.ctx = ctx
	begun := filepath.Join(t.TempDir(), "begun")
	go func() {
		for !exists(begun) && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
	}()
	r := w.mustRun(exitInterrupted, "plan", "--env", "dev", "--management-key-command", "touch "+shellQuote(begun)+"; sleep 20")
	contains(t, r.err, "interrupted")
	lacks(t, r.err, "management key")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}
