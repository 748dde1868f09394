package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// envelope is the form of every file that must not be read wrongly: its content
// with a version and a checksum.
type envelope struct {
	FormatVersion string          `json:"format_version"`
	SHA256        string          `json:"sha256"` // of version and content, see checksum
	Content       json.RawMessage `json:"content"`
}

// formatVersion is written; any 1.x can be read.
const formatVersion = "1.0"

// seal writes content as the text of a file. Equal content gives equal bytes.
func seal(content any) ([]byte, error) {
	raw, err := marshal(content, "")
	if err != nil {
		return nil, err
	}
	raw = bytes.TrimSpace(raw)
	return marshal(envelope{FormatVersion: formatVersion, SHA256: checksum(formatVersion, raw), Content: raw}, "  ")
}

// unseal returns the content of a file's text. reason says why the text is not
// exactly what seal wrote, or "": a single changed byte anywhere is noticed,
// since the text must be what its own content would be written as.
func unseal(text []byte) (content json.RawMessage, reason string) {
	version, sum, indented, ok := opened(text)
	if !ok {
		return nil, oddity(text)
	}
	if reason := unknownVersion(version); reason != "" {
		return nil, reason
	}
	var raw bytes.Buffer
	if err := json.Compact(&raw, indented); err != nil {
		return nil, oddity(text)
	}
	if checksum(version, raw.Bytes()) != sum {
		return nil, "its checksum does not match"
	}
	var again bytes.Buffer
	again.Grow(len(indented))
	if err := json.Indent(&again, raw.Bytes(), "  ", "  "); err != nil || !bytes.Equal(again.Bytes(), indented) {
		return nil, otherwiseWritten
	}
	return raw.Bytes(), ""
}

const otherwiseWritten = "it is not as it was written"

// opened takes the text of an envelope apart, if it has the form that marshal gives it.
func opened(text []byte) (version, sum string, content []byte, ok bool) {
	rest, ok1 := bytes.CutPrefix(text, []byte("{\n  \"format_version\": \""))
	v, rest, ok2 := bytes.Cut(rest, []byte("\",\n  \"sha256\": \""))
	s, rest, ok3 := bytes.Cut(rest, []byte("\",\n  \"content\": "))
	content, ok4 := bytes.CutSuffix(rest, []byte("\n}\n"))
	return string(v), string(s), content, ok1 && ok2 && ok3 && ok4
}

// oddity says what is wrong with a text that does not have that form.
func oddity(text []byte) string {
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return err.Error()
	}
	if reason := unknownVersion(e.FormatVersion); reason != "" {
		return reason
	}
	return otherwiseWritten
}

func unknownVersion(version string) string {
	if major, _, _ := strings.Cut(version, "."); major != "1" {
		return fmt.Sprintf("its format version is %q, and this program reads 1.x", version)
	}
	return ""
}

// checksum covers the version, a space, and the content without its own spaces.
func checksum(version string, content []byte) string {
	sum := sha256.Sum256(append([]byte(version+" "), content...))
	return hex.EncodeToString(sum[:])
}

func marshal(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return b.Bytes(), err
}
