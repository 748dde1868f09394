package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// connection is an environment together with its live project.
type connection struct {
	app      *app
	module   *compiler.Module
	env      string
	compiled *compiler.Result
	project  string
	baseURL  string
	// key says where the management key is from. The key itself only the client has.
	key    setting
	log    *slog.Logger
	client api.Reader
	// target is where changes go; nil unless the connection is for writing.
	target apply.Target
	// owner is who changes the project as a whole; nil like target.
	owner   owner
	state   *store.Dir
	scope   *store.Scope
	backups *store.Backups
	// retention is how long backups are kept; 0 is for ever.
	retention time.Duration
	waiting   listener
	// locked is the lock of the project, once this command has it.
	locked *store.Lock
	// accepted is the drift on record as accepted.
	accepted []plan.Acceptance
	// exportAnew: flows are exported whatever the cache has.
	exportAnew bool
	// live is what was last read of the project to plan from it.
	live model.State
	// last is what was last applied, as it was when live was read.
	last model.State
	// kinds are those that live was read for; of others it says nothing.
	kinds []model.Kind
	// used is what is known of the use of tenants that are to be deleted; see inUse.
	used map[model.Key][]string
	// connectors are the ids of connectors by name in the project's snapshot, once it
	// was asked for.
	connectors map[string][]string
	// warnings are what the user was told of how the command is run.
	warnings model.Diagnostics
	// told are the open runs that the user has been told of.
	told    []string
	closers []func() error
}

// listener is told of waits for the rate limit while somebody listens.
type listener struct {
	mu sync.Mutex
	f  func(until time.Time)
}

func (l *listener) set(f func(time.Time)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.f = f
}

// limited reports whether somebody listened.
func (l *listener) limited(until time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return false
	}
	l.f(until)
	return true
}

// access is what a connection is for.
type access int

const (
	// onDisk has no client and needs no key: it is for what is kept on this machine
	// of a project.
	onDisk access = iota
	// reading has a client that cannot write.
	reading
	writing
)

// connect compiles the chosen environment and opens its project to read it. The
// caller closes the connection.
func (a *app) connect(ctx context.Context) (*connection, error) {
	return a.connectTo(ctx, reading)
}

// connectTo is connect for an access.
func (a *app) connectTo(ctx context.Context, how access) (*connection, error) {
	m, v, env, err := a.place()
	if err != nil {
		return nil, err
	}
	return a.connectIn(ctx, m, v, env, how)
}

// connectIn is connectTo for an environment that was chosen already.
func (a *app) connectIn(ctx context.Context, m *compiler.Module, v variables, env setting, how access) (*connection, error) {
	compiled, diagnostics := compile(ctx, m, env.value)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := a.report(diagnostics); err != nil {
		return nil, err
	}
	if compiled.Environment.Protected && env.source != fromFlag {
		return nil, refusedError("descope-mgmt plan --env "+env.value, "environment %s is protected, and %s must not choose it: name it with --env", env.value, env.where())
	}
	accepted, diagnostics := acceptances(m, env.value)
	if err := a.report(diagnostics); err != nil {
		return nil, err
	}
	c := &connection{app: a, module: m, env: env.value, compiled: compiled, accepted: accepted}
	if err := c.open(ctx, v, how); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// onConnection runs what needs the live project.
func (a *app) onConnection(ctx context.Context, f func(*connection) error) (err error) {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	return f(c)
}

// onDisk runs what needs only what is kept of a project on this machine, and so no
// key: backups can be looked at when there is none any more.
func (a *app) onDisk(ctx context.Context, f func(*connection) error) (err error) {
	c, err := a.connectTo(ctx, onDisk)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	return f(c)
}

// emulatedProject is the project that an environment without one has in the embedded
// emulator: of the form of a real one, and always the same for the configuration in a
// directory. What is tried in another one never meets it.
func emulatedProject(root, env string) string {
	const length = 27
	if path, err := filepath.EvalSymlinks(root); err == nil {
		root = path
	}
	word := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, env)
	word = "2emulator" + word[:min(len(word), 8)]
	sum := sha256.Sum256([]byte(root + "\x00" + env))
	return "P" + (word + hex.EncodeToString(sum[:]))[:length]
}

