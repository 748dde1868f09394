package emulator

import (
	"maps"
	"net/http"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// licence answers GET /v1/mgmt/license, which SDKs send before anything else.
func (c *call) licence() (map[string]any, *apiError) {
	return map[string]any{"rateLimitTier": c.tier}, nil
}

// planOnly refuses what the free plan does not have; what it does have is not
// there yet.
func (c *call) planOnly() (map[string]any, *apiError) {
	if c.tier == "tier1" {
		return nil, &apiError{status: http.StatusForbidden, code: codeLicence, message: "This feature requires a pro license or above"}
	}
	return nil, &apiError{status: http.StatusNotFound, code: ownCode(http.StatusNotFound), message: "The emulator has no snapshots and clones yet"}
}

// exportTheme answers POST /v2/mgmt/theme/export, importTheme its counterpart.
func (c *call) exportTheme() (map[string]any, *apiError) {
	theme := map[string]any{"styles": map[string]any{}, "componentsVersion": "", "references": map[string]any{}}
	maps.Copy(theme, c.project.theme)
	return map[string]any{"theme": theme}, nil
}

func (c *call) importTheme() (map[string]any, *apiError) {
	theme, ok := c.body["theme"].(map[string]any)
	if !ok {
		return nil, c.missing("theme")
	}
	theme = model.CloneMap(theme)
	if c.quirks.FlowEcho == "restamp" {
		theme["componentsVersion"] = c.componentsVersion()
	}
	c.project.theme = theme
	return nil, nil
}

// exportThemeV1 answers POST /v1/mgmt/theme/export; importThemeV1 replies with
// what it stored.
func (c *call) exportThemeV1() (map[string]any, *apiError) {
	theme := map[string]any{"id": "", "cssTemplate": map[string]any{}}
	maps.Copy(theme, c.project.themeV1)
	return map[string]any{"theme": theme}, nil
}

func (c *call) importThemeV1() (map[string]any, *apiError) {
	theme, ok := c.body["theme"].(map[string]any)
	if !ok {
		return nil, c.missing("theme")
	}
	c.project.themeV1 = model.CloneMap(theme)
	return c.exportThemeV1()
}

// listProjects answers POST /v1/mgmt/projects/list with those that the key may
// use and the emulator has seen.
func (c *call) listProjects() (map[string]any, *apiError) {
	list := []any{}
	for _, p := range c.known {
		if len(c.key.Projects) > 0 && !slices.Contains(c.key.Projects, p.id) {
			continue
		}
		p.mu.Lock()
		name, tags := p.name, p.tags
		p.mu.Unlock()
		if name == "" {
			name = p.id
		}
		if tags == nil {
			tags = []string{}
		}
		list = append(list, map[string]any{"id": p.id, "name": name, "tag": "", "environment": "", "tags": tags})
	}
	return map[string]any{"projects": list}, nil
}
