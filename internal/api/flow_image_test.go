package api

import (
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func TestFlowImage(t *testing.T) {
	decode := func(s string) map[string]any {
		v, err := model.DecodeJSON([]byte(s))
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
		"stamp, zeros":      {`{"flowId":"a","metadata":{"name":"A","componentsVersion":"2","disabled":false,"description":"","sharedInteractions":[]},"contents":{"tasks":{"0":{"flag":false}}},"screens":[{"screenId":"S","interactions":[{"id":"x","icon":""}],"contents":{"ROOT":{"props":{"a":false}}}}],"references":{}}`, true},
		"another name":      {`{"flowId":"a","metadata":{"name":"B"},"contents":{"tasks":{"0":{"flag":false}}},"screens":[{"screenId":"S","interactions":[{"id":"x"}],"contents":{"ROOT":{"props":{"a":false}}}}]}`, false},
		"a prop less":       {`{"flowId":"a","metadata":{"name":"A"},"contents":{"tasks":{"0":{"flag":false}}},"screens":[{"screenId":"S","interactions":[{"id":"x"}],"contents":{"ROOT":{"props":{}}}}]}`, false},
		"an argument less":  {`{"flowId":"a","metadata":{"name":"A"},"contents":{"tasks":{"0":{}}},"screens":[{"screenId":"S","interactions":[{"id":"x"}],"contents":{"ROOT":{"props":{"a":false}}}}]}`, false},
		"a version deeper":  {`{"flowId":"a","metadata":{"name":"A","x":{"componentsVersion":"9"}},"contents":{"tasks":{"0":{"flag":false}}},"screens":[{"screenId":"S","interactions":[{"id":"x"}],"contents":{"ROOT":{"props":{"a":false}}}}]}`, false},
		"strange types":     {`{"metadata":3,"screens":[4],"contents":null}`, false},
		"screens not there": {`{"flowId":"a","metadata":{"name":"A"},"contents":{"tasks":{"0":{"flag":false}}}}`, false},
	} {
		a, b := decode(base), decode(c.other)
		if got := model.Equal(flowImage(a), flowImage(b)); got != c.same {
			t.Errorf("%s: same is %v", name, got)
		}
		if !model.Equal(a, decode(base)) || !model.Equal(b, decode(c.other)) {
			t.Errorf("%s: the argument was modified", name)
		}
	}
}
