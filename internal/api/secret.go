package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// masked stands wherever a secret would.
const masked = "***"

// Secret holds a management key and shows *** wherever it is printed, logged
// or encoded, also inside other values. The zero value is the empty secret.
type Secret struct {
	// A function, since fmt prints the fields of a struct that it reaches
	// through an unexported field without asking their methods.
	value func() string
}

// NewSecret wraps a secret.
func NewSecret(s string) Secret { return Secret{value: func() string { return s }} }

// Reveal returns the secret itself. It is called where the Authorization header
// is set and nowhere else.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return s.value()
}

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.value == nil || s.value() == "" }

// Hint is enough of a key to tell it from another, never more than its first
// four characters, and nothing of a text too short to be a key.
func (s Secret) Hint() string {
	if s.value == nil || utf8.RuneCountInString(s.value()) < 24 {
		return masked
	}
	return string([]rune(s.value())[:4]) + "…"
}

// Redact takes the secret out of a text that somebody else wrote, also where it is
// escaped or encoded as servers do with what they repeat.
func (s Secret) Redact(text string) string {
	if s.Empty() {
		return text
	}
	key := s.value()
	inJSON, _ := json.Marshal(key) // of a string: no error
	inGo := strconv.Quote(key)
	for _, spelt := range []string{
		string(inJSON[1 : len(inJSON)-1]), inGo[1 : len(inGo)-1], html.EscapeString(key),
		url.QueryEscape(key), url.PathEscape(key), base64.StdEncoding.EncodeToString([]byte(key)), key,
	} {
		text = strings.ReplaceAll(text, spelt, masked)
	}
	return text
}

// malformed says what makes the secret unfit for a header, without showing it.
func (s Secret) malformed() string {
	switch {
	case s.Empty():
		return "is empty"
	case strings.Trim(s.value(), `"'`) != s.value():
		return "begins or ends with a quotation mark; take the quotes away"
	case strings.ContainsFunc(s.value(), unicode.IsSpace):
		return "contains white space"
	case strings.ContainsFunc(s.value(), func(r rune) bool { return r < '!' || r > '~' }):
		return "contains characters that no key has"
	default:
		return ""
	}
}

// Format implements [fmt.Formatter]: *** for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// String implements [fmt.Stringer].
func (Secret) String() string { return masked }

// GoString implements [fmt.GoStringer].
func (Secret) GoString() string { return masked }

// MarshalText implements [encoding.TextMarshaler].
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MarshalJSON implements [json.Marshaler].
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// LogValue implements [slog.LogValuer].
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }
