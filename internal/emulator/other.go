package emulator

import (
	"maps"
	"net/http"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// licence answers GET /v1/mgmt/license, which SDKs send before anything else.
func (c *call) licence() (map[string]any, *apiError) {
	return map[string]any{"rateLimitTier": c.tier}, nil
}

// paid refuses what the free plan does not have. Descope: clones and snapshots need
// Pro or above.
func (c *call) paid() *apiError {
	if c.tier != "tier1" {
		return nil
	}
	return &apiError{status: http.StatusForbidden, code: codeLicence, message: "This feature requires a pro license or above"}
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
