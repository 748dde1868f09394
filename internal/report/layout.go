package report

import (
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/flow"
)

// graphData is the drawing of a flow: boxes in layers from top to bottom, and lines
// between them. Lengths are those of SVG, without a unit.
type graphData struct {
	Width  int         `json:"width"`
	Height int         `json:"height"`
	Steps  []stepData  `json:"steps"`
	Arrows []arrowData `json:"arrows"`
}

type stepData struct {
	flow.Step
	X int `json:"x"` // of the upper left corner
	Y int `json:"y"`
}

type arrowData struct {
	flow.Arrow
	// Path is the line, as the attribute d of a path; X and Y are where its label is.
	Path string `json:"path"`
	X    int    `json:"x"`
	Y    int    `json:"y"`
}

// The measures of a drawing. The page draws boxes of the same size.
const (
	boxWidth, boxHeight = 190, 40
	gapX, gapY          = 50, 56
	margin              = 24
)

// draw lays a flow out: each step in the layer after the first one that leads to it,
// within a layer below the steps that lead to it.
func draw(f flow.Flow) graphData {
	steps, arrows := f.Drawing()
	layers := layersOf(steps, arrows)
	g := graphData{Steps: make([]stepData, len(steps)), Arrows: []arrowData{}}
	widest := 0
	for _, l := range layers {
		widest = max(widest, len(l))
	}
	width := widest*boxWidth + max(0, widest-1)*gapX
	depth := make([]int, len(steps))
	for y, l := range layers {
		left := margin + (width-len(l)*boxWidth-(len(l)-1)*gapX)/2
		for x, i := range l {
			depth[i] = y
			g.Steps[i] = stepData{Step: steps[i], X: left + x*(boxWidth+gapX), Y: margin + y*(boxHeight+gapY)}
		}
	}
	back := 0 // lines that lead up go round on the right, each a little farther out
	for _, a := range arrows {
		from, to := g.Steps[a.From], g.Steps[a.To]
		line := arrowData{Arrow: a}
		if depth[a.To] > depth[a.From] {
			x1, y1, x2, y2 := from.X+boxWidth/2, from.Y+boxHeight, to.X+boxWidth/2, to.Y
			line.Path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1, y1+gapY/2, x2, y2-gapY/2, x2, y2)
			line.X, line.Y = (x1+x2)/2, (y1+y2)/2
		} else {
			back++
			x1, y1, x2, y2 := from.X+boxWidth, from.Y+boxHeight/2, to.X+boxWidth, to.Y+boxHeight/2
			out := max(x1, x2) + 20 + 8*back
			line.Path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, out, y1, out, y2, x2, y2)
			line.X, line.Y = out-10, (y1+y2)/2
			g.Width = max(g.Width, out+margin)
		}
		g.Arrows = append(g.Arrows, line)
	}
	g.Width = max(g.Width, width+2*margin)
	g.Height = max(0, len(layers)*(boxHeight+gapY)-gapY) + 2*margin
	return g
}

// layersOf are the indices of the steps by layer. What nothing leads to begins a layer
// of its own, at the end.
func layersOf(steps []flow.Step, arrows []flow.Arrow) [][]int {
	next, before := make([][]int, len(steps)), make([][]int, len(steps))
	for _, a := range arrows {
		next[a.From] = append(next[a.From], a.To)
		before[a.To] = append(before[a.To], a.From)
	}
	seen := make([]bool, len(steps))
	var layers [][]int
	walk := func(start []int) {
		for len(start) > 0 {
			layers = append(layers, start)
			var below []int
			for _, i := range start {
				for _, j := range next[i] {
					if !seen[j] {
						seen[j] = true
						below = append(below, j)
					}
				}
			}
			start = below
		}
	}
	var first []int
	for i, s := range steps {
		if s.Shape == "start" && len(first) == 0 {
			seen[i], first = true, []int{i}
		}
	}
	walk(first)
	for i := range steps {
		if !seen[i] && !slices.ContainsFunc(before[i], func(j int) bool { return j != i }) {
			seen[i] = true
			walk([]int{i})
		}
	}
	for i := range steps { // a circle that nothing leads into
		if !seen[i] {
			seen[i] = true
			walk([]int{i})
		}
	}
	return layers
}

// key is the same for drawings that look the same.
func (g graphData) key() string {
	var b strings.Builder
	for _, s := range g.Steps {
		fmt.Fprintf(&b, "%q%q%q;", s.ID, s.Label, s.Shape)
	}
	for _, a := range g.Arrows {
		fmt.Fprintf(&b, "%d>%d%q;", a.From, a.To, a.Label)
	}
	return b.String()
}
