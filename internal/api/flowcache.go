package api

import (
	"encoding/json"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// FlowStamp is what a list of flows says about one, by which a change can be seen
// without an export. Descope: etag, version and modifiedTime are there only, and in
// the v1 export; that they move with every edit is likely and unproven.
type FlowStamp struct {
	ETag         string
	Version      int64
	ModifiedTime string
}

// FlowCache keeps exports of flows between reads. It may forget, but what it gives back
// must be what it was given. It is safe for concurrent use.
type FlowCache interface {
	// Cached returns the export that was kept with this stamp.
	Cached(id string, s FlowStamp) (json.RawMessage, bool)
	// Keep is told of an export, with the stamp that the list gave before it.
	Keep(id string, s FlowStamp, raw json.RawMessage)
	// Drop is called before a flow is written; nothing is sent if it fails.
	Drop(id string) error
}

// stampOf is the stamp of a flow in a list. Descope: numbers of 64 bits are texts.
func stampOf(meta json.RawMessage) FlowStamp {
	var m struct {
		ETag         string          `json:"etag"`
		Version      json.RawMessage `json:"version"`
		ModifiedTime json.RawMessage `json:"modifiedTime"`
	}
	if json.Unmarshal(meta, &m) != nil {
		return FlowStamp{}
	}
	s := FlowStamp{ETag: m.ETag, ModifiedTime: strings.Trim(string(m.ModifiedTime), `"`)}
	if json.Unmarshal([]byte(strings.Trim(string(m.Version), `"`)), &s.Version) != nil {
		return FlowStamp{}
	}
	return s
}

// cachedFlow is a flow as it was exported before, if its stamp has not moved.
func (c *Client) cachedFlow(id string, s FlowStamp) (model.Resource, bool) {
	if c.config.Flows == nil || s == (FlowStamp{}) {
		return model.Resource{}, false
	}
	raw, ok := c.config.Flows.Cached(id, s)
	if !ok {
		return model.Resource{}, false
	}
	flow, err := decodeFlow(raw)
	return flow, err == nil && flow.Key.ID == id
}

// dropCached makes the cache forget a flow that is about to be written.
func (c *Client) dropCached(s model.Step) error {
	if c.config.Flows == nil || s.Key.Kind != model.Flow {
		return nil
	}
	return c.config.Flows.Drop(s.Key.ID)
}
