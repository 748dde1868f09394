package plan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

func TestSeal(t *testing.T) {
	secret, other := []byte("0123456789abcdef0123456789abcdef"), []byte("another")
	p := example(t)
	digest := p.Digest()
	if err := p.CheckSeal(secret); !errors.Is(err, plan.ErrUnsealed) {
		t.Errorf("unsealed: %v", err)
	}
	if strings.Contains(string(marshal(t, p)), `"seal"`) {
		t.Error("an unsealed plan speaks of a seal")
	}
	p.Sign(secret)
	first := p.Seal
	if p.Sign(secret); p.Seal != first || !strings.HasPrefix(first, "hmac-sha256:") {
		t.Errorf("sealed twice: %s and %s", first, p.Seal)
	}
	if p.Digest() != digest {
		t.Error("the seal is part of the digest")
	}
	var read plan.Plan
	if err := json.Unmarshal(marshal(t, p), &read); err != nil {
		t.Fatal(err)
	}
	if err := read.CheckSeal(secret); err != nil {
		t.Errorf("saved and read: %v", err)
	}
	if err := read.CheckSeal(other); !errors.Is(err, plan.ErrSeal) {
		t.Errorf("another key: %v", err)
	}
	for name, edit := range map[string]func(*plan.Plan){
		"project": func(p *plan.Plan) { p.Project = "P2other" },
		"tool":    func(p *plan.Plan) { p.Tool = "9.9.9" },
		"payload": func(p *plan.Plan) { p.Changes[0].Steps[0].Body = json.RawMessage(`{"name":"x"}`) },
		"guards":  func(p *plan.Plan) { p.Guards = nil },
		"image":   func(p *plan.Plan) { p.Changes[0].PreImage = attrs{} },
		"seal":    func(p *plan.Plan) { p.Seal = "hmac-sha256:" },
		"upper":   func(p *plan.Plan) { p.Seal = strings.ToUpper(p.Seal) },
	} {
		var edited plan.Plan
		if err := json.Unmarshal(marshal(t, p), &edited); err != nil {
			t.Fatal(err)
		}
		edit(&edited)
		if err := edited.CheckSeal(secret); !errors.Is(err, plan.ErrSeal) {
			t.Errorf("%s edited: %v", name, err)
		}
	}
}

// TestEveryFlippedByte: of a sealed plan file no byte can change and still run as
// something else. A space that becomes another one is the same plan.
func TestEveryFlippedByte(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	check := func(file []byte, flips func(i int) []byte) (refused, harmless int) {
		t.Helper()
		var sealed plan.Plan
		if err := json.Unmarshal(file, &sealed); err != nil || sealed.CheckSeal(secret) != nil {
			t.Fatalf("the file is not whole: %v", err)
		}
		digest := sealed.Digest()
		for i, old := range file {
			for _, flip := range flips(i) {
				file[i] = old ^ flip
				var p plan.Plan
				switch err := json.Unmarshal(file, &p); {
				case err != nil, p.CheckSeal(secret) != nil:
					refused++
				case p.Digest() == digest && space(old) && space(file[i]):
					harmless++
				default:
					t.Errorf("byte %d, %q instead of %q, passes", i, file[i], old)
				}
			}
			file[i] = old
		}
		return refused, harmless
	}
	one := func(i int) []byte { return []byte{1 << (i % 8)} }
	two := func(i int) []byte { return []byte{1 << (i % 8), 'a' ^ 'A'} }
	tiny, large := small(t), example(t)
	tiny.Sign(secret)
	large.Sign(secret)
	refused, harmless := check(marshal(t, tiny), two)
	t.Logf("small plan: %d flips refused, %d harmless", refused, harmless)
	if harmless > 0 {
		t.Error("a compact file has harmless bytes")
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, marshal(t, tiny), "", "\t"); err != nil {
		t.Fatal(err)
	}
	refused, harmless = check(indented.Bytes(), func(int) []byte { return []byte{'\t' ^ '\n'} })
	t.Logf("indented: %d flips refused, %d harmless", refused, harmless)
	if harmless == 0 {
		t.Error("no space was flipped")
	}
	refused, _ = check(marshal(t, large), one)
	t.Logf("large plan: %d flips refused", refused)
}

func space(b byte) bool { return strings.IndexByte(" \t\r\n", b) >= 0 }
