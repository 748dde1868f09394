// Package api speaks to Descope's management API: it reads the live state of a
// project, says which calls a change takes, and performs them, within the rate
// limits and without ever guessing what became of a call.
//
// It imports only the model: plans, files and the terminal are not its business.
package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// DefaultTimeout bounds one request, its answer included.
const DefaultTimeout = 30 * time.Second

// maxReply bounds an answer, decompressed. A tenant takes about half a kilobyte.
const maxReply = 64 << 20

// Config configures [New].
type Config struct {
	// BaseURL is where the API is; empty means where the project id says. It is
	// the caller's duty to have it checked by [CheckBaseURL].
	BaseURL   string
	ProjectID string
	Key       Secret
	// KeyFrom is where the key was found, in words, for errors about it; may be empty.
	KeyFrom string
	// Version is told to the server in the User-Agent; empty means "dev".
	Version string
	// Transport sends the requests; nil means an own one. It must not follow
	// redirects.
	Transport http.RoundTripper
	// Proxy chooses a proxy for the own transport; nil means none.
	Proxy func(*http.Request) (*url.URL, error)
	// Timeout bounds one request; 0 means DefaultTimeout.
	Timeout time.Duration
	// Workers is how many requests the caller will have under way, 1 to 20;
	// 0 means 20.
	Workers int
	// Limits are shared between the clients of a process; nil makes them of
	// Budgets and Slots, which are otherwise not used.
	Limits  *Limits
	Budgets []Budget
	Slots   Slots
	// Flows keeps exports of flows between reads; nil exports each one each time.
	Flows FlowCache
	// Logger is told of every request, at debug level; nil means none.
	Logger *slog.Logger
	// OnWait is told of delays, from several goroutines; may be nil.
	OnWait func(Wait)
}

// Reader is the half of the client that cannot change anything.
type Reader interface {
	// Read returns all resources of the given kinds. An answer that is short,
	// doubled or not understood is an error, never a smaller state.
	Read(ctx context.Context, kinds ...model.Kind) (model.State, error)
	// Get returns one resource, and whether it exists.
	Get(ctx context.Context, key model.Key) (model.Resource, bool, error)
	// TenantSettings returns the session settings of a tenant as they are.
	TenantSettings(ctx context.Context, tenant string) (json.RawMessage, error)
	// SSOSettings returns the SSO configurations of a tenant as they are.
	SSOSettings(ctx context.Context, tenant string) (json.RawMessage, error)
	// InUse returns what a tenant is used by; none means that nothing is lost
	// with it. Every read that fails or is not understood is an error.
	InUse(ctx context.Context, tenant string) ([]string, error)
	// Roles returns the ids of the project's roles by name.
	Roles(ctx context.Context) (map[string][]string, error)
	// Projects lists the projects of the company. A key that is limited to some
	// projects is an error ([IsAuth]).
	Projects(ctx context.Context) ([]Project, error)
	// ExportSnapshot returns the project's snapshot, file by path. A licence without
	// snapshots is an error ([IsLicence]).
	ExportSnapshot(ctx context.Context) (map[string]json.RawMessage, error)
	// ValidateSnapshot says what an import of a snapshot would be refused for.
	ValidateSnapshot(ctx context.Context, files map[string]any) (SnapshotReport, error)
	// License returns the licence of the project.
	License(ctx context.Context) (License, error)
	// Forecast says what steps would take after so many reads.
	Forecast(steps []model.Step, reads int) Forecast
}

// reader is a client that has no method that writes.
type reader struct{ Reader }

// NewReader makes a client that cannot write: what it returns has the methods of
// [Reader] and no others.
func NewReader(c Config) (Reader, error) {
	client, err := New(c)
	if err != nil {
		return nil, err
	}
	return reader{client}, nil
}

// Client is a client for one project. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	config    Config
	transport http.RoundTripper
	limits    *Limits
	logger    *slog.Logger
	preimages *preimages
	latency   atomic.Int64 // nanoseconds, smoothed; 0 before the first answer
}

var _ Reader = (*Client)(nil)

// New makes a client. Nothing is sent yet.
func New(c Config) (*Client, error) {
	if c.BaseURL == "" {
		u, err := BaseURL(c.ProjectID)
		if err != nil {
			return nil, err
		}
		c.BaseURL = u
	}
	base, err := parseBaseURL(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if !projectIDHeader(c.ProjectID) {
		return nil, fmt.Errorf("project id %s is not made of letters, digits, - and _", quoted(c.ProjectID))
	}
	if problem := c.Key.malformed(); problem != "" {
		from := ""
		if c.KeyFrom != "" {
			from = " (from " + c.KeyFrom + ")"
		}
		return nil, fmt.Errorf("the management key for project %s%s %s", c.ProjectID, from, problem)
	}
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.Version = cmp.Or(c.Version, "dev")
	if c.Workers <= 0 || c.Workers > maxWorkers {
		c.Workers = maxWorkers
	}
	client := &Client{base: base, config: c, transport: c.Transport, limits: c.Limits, logger: c.Logger}
	if client.logger == nil {
		client.logger = slog.New(slog.DiscardHandler)
	}
	if client.transport == nil {
		client.transport = newTransport(c.Timeout, c.Workers, c.Proxy)
	}
	if client.limits == nil {
		client.limits = NewLimits(LimitsConfig{
			Budgets: c.Budgets, Slots: c.Slots, Workers: c.Workers, Timeout: c.Timeout, Logger: c.Logger,
		})
	}
	client.preimages = newPreimages(client)
	return client, nil
}

// BaseURL is where the client sends its requests.
func (c *Client) BaseURL() string { return c.base.String() }

// ProjectID is the project that the client works on.
func (c *Client) ProjectID() string { return c.config.ProjectID }

// Workers is how many calls of [Client.Do] are worth having under way at once.
func (c *Client) Workers() int { return c.config.Workers }

// projectIDHeader reports whether a project id can stand in a header without
// being taken for something else; emulators may use ids of any length.
func projectIDHeader(id string) bool {
	foreign := func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	return id != "" && !strings.ContainsFunc(id, foreign)
}
