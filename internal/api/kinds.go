package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// row is what the client knows of a kind. A new kind is a file with its row,
// and a line in rows.
type row struct {
	kind model.Kind
	// list reads all resources, complete or not at all, and says when.
	list func(ctx context.Context, c *Client) ([]model.Resource, time.Time, error)
	// snapshot: one list is cheap enough to serve as the pre-image of many
	// writes; otherwise each write reads its own object.
	snapshot bool
	// get reads one resource.
	get func(ctx context.Context, c *Client, id string) (model.Resource, bool, error)
	// decode makes a live resource of one object as Descope sends it.
	decode func(raw json.RawMessage) (model.Resource, error)
	// encode is [Encode] for the kind.
	encode func(model.Transition) ([]model.Step, error)
	// writes are the endpoints of the kind's operations.
	writes map[model.Op]endpoint
	// only is the id of the one resource of the kind that a project has, where bodies
	// do not name any.
	only func(project string) string
}

// endpoint is where an operation is sent.
type endpoint struct {
	path   string
	budget string
	// names returns the id that a body is about; nil for a kind that has but one.
	names func(body json.RawMessage) (string, error)
	// effect reports whether a live resource is as the operation leaves it.
	effect func(body json.RawMessage, live model.Resource, exists bool) bool
	// result is the live resource after the operation, given the one before,
	// and whether it is known; nil means that it never is.
	result func(body json.RawMessage, live model.Resource, exists bool) (model.Resource, bool, bool)
	// gone: that the object does not exist is what the operation wants.
	gone bool
}

func rows() []row { return []row{tenantRow(), flowRow(), themeRow(), projectRow()} }

func rowOf(k model.Kind) (row, error) {
	for _, r := range rows() {
		if r.kind == k {
			return r, nil
		}
	}
	return row{}, fmt.Errorf("the client knows no kind %s", quoted(string(k)))
}

// Decode makes a live resource of its raw form, as it stands in
// [model.Observed] and as a backup keeps it: a tenant as Descope lists it, a flow
// as it exports it. raw must not be changed afterwards. It is pure.
func Decode(k model.Kind, raw json.RawMessage) (model.Resource, error) {
	r, err := rowOf(k)
	if err != nil {
		return model.Resource{}, err
	}
	resource, err := r.decode(raw)
	if err != nil {
		return model.Resource{}, fmt.Errorf("a %s is not understood: %w", k, err)
	}
	return resource, nil
}

// Encode says which calls turn a resource from before to after, with their
// payloads. It is pure, and equal transitions give equal bytes. No calls means
// that nothing differs. An error means that Descope has no calls for it.
func Encode(t model.Transition) ([]model.Step, error) {
	r, err := rowOf(t.Key.Kind)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Key, err)
	}
	steps, err := r.encode(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Key, err)
	}
	return steps, nil
}

// writeRequest turns a step into its request. A plan comes from a file, so that
// a step whose body is about another object than its key says is refused.
func writeRequest(s model.Step, project string) (request, endpoint, error) {
	fail := func(format string, args ...any) (request, endpoint, error) {
		return request{}, endpoint{}, fmt.Errorf("%s: step %s: "+format, append([]any{s.Key, quoted(string(s.Op))}, args...)...)
	}
	r, err := rowOf(s.Key.Kind)
	if err != nil {
		return fail("%w", err)
	}
	e, ok := r.writes[s.Op]
	if !ok {
		return fail("there is no such operation on a %s", r.kind)
	}
	var id string
	if r.only != nil {
		if id = r.only(project); id != s.Key.ID {
			return fail("the %s here is %s", r.kind, quoted(id))
		}
	} else if id, err = e.names(s.Body); err != nil {
		return fail("%w", err)
	}
	if id != s.Key.ID || id == "" {
		return fail("its body is about %s", quoted(id))
	}
	return request{
		method: http.MethodPost, path: e.path, body: s.Body, budget: e.budget, object: s.Key.String(), write: true,
	}, e, nil
}
