package compiler

import (
	"bytes"
	"fmt"
	"maps"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// usesTemplates reports whether a file seems to use a flow template. A wrong
// answer costs time, nothing else: the templates take as long to load as a
// hundred tenants, so they are left out where nobody asks for them.
func usesTemplates(s source) bool {
	for _, word := range []string{"template", "schema.#MFA", "schema.#Sign", "schema.#Magic", "schema.#Social"} {
		if bytes.Contains(s.data, []byte(word)) {
			return true
		}
	}
	return false
}

// isTemplateFile tells the files of the schema that only flows with a template
// need.
func isTemplateFile(name string) bool {
	return strings.HasPrefix(name, "flow_") || strings.HasPrefix(name, "template_")
}

// template is the name of the template that a flow is made from, or "".
func (o *object) template() string {
	if o.key.Kind != model.Flow {
		return ""
	}
	s, _ := o.fields["template"].(string)
	return s
}

// namesTemplate reports whether a flow of the environment has a template.
func (t *tree) namesTemplate() bool {
	for _, o := range t.objects {
		if o.template() != "" {
			return true
		}
	}
	return false
}

// isTemplateField tells what a template takes from what it makes: its name,
// description and whether it is enabled are in the definition already.
func isTemplateField(field string) bool {
	switch field {
	case "template", "config", "steps", "enabled", "name", "description":
		return true
	}
	return false
}

// flowOrigins are the positions of a flow whose definition a template made: it
// stands where the template is named.
func (o *object) flowOrigins(where positions) map[string]model.Origin {
	if o.template() == "" || where.origins["template"].IsZero() {
		return where.origins
	}
	out := maps.Clone(where.origins)
	out["definition"] = out["template"]
	return out
}

// flow checks what is not left to CUE, which would let it pass.
func (r *rules) flow(o *object) {
	res, ok := r.result.State.Get(o.key)
	if !ok {
		return
	}
	content, definition := o.fields["definition"]
	if o.template() != "" {
		if !o.where.origins["definition"].IsZero() {
			r.add(about(res, ""), "template-or-definition", "%s has both template and definition", name(o.key)).Detail = oneOfTheTwo
		}
		r.manualSteps(o, res)
		return
	}
	if !definition {
		r.add(about(res, ""), "template-or-definition", "%s has neither template nor definition", name(o.key)).Detail = oneOfTheTwo
		return
	}
	for _, field := range []string{"config", "steps"} {
		if _, ok := o.fields[field]; ok {
			d := r.add(about(res, field), "template-or-definition", "%s has %s but no template", name(o.key), field)
			d.Detail = "config and steps are those of a template"
			d.Hint = "a definition is changed in its file, or by screens"
		}
	}
	if fields, ok := content.(map[string]any); ok && len(fields) == 0 {
		d := r.add(about(res, "definition"), "empty-definition", "%s: definition is empty", name(o.key))
		d.Detail = "expected: " + allowed("#Flow", "definition")
		d.Hint = "a file that embeds begins with " + externEmbed
	}
}

const oneOfTheTwo = "a flow has exactly one of the two"

// manualSteps warns of what a template takes but cannot bring about. Descope: how
// long a device is trusted is a setting of the project, which no flow has.
func (r *rules) manualSteps(o *object, res model.Resource) {
	config, _ := o.fields["config"].(map[string]any)
	days, ok := config["remember_duration_days"]
	if !ok {
		return
	}
	d := about(res, "config.remember_duration_days")
	d.Severity = model.Warning
	w := r.add(d, "manual-step", "%s: config.remember_duration_days is %v, which has to be set by hand", name(o.key), days)
	w.Detail = "it is a setting of the project, not of a flow, and is not sent"
	w.Hint = fmt.Sprintf("set the expiration of trusted devices to %v days in the console, in the settings of the project", days)
	if on, _ := config["remember_device"].(bool); !on {
		w.Hint = "remove it: remember_device is false"
	}
}
