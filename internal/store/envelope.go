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
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, err.Error()
	}
	if major, _, _ := strings.Cut(e.FormatVersion, "."); major != "1" {
		return nil, fmt.Sprintf("its format version is %q, and this program reads 1.x", e.FormatVersion)
	}
	var raw bytes.Buffer
	if err := json.Compact(&raw, e.Content); err != nil {
		return nil, err.Error()
	}
	if checksum(e.FormatVersion, raw.Bytes()) != e.SHA256 {
		return nil, "its checksum does not match"
	}
	again, err := marshal(envelope{e.FormatVersion, e.SHA256, raw.Bytes()}, "  ")
	if err != nil || !bytes.Equal(again, text) {
		return nil, "it is not as it was written"
	}
	return raw.Bytes(), ""
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
