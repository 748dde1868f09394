package api

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// defaultBaseURL serves the projects whose id names no region.
const defaultBaseURL = "https://api.descope.com"

// projectIDs is the shape of a project id. Descope: P, then in projects outside
// the first region four characters that name the region, then 27 characters.
var projectIDs = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^P([a-z0-9]{4})?[0-9A-Za-z]{27}$`) })

// BaseURL is the address of Descope's API for a project. The official SDKs
// disagree about ids of any other length than 28 and 32, and a key sent to the
// wrong region is a key sent to the wrong place, so those are refused.
func BaseURL(projectID string) (string, error) {
	switch m := projectIDs().FindStringSubmatch(projectID); {
	case m == nil && !strings.HasPrefix(projectID, "P"):
		return "", fmt.Errorf("project id %s does not begin with P; copy it from the project's settings in the Descope console", quoted(projectID))
	case m == nil && len(projectID) != 28 && len(projectID) != 32:
		return "", fmt.Errorf("project id %s has %d characters; Descope's have 28, or 32 with a region (a base URL must be given for any other)", quoted(projectID), len(projectID))
	case m == nil:
		return "", fmt.Errorf("project id %s is malformed: P, for some regions four lower-case characters, then 27 letters and digits", quoted(projectID))
	case m[1] == "":
		return defaultBaseURL, nil
	default:
		return "https://api." + m[1] + ".descope.com", nil
	}
}

// CheckBaseURL says why a base URL may not be used, or nil. Whoever chooses the
// base URL receives the management key, so one from a file that travels with a
// repository must be https under descope.com, or loopback. One that the user
// gave in person is trusted: any http or https URL.
func CheckBaseURL(baseURL string, trusted bool) error {
	u, err := parseBaseURL(baseURL)
	if err != nil {
		return err
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case trusted || isLoopbackHost(host):
		return nil
	case u.Scheme == "https" && isDescopeHost(host):
		return nil
	default:
		return fmt.Errorf("base URL %s is not https under descope.com and not loopback, and would receive the management key; only a flag or the real environment may name it", quoted(baseURL))
	}
}

// isDescopeHost takes names alone: [2001:db8::1%25.descope.com] is an address of
// somebody else whose zone ends like one.
func isDescopeHost(host string) bool {
	return strings.HasSuffix("."+host, ".descope.com") && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// isLoopbackHost takes addresses in their usual spelling, and of all names just
// localhost: any other could be made to lead elsewhere.
func isLoopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// parseBaseURL takes scheme, host and port; a path, a query or a password in a
// base URL is a mistake or an attack.
func parseBaseURL(baseURL string) (*url.URL, error) {
	bad := func(reason string) (*url.URL, error) {
		return nil, fmt.Errorf("base URL %s %s; write it as %s", quoted(baseURL), reason, defaultBaseURL)
	}
	u, err := url.Parse(baseURL)
	switch {
	case err != nil:
		return bad("is not a URL") // the text of err may repeat a password
	case u.Scheme != "https" && u.Scheme != "http":
		return bad("is neither http nor https")
	case u.User != nil:
		return nil, fmt.Errorf("base URL of host %s contains a user name or password", quoted(u.Hostname()))
	case u.Hostname() == "":
		return bad("has no host")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return bad("has more than scheme, host and port")
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}
