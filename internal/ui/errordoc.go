package ui

import (
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// ErrorDoc is the JSON form of the error that ended a command.
type ErrorDoc struct {
	Error ErrorBody `json:"error"`
}

// ErrorBody says what went wrong, with the exit code of the process and the
// command to run next, where there is one.
type ErrorBody struct {
	Message     string            `json:"message"`
	ExitCode    int               `json:"exit_code"`
	Hint        string            `json:"hint,omitempty"`
	Diagnostics model.Diagnostics `json:"diagnostics,omitempty"`
}

// ErrorText renders the error that ended a command, with the command to run
// next, if any. The lines of a message are the errors that were joined in it.
func ErrorText(message, hint string, s Style) string {
	text := s.paint(red, "Error:") + " " + Safe(strings.ReplaceAll(message, "\n", "; ")) + "\n"
	if hint != "" {
		text += indent + s.paint(cyan, Safe(hint)) + "\n"
	}
	return text
}
