package lsp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestPaths(t *testing.T) {
	for _, c := range []struct {
		windows         bool
		uri, path, back string
	}{
		{false, "file:///home%20of/a%25b/%C3%BC%23.cue", "/home of/a%b/ü#.cue", "file:///home%20of/a%25b/%C3%BC%23.cue"},
		{false, "file:///a/../b//c.cue", "/b/c.cue", "file:///b/c.cue"},
		{false, "file://localhost/x", "/x", "file:///x"},
		{true, "file:///c%3A/data/my%20files/x.cue", `C:\data\my files\x.cue`, "file:///C:/data/my%20files/x.cue"},
		{true, "file:///D:/x.cue", `D:\x.cue`, "file:///D:/x.cue"},
		{true, "file://server/share/x.cue", `\\server\share\x.cue`, "file://server/share/x.cue"},
	} {
		p := paths{c.windows}
		got, ok := p.path(c.uri)
		if !ok || got != c.path {
			t.Errorf("%s is %q, %v", c.uri, got, ok)
		}
		if back := p.uri(got); back != c.back {
			t.Errorf("%s comes back as %s", c.uri, back)
		}
	}
	for _, uri := range []string{"", "untitled:Untitled-1", "http://x/y", "file:", "%", "file://elsewhere/x"} {
		if got, ok := (paths{}).path(uri); ok {
			t.Errorf("%q is %q", uri, got)
		}
	}
	if got := (paths{true}).join(`C:\m`, "envs/dev/dev.cue"); got != `C:\m\envs\dev\dev.cue` {
		t.Error(got)
	}
}

func TestPositions(t *testing.T) {
	text := newText([]byte("a\r\nb🦄ü \"q\\\"r\" x\n"))
	for _, c := range []struct {
		line, column int
		want         span
	}{
		{1, 1, span{position{0, 0}, position{0, 1}}},
		{2, 1, span{position{1, 0}, position{1, 1}}},
		{2, 9, span{position{1, 5}, position{1, 11}}}, // behind 1, 4, 2 and 1 bytes
		{2, 99, span{position{1, 13}, position{1, 13}}},
		{99, 1, span{position{98, 0}, position{98, 0}}},
		{0, 0, span{}},
	} {
		if got := text.word(c.line, c.column, ""); got != c.want {
			t.Errorf("%d:%d is %v, want %v", c.line, c.column, got, c.want)
		}
	}
	for p, want := range map[position]int{{0, 9}: 1, {1, 1}: 4, {1, 2}: 4, {1, 3}: 8, {9, 0}: len(text.data), {-1, 0}: 0} {
		if got := text.offset(p); got != want {
			t.Errorf("%v is at %d, want %d", p, got, want)
		}
	}
}

// TestDifference: the edit between two texts makes the one of the other, and positions
// and offsets are inverse.
func TestDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runes := rapid.SliceOfN(rapid.SampledFrom([]rune("ab\nü🦄é")), 0, 30)
		before, after := string(runes.Draw(t, "before")), string(runes.Draw(t, "after"))
		e := difference(newText([]byte(before)), []byte(after))
		if !utf8.ValidString(e.NewText) {
			t.Fatalf("%q", e.NewText)
		}
		d := document{text: newText([]byte(before))}
		if err := d.change([]contentChange{{Range: &e.Range, Text: e.NewText}}); err != nil {
			t.Fatal(err)
		}
		if string(d.text.data) != after {
			t.Fatalf("%q became %q, want %q", before, d.text.data, after)
		}
		for i := range before {
			if got := newText([]byte(before)).offset(newText([]byte(before)).position(i)); got != i {
				t.Fatalf("offset %d comes back as %d", i, got)
			}
		}
	})
}

func TestBackwardChange(t *testing.T) {
	d := document{text: newText([]byte("abc"))}
	if err := d.change([]contentChange{{Range: &span{position{0, 2}, position{0, 1}}}}); err == nil {
		t.Error("no error")
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\nContent-Type: x\r\n\r\n{}"))
	f.Add([]byte("content-length:3\n\nabcContent-Length: 0\r\n\r\n"))
	f.Add([]byte("Content-Length: 99999999\r\n\r\nx"))
	f.Add([]byte(strings.Repeat("a: b\r\n", 100)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newFrameReader(bytes.NewReader(data))
		for {
			frame, err := r.read()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, ErrFrame) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%v", err)
				}
				return
			}
			var b bytes.Buffer
			if err := writeFrame(&b, frame); err != nil {
				t.Fatal(err)
			}
			again, err := newFrameReader(&b).read()
			if err != nil || !bytes.Equal(again, frame) {
				t.Fatalf("%q came back as %q, %v", frame, again, err)
			}
		}
	})
}
