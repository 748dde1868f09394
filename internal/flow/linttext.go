package flow

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// addresses finds hosts that users of this environment should not be led to,
// wherever they are in the document. Descope: addresses are copied as they are.
func (l *linter) addresses() {
	elsewhere := map[string]string{}
	for host, environment := range l.options.Elsewhere {
		elsewhere[hostOf(host)] = environment
	}
	eachText(l.flow.withoutDerived(), nil, func(path []any, s string) {
		local, other := "", ""
		for _, host := range hosts(s) {
			switch {
			case slices.Contains([]string{"localhost", "127.0.0.1", "0.0.0.0"}, host):
				local = host
			case elsewhere[host] != "":
				other = host
			}
		}
		if local != "" {
			l.warn(LocalAddress, path, "%s leads to %s, which is a developer's own machine: write the address that users have", excerpt(s, local), local)
		}
		if other != "" {
			l.warn(OtherAddress, path, "%s leads to %s, which belongs to the environment %s: write the address of this one", excerpt(s, other), other, elsewhere[other])
		}
	})
}

// hosts are all parts of a text that could be a host, in lower case.
func hosts(s string) []string {
	if !strings.ContainsAny(s, ".lL") { // neither a dot nor a localhost
		return nil
	}
	parts := strings.FieldsFunc(lower(s), func(r rune) bool { return r != '.' && r != '-' && !letterOrDigit(r) })
	for i, p := range parts {
		parts[i] = strings.Trim(p, ".-")
	}
	return parts
}

// hostOf is the host of an address that may be a host already.
func hostOf(address string) string {
	if _, after, ok := strings.Cut(address, "://"); ok {
		address = after
	}
	if end := strings.IndexAny(address, ":/"); end >= 0 {
		address = address[:end]
	}
	return lower(address)
}

// excerpt is the part of a text around a word, quoted.
func excerpt(s, word string) string {
	const around = 24
	at := strings.Index(lower(s), word)
	from, to := max(0, at-around), min(len(s), at+len(word)+around)
	for from > 0 && !utf8.RuneStart(s[from]) {
		from--
	}
	for to < len(s) && !utf8.RuneStart(s[to]) {
		to++
	}
	return fmt.Sprintf("%q", s[from:to])
}

// lower is a text of the same length with its English letters in lower case.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
