package flow

import (
	"bytes"
	"path/filepath"
	"testing"
)

// FuzzParse: whatever the bytes, there is an error or a flow that everything
// works on.
func FuzzParse(f *testing.F) {
	f.Add(readFile(f, filepath.Join("testdata", "sign-in.json")))
	f.Add(readFile(f, filepath.Join("testdata", "sign-in-console.json")))
	for _, seed := range []string{
		`{`, `[]`, `{"flow":{"dsl":{"tasks":{"1":{}}}},"screens":[{"id":"x","htmlTemplate":{"ROOT":{"nodes":["ROOT"]}}}]}`,
		`{"metadata":{"sharedInteractions":[{"id":"a"},{"id":"a"}]},"contents":{"tasks":{"1.end":{"type":"screen","screenId":"a"},"1":{"arguments":{"x":{"value":1e3}}}}},"screens":[{"screenId":"a"}],"references":{"x":{"y":"z"},"q":5}}`,
		`{"metadata":{"screens":1},"contents":{"startTask":null,"tasks":{".end":{"next":{"rules":[{},{}]}},"":{}}},"references":{"":{"":""}}}`,
	} {
		f.Add([]byte(seed))
	}
	base := fixture(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		flow, spelling, err := Parse(data)
		if err != nil {
			return
		}
		if spelling != Console && spelling != Exported {
			t.Fatalf("spelling %q", spelling)
		}
		again, _, err := Parse(flow.V2())
		if err != nil || !bytes.Equal(again.V2(), flow.V2()) || again.Normal().Digest() != flow.Normal().Digest() {
			t.Fatalf("V2 reads as something else: %v\n%s", err, flow.V2())
		}
		if r := Diff(flow, again); !r.Identical() {
			t.Fatalf("a flow differs from itself: %+v", r)
		}
		r := Diff(base, flow)
		if same := base.Normal().Equal(flow.Normal()); same && !r.Equal() || !same && len(r.Changes)+len(r.Noise) == 0 {
			t.Fatalf("same meaning: %v, but %+v", same, r)
		}
		if back := Diff(flow, base); back.Equal() != r.Equal() {
			t.Fatalf("%+v but backwards %+v", r, back)
		}
		for _, task := range flow.Tasks() {
			_, _ = flow.ScreenOf(task.ID)
		}
		files, err := flow.Snapshot()
		if err != nil {
			return
		}
		restored, err := ParseSnapshot(files)
		if err != nil || restored.Normal().Digest() != flow.Normal().Digest() {
			t.Fatalf("the snapshot reads as something else: %v\n%s", err, flow.V2())
		}
	})
}
