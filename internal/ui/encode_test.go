package ui

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
)

type inner struct {
	List []string `json:"list"`
	Text string   `json:"text"`
}

type outer struct {
	Z     int               `json:"z"`
	A     []inner           `json:"a"`
	P     *inner            `json:"p"`
	Nil   *inner            `json:"nil"`
	Any   any               `json:"any"`
	Map   map[string][]int  `json:"map"`
	None  map[string]int    `json:"none"`
	At    time.Time         `json:"at"`
	Raw   json.RawMessage   `json:"raw"`
	Key   model.Key         `json:"key"`
	Big   json.Number       `json:"big"`
	Array [1][]int          `json:"array"`
	Pairs map[model.Key]int `json:"pairs"`

	hidden []int
}

func sampleOuter() outer {
	return outer{
		Z: 1, A: []inner{{Text: "<a> & \u202e \u2028"}}, P: &inner{}, Any: map[string]any{"l": []any(nil), "t": "yes"},
		Map: map[string][]int{"b": nil, "a": {1}}, At: time.Unix(0, 0).UTC(), Raw: json.RawMessage(`{"x":null}`),
		Key: key("acme"), Big: "12345678901234567890", Pairs: map[model.Key]int{key("k"): 1}, hidden: []int{1},
	}
}

func TestWriteJSON(t *testing.T) {
	v := sampleOuter()
	var b strings.Builder
	if err := WriteJSON(&b, v); err != nil {
		t.Fatal(err)
	}
	golden(t, "encode.json", b.String())
	if v.A[0].List != nil || v.P.List != nil || v.hidden == nil {
		t.Error("the value was modified")
	}
	b.Reset()
	if err := WriteYAML(&b, v); err != nil {
		t.Fatal(err)
	}
	golden(t, "encode.yaml", b.String())
	for text, v := range map[string]any{"null\n": nil, "[]\n": []int(nil)} {
		b.Reset()
		if err := WriteJSON(&b, v); err != nil || b.String() != text {
			t.Errorf("%#v: %q, %v", v, b.String(), err)
		}
		b.Reset()
		if err := WriteYAML(&b, v); err != nil || b.String() != text {
			t.Errorf("%#v as YAML: %q, %v", v, b.String(), err)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestWriteFails(t *testing.T) {
	for name, write := range map[string]func() error{
		"JSON, impossible": func() error { return WriteJSON(&strings.Builder{}, math.NaN()) },
		"YAML, impossible": func() error { return WriteYAML(&strings.Builder{}, math.NaN()) },
		"JSON, full":       func() error { return WriteJSON(fullDisk{}, 1) },
		"YAML, full":       func() error { return WriteYAML(fullDisk{}, 1) },
	} {
		if write() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestEncodingIsFaithful: whatever the text, both forms read back as it was, and
// neither can harm a terminal.
func TestEncodingIsFaithful(t *testing.T) {
	text := rapid.Map(rapid.OneOf(hostile(), rapid.SampledFrom([]string{
		"yes", "null", "~", "1e3", "0x10", "1_000", "2001-01-01", "- a", "a: b", " lead", "trail ", "a\nb", "a\nb\n", "\n", " \n x", "#", "*", "a\n\n\nb\u202e", "=", "<<", "0o7", ".inf",
	})), func(s string) string { return strings.ToValidUTF8(s, "?") })
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]any{text.Draw(t, "key"): []any{text.Draw(t, "a"), text.Draw(t, "b"), true, nil}, "n": 40}
		for name, write := range map[string]func(*strings.Builder) error{
			"JSON": func(b *strings.Builder) error { return WriteJSON(b, want) },
			"YAML": func(b *strings.Builder) error { return WriteYAML(b, want) },
		} {
			var b strings.Builder
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			if harmful(strings.ReplaceAll(b.String(), "\n", "")) {
				t.Fatalf("%s: %q", name, b.String())
			}
			var got map[string]any
			var err error
			if name == "JSON" {
				err = json.Unmarshal([]byte(b.String()), &got)
				if f, ok := got["n"].(float64); ok {
					got["n"] = int(f)
				}
			} else {
				err = yaml.Unmarshal([]byte(b.String()), &got)
			}
			if err != nil {
				t.Fatalf("%s does not read back: %v\n%s", name, err, b.String())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s:\n%s\n%s", name, b.String(), diff)
			}
		}
	})
}
