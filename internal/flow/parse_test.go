package flow

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseExported(t *testing.T) {
	data := readFile(t, filepath.Join("testdata", "sign-in.json"))
	f, spelling, err := Parse(data)
	if err != nil || spelling != Exported {
		t.Fatalf("%v %v", spelling, err)
	}
	again, _, err := Parse(f.V2())
	if err != nil || !bytes.Equal(f.V2(), again.V2()) || !bytes.HasSuffix(f.V2(), []byte("}\n")) {
		t.Errorf("V2 is not stable (%v)", err)
	}
	if !bytes.Contains(f.V2(), []byte(`Welcome \u003cback\u003e \u0026 hello`)) {
		t.Error("V2 escapes otherwise than Descope")
	}
	if diff := cmp.Diff(value(t, string(data)), any(f.Value())); diff != "" {
		t.Errorf("Value:\n%s", diff)
	}
	for name, reply := range map[string]string{"reply": `{"flow":%s}`, "byte order mark": "\ufeff%s", "import body": `{"flow":%s,"skipRender":true}`} {
		got, spelling, err := Parse(fmt.Appendf(nil, reply, data))
		if err != nil || spelling != Exported || !bytes.Equal(got.V2(), f.V2()) {
			t.Errorf("%s: %v %v", name, spelling, err)
		}
	}
}

func TestParseConsole(t *testing.T) {
	f, spelling, err := Parse(readFile(t, filepath.Join("testdata", "sign-in-console.json")))
	if err != nil || spelling != Console {
		t.Fatalf("%v %v", spelling, err)
	}
	want := change(t, fixture(t), func(doc map[string]any) {
		delete(doc, "references")
		obj(doc, "metadata")["disabled"] = false
		obj(doc, "metadata")["fingerprint"] = false
	})
	if diff := cmp.Diff(want.Value(), f.Value()); diff != "" {
		t.Errorf("-exported +console:\n%s", diff)
	}
	bare, _, err := Parse([]byte(`{"flow":{"id":"f","dsl":{},"translate":false,"translateTargetLangs":[]}}`))
	if err != nil || bare.ID() != "f" || obj(bare.Value(), "metadata")["translation"] != nil {
		t.Errorf("%s, %v", bare.V2(), err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{``, "line 1, column 1: the document ends too early"},
		{"{\n \"a\": [1,", "line 2, column 10: the document ends too early"},
		{"{\n \"é\": x}", "line 2, column 7: not JSON: invalid character 'x' looking for beginning of value"},
		{`{"a":[1,]}`, "line 1, column 9: not JSON: invalid character ']' looking for beginning of value"},
		{`{} {}`, "line 1, column 5: more text after the end of the document"},
		{`{"a":{"b":1,"c":{},"b":2}}`, "line 1, column 23: a.b is there twice"},
		{`{"a":[{"b":1,"b":2}]}`, `line 1, column 17: a."0".b is there twice`},
		{`{"a":1e99999999999}`, `line 1, column 19: "1e99999999999" is not a decimal number`},
		{strings.Repeat("[", maxDepth+1), "line 1, column 102: the document is nested more than 100 deep"},
		{strings.Repeat(`{"a":`, 1<<16), "line 1, column 502: the document is nested more than 100 deep"},
		{"[" + strings.Repeat("1,", maxValues) + "1]", "line 1, column 524287: the document has more than 262144 values"},
		{"\"\xff\"", "the text is not UTF-8"},
		{strings.Repeat(" ", MaxBytes+1), "33554433 bytes are too many for a flow: at most 33554432 are read"},
		{`[]`, "a flow is an object, this is a list"},
		{`{}`, "not a flow: it has neither metadata and contents, as an exported flow, nor flow and screens, as the console writes it"},
		{`{"id":"f","dsl":{}}`, "this is a flow without its screens, as a list of flows shows it: export the flow"},
		{`{"startTask":"0","tasks":{}}`, "this is one file of a flow in a snapshot: name its directory"},
		{`{"flow":5}`, "flow: want an object, found a number"},
		{`{"flow":{},"screens":[]}`, "flow.dsl: want an object, found nothing"},
		{`{"flow":{"dsl":{}},"screens":{}}`, "screens: want a list, found an object"},
		{`{"flow":{"dsl":{}},"screens":[5]}`, `screens."0": want an object, found a number`},
		{`{"flow":{"dsl":{},"translate":true,"translation":{}}}`, "flow.translation: the console writes translateSourceLang and the like, this flow has both"},
		{`{"flow":{"dsl":{}},"screens":[{"htmlTemplate":{}}]}`, `screens."0".screenId: a screen needs an id`},
		{`{"metadata":null,"contents":{}}`, "metadata: want an object, found nothing"},
		{`{"metadata":{},"contents":5}`, "contents: want an object, found a number"},
		{`{"metadata":{},"contents":{},"flowId":5}`, "flowId: want text, found a number"},
		{`{"metadata":{"disabled":"no"},"contents":{}}`, "metadata.disabled: want true or false, found text"},
		{`{"metadata":{},"contents":{},"references":{"connectors":{"a":5}}}`, "references.connectors.a: want text, found a number"},
		{`{"metadata":{},"contents":{"tasks":[]}}`, "contents.tasks: want an object, found a list"},
		{`{"metadata":{},"contents":{"tasks":{"1.end":null}}}`, `contents.tasks."1.end": want an object, found nothing`},
		{`{"metadata":{},"contents":{"tasks":{"1":{"next":{"rules":[{"taskId":true}]}}}}}`, `contents.tasks."1".next.rules."0".taskId: want text, found true or false`},
		{`{"metadata":{},"contents":{"tasks":{"a":{"conditions":[null]}}}}`, `contents.tasks.a.conditions."0": want an object, found nothing`},
		{`{"metadata":{},"contents":{},"screens":[{"screenId":"S","contents":{"ROOT":{"nodes":[1]}}}]}`, `screens."0".contents.ROOT.nodes."0": want text, found a number`},
		{`{"metadata":{},"contents":{},"screens":[{"screenId":"S"},{"screenId":"S"}]}`, `screens."1".screenId: another screen has the id "S" too`},
	} {
		_, _, err := Parse([]byte(c.in))
		if err == nil || err.Error() != c.want {
			t.Errorf("%.60s:\n got %v\nwant %s", c.in, err, c.want)
		}
	}
	if _, _, err := FromValue(map[string]any{"a": struct{}{}}); err == nil {
		t.Error("FromValue takes what is not JSON")
	}
}

// A flow is a graph with cycles, which must not matter to anything.
func TestParseCycles(t *testing.T) {
	f, _, err := Parse([]byte(`{"metadata":{},"contents":{"startTask":"1","tasks":{"1":{"next":{"rules":[{"taskId":"1"},{"taskId":"2"}]}},"2":{"next":{"rules":[{"taskId":"1"}]}}}},
		"screens":[{"screenId":"S","contents":{"ROOT":{"nodes":["a"],"parent":"a"},"a":{"nodes":["ROOT","a"],"parent":"ROOT"}}}]}`))
	if err != nil || len(f.Edges()) != 3 {
		t.Errorf("%v, %v", f.Edges(), err)
	}
}
