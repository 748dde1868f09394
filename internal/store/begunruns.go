package store

import (
	"os"
	"path/filepath"
	"sync"
	"time"
)

// begunRuns keeps what was read of runs and does not change once they began: a
// command looks at the run that it finishes several times, and the plan is by far
// the largest part of it. It is safe for concurrent use.
type begunRuns struct {
	mu    sync.Mutex
	byDir map[string]begunRun
}

type begunRun struct {
	RunRecord
	stamps [3]stamp
}

// stamp tells whether a file is the one that was read.
type stamp struct {
	at   time.Time
	size int64
}

// read returns the part of a run that it began with: info, plan and desired state.
func (b *begunRuns) read(dir string) (RunRecord, error) {
	names := [3]string{runFile, planFile, desiredFile}
	var stamps [3]stamp
	for i, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			stamps[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, ok := b.byDir[dir]; ok && known.stamps == stamps {
		return known.RunRecord, nil
	}
	var r RunRecord
	if err := r.load(dir, names[:]...); err != nil {
		return RunRecord{}, err
	}
	if b.byDir == nil {
		b.byDir = map[string]begunRun{}
	}
	b.byDir[dir] = begunRun{r, stamps}
	return r, nil
}
