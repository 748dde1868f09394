package emulator

import "pcconnect.ai/descope-mgmt/internal/model"

// listTemplates answers POST /v1/mgmt/flow/template/list. Descope: a template is
// a flow in the spelling of v1 with its screens, tags and methods.
func (c *call) listTemplates() (map[string]any, *apiError) {
	templates := c.project.templates
	if templates == nil {
		templates = ownTemplates()
	}
	list := []any{}
	for _, t := range inOrder(c, templates, func(t map[string]any) string { id, _ := t["id"].(string); return id }) {
		list = append(list, t)
	}
	return map[string]any{"templates": list, "total": len(list)}, nil
}

// ownTemplates stand for Descope's library, whose content is not public. Each
// can be imported as it is.
func ownTemplates() []map[string]any {
	return []map[string]any{
		ownTemplate("sign-up-or-in", "Sign up or in", "otp", "sign-up-or-in-otp-email"),
		ownTemplate("step-up", "Step up", "totp", "sign-in-totp"),
	}
}

func ownTemplate(id, name, method, action string) map[string]any {
	screen := mintID("SC", id)
	next := func(interaction, task string) map[string]any {
		return map[string]any{"rules": []any{map[string]any{"interactionId": interaction, "taskId": task}}}
	}
	template := map[string]any{
		"id": id, "name": name, "description": name + " with " + method, "modifiedTime": "0",
		"tags": []any{"Authentication"}, "methods": []any{method},
		"dsl": map[string]any{"startTask": "0", "tasks": map[string]any{
			"0": map[string]any{"id": "0", "name": "Start", "next": next("", "1")},
			"1": map[string]any{"id": "1", "name": "Welcome", "type": "screen", "screenId": screen, "next": next("submit", "2")},
			"2": map[string]any{"id": "2", "name": "Verify", "type": "automated", "action": action, "next": next("success", "3")},
			"3": map[string]any{"id": "3", "name": "End", "type": "automated", "action": "logged-in", "next": map[string]any{"rules": []any{}}},
		}},
		"screens": []any{map[string]any{
			"id": screen, "inputs": []any{},
			"interactions": []any{map[string]any{"id": "submit", "type": "button", "label": "Continue", "icon": "", "subType": ""}},
			"htmlTemplate": map[string]any{"ROOT": map[string]any{
				"type": map[string]any{"resolvedName": "Container"}, "props": map[string]any{}, "nodes": []any{"submit"},
			}, "submit": map[string]any{
				"type": map[string]any{"resolvedName": "Button"}, "props": map[string]any{"children": "Continue"}, "nodes": []any{}, "parent": "ROOT",
			}},
		}},
	}
	template["etag"] = etag(model.CloneMap(template))
	return template
}
