package store

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// BenchmarkJournal is what the journal adds to a call: one intent and its end,
// each waiting for the disk.
func BenchmarkJournal(b *testing.B) {
	for _, workers := range []int{1, 20} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			_, s := openOn(b, b.TempDir(), OSDisk())
			r := begin(b, s, firstRun, 1)
			var next atomic.Int64
			b.SetParallelism(workers) // times GOMAXPROCS
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					next.Add(1)
					if err := r.Intent(0, 0); err != nil {
						b.Error(err)
					}
					if err := r.Ended(0, 0, 1, "done", ""); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(next.Load())/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

// BenchmarkBeginRun is what a run costs before its first call.
func BenchmarkBeginRun(b *testing.B) {
	for _, tenants := range []int{1, 200, 1000} {
		b.Run(fmt.Sprintf("changes=%d", tenants), func(b *testing.B) {
			_, s := openOn(b, b.TempDir(), OSDisk())
			p, desired := runPlan(b, tenants)
			began := runBegan(firstRun)
			for b.Loop() {
				began = began.Add(time.Second)
				r, err := s.BeginRun(runInfo(began.Format(runIDTime)+"-00000a"), p, desired, model.State{})
				must(b, err, r.Close())
			}
		})
	}
}
