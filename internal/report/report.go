// Package report writes what is known of a set of environments into one HTML file that
// needs nothing else: no network, no server, no other file.
//
// Whatever comes from outside (ids, names, values, users) reaches the page as data: in a
// block that is not executed, from which the page's script makes text, never markup. A
// policy in the page names the one script and the one style sheet by their hashes, so
// that nothing else could run or be loaded even if it were there.
package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the parts of the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"
	"unicode"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// Report is what a page shows.
type Report struct {
	// Tool is the version of the program, and Generated when it was asked.
	Tool         string
	Generated    time.Time
	Environments []Environment
	// Runs are the newest first.
	Runs []Run
	// AuditProblem says why the runs are not all, or "".
	AuditProblem string
}

// Environment is one column.
type Environment struct {
	Name      string
	Project   string
	Protected bool
	// State is what is configured, each flow as the document that comes of it, and
	// Excluded what enabled_in leaves out.
	State    model.State
	Excluded []model.Key
	// Plan is what differs from the live project; nil where that was not read.
	Plan *plan.Plan
	// Since says when objects were applied last, as far as that is on record.
	Since map[model.Key]plan.Since
	// Problem says why something is not known, or "".
	Problem string
}

// Run is one run of the audit log.
type Run struct {
	Time        time.Time `json:"time"`
	Environment string    `json:"environment"`
	Operation   string    `json:"operation"`
	Status      string    `json:"status"`
	User        string    `json:"user"`
	Run         string    `json:"run"`
	Create      int       `json:"create"`
	Update      int       `json:"update"`
	Delete      int       `json:"delete"`
	Resources   []string  `json:"resources"`
	Error       string    `json:"error,omitempty"`
}

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

// IsPage reports whether a file begins as the pages of [Write] do.
func IsPage(beginning []byte) bool {
	fixed, _, _ := strings.Cut(pageHTML, "{{")
	return bytes.HasPrefix(beginning, []byte(fixed))
}

// Write writes the page. Equal reports give equal bytes.
func Write(w io.Writer, r Report) error {
	t, err := template.New("page").Funcs(template.FuncMap{"spelled": spelled}).Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("reading the template of the report: %w", err)
	}
	return t.Execute(w, map[string]any{
		"Policy": fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'", hash(pageJS), hash(pageCSS)),
		"CSS":    template.CSS(pageCSS), //nolint:gosec // our own, not the user's
		"JS":     template.JS(pageJS),   //nolint:gosec // our own, not the user's
		"Data":   dataOf(r),
		"Report": r,
	})
}

// spelled spells out characters that are not seen, or turn others round.
func spelled(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	return b.String()
}

// hash names a script or a style sheet in the policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
