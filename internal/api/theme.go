package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// themeRow is the theme of the project: its styles.
func themeRow() row {
	return row{
		kind: model.Theme,
		list: func(ctx context.Context, c *Client) ([]model.Resource, time.Time, error) {
			is, at, err := exportTheme(ctx, c)
			if err != nil {
				return nil, at, err
			}
			return []model.Resource{is}, at, nil
		},
		get: func(ctx context.Context, c *Client, id string) (model.Resource, bool, error) {
			if id != model.ThemeID {
				return model.Resource{}, false, nil
			}
			is, _, err := exportTheme(ctx, c)
			return is, err == nil, err
		},
		decode: decodeTheme,
		encode: encodeTheme,
		writes: map[model.Op]endpoint{
			model.ThemeImport: {path: "/v2/mgmt/theme/import", budget: BudgetOther, effect: themeIsAsSent},
		},
		only: func(string) string { return model.ThemeID },
	}
}

func exportTheme(ctx context.Context, c *Client) (model.Resource, time.Time, error) {
	r := request{method: http.MethodPost, path: "/v2/mgmt/theme/export", body: []byte("{}"), budget: BudgetOther, object: "theme/" + model.ThemeID}
	got, err := c.read(ctx, r)
	if err != nil {
		return model.Resource{}, time.Time{}, err
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(got.body, &top); err != nil || top["theme"] == nil {
		return model.Resource{}, time.Time{}, c.badReply(r, `"theme" is missing from the answer`)
	}
	theme, err := decodeTheme(top["theme"])
	if err != nil {
		err = c.badReply(r, "the theme is not understood: %w", err)
	}
	return theme, got.sent, err
}

// decodeTheme makes a resource of a theme as Descope exports it. Descope: the version
// of the components is set by whichever service saved it last.
func decodeTheme(raw json.RawMessage) (model.Resource, error) {
	theme, err := decodeObject(raw)
	if err != nil {
		return model.Resource{}, err
	}
	styles, ok := theme["styles"].(map[string]any)
	if !ok {
		if theme["styles"] != nil {
			return model.Resource{}, errors.New("its styles are no object")
		}
		styles = map[string]any{}
	}
	version, _ := theme["componentsVersion"].(string)
	fields := maps.Clone(theme)
	delete(fields, "componentsVersion")
	dropEmpty(fields)
	return model.Resource{
		Key:      model.Key{Kind: model.Theme, ID: model.ThemeID},
		Attrs:    map[string]any{"styles": styles, "components_version": version},
		Observed: &model.Observed{Raw: raw, Fields: fields},
	}, nil
}

func encodeTheme(t model.Transition) ([]model.Step, error) {
	if t.Before == nil || t.After == nil || t.Before.Observed == nil {
		return nil, errors.New("a theme is neither made nor deleted")
	}
	theme, err := decodeObject(t.Before.Observed.Raw)
	if err != nil {
		return nil, err
	}
	theme["styles"], theme["componentsVersion"] = t.After["styles"], t.After["components_version"]
	return []model.Step{{Op: model.ThemeImport, Key: t.Key, Body: model.CanonicalJSON(map[string]any{"theme": theme})}}, nil
}

func themeIsAsSent(body json.RawMessage, live model.Resource, exists bool) bool {
	top, err := decodeObject(body)
	if err != nil || !exists {
		return false
	}
	theme, _ := top["theme"].(map[string]any)
	return model.Equal(theme["styles"], live.Attrs["styles"])
}
