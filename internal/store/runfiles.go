package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// The runs of all scopes are kept together, each in a directory named by its id.
const (
	runsDir     = "runs"
	runFile     = "run.json"
	planFile    = "plan.json"
	desiredFile = "desired.json"
	journalFile = "journal.jsonl"
	postFile    = "post.json"   // missing while the run goes on
	resultFile  = "result.json" // missing until it came to its end
)

// Directories that begin so are no runs: one is being made, or was by a process
// that crashed, the other is being removed.
const (
	newRun = ".new-"
	oldRun = ".old-"
)

// runPart is the content of each sealed file of a run.
type runPart[T any] struct {
	Run  string `json:"run"` // its id: a file of another run does not pass
	Part T      `json:"part"`
}

type savedRun struct {
	Scope string          `json:"scope"` // its name
	Info  RunInfo         `json:"info"`
	Ours  []savedResource `json:"ours,omitempty"`
}

type savedResult struct {
	// Entries is how many lines the journal has at least: its end cannot be cut
	// off unnoticed.
	Entries int       `json:"entries"`
	Result  RunResult `json:"result"`
}

type savedDesired struct {
	savedResource
	Origin  model.Origin            `json:"origin,omitzero"`
	Origins map[string]model.Origin `json:"origins,omitempty"`
}

func saveDesired(s model.State) []savedDesired {
	out := make([]savedDesired, 0, s.Len())
	for _, r := range s.Resources() {
		out = append(out, savedDesired{savedResource{r.Key, r.Attrs, r.Policy}, r.Origin, r.Origins})
	}
	return out
}

// withoutObserved is the part of a state that is kept.
func withoutObserved(s model.State) model.State {
	resources := slices.Clone(s.Resources())
	for i := range resources {
		resources[i].Observed = nil
	}
	out, _ := model.NewState(resources) // the keys are those of a state
	return out
}

func sealPart(run string, part any) ([]byte, error) { return seal(runPart[any]{run, part}) }

func writePart(disk Disk, path, run string, part any, mode fs.FileMode) error {
	text, err := sealPart(run, part)
	if err != nil {
		return explain("writing", path, err)
	}
	return replace(disk, path, text, mode, true)
}

func parsePart[T any](run string, text []byte) (part T, reason string) {
	content, reason := unseal(text)
	if reason != "" {
		return part, reason
	}
	var saved runPart[T]
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	if err := d.Decode(&saved); err != nil {
		return part, err.Error()
	}
	if saved.Run != run {
		return part, fmt.Sprintf("it belongs to run %q", saved.Run)
	}
	return saved.Part, ""
}

// RunRecord is all that is known of a run.
type RunRecord struct {
	Info RunInfo
	Plan *plan.Plan
	// Desired is the state that the run was to reach: attributes, policy and
	// positions.
	Desired model.State
	// Ours are the records that the objects of the plan had before the run in what
	// was last applied and, of objects that a rollback makes again, those that they
	// had before they were deleted. A deleted object has no record any more: when it
	// is made again, only this says what of it is ours.
	Ours model.State
	// Journal holds at least every entry that was acknowledged. Torn says that
	// its last line was not written whole.
	Journal []Entry
	Torn    bool
	// Post are the objects after the run, as Descope sent them but for spaces;
	// nil in place of one that does not exist. It is nil where they were not
	// recorded.
	Post map[model.Key]json.RawMessage
	// Result is nil for a run that did not come to its end.
	Result *RunResult

	scope   string
	entries int // see savedResult
}

// parse reads one file of a run; reason says what is wrong with it, or "". The
// journal is read after the plan and the result.
func (r *RunRecord) parse(name, id string, text []byte) (reason string) {
	switch name {
	case runFile:
		var saved savedRun
		saved, reason = parsePart[savedRun](id, text)
		if reason == "" && saved.Info.ID != id {
			reason = fmt.Sprintf("it says that it is run %q", saved.Info.ID)
		}
		r.scope, r.Info = saved.Scope, saved.Info
		if reason == "" {
			r.Ours, reason = parseResources(saved.Ours)
		}
	case planFile:
		r.Plan, reason = parsePart[*plan.Plan](id, text)
		if reason == "" && r.Plan == nil {
			reason = "it holds no plan"
		}
	case desiredFile:
		r.Desired, reason = parseDesired(id, text)
	case postFile:
		r.Post, reason = parsePart[map[model.Key]json.RawMessage](id, text)
		for k, raw := range r.Post {
			if string(raw) == "null" {
				r.Post[k] = nil
			}
		}
	case resultFile:
		var saved savedResult
		saved, reason = parsePart[savedResult](id, text)
		r.Result, r.entries = &saved.Result, saved.Entries
	case journalFile:
		reason = r.parseJournal(id, text)
	}
	return reason
}

func (r *RunRecord) parseJournal(id string, text []byte) (reason string) {
	entries, torn, line, reason := parseJournal(id, text)
	if reason != "" {
		return fmt.Sprintf("line %d: %s", line, reason)
	}
	for _, e := range entries {
		if reason := e.check(stepOf(r.Plan, e.Change, e.Step)); reason != "" {
			return fmt.Sprintf("line %d: %s", e.Seq, reason)
		}
	}
	if len(entries) < r.entries {
		return fmt.Sprintf("it has %d whole lines, and had %d when the run ended", len(entries), r.entries)
	}
	r.Journal, r.Torn = entries, torn
	return ""
}

func parseDesired(id string, text []byte) (s model.State, reason string) {
	saved, reason := parsePart[[]savedDesired](id, text)
	if reason != "" {
		return s, reason
	}
	resources := make([]model.Resource, len(saved))
	for i, r := range saved {
		attrs, err := normalized(r.Attrs)
		if err != nil {
			return s, fmt.Sprintf("%s: %v", r.Key, err)
		}
		resources[i] = model.Resource{Key: r.Key, Attrs: attrs, Policy: r.Policy, Origin: r.Origin, Origins: r.Origins}
	}
	s, err := model.NewState(resources)
	if err != nil {
		return s, err.Error()
	}
	return s, ""
}

// load reads files of a run from its directory. post.json and result.json may be
// missing.
func (r *RunRecord) load(dir string, names ...string) error {
	for _, name := range names {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		var reason string
		switch missing := errors.Is(err, fs.ErrNotExist); {
		case missing && (name == postFile || name == resultFile):
			continue
		case missing:
			reason = "it is missing"
		case err != nil:
			return explain("reading", path, err)
		default:
			reason = r.parse(name, filepath.Base(dir), text)
		}
		if reason != "" {
			return &CorruptError{
				Path: path, Reason: reason,
				Advice: "restore it from a copy, or move the directory of the run away: then the run can be neither resumed nor rolled back",
			}
		}
	}
	return nil
}
