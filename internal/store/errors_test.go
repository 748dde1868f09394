package store

import (
	"errors"
	"testing"
)

func TestFind(t *testing.T) {
	known := []string{"20261124-b", "20261124-a", "20261123-a", "2", "20"}
	for name, tc := range map[string]struct {
		want int
		err  string
	}{
		"latest":     {0, ""},
		"20261124-a": {1, ""},
		"20261123":   {2, ""},
		"2":          {3, ""}, // a whole name outdoes the beginning of others
		"20261124":   {0, `run "20261124" may be any of 20261124-b, 20261124-a`},
		"x":          {0, `there is no run "x"; there are, newest first: 20261124-b, 20261124-a, 20261123-a, 2, 20`},
		"":           {0, `there is no run ""; there are, newest first: 20261124-b, 20261124-a, 20261123-a, 2, 20`},
	} {
		got, err := find("run", name, known)
		var missing *NotFoundError
		if tc.err == "" && (err != nil || got != tc.want) || tc.err != "" && (!errors.As(err, &missing) || err.Error() != tc.err) {
			t.Errorf("%q: got %d, %v", name, got, err)
		}
	}
	if _, err := find("run", "latest", nil); err == nil || err.Error() != `there is no run "latest": there are none` {
		t.Errorf("got %v", err)
	}
	many := &NotFoundError{What: "run", Name: "x", Known: []string{"1", "2", "3", "4", "5", "6", "7"}}
	if got := many.Error(); got != `there is no run "x"; there are, newest first: 1, 2, 3, 4, 5 and 2 more` {
		t.Errorf("got %q", got)
	}
}
