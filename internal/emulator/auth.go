package emulator

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Key is a management key that the emulator knows.
type Key struct {
	// Key is the secret itself, of any form.
	Key string `json:"key"`
	// Projects limits the key to some projects; empty is all of them.
	Projects []string `json:"projects,omitempty"`
	// Limited is a key of one project, whichever: it may not ask what only a key of
	// the whole company may.
	Limited bool `json:"limited,omitempty"`
	// Expired refuses every use with 401.
	Expired bool `json:"expired,omitempty"`
	// NoRights refuses every use with 403, ReadOnly every write.
	NoRights bool `json:"no_rights,omitempty"`
	ReadOnly bool `json:"read_only,omitempty"`
}

// wellFormed accepts project ids of any region, and shorter ones for tests.
// Descope: P and a 27-character KSUID, with 4 characters of region between the
// two in newer projects. What passes is safe as a file name.
var wellFormed = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^P[A-Za-z0-9_-]{0,63}$`) })

// bearer is an Authorization header taken apart.
type bearer struct {
	project string
	key     string
	form    string // "project:key", "project:jwt:key", "key" or ""
}

// parseBearer reads the three forms that SDKs send. Descope: the non-empty
// parts of project id, token and management key, joined by colons; without a
// project the key stands alone, for calls on the company.
func parseBearer(header string) bearer {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return bearer{}
	}
	parts := strings.Split(token, ":")
	switch len(parts) {
	case 1:
		return bearer{key: token, form: "key"}
	case 2:
		return bearer{project: parts[0], key: parts[1], form: "project:key"}
	case 3:
		return bearer{project: parts[0], key: parts[2], form: "project:jwt:key"}
	}
	return bearer{}
}

// findKey looks a key up. Where no keys are configured any key passes, but for
// those whose name, or ending after a hyphen, asks for a refusal: "expired",
// "Kanything-expired".
func (o *Options) findKey(secret string) (Key, bool) {
	if len(o.Keys) > 0 {
		i := slices.IndexFunc(o.Keys, func(k Key) bool { return k.Key == secret })
		if i < 0 {
			return Key{}, false
		}
		return o.Keys[i], true
	}
	switch secret[strings.LastIndexByte(secret, '-')+1:] {
	case "", "wrong":
		return Key{}, false
	case "expired":
		return Key{Key: secret, Expired: true}, true
	case "forbidden":
		return Key{Key: secret, NoRights: true}, true
	case "readonly":
		return Key{Key: secret, ReadOnly: true}, true
	case "limited":
		return Key{Key: secret, Limited: true}, true
	}
	return Key{Key: secret}, true
}

// authorize decides whether a bearer may use an endpoint. The messages never
// contain the key.
func (o *Options) authorize(b bearer, e endpoint, q Quirks) (Key, *apiError) {
	unauthorized := func(message string) (Key, *apiError) {
		return Key{}, &apiError{status: http.StatusUnauthorized, code: q.UnauthorizedCode, message: message}
	}
	forbidden := func(message string) (Key, *apiError) {
		return Key{}, &apiError{status: http.StatusForbidden, code: q.ForbiddenCode, message: message}
	}
	if b.form == "" {
		return unauthorized("Missing or malformed Authorization header")
	}
	if !e.company || b.project != "" {
		known := len(o.Projects) == 0 || slices.Contains(o.Projects, b.project)
		if !known || !wellFormed().MatchString(b.project) {
			return Key{}, noProject(b.project, q)
		}
	}
	key, ok := o.findKey(b.key)
	switch {
	case !ok:
		return unauthorized("Invalid management key")
	case key.Expired:
		return unauthorized("Management key has expired")
	case key.NoRights:
		return forbidden("Management key has no permission for this operation")
	case b.project != "" && len(key.Projects) > 0 && !slices.Contains(key.Projects, b.project):
		return forbidden("Management key has no permission for this project")
	case e.whole && (key.Limited || len(key.Projects) > 0) && q.LimitedProjectList == "refuse":
		return forbidden("Management key is limited to projects")
	case key.ReadOnly && e.write:
		return forbidden("Management key has no permission to write")
	}
	return key, nil
}

func noProject(id string, q Quirks) *apiError {
	return &apiError{status: q.UnknownProjectStatus, code: codeProject, message: fmt.Sprintf("Project %q does not exist", id)}
}
