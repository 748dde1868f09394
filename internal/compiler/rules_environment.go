package compiler

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// environment checks what the environment says about itself.
func (r *rules) environment() {
	e := r.result.Environment
	at := func(field string) model.Diagnostic {
		return model.Diagnostic{Severity: model.Error, Path: field, Origin: e.fieldOrigin(field)}
	}
	if e.Name != r.loaded.env {
		d := r.add(at("name"), "environment-name", "environment: name is %s, but the directory is envs/%s", quoted(e.Name), r.loaded.env)
		d.Hint = fmt.Sprintf("write name: %q", r.loaded.env)
	}
	if e.BaseURL != "" && !trustedURL(e.BaseURL) {
		d := r.add(at("base_url"), "base-url", "environment: base_url cannot be %s", quoted(e.BaseURL))
		d.Detail = "allowed: " + allowed("#Environment", "base_url") + "; it receives the management key"
	}
	if e.ProjectID != "" {
		r.ownProject(at("project_id"))
	}
}

// trustedURL reports whether a management key may be sent to a URL that comes
// from a file: Descope over TLS, or this machine.
func trustedURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.User != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if host == "localhost" {
		return true
	}
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return u.Scheme == "https" && (host == "descope.com" || strings.HasSuffix(host, ".descope.com"))
}
