package ui

import (
	"strings"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

func TestPlanTextSample(t *testing.T) {
	want := `tenant/widget-inc     + create       envs/tenants.cue:24
    name               "Widget Inc"
tenant/acme-corp      ~ update       envs/prod/prod.cue:9
    domains            ["acme.com"] → ["acme.com", "acme.net"]    (self-provisioning)
Plan: 1 to create, 1 to update, 0 to delete. 3 unchanged. 2 calls, about 1 s.
`
	for _, width := range []int{0, 100} {
		got := PlanText(samplePlan(), plan.Allowed{}, Forecast{Calls: 2, Took: 600 * time.Millisecond}, Style{Width: width})
		if got != want {
			t.Errorf("width %d: got\n%s\nwant\n%s", width, got, want)
		}
	}
}

// TestPlanTextNarrow: on a narrow terminal what does not fit a line stands below,
// and nothing but an address or a command that is to be copied is ever wider.
func TestPlanTextNarrow(t *testing.T) {
	want := `tenant/widget-inc  + create
    envs/tenants.cue:24
    name  "Widget Inc"
tenant/acme-corp  ~ update
    envs/prod/prod.cue:9
    domains    (self-provisioning)
      - ["acme.com"]
      + ["acme.com", "acme.net"]
Plan: 1 to create, 1 to update, 0 to
    delete. 3 unchanged. 2 calls, about
    1 s.
`
	if got := PlanText(samplePlan(), plan.Allowed{}, Forecast{Calls: 2}, Style{Width: 40}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for width := 40; width < 80; width++ {
		text := PlanText(richPlan(), plan.Allowed{}, Forecast{Calls: 2, Took: 70 * time.Second}, Style{Width: width, TTY: true})
		if got := strings.Join(strings.Fields(text), " "); !strings.Contains(text, "10 s.") || !strings.Contains(text, "1 min") || !strings.Contains(got, "2 calls, about 1 min 10 s.") {
			t.Errorf("width %d: a number and its unit are apart:\n%s", width, text)
		}
		if !strings.Contains(text, "description_that_is_long_enough_to_widen") {
			t.Errorf("width %d: a path was cut:\n%s", width, text)
		}
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			copied := strings.HasPrefix(line, "tenant/long-id") || strings.HasPrefix(line, "    custom_attributes.description") || strings.HasPrefix(line, "    to allow it:")
			if n := cells(line); n > width && !copied {
				t.Errorf("%d columns of %d: %s", n, width, line)
			}
		}
	}
}

func TestPlanTextGoldens(t *testing.T) {
	f := Forecast{Calls: 82, Took: 3 * time.Second}
	golden(t, "plan-40.txt", PlanText(richPlan(), plan.Allowed{}, f, Style{Width: 40, TTY: true}))
	golden(t, "plan-pipe.txt", PlanText(richPlan(), plan.Allowed{}, f, Style{}))
	golden(t, "plan-80.txt", PlanText(richPlan(), plan.Allowed{}, f, Style{Width: 80, TTY: true}))
	golden(t, "plan-color.txt", strings.ReplaceAll(PlanText(richPlan(), plan.Allowed{}, f, Style{Width: 80, TTY: true, Color: true}), "\x1b", "ESC"))
	golden(t, "plan-verbose.txt", PlanText(richPlan(), plan.Allowed{}, f, Style{Width: 80, TTY: true, Verbose: true}))
}

func TestPlanTextKeepsToTheWidth(t *testing.T) {
	p := samplePlan()
	p.Changes[1].Fields[0].Before = []any{strings.Repeat("very-long-domain.", 20)}
	p.Changes[1].Fields[0].After = []any{strings.Repeat("another-domain.", 20)}
	for _, width := range []int{80, 100, 200} {
		for line := range strings.Lines(PlanText(p, plan.Allowed{}, Forecast{Calls: 2}, Style{Width: width})) {
			if n := cells(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns of %d: %s", n, width, line)
			}
		}
	}
}

// TestPlanTextAllowed: what was agreed to does not block any more, and is said in
// one line.
func TestPlanTextAllowed(t *testing.T) {
	p := richPlan()
	p.Project = "P2abc"
	got := PlanText(p, plan.Allowed{ConfirmProject: "P2abc"}, Forecast{}, Style{})
	want := `Blocked (prevent-destroy): lifecycle.prevent_destroy is set
    tenant/acme-corp
    no flag allows it
Allowed (protected): prod is protected
Plan: `
	if !strings.Contains(got, want) {
		t.Errorf("got\n%s", got)
	}
	got = PlanText(p, plan.Allowed{ConfirmProject: "P2x"}, Forecast{}, Style{})
	if !strings.Contains(got, "Blocked (protected)") || strings.Contains(got, "Allowed") {
		t.Errorf("got\n%s", got)
	}
}

func TestPlanTextClean(t *testing.T) {
	p := &plan.Plan{Unchanged: keys("a", "b", "c")}
	if got, want := PlanText(p, plan.Allowed{}, Forecast{}, Style{}), "No changes. 3 unchanged.\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.Orphans, p.Unmanaged = keys("old"), keys("theirs")
	want := `No changes. 3 unchanged.
Orphans, applied earlier and gone from the configuration (--prune deletes them): 1 tenant
    tenant/old
Unmanaged, left alone: 1 tenant
`
	if got := PlanText(p, plan.Allowed{}, Forecast{}, Style{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPlanTextHostile(t *testing.T) {
	const evil = "\x1b[2J\u202e\n\xff"
	p := richPlan()
	for i := range p.Changes {
		p.Changes[i].Key.ID += evil
		p.Changes[i].Origin.File += evil
		for j := range p.Changes[i].Fields {
			f := &p.Changes[i].Fields[j]
			f.Path, f.Note, f.Before, f.After = f.Path+evil, evil, evil, []any{evil}
		}
	}
	p.Orphans[0].ID, p.Unmanaged[0].ID = evil, evil
	p.Guards[0].Detail, p.Guards[0].Keys[0].ID, p.Guards[1].Allow = evil, evil, evil
	p.Warnings[0].Summary = evil
	for _, s := range []Style{{Verbose: true}, {Width: 40}, {Width: 100}} {
		for line := range strings.Lines(PlanText(p, plan.Allowed{}, Forecast{}, s)) {
			if harmful(strings.TrimSuffix(line, "\n")) {
				t.Errorf("%q", line)
			}
		}
	}
}

func TestPlanTextHidesSecrets(t *testing.T) {
	for _, s := range []Style{{}, {Verbose: true}, {Width: 40}, {Width: 40, Verbose: true}, {Width: 80, Color: true, TTY: true}} {
		if got := PlanText(richPlan(), plan.Allowed{}, Forecast{}, s); strings.Contains(got, "hush") {
			t.Errorf("%+v shows a secret:\n%s", s, got)
		}
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		-time.Second:                            {"0.0 s", "1 s"},
		0:                                       {"0.0 s", "1 s"},
		412 * time.Millisecond:                  {"0.4 s", "1 s"},
		3200 * time.Millisecond:                 {"3.2 s", "4 s"},
		12 * time.Second:                        {"12 s", "12 s"},
		70 * time.Second:                        {"1 min 10 s", "1 min 10 s"},
		2*time.Hour + time.Hour/2 + time.Second: {"2 h 30 min", "2 h 30 min"},
	} {
		if got := [2]string{Duration(d), estimate(d)}; got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func BenchmarkPlanText(b *testing.B) {
	p := samplePlan()
	for range 5000 {
		p.Changes = append(p.Changes, samplePlan().Changes...)
	}
	for b.Loop() {
		PlanText(p, plan.Allowed{}, Forecast{}, Style{Width: 80, Color: true})
	}
}
