package model

// MistypedError is an error about a word that nobody knows, with the one that was meant
// where there is one near enough, for whoever prints the command that would have worked.
type MistypedError struct {
	Text string // the whole message
	// Word is what was given, Meant what to give instead, or "".
	Word, Meant string
}

func (e *MistypedError) Error() string { return e.Text }
