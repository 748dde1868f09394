package model

import (
	"strconv"
	"strings"
)

// JoinPath writes the place of a value inside a resource, for example
// custom_attributes.plan. An element that is not a plain name is
// quoted, so that two different paths never look alike.
func JoinPath(elements ...string) string {
	var b strings.Builder
	for i, e := range elements {
		if i > 0 {
			b.WriteByte('.')
		}
		if plainName(e) {
			b.WriteString(e)
		} else {
			b.WriteString(strconv.Quote(e))
		}
	}
	return b.String()
}

// SplitPath takes apart what [JoinPath] wrote. ok is false for text that
// JoinPath cannot have written.
func SplitPath(path string) (elements []string, ok bool) {
	for {
		var e string
		if strings.HasPrefix(path, `"`) {
			quoted, err := strconv.QuotedPrefix(path)
			if err != nil {
				return nil, false
			}
			if e, err = strconv.Unquote(quoted); err != nil {
				return nil, false
			}
			path = path[len(quoted):]
		} else {
			end := strings.IndexByte(path, '.')
			if end < 0 {
				end = len(path)
			}
			e, path = path[:end], path[end:]
			if !plainName(e) {
				return nil, false
			}
		}
		elements = append(elements, e)
		if path == "" {
			return elements, true
		}
		if path[0] != '.' {
			return nil, false
		}
		path = path[1:]
	}
}

// plainName reports whether a path element needs no quotes.
func plainName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r == '-' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
