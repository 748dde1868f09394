package api

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The error codes of Descope that change what we do.
const (
	codeUnknownProject = "E011008"
	codeTenantNotFound = "E112202"
	codeLicence        = "E111703"
	codeRateLimit      = "E130429"
)

// judge fills in what an answer means and reports whether it is a success.
func (c *Client) judge(e *Error, r request, h http.Header, body []byte) bool {
	defer func() { // a server that repeats the key must not get it printed
		for _, text := range []*string{&e.Code, &e.RequestID, &e.Message} {
			*text = c.config.Key.Redact(*text)
		}
	}()
	parsed := e.parse(body)
	status := e.Status
	switch {
	case status == http.StatusOK || r.write && status > 200 && status < 300:
		return c.accept(e, r, body)
	case status < 200 || status < 400 && status >= 300:
		e.Kind = KindBadReply
		e.Message = "the server redirects" + redirectTarget(h) + ", which is not followed, since the key would go there too"
	case status < 300:
		e.Kind, e.Message = KindBadReply, "the server answered without content"
	case status == http.StatusTooManyRequests || e.Code == codeRateLimit:
		e.Kind, e.Retryable = KindRate, true
		e.Message = cmp.Or(e.Message, "too many requests")
		e.after = retryAfter(h, time.Now())
	case e.Code == codeLicence:
		e.Kind = KindLicence
	case status == http.StatusUnauthorized || status == http.StatusForbidden || e.Code == codeUnknownProject:
		e.Kind = KindAuth
	case e.Code == codeTenantNotFound || status == http.StatusNotFound && e.Code != "":
		e.Kind, e.Message = KindNotFound, cmp.Or(e.Message, "it does not exist")
	case status == http.StatusNotFound:
		e.Kind, e.Message = KindBadReply, "there is no Descope API at "+c.base.String()
	case status < 500:
		e.Kind = KindValidation
	default:
		e.Kind = KindServer
		e.Retryable = retryableStatus(status)
		e.after = retryAfter(h, time.Now())
		e.doubt = r.write
		// At these a proxy gave up waiting; Descope itself may still be at it.
		e.late = status == 504 || status == 522 || status == 524
	}
	if e.Message == "" && !parsed {
		e.Message = "the server answered HTTP " + strconv.Itoa(status) + " with " + describe(body)
	}
	return false
}

// accept checks the body of a success. One that is not Descope's may come from
// a proxy or a login page, and then a write has not even reached Descope.
func (c *Client) accept(e *Error, r request, body []byte) bool {
	if r.write && len(bytes.TrimSpace(body)) == 0 {
		return true
	}
	if first := bytes.TrimSpace(body); json.Valid(body) && first[0] == '{' {
		return true
	}
	e.Kind, e.doubt = KindBadReply, r.write
	e.Message = "the server answered with " + describe(body) + " instead of a JSON object"
	return false
}

// parse reads an error in Descope's form, and reports whether it is one.
func (e *Error) parse(body []byte) bool {
	var d struct{ ErrorCode, ErrorDescription, ErrorMessage, Message string }
	if json.Unmarshal(body, &d) != nil {
		return false
	}
	e.Code = d.ErrorCode
	e.Message = cmp.Or(d.ErrorMessage, d.Message, d.ErrorDescription)
	return true
}

// retryableStatus: a gateway failed or is busy. Descope: the 52x and 530 come
// from its edge, not from the service.
func retryableStatus(status int) bool {
	return status >= 502 && status <= 504 || status >= 520 && status <= 524 || status == 530
}

// retryAfter reads how long to wait, in seconds or as a date; 0 means that the
// server does not say.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil && s >= 0 {
		return time.Duration(min(max(s, 1), maxPause.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(at.Sub(now), time.Second), maxPause)
	}
	return 0
}

func redirectTarget(h http.Header) string {
	u, err := url.Parse(h.Get("Location"))
	if err != nil || u.Host == "" {
		return ""
	}
	return " to " + clean(u.Host)
}

// describe names what a body is without showing it.
func describe(body []byte) string {
	first := bytes.TrimSpace(body)
	switch {
	case len(first) == 0:
		return "nothing"
	case first[0] == '<':
		return "an HTML page (a proxy or a login page?)"
	case json.Valid(first):
		return "other JSON"
	case first[0] == '{' || first[0] == '[':
		return "JSON that is cut off or broken"
	default:
		return "text"
	}
}

// unreachable fills in what a failure of the transport means. The call may have
// taken effect unless it certainly never left.
func (c *Client) unreachable(e *Error, r request, err error) {
	e.Kind, e.cause, e.Retryable, e.doubt = KindNetwork, err, true, r.write
	host := c.base.Host
	notSent := func(format string, args ...any) {
		e.doubt, e.Message = false, fmt.Sprintf(format, args...)
	}
	var (
		dns       *net.DNSError
		op        *net.OpError
		untrusted *tls.CertificateVerificationError
		plain     tls.RecordHeaderError
		timeout   net.Error
	)
	switch {
	case errors.Is(err, errTooLong):
		e.Kind, e.Retryable, e.Message = KindBadReply, false, err.Error()
	case errors.As(err, &dns):
		e.Retryable = !dns.IsNotFound
		notSent("the name %s cannot be resolved: %s", dns.Name, dns.Err)
	case errors.As(err, &untrusted):
		e.Retryable = false
		notSent("the certificate of %s is not trusted: %v", host, untrusted.Err)
	case errors.As(err, &plain) || errors.Is(err, http.ErrSchemeMismatch):
		e.Retryable = false
		notSent("%s does not speak TLS", host)
	case errors.Is(err, syscall.ECONNREFUSED):
		notSent("%s refuses the connection: nothing listens there", host)
	case errors.As(err, &op) && op.Op == "dial":
		notSent("no connection to %s: %v", host, op.Err)
	case errors.As(err, &timeout) && timeout.Timeout():
		e.late = true
		e.Message = fmt.Sprintf("no answer from %s within %v", host, c.config.Timeout)
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		e.Message = host + " reset the connection before it answered"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		e.Message = host + " closed the connection in the middle of its answer"
	default:
		e.Message = "no answer from " + host + ": " + c.config.Key.Redact(err.Error())
	}
}
