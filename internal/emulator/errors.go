package emulator

import (
	"fmt"
	"net/http"
)

// Codes that official SDKs know. Descope publishes no list of its codes.
const (
	codeBadRequest = "E011001" // malformed
	codeInvalid    = "E011004" // arguments that cannot be honoured
	codeProject    = "E011008" // unknown project
	codeUserExists = "E062107"
	codeLast       = "E073008" // the last project cannot be deleted
	codeLicence    = "E111703" // the plan does not allow it
	codeNoUser     = "E112102"
	codeNoTenant   = "E112202"
	codeRate       = "E130429"
)

// descriptions are the texts that go with a code in errorDescription.
func description(code string, status int) string {
	switch code {
	case codeBadRequest:
		return "Request is malformed"
	case "E011002":
		return "Request is missing required arguments"
	case "E011003":
		return "Request is invalid"
	case codeInvalid:
		return "Invalid arguments"
	case codeProject:
		return "Project not found"
	case codeLicence:
		return "License does not allow this operation"
	case codeLast:
		return "Cannot delete last project"
	case codeNoTenant:
		return "Tenant not found"
	case codeUserExists:
		return "User already exists"
	case codeNoUser:
		return "User not found"
	case codeRate:
		return "API rate limit exceeded"
	}
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Server error"
}

// apiError is an error as the service reports it. It is a reply, not a Go
// error: nothing in the emulator failed.
type apiError struct {
	status     int
	code       string
	message    string
	retryAfter int // seconds; 0: no Retry-After header
}

// ownCode is the code for a status whose real code is unknown. No real code
// starts with E000, so that nobody takes it for one.
func ownCode(status int) string { return fmt.Sprintf("E%06d", status) }

func badRequest(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: codeBadRequest, message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *apiError { return invalidCode(codeInvalid, format, args...) }

func invalidCode(code, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...)}
}

// body is the JSON of the error. Descope: message repeats errorMessage.
func (e *apiError) body() map[string]any {
	return map[string]any{
		"errorCode":        e.code,
		"errorDescription": description(e.code, e.status),
		"errorMessage":     e.message,
		"message":          e.message,
	}
}
