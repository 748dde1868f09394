package flow

// Step is one node of a drawing of a flow: a task, or both halves of a pair.
type Step struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	// Shape is what the step is: action, start, screen, condition, subflow, end, or
	// missing for a task that an edge names and the flow has not.
	Shape string `json:"shape"`
}

// Arrow leads from one step to another, by index.
type Arrow struct {
	From  int    `json:"from"`
	To    int    `json:"to"`
	Label string `json:"label,omitempty"`
}

// Drawing is what [Flow.Mermaid] and [Flow.DOT] draw, for others to draw.
func (f Flow) Drawing() ([]Step, []Arrow) {
	steps, arrows := f.graph()
	outSteps, outArrows := make([]Step, len(steps)), make([]Arrow, len(arrows))
	for i, s := range steps {
		outSteps[i] = Step{ID: s.id, Label: s.label, Shape: s.shape.String()}
	}
	for i, a := range arrows {
		outArrows[i] = Arrow{From: a.from, To: a.to, Label: a.label}
	}
	return outSteps, outArrows
}

func (s shapeOf) String() string {
	switch s {
	case startShape:
		return "start"
	case screenShape:
		return "screen"
	case conditionShape:
		return "condition"
	case subflowShape:
		return "subflow"
	case endShape:
		return "end"
	case missingShape:
		return "missing"
	case actionShape:
	}
	return "action"
}
