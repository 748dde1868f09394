package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// writerFunc is a writer that does what a test says.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestClosable(t *testing.T) {
	t.Parallel()
	broken := &os.PathError{Op: "write", Path: "stdout", Err: syscall.EPIPE}
	for name, tt := range map[string]struct {
		err     error
		calls   int // of the writer below, for three writes
		fails   bool
		failure error
	}{
		"fine":      {nil, 3, false, nil},
		"closed":    {broken, 1, false, nil},
		"disk full": {syscall.ENOSPC, 3, true, syscall.ENOSPC},
	} {
		calls := 0
		c := &closable{w: writerFunc(func(p []byte) (int, error) {
			calls++
			if tt.err != nil {
				return 1, tt.err
			}
			return len(p), nil
		})}
		for range 3 {
			n, err := c.Write([]byte("text"))
			if (err != nil) != tt.fails || !tt.fails && n != 4 {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
		if calls != tt.calls || !errors.Is(c.failure(), tt.failure) || tt.failure == nil && c.failure() != nil {
			t.Errorf("%s: %d calls, failure %v", name, calls, c.failure())
		}
	}
}

func TestListener(t *testing.T) {
	t.Parallel()
	var l listener
	if l.limited(time.Now()) {
		t.Error("nobody listens")
	}
	var heard []time.Time
	l.set(func(at time.Time) { heard = append(heard, at) })
	at := time.Unix(7, 0)
	if !l.limited(at) || !slices.Equal(heard, []time.Time{at}) {
		t.Errorf("heard %v", heard)
	}
	l.set(nil)
	if l.limited(at) || len(heard) != 1 {
		t.Errorf("heard %v after the end", heard)
	}
}

// TestWait: a person is told why nothing happens, once and in one place.
func TestWait(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	in := func(d time.Duration, r api.WaitReason) api.Wait {
		return api.Wait{Reason: r, Until: now.Add(d), Err: errors.New("reset\x1b[1m")}
	}
	for name, tt := range map[string]struct {
		wait      api.Wait
		quiet     bool
		listening bool
		want      string
	}{
		"retry":                           {wait: in(2*time.Second, api.WaitRetry), want: "reset\\x1b[1m; trying again in 2.0 s\n"},
		"retry, quiet":                    {wait: in(2*time.Second, api.WaitRetry), quiet: true},
		"retry during a run":              {wait: in(2*time.Second, api.WaitRetry), listening: true, want: "reset\\x1b[1m; trying again in 2.0 s\n"},
		"budget":                          {wait: in(30*time.Second, api.WaitBudget), want: "the rate limit is used up; trying again in 30 s\n"},
		"budget, quiet":                   {wait: in(30*time.Second, api.WaitBudget), quiet: true},
		"a short while":                   {wait: in(time.Second, api.WaitBudget)},
		"budget, with progress to see it": {wait: in(30*time.Second, api.WaitBudget), listening: true},
		"pause":                           {wait: in(time.Minute, api.WaitPause), want: "the rate limit is used up; trying again in 1 min 0 s\n"},
	} {
		w := &world{t: t, env: map[string]string{}}
		a, captured := w.app()
		a.now = func() time.Time { return now }
		a.flags.quiet = tt.quiet
		c := &connection{app: a}
		heard := false
		if tt.listening {
			c.waiting.set(func(time.Time) { heard = true })
		}
		c.wait(tt.wait)
		if got := captured.ErrOut(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		if limited := tt.wait.Reason != api.WaitRetry; heard != (tt.listening && limited) {
			t.Errorf("%s: heard %v", name, heard)
		}
	}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	c := &connection{compiled: &compiler.Result{}}
	if diff := cmp.Diff(api.DefaultBudgets(), c.budgets()); diff != "" {
		t.Error(diff)
	}
	c.compiled.Environment.Rate = compiler.Rate{Calls: 7, Per: time.Second}
	for _, b := range c.budgets() {
		if tenant := b.Name == api.BudgetTenantWrites; (b.Requests == 7 && b.Window == time.Second) != tenant {
			t.Errorf("%+v", b)
		}
	}
}

func TestConsent(t *testing.T) {
	t.Parallel()
	f := consentFlags{yes: true, onError: onErrorContinue, massChange: true, overwriteDrift: true, adoptExisting: true, confirmProject: "P"}
	got, err := f.consent()
	want := consent{yes: true, onError: onErrorContinue, allowed: plan.Allowed{MassChange: true, OverwriteDrift: true, AdoptExisting: true, ConfirmProject: "P"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := (&consentFlags{}).consent(); err != nil || !reflect.DeepEqual(got, consent{}) {
		t.Errorf("%+v, %v: nothing is agreed to by default", got, err)
	}
	if _, err := (&consentFlags{onError: "skip"}).consent(); exitCode(err) != exitConfig {
		t.Error(err)
	}
}

func TestDeclined(t *testing.T) {
	t.Parallel()
	if err := declined(context.Canceled, "x", "--yes"); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt became %v", err)
	}
}

// TestSame: what may differ between the plan that was shown and the one that is
// made after the answer, and what not.
func TestSame(t *testing.T) {
	t.Parallel()
	change := func(id string, edit ...func(*plan.Change)) plan.Change {
		key := model.Key{Kind: model.Tenant, ID: id}
		c := plan.Change{
			Key: key, Action: plan.Update, PreImage: map[string]any{"name": "A"},
			Steps: []model.Step{{Op: model.TenantUpdate, Key: key, Body: []byte(`{"name":"B"}`)}},
		}
		for _, f := range edit {
			f(&c)
		}
		return c
	}
	a, b := change("a"), change("b")
	for name, tt := range map[string]struct {
		shown, fresh []plan.Change
		moved        []string
	}{
		"equal":            {[]plan.Change{a, b}, []plan.Change{a, b}, nil},
		"another order":    {[]plan.Change{a, b}, []plan.Change{b, a}, nil},
		"nothing to do":    {[]plan.Change{a, b}, nil, []string{"tenant/a", "tenant/b"}},
		"one more":         {[]plan.Change{a}, []plan.Change{a, b}, []string{"tenant/b"}},
		"another action":   {[]plan.Change{a}, []plan.Change{change("a", func(c *plan.Change) { c.Action = plan.Create })}, []string{"tenant/a"}},
		"other live":       {[]plan.Change{a}, []plan.Change{change("a", func(c *plan.Change) { c.PreImage = map[string]any{"name": "X"} })}, []string{"tenant/a"}},
		"another payload":  {[]plan.Change{a}, []plan.Change{change("a", func(c *plan.Change) { c.Steps[0].Body = []byte(`{}`) })}, []string{"tenant/a"}},
		"another endpoint": {[]plan.Change{a}, []plan.Change{change("a", func(c *plan.Change) { c.Steps[0].Op = model.TenantCreate })}, []string{"tenant/a"}},
		"fewer steps":      {[]plan.Change{a}, []plan.Change{change("a", func(c *plan.Change) { c.Steps = nil })}, []string{"tenant/a"}},
	} {
		err := same(&plan.Plan{Changes: tt.shown}, &plan.Plan{Changes: tt.fresh}, "after the plan was made", "again")
		if tt.moved == nil {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if exitCode(err) != exitRefused || hintOf(err) != "again" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		contains(t, err.Error(), tt.moved...)
	}
}

func TestWordsOfARun(t *testing.T) {
	t.Parallel()
	of := func(kinds ...string) *plan.Plan {
		p := &plan.Plan{}
		for i, k := range kinds {
			action := map[byte]plan.Action{'+': plan.Create, '~': plan.Update, '-': plan.Delete}[k[0]]
			p.Changes = append(p.Changes, plan.Change{Key: model.Key{Kind: model.Kind(k[1:]), ID: fmt.Sprint(i)}, Action: action})
		}
		return p
	}
	for _, tt := range []struct {
		plan *plan.Plan
		want string
	}{
		{of("+tenant", "+tenant"), "Created tenant"},
		{of("~tenant"), "Updated tenant"},
		{of("-flow"), "Deleted flow"},
		{of("+tenant", "~tenant"), "Applied change"},
		{of("+tenant", "+flow"), "Created change"},
	} {
		if got := verbOf(tt.plan) + " " + nounOf(tt.plan); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if ui.Counted(1, "change") != "1 change" || ui.Counted(2, "change") != "2 changes" {
		t.Error(ui.Counted(1, "change"), ui.Counted(2, "change"))
	}
}

func TestAfterFailure(t *testing.T) {
	t.Parallel()
	key := model.Key{Kind: model.Tenant, ID: "a"}
	for _, tt := range []struct {
		o    apply.Outcome
		want string
	}{
		{apply.Outcome{Key: key, Status: apply.Failed, Err: errors.New("tenant/a: no")}, "tenant/a: no\nIt failed. Continue with all the rest, skip just this one (and ask again), or abort?"},
		{apply.Outcome{Key: key, Status: apply.Failed, Err: errors.New("no")}, "tenant/a: no\nIt failed. Continue with all the rest, skip just this one (and ask again), or abort?"},
		{apply.Outcome{Key: key, Status: apply.Unclear, Err: errors.New("no")}, "tenant/a: no\nWhether it was done is unknown. Continue with all the rest, skip just this one (and ask again), or abort?"},
	} {
		if got := afterFailure(tt.o); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	a := &app{workDir: base}
	for in, want := range map[string]string{
		"": base, "x": filepath.Join(base, "x"), "../x": filepath.Join(filepath.Dir(base), "x"), "/x": "/x",
	} {
		if got := a.path(in); got != want {
			t.Errorf("path(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		filepath.Join(base, "a", "b"): "a/b", filepath.Dir(base): filepath.Dir(base), "/elsewhere": "/elsewhere",
	} {
		if got := a.relative(in); got != want {
			t.Errorf("relative(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "tenant/acme-corp": "tenant/acme-corp", "a=b,c": "a=b,c", "http://h:1": "http://h:1",
		"": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "*": "'*'", "~": "'~'", "é": "'é'", "a\nb": "'a\nb'",
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestScalar(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"true": "true", "false": "false", "3": "3", "-1.50": "-1.5", "007": `"007"`, "": `""`, "True": `"True"`, "3 seats": `"3 seats"`, "NaN": `"NaN"`,
	} {
		v, err := model.Normalize(scalar(in))
		if err != nil {
			t.Errorf("%q: %v", in, err)
		}
		if got := string(model.CanonicalJSON(v)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
