package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// flowRow treats a flow as one opaque document, the attribute definition.
func flowRow() row {
	return row{
		kind:   model.Flow,
		list:   listFlows,
		get:    getFlow,
		decode: decodeFlow,
		encode: encodeFlow,
		writes: map[model.Op]endpoint{
			model.FlowImport: {path: "/v2/mgmt/flow/import", budget: BudgetOther, names: importedFlow, effect: flowIsAsSent},
			model.FlowDelete: {
				path: "/v1/mgmt/flow/delete", budget: BudgetOther, names: deletedFlow, gone: true,
				effect: func(_ json.RawMessage, _ model.Resource, exists bool) bool { return !exists },
			},
		},
	}
}

// listFlows lists the flows and exports those whose stamp has moved since they were
// exported last, several at a time. What came from the cache is no image to write over:
// each flow is exported once more right before.
func listFlows(ctx context.Context, c *Client) ([]model.Resource, time.Time, error) {
	r := request{method: http.MethodPost, path: "/v1/mgmt/flow/list", body: []byte("{}"), budget: BudgetOther}
	got, err := c.read(ctx, r)
	if err != nil {
		return nil, time.Time{}, err
	}
	metas, err := decodeList(got.body, "flows")
	if err != nil {
		return nil, time.Time{}, c.badReply(r, "%w", err)
	}
	ids, stamps := make([]string, len(metas)), make([]FlowStamp, len(metas))
	seen := map[string]bool{}
	for i, m := range metas {
		if ids[i], err = idOf(m); err != nil || ids[i] == "" || seen[ids[i]] {
			return nil, time.Time{}, c.badReply(r, "flows[%d] has no id of its own (%s)", i, quoted(ids[i]))
		}
		seen[ids[i]] = true
		stamps[i] = stampOf(m)
	}
	flows := make([]model.Resource, len(ids))
	var missing []int
	for i, id := range ids {
		flow, ok := c.cachedFlow(id, stamps[i])
		if !ok {
			missing = append(missing, i)
			continue
		}
		flows[i] = flow
	}
	if err := c.exportAll(ctx, ids, missing, flows); err != nil {
		return nil, got.sent, err
	}
	if c.config.Flows != nil {
		for _, i := range missing {
			c.config.Flows.Keep(ids[i], stamps[i], flows[i].Observed.Raw)
		}
	}
	return flows, got.sent, nil
}

// exportAll exports those flows that are missing. The first failure stops those that
// have not begun.
func (c *Client) exportAll(ctx context.Context, ids []string, missing []int, flows []model.Resource) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var group sync.WaitGroup
	for range min(c.config.Workers, len(missing)) {
		group.Go(func() {
			for i := range next {
				flow, exists, err := getFlow(ctx, c, ids[i])
				if err == nil && !exists {
					err = fmt.Errorf("flow %s was in the list and is gone", quoted(ids[i]))
				}
				if err != nil {
					cancel(err) // the first one stays
				}
				flows[i] = flow
			}
		})
	}
	for _, i := range missing {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	group.Wait()
	return context.Cause(ctx)
}

// Export returns a flow in the form in which Descope exports it.
func (c *Client) Export(ctx context.Context, id string) (json.RawMessage, error) {
	r := exportRequest(id)
	got, err := c.read(ctx, r)
	if err != nil {
		return nil, err
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(got.body, &top); err != nil || top["flow"] == nil {
		return nil, c.badReply(r, `"flow" is missing from the answer`)
	}
	return top["flow"], nil
}

func exportRequest(id string) request {
	return request{
		method: http.MethodPost, path: "/v2/mgmt/flow/export", body: model.CanonicalJSON(map[string]any{"flowId": id}),
		budget: BudgetOther, object: model.Key{Kind: model.Flow, ID: id}.String(),
	}
}

func getFlow(ctx context.Context, c *Client, id string) (model.Resource, bool, error) {
	raw, err := c.Export(ctx, id)
	if IsNotFound(err) {
		return model.Resource{}, false, nil
	}
	if err != nil {
		return model.Resource{}, false, err
	}
	flow, err := decodeFlow(raw)
	if err != nil {
		return model.Resource{}, false, c.badReply(exportRequest(id), "the flow is not understood: %w", err)
	}
	if flow.Key.ID != id {
		return model.Resource{}, false, c.badReply(exportRequest(id), "the export is of %s", quoted(flow.Key.ID))
	}
	return flow, true, nil
}

// decodeFlow makes a live resource of a flow as Descope exports it.
func decodeFlow(raw json.RawMessage) (model.Resource, error) {
	definition, err := decodeObject(raw)
	if err != nil {
		return model.Resource{}, err
	}
	id, _ := definition["flowId"].(string)
	if id == "" {
		return model.Resource{}, errors.New("a flow without an id")
	}
	return model.Resource{
		Key:      model.Key{Kind: model.Flow, ID: id},
		Attrs:    map[string]any{"definition": definition},
		Observed: &model.Observed{Raw: raw, Fields: flowImage(definition)},
	}, nil
}

func encodeFlow(t model.Transition) ([]model.Step, error) {
	if t.After == nil {
		body := map[string]any{"ids": []any{t.Key.ID}}
		return []model.Step{{Op: model.FlowDelete, Key: t.Key, Body: model.CanonicalJSON(body)}}, nil
	}
	for attr := range t.After {
		if attr != "definition" {
			return nil, fmt.Errorf("the client cannot write %s of a flow", quoted(attr))
		}
	}
	definition, ok := t.After["definition"].(map[string]any)
	if !ok || len(definition) == 0 { // empty, it would wipe out the live flow
		return nil, errors.New("a flow without a definition (a file whose @embed is to count begins with @extern(embed))")
	}
	if t.Before != nil && model.Equal(t.Before.Attrs["definition"], definition) {
		return nil, nil
	}
	flow := model.CloneMap(definition)
	flow["flowId"] = t.Key.ID
	body := map[string]any{"flow": flow}
	return []model.Step{{Op: model.FlowImport, Key: t.Key, Body: model.CanonicalJSON(body)}}, nil
}

func importedFlow(body json.RawMessage) (string, error) {
	top, err := decodeObject(body)
	if err != nil {
		return "", err
	}
	flow, _ := top["flow"].(map[string]any)
	id, _ := flow["flowId"].(string)
	return id, nil
}

func deletedFlow(body json.RawMessage) (string, error) {
	top, err := decodeObject(body)
	if err != nil {
		return "", err
	}
	ids, _ := top["ids"].([]any)
	if len(ids) != 1 {
		return "", errors.New("it must delete one flow")
	}
	id, _ := ids[0].(string)
	return id, nil
}

func flowIsAsSent(body json.RawMessage, live model.Resource, exists bool) bool {
	top, err := decodeObject(body)
	if err != nil || !exists || live.Observed == nil {
		return false
	}
	flow, _ := top["flow"].(map[string]any)
	return model.Equal(flowImage(flow), live.Observed.Fields)
}

// decodeObject reads a JSON object into normal form.
func decodeObject(body []byte) (map[string]any, error) {
	v, err := model.DecodeJSON(body)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is not a JSON object")
	}
	return m, nil
}
