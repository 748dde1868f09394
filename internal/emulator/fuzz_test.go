package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// FuzzRequest sends one arbitrary request to a project that holds something:
// the emulator never panics, always answers with a JSON object, names a code
// with every refusal, and can always still list and save the project.
func FuzzRequest(f *testing.F) {
	for route := range endpoints() {
		method, path, _ := strings.Cut(route, " ")
		f.Add(method, path+"?id=a&tenantId=a", "Bearer "+testProject+":K", `{"id":"a","tenantId":"a","name":"A","flowId":"f","flow":{"flowId":"f"},"ids":["f"]}`)
	}
	for _, flow := range []string{
		`{"flowId":"f","metadata":{"translation":{"connectorId":"CI2"}},"contents":{"tasks":{"1":{"screenId":"s","arguments":{"connectorId":{"value":"CI1"}}},"2":5}},"screens":[{"screenId":"s","interactions":[{}]},5],"references":{"connectors":{"C":"CI1"}}}`,
		`{"flowId":"f","metadata":[],"contents":{"tasks":[]},"screens":{},"references":5}`,
	} {
		f.Add("POST", importPath, "Bearer "+testProject+":K", `{"flow":`+flow+`}`)
	}
	f.Fuzz(func(t *testing.T, method, path, authorization, body string) {
		if strings.HasPrefix(path, "/_emulator/seed") || len(path) > 1000 {
			t.Skip()
		}
		s, err := New(Options{Storage: &disk{}, Budgets: NoBudgets(), Quirks: Quirks{ScreenIDs: "minted"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Seed([]byte(`{"projects":{"` + testProject + `":{"tenants":[{"id":"a","name":"A"},{"id":"b","name":"B","parent":"a"}],"connectors":{"C":"CI1"},"roles":["R"],"flows":[{"flowId":"f","contents":{}}]}}}`)); err != nil {
			t.Fatal(err)
		}
		ask := func(method, path, authorization, body string) int {
			req, err := http.NewRequest(method, "http://x"+path, strings.NewReader(body))
			if err != nil {
				return 0
			}
			req.Header.Set("Authorization", authorization)
			resp, err := Transport(s).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			data, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			var v any
			decoder := json.NewDecoder(bytes.NewReader(data))
			decoder.UseNumber() // numbers beyond float64 are stored as they are
			if err := decoder.Decode(&v); err != nil {
				t.Fatalf("%s %s: %d with %q", method, path, resp.StatusCode, data)
			}
			if object, ok := v.(map[string]any); resp.StatusCode != http.StatusOK && (!ok || object["errorCode"] == "" || object["message"] == nil) {
				t.Fatalf("%s %s: %d with %s", method, path, resp.StatusCode, data)
			}
			return resp.StatusCode
		}
		ask(method, path, authorization, body)
		if err := s.SetFaults(); err != nil {
			t.Fatal(err)
		}
		if status := ask("GET", allPath, "Bearer "+testProject+":K", ""); status != http.StatusOK {
			t.Fatalf("afterwards the list answers %d", status)
		}
		if _, err := decodeDocument(s.Export()); err != nil {
			t.Fatalf("afterwards the export is not a seed: %v", err)
		}
	})
}

func TestFuzzCorpusIsThere(t *testing.T) {
	files, err := os.ReadDir("testdata/fuzz/FuzzRequest")
	if err != nil || len(files) == 0 {
		t.Errorf("the seed corpus of FuzzRequest is missing: %v, %d files", err, len(files))
	}
}
