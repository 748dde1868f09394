package store

import (
	"strconv"
	"strings"
	"time"
)

// A slot log is lines of a mark, a time in nanoseconds since 1970 and an id.
const (
	markSent = "sent"
	markDone = "done"
)

// slot is one request of a log.
type slot struct {
	id         string
	sent, done time.Time // done is zero where it is not known
}

// last is when the slot was last heard of.
func (s slot) last() time.Time {
	if s.done.IsZero() {
		return s.sent
	}
	return s.done
}

func (s slot) lines() string {
	text := slotLine(markSent, s.id, s.sent)
	if !s.done.IsZero() {
		text += slotLine(markDone, s.id, s.done)
	}
	return text
}

func slotLine(mark, id string, at time.Time) string {
	return mark + " " + strconv.FormatInt(at.UnixNano(), 10) + " " + id + "\n"
}

// parseSlots reads a log, in the order of sending. lines counts the whole lines;
// bad is the number of the first that is not one of ours, or 0. A last line
// without its end is ignored: a crash cut it short. So is an answer to a request
// that was forgotten.
func parseSlots(text string) (entries []slot, lines, bad int) {
	index := map[string]int{}
	for line := range strings.Lines(text) {
		line, whole := strings.CutSuffix(line, "\n")
		if !whole {
			break
		}
		lines++
		mark, at, id, ok := parseSlotLine(line)
		switch i, known := index[id]; {
		case !ok:
			if bad == 0 {
				bad = lines
			}
		case mark == markSent:
			index[id] = len(entries)
			entries = append(entries, slot{id: id, sent: at})
		case known:
			entries[i].done = at
		}
	}
	return entries, lines, bad
}

func parseSlotLine(line string) (mark string, at time.Time, id string, ok bool) {
	fields := strings.Split(line, " ")
	if len(fields) != 3 || fields[2] == "" || fields[0] != markSent && fields[0] != markDone {
		return "", time.Time{}, "", false
	}
	ns, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return "", time.Time{}, "", false
	}
	return fields[0], time.Unix(0, ns), fields[2], true
}
