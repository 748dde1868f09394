package report

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// TestDrawing lays out random flows, circles and dangling edges included: every step has
// a place of its own within the drawing, and every arrow leads between two.
func TestDrawing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(rt, "tasks")
		tasks := map[string]any{}
		for i := range n {
			rules := []any{}
			for range rapid.IntRange(0, 3).Draw(rt, "rules") {
				rules = append(rules, map[string]any{"interactionId": rapid.StringN(0, 4, -1).Draw(rt, "label"), "taskId": fmt.Sprint(rapid.IntRange(0, n).Draw(rt, "to"))})
			}
			kind := rapid.SampledFrom([]string{"", "screen", "automated", "condition", "flow"}).Draw(rt, "type")
			tasks[fmt.Sprint(i)] = map[string]any{"id": fmt.Sprint(i), "name": rapid.String().Draw(rt, "name"), "type": kind, "next": map[string]any{"rules": rules}}
		}
		raw, err := json.Marshal(map[string]any{"flowId": "f", "metadata": map[string]any{"name": "F"}, "contents": map[string]any{"startTask": "0", "tasks": tasks}, "screens": []any{}})
		if err != nil {
			rt.Fatal(err)
		}
		v, err := model.DecodeJSON(raw)
		if err != nil {
			rt.Fatal(err)
		}
		f, _, err := flow.FromValue(v)
		if err != nil {
			rt.Skip(err)
		}
		steps, arrows := f.Drawing()
		g := draw(f)
		if len(g.Steps) != len(steps) || len(g.Arrows) != len(arrows) {
			rt.Fatalf("%d steps and %d arrows, want %d and %d", len(g.Steps), len(g.Arrows), len(steps), len(arrows))
		}
		for i, a := range g.Steps {
			if a.Shape == "" || a.X < margin || a.Y < margin || a.X+boxWidth+margin > g.Width || a.Y+boxHeight+margin > g.Height {
				rt.Fatalf("step %d is outside of %d×%d: %+v", i, g.Width, g.Height, a)
			}
			for j, b := range g.Steps[:i] {
				if a.X < b.X+boxWidth && b.X < a.X+boxWidth && a.Y < b.Y+boxHeight && b.Y < a.Y+boxHeight {
					rt.Fatalf("steps %d and %d are on top of each other", j, i)
				}
			}
		}
		for _, a := range g.Arrows {
			if a.Path == "" || a.X > g.Width || a.Y > g.Height {
				rt.Fatalf("an arrow leads out: %+v", a)
			}
		}
		if g.key() != draw(f).key() {
			rt.Fatal("the same flow is drawn otherwise")
		}
	})
}