// emulatorURL is the base URL under which the embedded emulator is known. No
// connection is ever made to it.
const emulatorURL = "http://localhost"

// projectOf decides which project an environment has.
func (a *app) projectOf(env string, compiled *compiler.Result, v variables) (setting, error) {
	configured := compiled.Environment.ProjectID
	if a.flags.emulator && configured == "" && v.forEnvironment(env, varProjectID).value == "" {
		configured = emulatedProject(v.module.Root(), env)
	}
	return chooseProject(env, configured, v)
}

// serverOf decides under which base URL an environment's project is known.
func (a *app) serverOf(compiled *compiler.Result, project string, v variables) (setting, error) {
	if a.flags.emulator {
		return setting{emulatorURL, "--emulator", fromFlag}, nil
	}
	return chooseBaseURL(a.flags.baseURL, compiled.Environment.BaseURL, project, v)
}

// open decides project, server and key, and makes the client unless only what is kept
// on this machine is asked for.
func (c *connection) open(ctx context.Context, v variables, how access) error {
	a, live := c.app, how != onDisk
	project, err := a.projectOf(c.env, c.compiled, v)
	if err != nil {
		return err
	}
	if err := c.notBorrowed(ctx, project); err != nil {
		return err
	}
	c.project = project.value
	if err := c.openState(v); err != nil {
		return err
	}
	base, err := a.serverOf(c.compiled, c.project, v)
	if err != nil {
		return err
	}
	transport := a.transport
	if a.flags.emulator {
		if live {
			transport, err = c.openEmulator(ctx)
		}
		if err != nil {
			return err
		}
		c.baseURL, c.key = base.value, setting{"K-embedded-emulator", "--emulator", fromFlag}
	} else {
		c.baseURL = base.value
		a.warnDotEnv(c.module.Root(), v)
		if live {
			a.warnUnencrypted(base)
			c.key, err = a.managementKey(ctx, c.module.Root(), c.env, v)
		}
		if err != nil {
			return err
		}
	}
	if c.scope, err = c.state.Scope(c.baseURL, c.project); err != nil {
		return err
	}
	if c.retention, err = retention(v); err != nil {
		return err
	}
	c.backups = c.scope.Backups(a.backupDir(v))
	if !live {
		return nil
	}
	if c.log, err = a.logger(); err != nil {
		return err
	}
	a.key, c.key.value = api.NewSecret(c.key.value), ""
	err = c.dial(how, api.Config{
		BaseURL: c.baseURL, ProjectID: c.project, Key: a.key, KeyFrom: c.key.where(),
		Transport: transport, Proxy: http.ProxyFromEnvironment, Timeout: a.flags.timeout,
		Workers: min(a.flags.parallelism, 20), Budgets: c.budgets(), Slots: c.state.Slots(a.now),
		Logger: c.log, OnWait: c.wait, Flows: flowCache{c}, Version: version(),
	})
	if err != nil {
		return configError("descope-mgmt doctor --env "+c.env, "%w", err)
	}
	return nil
}

// dial makes the client. Only one that is for writing can write.
func (c *connection) dial(how access, config api.Config) (err error) {
	if how != writing {
		c.client, err = api.NewReader(config)
		return err
	}
	client, err := api.New(config)
	if err == nil {
		c.client, c.target, c.owner = client, client, client
	}
	return err
}

// notBorrowed refuses a project that a variable gives to an environment without
// one, where it is another environment's: the customers of that one would get the
// configuration of this one, past its protection.
func (c *connection) notBorrowed(ctx context.Context, project setting) error {
	if project.source == fromConfig {
		return nil // the compiler compares what is written
	}
	names, err := c.module.Environments()
	if err != nil {
		return configError("", "%w", err)
	}
	for _, name := range names {
		if name == c.env {
			continue
		}
		other, _ := compiler.Compile(ctx, c.module, name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case other == nil:
			return configError("descope-mgmt validate "+name, "environment %s does not compile, so whether project %s (from %s) is its own cannot be told",
				name, project.value, project.where())
		case other.Environment.ProjectID == project.value:
			return refusedError("", "project %s (from %s) is that of environment %s; each environment is a project of its own, so write the project_id of %s in %s",
				project.value, project.where(), name, c.env, c.module.Place(c.env))
		}
	}
	return nil
}

