package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzDotEnv: no .env makes the program panic, and what is wrong with one is said
// without what stands in it.
func FuzzDotEnv(f *testing.F) {
	for _, s := range []string{
		"DESCOPE_MANAGEMENT_KEY=K2secret\n# comment\nexport A='b'\nC: \"d\\n${A}\"\n",
		"DESCOPE_MANAGEMENT_KEY K2secret\n", "A=\"open\nK2secret\n", "=K2secret", "\ufeffA=b\r\nB=${B}\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		values, err := readDotEnv(dir)
		if err != nil && (values != nil || strings.Contains(err.Error(), "K2secret")) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
