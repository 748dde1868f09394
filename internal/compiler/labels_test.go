package compiler

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// TestKeysStay takes keys that look alike through evaluation, as CUE, and back.
func TestKeysStay(t *testing.T) {
	m := moduleOf(t, `
-- envs/a.cue --
package envs

tenants: "acme-corp": {name: "Acme", custom_attributes: {("e\u0301"): "decomposed", "\u00e9": "composed", "größe": 1}}
`)
	want := map[string]any{"e\u0301": "decomposed", "\u00e9": "composed", "größe": json.Number("1")}
	for range 2 {
		got, _ := compileWell(t, m, "dev").State.Get(model.Key{Kind: model.Tenant, ID: "acme-corp"})
		if diff := cmp.Diff(want, got.Attrs["custom_attributes"]); diff != "" {
			t.Fatal(diff)
		}
		out, diags := Eval(context.Background(), m, "dev", EvalOptions{Format: FormatCUE})
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		m = moduleOf(t, "-- envs/dev/dev.cue --\npackage envs\n\n"+string(out))
	}
}
