package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

const regenerate = "make the plan again with this version"

// UnmarshalJSON reads what MarshalJSON wrote, however it is indented, and
// nothing else: a plan that would not be written again byte by byte was made by
// another version or edited, and is refused. The seal is not looked at: see
// [Plan.CheckSeal].
func (p *Plan) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.DisallowUnknownFields()
	var in planJSON
	if err := d.Decode(&in); err != nil || in.FormatVersion != FormatVersion {
		return refusal(data, err)
	}
	read, err := in.plan()
	if err != nil {
		return err
	}
	if err := sameBytes(data, read); err != nil {
		return err
	}
	*p = *read
	return nil
}

// refusal says why data is no plan of this version: what the decoder says counts only
// where the version is the right one.
func refusal(data []byte, decoding error) error {
	var head planHead
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("reading a plan: %w", err)
	}
	if err := head.check(); err != nil {
		return err
	}
	return fmt.Errorf("reading a plan of format version %s: %w; %s", head.FormatVersion, decoding, regenerate)
}

// planHead is what every version of a plan has.
type planHead struct {
	FormatVersion string `json:"format_version"`
	Tool          string `json:"tool_version"`
}

// check refuses a plan of another version: what its fields mean is not known
// here, nor what a missing one would have said.
func (h planHead) check() error {
	if h.FormatVersion == "" {
		return errors.New("this is not a plan: it has no format_version")
	}
	if h.FormatVersion == FormatVersion {
		return nil
	}
	writer := "another version of this program"
	if h.Tool != "" {
		writer = fmt.Sprintf("version %q of this program", h.Tool)
	}
	theirs, ok := versionOf(h.FormatVersion)
	ours, _ := versionOf(FormatVersion)
	age := "another"
	switch {
	case !ok:
	case slices.Compare(theirs[:], ours[:]) > 0:
		age = "a newer"
	default:
		age = "an older"
	}
	return fmt.Errorf("the plan was written by %s, in %s format version %q, and this one reads %q: %s", writer, age, h.FormatVersion, FormatVersion, regenerate)
}

func versionOf(s string) (version [2]int, ok bool) {
	major, minor, ok := strings.Cut(s, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	return [2]int{a, b}, ok && err1 == nil && err2 == nil
}

// sameBytes compares the input with what would be written, without spaces.
func sameBytes(data []byte, read *Plan) error {
	again, err := read.MarshalJSON()
	if err != nil {
		return err
	}
	if bytes.Equal(data, again) {
		return nil
	}
	var compact, escaped bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return err
	}
	json.HTMLEscape(&escaped, compact.Bytes())
	if !bytes.Equal(escaped.Bytes(), again) {
		return fmt.Errorf("the plan is not as it was written (edited, or from another version): %s", regenerate)
	}
	return nil
}

func (in *planJSON) plan() (*Plan, error) {
	p := &Plan{
		FormatVersion: in.FormatVersion, Tool: in.Tool, Schema: in.Schema, Seal: in.Seal, Environment: in.Environment, Project: in.Project, BaseURL: in.BaseURL,
		ConfigDigest: in.ConfigDigest, LiveDigest: in.LiveDigest,
		Unchanged: orNil(in.Unchanged), Orphans: orNil(in.Orphans), Unmanaged: orNil(in.Unmanaged), Accepted: orNil(in.Accepted),
		Warnings: orNil(in.Warnings),
	}
	seen := map[model.Key]bool{}
	for _, ch := range in.ResourceChanges {
		c, err := ch.change()
		if err == nil {
			err = checkChange(c, seen)
		}
		if err != nil {
			return nil, fmt.Errorf("plan: %q: %w; %s", ch.Address, err, regenerate)
		}
		seen[c.Key] = true
		p.Changes = append(p.Changes, c)
	}
	for _, g := range in.Guards {
		if !slices.Contains(rules(), g.Rule) {
			return nil, fmt.Errorf("plan: unknown guard %q; %s", g.Rule, regenerate)
		}
		p.Guards = append(p.Guards, Guard{g.Rule, orNil(g.Keys), g.Detail, g.Allow})
	}
	return p, nil
}

func (in *changeJSON) change() (Change, error) {
	key, err := model.ParseKey(in.Address)
	if err != nil {
		return Change{}, err
	}
	c := Change{
		Key: key, Moved: in.Moved, Adopts: in.Adopts, Policy: in.Policy,
		Origin: position(in.Origin), DependsOn: orNil(in.DependsOn),
	}
	if len(in.Change.Actions) == 1 {
		c.Action = in.Change.Actions[0]
	}
	if c.Before, err = attributes(in.Change.Before); err != nil {
		return c, err
	}
	if c.After, err = attributes(in.Change.After); err != nil {
		return c, err
	}
	if c.PreImage, err = attributes(in.PreImage); err != nil {
		return c, err
	}
	for _, f := range in.Fields {
		field := FieldChange{Path: f.Path, Moved: f.Moved, Note: f.Note, Sensitive: f.Sensitive, Origin: position(f.Origin)}
		if field.Before, err = valueFromJSON(f.Before); err != nil {
			return c, err
		}
		if field.After, err = valueFromJSON(f.After); err != nil {
			return c, err
		}
		c.Fields = append(c.Fields, field)
	}
	if len(in.Steps) > 0 {
		c.Steps, err = normalSteps(in.Steps)
	}
	return c, err
}

// checkChange holds a change from a file to what Compute promises, as far as a
// run relies on it.
func checkChange(c Change, earlier map[model.Key]bool) error {
	var before, after bool
	switch c.Action {
	case Create:
		after = true
	case Update:
		before, after = true, true
	case Delete:
		before = true
	default:
		return errors.New("its actions are not one of create, update, delete")
	}
	if (c.Before != nil) != before || (c.After != nil) != after || (c.PreImage != nil) != before {
		return fmt.Errorf("before, after or pre_image do not go with %s", c.Action)
	}
	if !known(c.Moved) {
		return fmt.Errorf("nobody is called %q", c.Moved)
	}
	for _, f := range c.Fields {
		if !known(f.Moved) {
			return fmt.Errorf("%s: nobody is called %q", f.Path, f.Moved)
		}
	}
	if earlier[c.Key] {
		return errors.New("it is there twice")
	}
	for _, k := range c.DependsOn {
		if !earlier[k] {
			return fmt.Errorf("it depends on %s, which does not come before it", k)
		}
	}
	for _, s := range c.Steps {
		if s.Key != c.Key {
			return fmt.Errorf("a step of it is about %s", s.Key)
		}
	}
	return nil
}

func known(s Side) bool {
	return slices.Contains([]Side{Config, Live, Both, Unknown}, s)
}

func attributes(in map[string]any) (map[string]any, error) {
	if in == nil {
		return nil, nil
	}
	v, err := model.Normalize(in)
	if err != nil {
		return nil, err
	}
	attrs, _ := v.(map[string]any)
	return attrs, nil
}

func valueFromJSON(raw json.RawMessage) (any, error) {
	if raw == nil {
		return Absent{}, nil
	}
	return model.DecodeJSON(raw)
}

func position(o *model.Origin) model.Origin {
	if o == nil {
		return model.Origin{}
	}
	return *o
}

func orNil[S ~[]E, E any](s S) S {
	if len(s) == 0 {
		return nil
	}
	return s
}
