package cli

import (
	"os"
	"testing"
)

// campaign marks a test that tries one thing at very many places. It takes minutes, so
// it runs once in "make check" (the suite "crash") and not with every go test.
func campaign(t *testing.T) {
	t.Helper()
	if os.Getenv("CAMPAIGNS") == "" {
		t.Skip("skipped: a campaign; CAMPAIGNS=1 runs it, as does scripts/check.sh crash")
	}
}
