// Package sarif writes findings as SARIF 2.1.0, the form in which forges take what a
// static analysis found. It is pure.
package sarif

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// The format that is written.
const (
	version = "2.1.0"
	schema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	// srcRoot is the root of the repository, which all addresses are relative to.
	srcRoot = "SRCROOT"
)

// Finding is one thing that was found.
type Finding struct {
	// Rule is one of the run's, or unknown and then added to them.
	Rule     string
	Severity model.Severity
	// Message is what is wrong, for people; its lines are fit to id.
	Message string
	// Place is where; without a file the finding is about no file. Its column counts
	// bytes, and its file is relative to the root of the repository.
	Place model.Origin
	// Object is what it is about, as an address or a path, or "".
	Object string
	Also   []model.Origin
	// Same identifies the finding among those of its rule, wherever it moves to in its
	// file.
	Same string
}

// Run is what one command found.
type Run struct {
	// Command tells the runs of several commands apart.
	Command string
	// Version is that of the program.
	Version  string
	Rules    []Rule
	Findings []Finding
	// Line is a line of a file, counted from 1, without its end, and "" if it is not
	// known; columns are counted in it.
	Line func(file string, line int) string
}

// Log is the document; fields of the standard that are not used are left out.
type Log struct {
	Schema  string   `json:"$schema"`
	Version string   `json:"version"`
	Runs    []logRun `json:"runs"`
}

type logRun struct {
	Tool              tool                        `json:"tool"`
	AutomationDetails automation                  `json:"automationDetails"`
	Invocations       []invocation                `json:"invocations"`
	OriginalURIBases  map[string]artifactLocation `json:"originalUriBaseIds"`
	ColumnKind        string                      `json:"columnKind"`
	Results           []result                    `json:"results"`
}

type tool struct {
	Driver driver `json:"driver"`
}

type driver struct {
	Name    string                `json:"name"`
	Version string                `json:"version"`
	Rules   []reportingDescriptor `json:"rules"`
}

type reportingDescriptor struct {
	ID                   string        `json:"id"`
	ShortDescription     message       `json:"shortDescription"`
	FullDescription      message       `json:"fullDescription"`
	Help                 message       `json:"help"`
	DefaultConfiguration configuration `json:"defaultConfiguration"`
}

type configuration struct {
	Level string `json:"level"`
}

type automation struct {
	ID string `json:"id"`
}

type invocation struct {
	Successful bool `json:"executionSuccessful"`
}

type message struct {
	Text string `json:"text"`
}

type result struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      message           `json:"message"`
	Locations    []location        `json:"locations"`
	Related      []location        `json:"relatedLocations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type location struct {
	ID       *int              `json:"id,omitempty"`
	Physical *physicalLocation `json:"physicalLocation,omitempty"`
	Logical  []logicalLocation `json:"logicalLocations,omitempty"`
}

type physicalLocation struct {
	Artifact artifactLocation `json:"artifactLocation"`
	Region   *region          `json:"region,omitempty"`
}

type artifactLocation struct {
	URI         string   `json:"uri,omitempty"`
	BaseID      string   `json:"uriBaseId,omitempty"`
	Description *message `json:"description,omitempty"`
}

type region struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type logicalLocation struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
}

// fingerprint names how ours are made; another way gets another number.
const fingerprint = "descopeMgmtFinding/v1"

// Document writes what a run found. The same run gives the same document.
func Document(r Run) Log {
	rules := slices.Clone(r.Rules)
	for _, f := range r.Findings {
		if at := find(rules, f.Rule); at < 0 {
			text := strings.ReplaceAll(f.Rule, "-", " ")
			rules = append(rules, Rule{ID: f.Rule, Text: text, Help: text, Warning: f.Severity != model.Error})
		} else if rules[at].ID != f.Rule { // a rule for many codes
			own := rules[at]
			own.ID = f.Rule
			rules = append(rules, own)
		}
	}
	rules = slices.DeleteFunc(rules, func(r Rule) bool { return strings.HasSuffix(r.ID, "*") })
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	out := logRun{
		Tool:              tool{driver{Name: "descope-mgmt", Version: r.Version, Rules: make([]reportingDescriptor, len(rules))}},
		AutomationDetails: automation{"descope-mgmt/" + r.Command + "/"},
		Invocations:       []invocation{{true}},
		OriginalURIBases:  map[string]artifactLocation{srcRoot: {Description: &message{"the root of the repository"}}},
		ColumnKind:        "utf16CodeUnits",
		Results:           make([]result, len(r.Findings)),
	}
	for i, rule := range rules {
		out.Tool.Driver.Rules[i] = reportingDescriptor{
			ID: rule.ID, ShortDescription: message{rule.Text}, FullDescription: message{rule.Text}, Help: message{rule.Help},
			DefaultConfiguration: configuration{level(rule.Warning)},
		}
	}
	times := map[string]int{}
	for i, f := range r.Findings {
		id := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join([]string{f.Rule, f.Place.File, f.Object, f.Same}, "\x00"))))
		times[id]++
		at, _ := slices.BinarySearchFunc(rules, f.Rule, func(r Rule, id string) int { return cmp.Compare(r.ID, id) })
		out.Results[i] = result{
			RuleID: f.Rule, RuleIndex: at, Level: level(f.Severity != model.Error), Message: message{withoutLinks(f.Message)},
			Locations:    []location{},
			Fingerprints: map[string]string{fingerprint: fmt.Sprintf("%s:%d", id, times[id])},
		}
		if l, ok := r.location(f.Place, f.Object); ok {
			out.Results[i].Locations = append(out.Results[i].Locations, l)
		}
		for n, also := range f.Also {
			if l, ok := r.location(also, ""); ok {
				l.ID = &n
				out.Results[i].Related = append(out.Results[i].Related, l)
			}
		}
	}
	return Log{Schema: schema, Version: version, Runs: []logRun{out}}
}

// find is the place of the rule for a code, or -1; one of its own goes before one for many.
func find(rules []Rule, code string) int {
	if at := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == code }); at >= 0 {
		return at
	}
	return slices.IndexFunc(rules, func(r Rule) bool {
		start, many := strings.CutSuffix(r.ID, "*")
		return many && strings.HasPrefix(code, start)
	})
}

func level(warning bool) string {
	if warning {
		return "warning"
	}
	return "error"
}

// withoutLinks keeps a text from being read as one with links: [words](address).
func withoutLinks(s string) string { return strings.ReplaceAll(s, "](", "] (") }

func (r Run) location(at model.Origin, object string) (location, bool) {
	var l location
	if at.File != "" {
		l.Physical = &physicalLocation{Artifact: artifactLocation{URI: (&url.URL{Path: at.File}).String(), BaseID: srcRoot}}
		if at.Line > 0 {
			l.Physical.Region = &region{StartLine: at.Line, StartColumn: r.column(at)}
		}
	}
	if object != "" {
		l.Logical = []logicalLocation{{object}}
	}
	return l, l.Physical != nil || l.Logical != nil
}

// column counts in UTF-16 code units where the origin counts in bytes. A line that is not
// known is taken for one of ASCII.
func (r Run) column(at model.Origin) int {
	if at.Column < 1 {
		return 0
	}
	line := ""
	if r.Line != nil {
		line = r.Line(at.File, at.Line)
	}
	before := at.Column - 1
	if before > len(line) {
		return len(utf16.Encode([]rune(line))) + before - len(line) + 1
	}
	return len(utf16.Encode([]rune(line[:before]))) + 1
}
