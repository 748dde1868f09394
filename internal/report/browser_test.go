package report_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// browser is a headless Chromium with one page, spoken to by the DevTools protocol over
// two pipes.
type browser struct {
	t       *testing.T
	in      *os.File
	session string

	mu      sync.Mutex
	next    int
	waiting map[int]chan reply
	loaded  chan struct{}
	// said are errors and warnings of the console, and asked what was to be fetched.
	said, asked []string
}

type reply struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct{ Message string }
}

// profile is a directory for a browser, whose processes may write into it for a moment
// after it has ended: what they leave then is no failure of the page.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 50 {
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Logf("%s could not be removed", dir)
	})
	return dir
}

// openBrowser starts Chromium, or skips the test where there is none. DESCOPE_MGMT_CHROMIUM
// names one that is elsewhere.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	program := os.Getenv("DESCOPE_MGMT_CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && program == "" {
			program = found
		}
	}
	if program == "" {
		t.Skip("skipped: no Chromium is installed, so the page is not tried in a browser")
	}
	toBrowser, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
		"--user-data-dir="+profile(t), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = toBrowser.Close(), fromBrowser.Close()
	b := &browser{t: t, in: in, waiting: map[int]chan reply{}, loaded: make(chan struct{}, 10)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.listen(out)
	}()
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		<-ended
		_, _ = in.Close(), out.Close()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
	return b
}

// listen sorts what the browser says until it ends.
func (b *browser) listen(out *os.File) {
	r := bufio.NewReader(out)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		switch {
		case m.ID > 0:
			b.waiting[m.ID] <- reply{m.Result, m.Error}
		case m.Method == "Page.loadEventFired":
			b.loaded <- struct{}{}
		case m.Method == "Runtime.consoleAPICalled", m.Method == "Runtime.exceptionThrown", m.Method == "Log.entryAdded":
			b.said = append(b.said, string(m.Params))
		case m.Method == "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			_ = json.Unmarshal(m.Params, &p)
			b.asked = append(b.asked, p.Request.URL)
		}
		b.mu.Unlock()
	}
}

func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.mu.Lock()
	b.next++
	id, answer := b.next, make(chan reply, 1)
	b.waiting[id] = answer
	b.mu.Unlock()
	m := map[string]any{"id": id, "method": method}
	if params != nil {
		m["params"] = params
	}
	if b.session != "" {
		m["sessionId"] = b.session
	}
	text, err := json.Marshal(m)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		b.t.Fatal(err)
	}
	select {
	case r := <-answer:
		if r.Error != nil {
			b.t.Fatalf("%s: %s", method, r.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(r.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
	case <-time.After(time.Minute):
		b.t.Fatalf("%s: no answer", method)
	}
}

// open shows a page from disk.
func (b *browser) open(text string) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.call("Page.navigate", map[string]any{"url": "file://" + path}, nil)
	select {
	case <-b.loaded:
	case <-time.After(time.Minute):
		b.t.Fatal("the page does not load")
	}
}

// eval is the value of an expression in the page.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "userGesture": true}, &r)
	var v T
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails)
	}
	if err := json.Unmarshal(r.Result.Value, &v); err != nil {
		b.t.Fatalf("%s is %s: %v", expression, r.Result.Value, err)
	}
	return v
}

func (b *browser) key(key string, code int) {
	b.t.Helper()
	text := map[string]string{"Enter": "\r"}[key]
	for _, kind := range []string{"keyDown", "keyUp"} {
		b.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}, nil)
	}
}

// screenshot keeps a picture where DESCOPE_MGMT_SCREENSHOTS names a directory.
func (b *browser) screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("DESCOPE_MGMT_SCREENSHOTS")
	if dir == "" {
		return
	}
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), data, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// quiet checks that the console has no error and that nothing was fetched but the page.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.said {
		b.t.Errorf("the console says %s", s)
	}
	for _, url := range b.asked {
		if len(url) < 7 || url[:7] != "file://" {
			b.t.Errorf("the page asks for %s", url)
		}
	}
	if len(b.asked) == 0 {
		b.t.Error("the page was not asked for: the test does not see requests")
	}
}

const visible = `[...document.querySelectorAll('#objects > tbody > tr')].filter(r => !r.hidden && !r.classList.contains('detail')).length`

