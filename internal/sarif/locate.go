package sarif

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Locate finds the value at a path of a JSON document, or the innermost one around it that
// is there: line and column count from 1, the column in bytes. The path has the form
// contents.tasks.0["a key"]. A document whose flow stands below "flow" is looked into there.
func Locate(data []byte, path string) (line, column int) {
	at := innermost(data, 0, pathElements(path))
	line = bytes.Count(data[:at], []byte{'\n'}) + 1
	return line, at - bytes.LastIndexByte(data[:at], '\n')
}

// innermost is the offset of the value that the path leads to from the one that begins at
// start, as far as it goes.
func innermost(data []byte, start int, path []string) int {
	start += space(data[start:])
	if len(path) == 0 {
		return start
	}
	d := json.NewDecoder(bytes.NewReader(data[start:]))
	t, err := d.Token()
	if err != nil {
		return start
	}
	flow := -1
	for i := 0; d.More(); i++ {
		name := strconv.Itoa(i)
		if t == json.Delim('{') {
			key, err := d.Token()
			if err != nil {
				return start
			}
			name, _ = key.(string)
		} else if t != json.Delim('[') {
			return start
		}
		value := start + int(d.InputOffset())
		value += space(data[value:])
		if name == path[0] {
			return innermost(data, value, path[1:])
		}
		if name == "flow" && start == space(data) {
			flow = value
		}
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			return start
		}
	}
	if flow >= 0 {
		return innermost(data, flow, path)
	}
	return start
}

// space is how much there is before the next value.
func space(data []byte) int { return len(data) - len(bytes.TrimLeft(data, " \t\r\n,:")) }

// pathElements takes a path apart. What cannot be read ends it.
func pathElements(path string) []string {
	var out []string
	for path != "" {
		path = strings.TrimPrefix(path, ".")
		if quoted, ok := strings.CutPrefix(path, "["); ok {
			prefix, err := strconv.QuotedPrefix(quoted)
			if err != nil {
				return out
			}
			key, _ := strconv.Unquote(prefix)
			out = append(out, key)
			path = strings.TrimPrefix(quoted[len(prefix):], "]")
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		if end == 0 {
			return out
		}
		out, path = append(out, path[:end]), path[end:]
	}
	return out
}
