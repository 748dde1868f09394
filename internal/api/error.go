package api

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrorKind sorts the failures of a call by what a caller can do about them.
type ErrorKind string

// The kinds of failures.
const (
	KindAuth       ErrorKind = "auth"       // key or project refused
	KindLicence    ErrorKind = "licence"    // not in the plan of the project
	KindNotFound   ErrorKind = "not found"  // the object does not exist
	KindRate       ErrorKind = "rate"       // over the rate limit; only seen if waiting was cut short
	KindValidation ErrorKind = "validation" // Descope refuses what was sent
	KindServer     ErrorKind = "server"     // Descope failed
	KindNetwork    ErrorKind = "network"    // no answer, or no way to the server
	KindBadReply   ErrorKind = "bad reply"  // an answer that cannot be trusted
)

// Error is a call that failed. Its text is bounded and free of control
// characters, whatever the server sent, and never contains the key.
type Error struct {
	Kind   ErrorKind
	Method string
	Path   string // without the query
	// Object names what the call was about ("tenant/acme"), or is empty.
	Object string
	// Status is the HTTP status, 0 if there was none.
	Status int
	// Code is Descope's error code such as E112202, or empty.
	Code string
	// Message is what Descope said, or what is wrong in our words.
	Message string
	// RequestID is the server's name for the request, for its support.
	RequestID string
	// Retryable reports whether the same call may succeed a moment later.
	Retryable bool
	// Project and Key (masked) are those that the call was made with.
	Project string
	Key     string
	// KeyFrom is where the key was found, in words, or empty.
	KeyFrom string

	// cause is the failure below, late that a write may still take effect even if
	// a look right now does not show it (nobody answered in time).
	cause error
	late  bool
	// doubt: a write may have taken effect in spite of the error.
	doubt bool
	// after is how long the server asked to be left alone; 0 if it did not.
	after time.Duration
}

// Error says what happened to which call.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Object != "" {
		b.WriteString(clean(e.Object) + ": ")
	}
	switch {
	case e.Kind == KindAuth && e.Code == codeUnknownProject:
		fmt.Fprintf(&b, "project %s is not known to Descope with key %s", e.Project, e.Key)
	case e.Kind == KindAuth && e.Status == 403:
		fmt.Fprintf(&b, "key %s is not allowed to do this in project %s", e.Key, e.Project)
	case e.Kind == KindLicence:
		fmt.Fprintf(&b, "the licence of project %s does not allow this", e.Project)
	case e.Kind == KindAuth:
		fmt.Fprintf(&b, "key %s was refused for project %s", e.Key, e.Project)
	case e.Message != "":
		b.WriteString(clean(e.Message))
	default:
		b.WriteString("Descope answered without saying why")
	}
	details := []string{e.Method + " " + clean(e.Path)}
	if e.Status != 0 {
		details = append(details, fmt.Sprintf("HTTP %d", e.Status))
	}
	if e.Code != "" {
		details = append(details, clean(e.Code))
	}
	if (e.Kind == KindAuth || e.Kind == KindLicence) && e.Message != "" {
		details = append(details, clean(e.Message))
	}
	if e.RequestID != "" {
		details = append(details, "request "+clean(e.RequestID))
	}
	fmt.Fprintf(&b, " (%s)", strings.Join(details, ", "))
	if e.Kind == KindAuth && e.KeyFrom != "" {
		b.WriteString("; the key is from " + e.KeyFrom)
	}
	if e.doubt {
		b.WriteString("; it may have taken effect all the same")
	}
	return b.String()
}

// Unwrap returns the failure below, where there is one.
func (e *Error) Unwrap() error { return e.cause }

// Unanswered reports whether the call is a write that was sent and may have
// taken effect.
func (e *Error) Unanswered() bool { return e.doubt }

// IsAuth reports whether a key or project was refused.
func IsAuth(err error) bool { return hasKind(err, KindAuth) }

// IsLicence reports whether Descope says that the plan of the project does not have
// this.
func IsLicence(err error) bool { return hasKind(err, KindLicence) }

// IsUnreachable reports whether there was no answer, or no way to the server.
func IsUnreachable(err error) bool { return hasKind(err, KindNetwork) }

// IsNotFound reports whether Descope says that the object does not exist.
func IsNotFound(err error) bool { return hasKind(err, KindNotFound) }

func hasKind(err error, kind ErrorKind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}
