package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// measurePlan fills an emulator through the command line, and takes the time of a
// plan that finds nothing to do; each is a process.
func measurePlan(t *testing.T, program string) {
	n := 200
	if *full {
		n = 1000
	}
	dir, state := generate(t, n), filepath.Join(t.TempDir(), "state")
	url := serve(t, program)
	invoke := func(args ...string) command {
		return command{
			name: args[0], dir: dir,
			argv: append([]string{program, "--env", "prod", "--base-url", url, "--state-dir", state}, args...),
			env:  []string{"DESCOPE_MANAGEMENT_KEY=" + managementKey},
		}
	}
	filled := invoke("sync", "--yes").once(t, t.TempDir(), nil)
	before := len(requests(t, url))
	c := interleave(t, 7, invoke("plan"), invoke("eval"))
	got := c.medians
	calls := len(requests(t, url)) - before
	record(t, fmt.Sprintf("sync, %d creates, high rate limit", n), milliseconds(filled.Wall), "", true)
	record(t, fmt.Sprintf("plan of %d tenants, no change", n), fmt.Sprintf("%s, %d MB%s", milliseconds(got[0].Wall), got[0].RSS>>20, c.note()), "", true)
	record(t, "the same: longer than eval", milliseconds(got[0].Wall-got[1].Wall), "", true)
	each := float64(calls) / float64(c.runs)
	record(t, "the same: calls", fmt.Sprint(each), "1", each == 1)
	if each != 1 {
		t.Errorf("%d plans made %d calls", c.runs, calls)
	}
}

// serve runs the emulator for the length of a test and returns where it listens.
func serve(t *testing.T, program string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "emulator", "--rate", "off")
	cmd.Env = []string{"HOME=" + t.TempDir()}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the emulator says %q, %v", line, err)
	}
	return url
}

// requests is the log of an emulator that is another process.
func requests(t *testing.T, url string) []emulator.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/_emulator/requests", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var log []emulator.Request
	if err := json.NewDecoder(resp.Body).Decode(&log); err != nil {
		t.Fatal(err)
	}
	return log
}
