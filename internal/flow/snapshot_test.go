package flow

import (
	"bytes"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSnapshotFiles(t *testing.T) {
	files, err := fixture(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"contents.json", "extra.json", "metadata.json", "screen-sign-in-screen.json", "screen-verify-otp.json"}
	if diff := cmp.Diff(want, keys(files)); diff != "" {
		t.Error(diff)
	}
	meta := value(t, string(files["metadata.json"]))
	wantMeta := value(t, `{"name":"Sign In","description":"Signs in","disabled":false,"fingerprint":false,"componentsVersion":"3.17.0","futureMeta":"kept",
		"sharedInteractions":[{"id":"8.success","label":"Success","type":"success"},{"id":"4.back","label":"Back"}],
		"translation":{"connectorId":"manual","enabled":true,"sourceLanguage":"en","targetLanguages":["fr"]},
		"screens":["sign-in-screen","verify-otp"],"references":{"connectors":{"CRM":"CI2tEstConnector0000000000001"}}}`)
	if diff := cmp.Diff(wantMeta, meta); diff != "" {
		t.Error(diff)
	}
	if !bytes.Contains(files["screen-verify-otp.json"], []byte(`"icon": "",`)) {
		t.Error("the empty fields of an interaction are not written out")
	}
	clash := change(t, fixture(t), func(doc map[string]any) { obj(doc, "metadata")["screens"] = []any{} })
	if _, err := clash.Snapshot(); err == nil || err.Error() != "metadata.screens: a snapshot keeps something else under this name" {
		t.Error(err)
	}
}

func TestScreenKeys(t *testing.T) {
	doc := `{"metadata":{},"contents":{"tasks":{
		"1":{"type":"screen","name":"Verified  Successfully!","screenId":"SC1abFbQ8"},"2":{"type":"screen","name":"Verified Successfully","screenId":"SC2abIml0"},
		"3":{"type":"screen","name":"New Screen","screenId":"SC3abXXXX"},"4":{"type":"screen","name":"Привет","screenId":"SC4abYYYY"},
		"5":{"type":"screen","name":"Promote (WebAuthn)","screenId":"SC5"},"6":{"type":"screen","name":"Twin","screenId":"SC6aSAME"},
		"7":{"type":"screen","name":"Twin","screenId":"SC7aSAME"},"8":{"type":"screen","name":"Twin","screenId":"SC6asame"},
		"9":{"type":"screen","name":"Verified Successfully","screenId":"SC1abFbQ8"}}},
		"screens":[{"screenId":"SC1abFbQ8"},{"screenId":"SC2abIml0"},{"screenId":"SC3abXXXX"},{"screenId":"SC4abYYYY"},{"screenId":"SC5"},
			{"screenId":"SC6aSAME"},{"screenId":"SC7aSAME"},{"screenId":"SC6asame"},{"screenId":"../../x"},{"screenId":"SC"},{"screenId":"x"}]}`
	f, _, err := Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"SC1abFbQ8": "verified-successfully-FbQ8", "SC2abIml0": "verified-successfully-Iml0", "SC3abXXXX": "3abXXXX", "SC4abYYYY": "4abYYYY",
		"SC5": "promote-webauthn", "SC6aSAME": "twin-SAME", "SC7aSAME": "7aSAME", "SC6asame": "6asame", "../../x": "x", "SC": "2", "x": "x-2",
	}
	if diff := cmp.Diff(want, f.screenKeys()); diff != "" {
		t.Error(diff)
	}
	files, _ := f.Snapshot()
	if g, err := ParseSnapshot(files); err != nil || len(g.Screens()) != len(f.Screens()) {
		t.Errorf("%d screens of %d, %v", len(g.Screens()), len(f.Screens()), err)
	}
}

// v1 → v2 → snapshot → v2 loses nothing but what a snapshot cannot say.
func TestRoundTrip(t *testing.T) {
	console, _, err := Parse(readFile(t, filepath.Join("testdata", "sign-in-console.json")))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]Flow{"exported": fixture(t), "console": console, "zero": {}} {
		files, err := f.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseSnapshot(files)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := Parse(back.WithID(f.ID()).V2())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f.Normal().Value(), again.Normal().Value()); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		twice, _ := again.Snapshot()
		if diff := cmp.Diff(keys(files), keys(twice)); diff != "" || !bytes.Equal(files["metadata.json"], twice["metadata.json"]) {
			t.Errorf("%s: the second snapshot is another: %s", name, diff)
		}
	}
}

func TestSnapshotRefuses(t *testing.T) {
	good, _ := fixture(t).Snapshot()
	for _, c := range []struct {
		name, text, want string
	}{
		{"metadata.json", "", "metadata.json is missing"},
		{"contents.json", "", "contents.json is missing"},
		{"contents.json", "{", "contents.json: line 1, column 2: the document ends too early"},
		{"contents.json", "[]", "contents.json: want an object, found a list"},
		{"extra.json", "{", "extra.json: line 1, column 2: the document ends too early"},
		{"screen-verify-otp.json", "", "screen-verify-otp.json is missing"},
		{"screen-verify-otp.json", "7", "screen-verify-otp.json: want an object, found a number"},
		{"screen-more.json", "{}", "screen-more.json is not in the list of screens in metadata.json, so an import would leave it out"},
		{"metadata.json", `{"screens":{}}`, "metadata.json: screens: want a list, found an object"},
		{"metadata.json", `{"screens":[1]}`, "metadata.json: screens.0: want text, found a number"},
		{"metadata.json", `{"screens":["a","a"]}`, "metadata.json: screens.1: a is listed twice"},
		{"notes.txt", strings.Repeat(" ", MaxBytes), "33"},
	} {
		files := maps.Clone(good)
		files[c.name] = []byte(c.text)
		if c.text == "" {
			delete(files, c.name)
		}
		if _, err := ParseSnapshot(files); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s = %.20q:\n got %v\nwant %s", c.name, c.text, err, c.want)
		}
	}
	loose := maps.Clone(good)
	loose["metadata.json"] = []byte(`{}`)
	loose["README.md"] = []byte(`no JSON`)
	if f, err := ParseSnapshot(loose); err != nil || len(f.Screens()) != 2 {
		t.Errorf("without a list: %v", err)
	}
}
