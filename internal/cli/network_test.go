package cli

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
)

// TestNoServer: where nothing listens, a command tries again for a while, says
// so, and then what is wrong. The waits pass in virtual time.
func TestNoServer(t *testing.T) {
	for _, args := range [][]string{{"plan"}, {"sync", "--yes"}, {"tenant", "list"}, {"tenant", "delete", "acme-corp", "--yes"}, {"flow", "list"}, {"doctor"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			url := "http://" + freeAddress(t)
			synctest.Test(t, func(t *testing.T) {
				w := unserved(t)
				w.env["DESCOPE_BASE_URL"] = url
				r := w.mustRun(exitFailed, append(args, "--env", "dev")...)
				contains(t, r.err, "; trying again in ")
				contains(t, r.out+r.err, "refuses the connection: nothing listens there")
				if args[0] == "doctor" {
					contains(t, r.out, "failed   connection")
				} else if r.out != "" {
					t.Errorf("prints %q", r.out)
				}
			})
		})
	}
}

// unserved is a world whose emulator nobody can reach.
func unserved(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context()}
	w.prepare()
	return w
}

// freeAddress is an address on this machine at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it was not used
	return l.Addr().String()
}
