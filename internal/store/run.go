package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// Run is the record of a run that is going on: a directory of its own, which can
// be read from its first call on whatever happens to the process. All of what its
// methods write is durable once they return. It is safe for concurrent use.
type Run struct {
	disk    Disk
	mode    fs.FileMode
	id, dir string
	plan    *plan.Plan
	journal *journal
	close   func() error
}

// BeginRun records that a plan is about to be applied so that the desired state
// is reached; ours are the records of objects that the run may need, as they are in
// what was last applied: see [RunRecord]. Once it returns nil, the record is complete and durable; after an
// error there is no such run, and after a crash there is none or one that sent
// nothing. The caller holds the scope's lock (see [Scope.Lock]) until after
// Finish. An id that is taken is fs.ErrExist. info may leave PlanDigest to be
// filled in.
func (s *Scope) BeginRun(info RunInfo, p *plan.Plan, desired, ours model.State) (*Run, error) {
	if !runIDForm.MatchString(info.ID) {
		return nil, fmt.Errorf("beginning a run: %q is not the id of one", info.ID)
	}
	if info.PlanDigest == "" {
		info.PlanDigest = p.Digest()
	}
	info.Started = info.Started.Round(0)
	texts, err := s.runTexts(info, p, desired, ours)
	if err != nil {
		return nil, fmt.Errorf("beginning run %s: %w", info.ID, err)
	}
	root, err := s.dir.sub(runsDir)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, info.ID)
	if _, err := os.Lstat(dir); err == nil {
		return nil, explain("beginning run", info.ID, fs.ErrExist)
	}
	file, err := s.makeRun(root, info.ID, texts)
	if err != nil {
		return nil, err
	}
	return &Run{
		disk: s.dir.disk, mode: s.dir.fileMode(), id: info.ID, dir: dir, plan: p,
		journal: &journal{file: file, run: info.ID}, close: sync.OnceValue(file.Close),
	}, nil
}

// runTexts are the files that a run begins with, by name. They are read back
// first: what could not be read again would be no help after a crash.
func (s *Scope) runTexts(info RunInfo, p *plan.Plan, desired, ours model.State) (map[string][]byte, error) {
	parts := map[string]any{
		runFile: savedRun{Scope: s.name, Info: info, Ours: saveResources(ours)}, planFile: p, desiredFile: saveDesired(desired),
	}
	texts := map[string][]byte{}
	for name, part := range parts {
		text, err := sealPart(info.ID, part)
		if err != nil {
			return nil, err
		}
		texts[name] = text
	}
	var back RunRecord
	for name, text := range texts {
		if reason := back.parse(name, info.ID, text); reason != "" {
			return nil, fmt.Errorf("its %s could not be read again: %s", name, reason)
		}
	}
	if back.Desired.Digest() != withoutObserved(desired).Digest() {
		return nil, errors.New("its desired state would be read differently")
	}
	if back.Ours.Digest() != withoutObserved(ours).Digest() {
		return nil, errors.New("its records of what is ours would be read differently")
	}
	return texts, nil
}

// makeRun makes the directory of a run under another name, and renames it once
// all is in it and durable: a run is there as a whole or not at all. It returns
// the journal.
func (s *Scope) makeRun(root, id string, texts map[string][]byte) (File, error) {
	disk, made, dir := s.dir.disk, filepath.Join(root, newRun+id), filepath.Join(root, id)
	if err := disk.Mkdir(made, s.dir.dirMode()); err != nil {
		return nil, explain("making", made, err)
	}
	journal, err := s.fillRun(made, texts)
	if err == nil {
		if err = disk.Rename(made, dir); err != nil {
			err = errors.Join(err, journal.Close())
		}
	}
	if err != nil {
		_ = removeTree(disk, made) // what went wrong before matters more
		return nil, explain("writing", dir, err)
	}
	if err := errors.Join(disk.SyncDir(root), disk.SyncDir(s.dir.path)); err != nil {
		err = errors.Join(err, journal.Close())
		_ = discardRun(disk, root, id) // as above
		return nil, explain("writing", dir, err)
	}
	return journal, nil
}

// fillRun puts some files and an empty journal into a directory.
func (s *Scope) fillRun(dir string, texts map[string][]byte) (journal File, err error) {
	disk, mode := s.dir.disk, s.dir.fileMode()
	for _, name := range []string{runFile, planFile, desiredFile} {
		f, err := disk.Create(filepath.Join(dir, name), mode)
		if err != nil {
			return nil, err
		}
		_, err = f.Write(texts[name])
		if err == nil {
			err = f.Sync()
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	journal, err = disk.Append(filepath.Join(dir, journalFile), mode)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(journal.Sync(), disk.SyncDir(dir)); err != nil {
		return nil, errors.Join(err, journal.Close())
	}
	return journal, nil
}

// ID is the run's id.
func (r *Run) ID() string { return r.id }

// Dir is the directory of the record.
func (r *Run) Dir() string { return r.dir }

// Intent records that a call of the plan is about to be sent; after an error it
// must not be. change and step are indices into the plan.
func (r *Run) Intent(change, step int) error {
	return r.record(Entry{Kind: EntryIntent, Change: change, Step: step})
}

// Ended records what became of a call: see [Entry] for the outcomes. After an
// error of it, or of Intent, the journal takes no more entries.
func (r *Run) Ended(change, step, attempts int, outcome, reason string) error {
	return r.record(Entry{Kind: EntryEnded, Change: change, Step: step, Attempts: attempts, Outcome: outcome, Reason: reason})
}

func (r *Run) record(e Entry) error {
	step := stepOf(r.plan, e.Change, e.Step)
	if step != nil {
		e.Key, e.Op = step.Key, step.Op
	}
	if reason := e.check(step); reason != "" {
		return fmt.Errorf("writing the journal of run %s: %s", r.id, reason)
	}
	e.At = time.Now().UTC()
	return r.journal.append(e)
}

func stepOf(p *plan.Plan, change, step int) *model.Step {
	if change < 0 || change >= len(p.Changes) || step < 0 || step >= len(p.Changes[change].Steps) {
		return nil
	}
	return &p.Changes[change].Steps[step]
}

// SavePost records, as Descope sends them, the objects that the run was about as
// they are after it; nil stands for one that does not exist.
func (r *Run) SavePost(post map[model.Key]json.RawMessage) error {
	return savePost(r.disk, r.dir, r.id, post, r.mode)
}

func savePost(disk Disk, dir, id string, post map[model.Key]json.RawMessage, mode fs.FileMode) error {
	if post == nil {
		post = map[model.Key]json.RawMessage{}
	}
	return writePart(disk, filepath.Join(dir, postFile), id, post, mode)
}

// Finish records that the run came to its end, and how. It happens once; the
// second time is fs.ErrExist.
func (r *Run) Finish(result RunResult) error {
	return finish(r.disk, r.dir, r.id, savedResult{Entries: r.journal.acknowledged(), Result: result}, r.mode)
}

func finish(disk Disk, dir, id string, result savedResult, mode fs.FileMode) error {
	path := filepath.Join(dir, resultFile)
	if _, err := os.Lstat(path); err == nil {
		return explain("finishing run", id, fs.ErrExist)
	}
	return writePart(disk, path, id, result, mode)
}

// Close closes the journal. It may be called more than once, after Finish or
// without it.
func (r *Run) Close() error { return explain("closing", r.journal.file.Name(), r.close()) }
