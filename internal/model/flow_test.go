package model

import "testing"

func TestNormalFlow(t *testing.T) {
	decode := func(s string) map[string]any {
		v, err := DecodeJSON([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return v.(map[string]any)
	}
	base := `{"flowId":"a","metadata":{"name":"A","componentsVersion":"1"},"contents":{"tasks":{"0":{"flag":false}}},"screens":[{"screenId":"S","interactions":[{"id":"x"}],"contents":{"ROOT":{"props":{"a":false}}}}]}`
	for name, c := range map[string]struct {
		other string
		same  bool
	}{
		"itself":            {base, true},
		"stamp, id, zeros":  {`{"flowId":"b","metadata":{"name":"A","componentsVersion":"2","disabled":false,"description":"","sharedInteractions":[]},"contents":{"tasks":{"0":{"flag":false}}},"screens":[{"screenId":"S","interactions":[{"id":"x","icon":""}],"contents":{"ROOT":{"props":{"a":false}}}}],"references":{}}`, true},
		"another name":      {`{"metadata":{"name":"B"},"contents":{"tasks":{"0":{"flag":false}}},"screens":[{"screenId":"S","interactions":[{"id":"x"}],"contents":{"ROOT":{"props":{"a":false}}}}]}`, false},
		"a prop less":       {`{"metadata":{"name":"A"},"contents":{"tasks":{"0":{"flag":false}}},"screens":[{"screenId":"S","interactions":[{"id":"x"}],"contents":{"ROOT":{"props":{}}}}]}`, false},
		"an argument less":  {`{"metadata":{"name":"A"},"contents":{"tasks":{"0":{}}},"screens":[{"screenId":"S","interactions":[{"id":"x"}],"contents":{"ROOT":{"props":{"a":false}}}}]}`, false},
		"a version deeper":  {`{"metadata":{"name":"A","x":{"componentsVersion":"9"}},"contents":{"tasks":{"0":{"flag":false}}},"screens":[{"screenId":"S","interactions":[{"id":"x"}],"contents":{"ROOT":{"props":{"a":false}}}}]}`, false},
		"strange types":     {`{"metadata":3,"screens":[4],"contents":null}`, false},
		"screens not there": {`{"metadata":{"name":"A"},"contents":{"tasks":{"0":{"flag":false}}}}`, false},
	} {
		a, b := decode(base), decode(c.other)
		if got := Equal(NormalFlow(a), NormalFlow(b)); got != c.same {
			t.Errorf("%s: same is %v", name, got)
		}
		if !Equal(a, decode(base)) || !Equal(b, decode(c.other)) {
			t.Errorf("%s: the argument was modified", name)
		}
		got := Spec(Flow).Effective(map[string]any{"definition": b}, map[string]any{"definition": a})["definition"]
		if kept := Equal(got, a); kept != (c.same || Equal(a, b)) {
			t.Errorf("%s: the live definition is kept: %v", name, kept)
		}
	}
	written := map[string]any{"definition": map[string]any{}}
	if got := Spec(Flow).Effective(written, nil); !Equal(got, written) {
		t.Errorf("a new flow becomes %v", got)
	}
}
