package flow

import "crypto/sha256"

// screenIDs are the ids that the screens of f have in the live version, by their
// own. Screens are matched as [Diff] matches them. One that has no counterpart
// keeps its id, unless another screen has that now; then it gets a new one, the
// same each time.
func screenIDs(f, live Flow) map[string]string {
	d := &differ{
		a: side{live, live.Normal(), live.byTask()},
		b: side{f, f.Normal(), f.byTask()},
	}
	out, taken := map[string]string{}, map[string]bool{}
	for _, p := range d.pairs() {
		if p.a != nil && p.b != nil && out[p.b.ID] == "" && !taken[p.a.ID] {
			out[p.b.ID] = p.a.ID
			taken[p.a.ID] = true
		}
	}
	used := map[string]bool{}
	for _, s := range append(live.Screens(), f.Screens()...) {
		used[s.ID] = true
	}
	for _, s := range f.Screens() {
		if out[s.ID] != "" {
			continue
		}
		id := s.ID
		for i := 0; taken[id] || id != s.ID && used[id]; i++ {
			id = screenPrefixID + randomText(s.ID+"#"+itoa(i))
		}
		out[s.ID] = id
		taken[id] = true
	}
	return out
}

// randomText is the random part of an id, which depends on the seed alone.
func randomText(seed string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256([]byte(seed))
	out := make([]byte, randomLength)
	for i := range out {
		out[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return string(out)
}

// screenPlace reports whether a place is that of the id of a screen.
func screenPlace(path []any) bool {
	last := path[len(path)-1]
	return last == "screenId" && (len(path) == 4 && path[0] == "contents" && path[1] == "tasks" || len(path) == 3 && path[0] == "screens")
}
