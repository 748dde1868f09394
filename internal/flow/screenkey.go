package flow

import "strings"

// defaultScreen is the slug of the name that a new screen has, which says nothing.
const defaultScreen = "new-screen"

// screenKeys are the names of the screens' files in a snapshot, by screen id.
// Descope: the slug of the name of the task that shows the screen, with the last
// four characters of the id where screens would have the same; the random part
// of the id where the name is the default, or there is none. No two keys are
// equal even where case does not count.
func (f Flow) screenKeys() map[string]string {
	slugs := map[string]string{}
	for _, t := range f.Tasks() {
		if t.ShowsScreen() && slugs[t.ScreenID] == "" {
			slugs[t.ScreenID] = slug(t.Name)
		}
	}
	screens := f.Screens()
	shared := map[string]int{}
	for _, s := range screens {
		shared[slugs[s.ID]]++
	}
	out, taken := map[string]string{}, map[string]bool{}
	for _, s := range screens {
		random := fileName(strings.TrimPrefix(s.ID, "SC"))
		name := slugs[s.ID]
		candidates := []string{name, name + "-" + random[max(0, len(random)-4):], random}
		switch {
		case name == "" || name == defaultScreen:
			candidates = candidates[2:]
		case shared[name] > 1:
			candidates = candidates[1:]
		}
		out[s.ID] = free(candidates, taken)
	}
	return out
}

// free takes the first candidate that is not taken, or makes one.
func free(candidates []string, taken map[string]bool) string {
	for i := 2; ; i++ {
		for _, c := range candidates {
			if c != "" && !taken[strings.ToLower(c)] {
				taken[strings.ToLower(c)] = true
				return c
			}
		}
		last := candidates[len(candidates)-1]
		candidates = append(candidates, strings.TrimPrefix(candidates[0]+"-"+itoa(i), "-"), strings.TrimPrefix(last+"-"+itoa(i), "-"))
	}
}

// slug is a name in lower case with a hyphen for whatever is no letter or digit.
func slug(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "-")
}

// fileName keeps what is safe in the name of a file anywhere.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && (r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z') {
			return r
		}
		return -1
	}, id)
}
