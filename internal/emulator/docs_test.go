package emulator

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentation holds docs/emulator.md against the code: every quirk with
// its default and values, every fault, every control path, and its seed.
func TestDocumentation(t *testing.T) {
	data, err := os.ReadFile("../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	q, err := Quirks{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	var defaults map[string]any
	if err := json.Unmarshal([]byte(mustJSON(q)), &defaults); err != nil {
		t.Fatal(err)
	}
	for name, value := range defaults {
		if row := fmt.Sprintf("| `%s` | `%v` |", name, value); !strings.Contains(doc, row) {
			t.Errorf("no row %s", row)
		}
	}
	for _, c := range q.choices() {
		row := regexp.MustCompile("(?m)^\\| `" + c.name + "` .*$").FindString(doc)
		for _, value := range c.values {
			if !strings.Contains(row, "`"+value+"`") {
				t.Errorf("quirk %s: the value %s is not in %q", c.name, value, row)
			}
		}
	}
	for _, name := range FaultNames() {
		if !strings.Contains(doc, "| `"+name+"` |") {
			t.Errorf("no row for the fault %s", name)
		}
	}
	h := start(t, Options{})
	for _, call := range regexp.MustCompile("\\| `(GET|POST) (/_emulator/\\w+)` \\|").FindAllStringSubmatch(doc, -1) {
		if status, _, err := h.send(call[1], call[2], ""); err != nil || status.StatusCode == 404 {
			t.Errorf("%s %s: %v %v", call[1], call[2], status, err)
		}
	}
	seed := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(doc)
	if seed == nil {
		t.Fatal("no example of a seed")
	}
	if err := h.server.Seed([]byte(seed[1])); err != nil {
		t.Error(err)
	}
	h.equal("tenants of the example", h.ids("GET", allPath, ""), []string{"acme-corp", "acme-labs"})
}