// TestPageInChromium uses the page: five environments with a thousand tenants.
func TestPageInChromium(t *testing.T) {
	b := openBrowser(t)
	b.open(page(t, world(t, 1000)))
	took := eval[int](b, `Number(document.documentElement.dataset.ready)`)
	t.Logf("counts: 5 environments with 1000 tenants are ready after %d ms", took)
	if took <= 0 || took > 2000 {
		t.Errorf("the page takes %d ms, want at most 2000", took)
	}
	is := func(expression string, want any) {
		t.Helper()
		if got := eval[any](b, expression); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", expression, got, want)
		}
	}
	set := func(id, value string) {
		t.Helper()
		eval[bool](b, fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.value = %q; e.dispatchEvent(new Event('input')); return true; })()`, id, value))
	}
	all := 1000 + 5 // and the flow, the hostile one, by-hand, gone, sandbox
	is(visible, all)
	is(`document.getElementById('count').textContent`, fmt.Sprintf("%d objects.", all))
	b.screenshot("light")

	// Search finds ids, names, values and users.
	set("search", "tenant-0007")
	is(visible, 1)
	is(`document.getElementById('count').textContent`, fmt.Sprintf("1 of %d objects.", all))
	set("search", "MOVED BY HAND")
	byHand, live := 0, 0
	for n := range 1000 { // as the fixture has it; one environment was not read
		if n%11 < 5 && n%11 != 1 && (n%11 != 3 || n%97 != 0) {
			byHand++
		}
		if n%11 < 5 && n%11 != 1 || n%97 == 0 {
			live++
		}
	}
	is(visible, byHand)
	set("search", "alice")
	is(visible, 0)
	is(`[...document.querySelectorAll('#runs tbody tr')].filter(r => !r.hidden).length`, 40)
	set("search", "")

	// Filters.
	set("kind", "flow")
	is(visible, 1)
	set("kind", "")
	set("state", "live")
	is(visible, live)
	set("state", "orphan")
	is(visible, 1)
	set("environment", "1")
	is(visible, 0)
	set("state", "")
	set("environment", "")
	is(visible, all)

	// A row opens by the keyboard, and shows the fields and the drawing.
	set("search", "flow/login")
	eval[bool](b, `(() => { [...document.querySelectorAll('#objects .row')].find(r => !r.closest('tr').hidden).focus(); return true; })()`)
	b.key("Enter", 13)
	is(`document.activeElement.getAttribute('aria-expanded')`, "true")
	is(`document.querySelectorAll('.detail svg rect').length`, 6)
	is(`document.querySelectorAll('.detail ol li').length`, 6)
	is(`document.querySelector('.detail svg').getAttribute('role')`, "img")
	eval[bool](b, `(() => { document.querySelector('.detail svg').scrollIntoView(); return true; })()`)
	b.screenshot("flow")
	b.key("Enter", 13)
	is(`document.querySelector('.detail').hidden`, true)
	set("search", "tenant-0002")
	eval[bool](b, `(() => { document.getElementById('expand').click(); return true; })()`)
	is(`[...document.querySelectorAll('.detail')].filter(r => !r.hidden).length`, 1)
	is(`[...document.querySelectorAll('.detail')].filter(r => !r.hidden)[0].textContent.includes('"moved by hand"')`, true)
	b.screenshot("fields")

	// What means harm is text.
	set("search", "evil.example")
	is(visible, 1)
	eval[bool](b, `(() => { document.getElementById('expand').click(); return true; })()`)
	is(`document.title.startsWith('Environments')`, true)
	is(`document.querySelectorAll('img, iframe, object, [onerror]').length`, 0)
	is(`document.scripts.length`, 2)
	is(`document.body.innerText.includes('\u202e')`, false)
	set("search", "")

	// Light, dark, as the system has it and as chosen.
	ground := `getComputedStyle(document.body).backgroundColor`
	is(ground, "rgb(255, 255, 255)")
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
	is(ground, "rgb(20, 23, 26)")
	is(`document.getElementById('theme').textContent`, "Light")
	eval[bool](b, `(() => { document.getElementById('collapse').click(); scrollTo(0, 0); return true; })()`)
	b.screenshot("dark")
	eval[bool](b, `(() => { document.getElementById('theme').click(); return true; })()`)
	is(ground, "rgb(255, 255, 255)")

	// Everything that is used has a name, and so has every column.
	is(`[...document.querySelectorAll('button, input, select')].filter(e => !(e.textContent.trim() || e.closest('label'))).length`, 0)
	is(`[...document.querySelectorAll('th')].filter(e => !e.scope).length`, 0)
	is(`[...document.querySelectorAll('[aria-labelledby]')].filter(e => !document.getElementById(e.getAttribute('aria-labelledby'))).length`, 0)

	// It prints, without what is only for the screen.
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "print"}, nil)
	is(`getComputedStyle(document.getElementById('filters')).display`, "none")
	set("search", "tenant-00")
	var pdf struct{ Data string }
	b.call("Page.printToPDF", nil, &pdf)
	if len(pdf.Data) < 10_000 {
		t.Errorf("the print has %d bytes", len(pdf.Data))
	}
	b.quiet()
}
