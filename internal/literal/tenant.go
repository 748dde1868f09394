package literal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// knownSchema is the SHA-256 of the schema of tenants that the rules here were
// written for, without its comments and empty lines.
const knownSchema = "7571d2a4cf5f0014e2ffb394789229625bfb7bb927817624a2be63cafab3b920"

// Knows reports whether the rules here are those of a schema of tenants, given
// its text.
func Knows(schema []byte) bool { return hashOf(schema) == knownSchema }

func hashOf(schema []byte) string {
	h := sha256.New()
	for line := range bytes.Lines(schema) {
		if line = bytes.TrimSpace(line); len(line) > 0 && !bytes.HasPrefix(line, []byte("//")) {
			_, _ = h.Write(append(line, '\n'))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// allows reports whether #Tenant allows a value for a field, or #Attribute and
// #Lifecycle for one below the field above. What depends on more than the field
// is left to [allowed].
func allows(above, name string, value any) bool {
	switch above {
	case "custom_attributes":
		return true // everything that can be read is an attribute
	case "lifecycle":
		switch name {
		case "prevent_destroy":
			return isBool(value)
		case "ignore":
			return isList(value)
		}
		return false
	}
	switch name {
	case "name", "parent":
		return isString(value)
	case "self_provisioning", "custom_attributes_exclusive", "disabled":
		return isBool(value)
	case "domains":
		list, ok := value.([]any)
		for _, d := range list {
			ok = ok && isDomain(d.(string)) //nolint:forcetypeassert // lists hold texts only
		}
		return ok
	case "default_roles", "enabled_in":
		return isList(value)
	case "role_inheritance":
		return value == "" || value == "none" || value == "userOnly"
	case "imported":
		return value == true
	}
	return false
}

func isString(v any) bool { _, ok := v.(string); return ok }
func isBool(v any) bool   { _, ok := v.(bool); return ok }
func isList(v any) bool   { _, ok := v.([]any); return ok }

// isDomain is #Domain: labels of letters, digits and inner hyphens, at least
// two, of which the last begins with a letter.
func isDomain(s string) bool {
	if len(s) > 253 {
		return false
	}
	labels := 0
	for rest, more := s, true; more; labels++ {
		var label string
		label, rest, more = strings.Cut(rest, ".")
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || !isHost(label) {
			return false
		}
		if !more && (label[0] < 'a' || label[0] > 'z') {
			return false
		}
	}
	return labels > 1
}

func isHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// allowed reports whether a whole tenant is one: it has a name, and follows the
// rules of the house unless it was imported.
func allowed(id string, fields map[string]any) bool {
	name, ok := fields["name"].(string)
	if !ok {
		return false
	}
	if fields["imported"] == true {
		return true
	}
	n := utf8.RuneCountInString(name)
	return len(id) >= 3 && len(id) <= 50 && isHost(id) && n >= 1 && n <= model.MaxTenantName
}

// replaces reports whether a value may stand where there is a default: it has
// its type.
func replaces(preset, value any) bool {
	switch preset.(type) {
	case string:
		return isString(value)
	case bool:
		return isBool(value)
	case json.Number:
		_, ok := value.(json.Number)
		return ok
	}
	return false
}
