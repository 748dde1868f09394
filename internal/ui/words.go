package ui

import (
	"fmt"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Counted writes a number with its noun: "1 call", "2 calls".
func Counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s", n, plural(noun))
}

func plural(noun string) string { return noun + "s" }

// countKinds writes how many keys there are of each kind, in their order:
// "12 tenants, 3 flows".
func countKinds(keys []model.Key) string {
	text := ""
	for i := 0; i < len(keys); {
		j := i
		for j < len(keys) && keys[j].Kind == keys[i].Kind {
			j++
		}
		if text != "" {
			text += ", "
		}
		text += Counted(j-i, string(keys[i].Kind))
		i = j
	}
	return text
}

// Duration writes how long something took: "0.4 s", "12 s", "1 min 10 s".
func Duration(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", max(d, 0).Seconds())
	}
	return wholeSeconds(d.Round(time.Second))
}

// estimate writes how long something will take, in whole seconds, never less
// than one.
func estimate(d time.Duration) string {
	return wholeSeconds(max((d + time.Second - 1).Truncate(time.Second), time.Second))
}

func wholeSeconds(d time.Duration) string {
	s := int(d / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	default:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
}

// Heading is a line that begins a part of the output, after an empty one unless it is
// the first.
func Heading(text string, further bool, s Style) string {
	line := s.paint(bold, Safe(text)) + "\n"
	if further {
		return "\n" + line
	}
	return line
}
