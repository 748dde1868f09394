package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// request is one call, ready to be sent any number of times.
type request struct {
	method, path string
	query        url.Values
	body         []byte
	budget       string
	object       string // what the call is about, for errors; may be empty
	write        bool
}

// answer is what came back for a request with HTTP status 2xx.
type answer struct {
	body []byte
	sent time.Time // when the request was sent
	date time.Time // the server's clock; zero if it did not tell
}

// read performs a call that changes nothing, trying again what can be.
func (c *Client) read(ctx context.Context, r request) (answer, error) {
	return c.repeat(ctx, r, func(failed *Error) error { return failed })
}

// repeat performs a call, and again as long as judge makes of its failure one that may
// be tried again.
func (c *Client) repeat(ctx context.Context, r request, judge func(*Error) error) (answer, error) {
	w, err := c.limits.window(r.budget, c.base, c.config.ProjectID)
	if err != nil {
		return answer{}, err
	}
	var got answer
	err = c.retry(ctx, func() error {
		t, err := c.limits.take(ctx, w, c.config.OnWait)
		if err != nil {
			return permanent(err)
		}
		defer t.release()
		var failed *Error
		if got, failed = c.exchange(ctx, w, t, r); failed != nil {
			return judge(failed)
		}
		return nil
	})
	return got, err
}

// exchange sends a request once and judges the answer. A write that is on its
// way is waited for even if the context ends.
func (c *Client) exchange(ctx context.Context, w *window, t *ticket, r request) (answer, *Error) {
	fail := &Error{
		Method: r.method, Path: r.path, Object: r.object,
		Project: c.config.ProjectID, Key: c.config.Key.Hint(), KeyFrom: c.config.KeyFrom,
	}
	if r.write {
		ctx = context.WithoutCancel(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	req, err := c.httpRequest(limited, r)
	if err != nil {
		fail.Kind, fail.Message, fail.cause = KindValidation, "the request cannot be built", err
		return answer{}, fail
	}

	t.send()
	got := answer{sent: time.Now()}
	status, header, body, err := c.roundTrip(req)
	took := time.Since(got.sent)
	c.logger.Debug("request", "method", r.method, "path", r.path, "object", r.object, "status", status, "took", took, "bytes", len(body))
	if err != nil {
		if ctx.Err() != nil {
			fail.Kind, fail.Message, fail.cause = KindNetwork, "interrupted", ended(ctx)
			return answer{}, fail
		}
		c.unreachable(fail, r, err)
		return answer{}, fail
	}
	c.observe(took)
	fail.Status = status
	fail.RequestID = firstHeader(header, "X-Request-Id", "X-Descope-Request-Id", "Cf-Ray")
	if c.judge(fail, r, header, body) {
		got.body = body
		got.date, _ = http.ParseTime(header.Get("Date"))
		return got, nil
	}
	if fail.Kind == KindRate {
		c.limits.refused(w, fail.after)
	}
	return answer{}, fail
}

func (c *Client) httpRequest(ctx context.Context, r request) (*http.Request, error) {
	u := *c.base
	u.Path = r.path
	u.RawQuery = r.query.Encode()
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.config.ProjectID+":"+c.config.Key.Reveal())
	req.Header.Set("X-Descope-Project-Id", c.config.ProjectID)
	req.Header.Set("User-Agent", "descope-mgmt/"+c.config.Version)
	req.Header.Set("Accept", "application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// errTooLong is the end of an answer that has none.
var errTooLong = errors.New("the answer is longer than " + strconv.Itoa(maxReply>>20) + " MiB")

// roundTrip uses the transport itself and no http.Client, so that a redirect is
// an answer like any other and the key goes nowhere else.
func (c *Client) roundTrip(req *http.Request) (status int, header http.Header, body []byte, err error) {
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return 0, nil, nil, err
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if closeErr := resp.Body.Close(); err == nil && closeErr != nil {
		err = closeErr
	}
	if err == nil && len(body) > maxReply {
		err = errTooLong
	}
	return resp.StatusCode, resp.Header, body, err
}

// observe smooths the latency, for the forecast.
func (c *Client) observe(took time.Duration) {
	for {
		old := c.latency.Load()
		next := int64(took)
		if old != 0 {
			next = old + (int64(took)-old)/8
		}
		if c.latency.CompareAndSwap(old, next) {
			return
		}
	}
}

func firstHeader(h http.Header, names ...string) string {
	for _, n := range names {
		if v := h.Get(n); v != "" {
			return v
		}
	}
	return ""
}