// wait tells the user why nothing happens for a while.
func (c *connection) wait(w api.Wait) {
	left := w.Until.Sub(c.app.now())
	why := "the rate limit is used up"
	if w.Reason == api.WaitRetry {
		why = ui.Safe(w.Err.Error())
	} else if c.waiting.limited(w.Until) || left < longWait {
		return
	}
	if !c.app.flags.quiet {
		c.app.note(fmt.Sprintf("%s; trying again in %s\n", why, ui.Duration(left)))
	}
}

// longWait for the rate limit, outside of a run, is worth a line.
const longWait = 2 * time.Second

// budgets are the rate limits to keep to: those known of Descope, with the
// environment's own for tenant writes.
func (c *connection) budgets() []api.Budget {
	budgets := api.DefaultBudgets()
	if rate := c.compiled.Environment.Rate; rate.Calls > 0 {
		for i := range budgets {
			if budgets[i].Name == api.BudgetTenantWrites {
				budgets[i].Requests, budgets[i].Window = rate.Calls, rate.Per
			}
		}
	}
	return budgets
}

// openState opens the state directory: --state-dir, DESCOPE_STATE_DIR, else
// ~/.descope-mgmt.
func (c *connection) openState(v variables) error {
	dir, err := c.app.stateDir(v)
	if err != nil {
		return err
	}
	if c.state, err = c.app.open(dir); err != nil {
		return &stateError{err}
	}
	for _, n := range c.state.Notices() {
		c.app.note("warning: " + ui.Safe(n) + "\n")
	}
	return nil
}

func (a *app) stateDir(v variables) (string, error) {
	if a.flags.stateDir != "" {
		return a.path(a.flags.stateDir), nil
	}
	if s := v.general(varStateDir); s.value != "" {
		return a.path(s.value), nil
	}
	if a.home == "" {
		return "", configError("", "there is no home directory for the state; name one with --state-dir")
	}
	return filepath.Join(a.home, ".descope-mgmt"), nil
}

// openEmulator starts the embedded emulator on the data in the state directory.
func (c *connection) openEmulator(ctx context.Context) (http.RoundTripper, error) {
	storage, err := c.app.emulatorStorage(ctx, c.state)
	if err != nil {
		return nil, err
	}
	c.closers = append(c.closers, storage.Close)
	server, err := emulator.New(emulator.Options{Storage: storage})
	if err != nil {
		return nil, err
	}
	return emulator.Transport(server), nil
}

// emulatorStorage opens the data of an emulator, which one process can have open.
func (a *app) emulatorStorage(ctx context.Context, dir *store.Dir) (*store.EmulatorStorage, error) {
	storage, err := dir.EmulatorStorage(ctx, a.holder(ctx), lockWait)
	if err != nil {
		return nil, busy(err, "using the emulator's data", a.again(a.flags.env))
	}
	return storage, nil
}

// close gives back what the connection holds.
func (c *connection) close() error {
	var errs []error
	for _, f := range c.closers {
		errs = append(errs, f())
	}
	c.closers = nil
	return errors.Join(errs...)
}

// prompter asks on the terminal. An answer can take hours, so that who or what uses a
// tenant has to be found out anew after it.
func (c *connection) prompter() ui.Prompter {
	c.used = nil
	return c.app.prompter()
}

// prompter asks on the terminal; all questions of a command share its buffer.
func (a *app) prompter() ui.Prompter {
	if a.asks == nil {
		a.asks = ui.NewPrompter(a.streams)
	}
	return a.asks
}

// logger writes what happens underneath, to the error stream or to --log-file.
func (a *app) logger() (*slog.Logger, error) {
	level, err := ui.ParseLevel(a.flags.logLevel)
	if err != nil {
		return nil, configError("", "--log-level: %w", err)
	}
	if a.flags.logFile == "" {
		return ui.NewLogger(a.streams.ErrOut, level, false), nil
	}
	f, err := os.OpenFile(a.path(a.flags.logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, configError("", "--log-file: %w", err)
	}
	return ui.NewLogger(f, level, true), nil
}
