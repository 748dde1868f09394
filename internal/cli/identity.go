package cli

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"time"
)

// identity is who runs a command and where, for the record of runs, the audit log
// and whoever waits for the lock.
type identity struct {
	user, host string
	pid        int
	// commit is the git commit that the configuration is checked out at, or "".
	commit string
}

// identify finds out who runs the command: the user that a CI system names, the one
// of the environment, of git, or of the operating system. None of it is proof; it is
// what the process says about itself.
func (a *app) identify(ctx context.Context) identity {
	if a.who != nil {
		return *a.who
	}
	id := identity{user: a.user(ctx), pid: os.Getpid()}
	id.host, _ = os.Hostname()
	if id.commit = a.git(ctx, "rev-parse", "HEAD"); id.commit != "" && a.git(ctx, "status", "--porcelain", "--", ".") != "" {
		id.commit += "-dirty"
	}
	a.who = &id
	return id
}

func (a *app) user(ctx context.Context) string {
	for _, name := range []string{"GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR", "USER", "LOGNAME", "USERNAME"} {
		if v, ok := a.environ(name); ok && v != "" {
			return v
		}
	}
	if email := a.git(ctx, "config", "user.email"); email != "" {
		return email
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// git asks git about the configuration; without git, or outside of a repository,
// the answer is "".
func (a *app) git(ctx context.Context, args ...string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", a.dir()}, args...)...) //nolint:gosec // fixed arguments
	cmd.Env = append(os.Environ(), "HOME="+a.home, "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
