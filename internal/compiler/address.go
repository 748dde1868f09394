package compiler

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// parseAddress reads KIND/ID[.FIELD]. Ids are many things, dots and quotes included,
// so what the environment has decides: an object with all of it for an id, else the
// one with the longest id in front of a dot.
func (c *compiled) parseAddress(text string) (model.Key, []string, *model.Diagnostic) {
	kind, rest, _ := strings.Cut(text, "/")
	k, err := model.ParseKind(kind)
	if err != nil || rest == "" {
		return model.Key{}, nil, c.notAnAddress(text)
	}
	id, field := rest, ""
	if !c.has(model.Key{Kind: k, ID: rest}) {
		id, field = c.splitID(k, rest)
	}
	if field == "" {
		return model.Key{Kind: k, ID: id}, nil, nil
	}
	path, ok := model.SplitPath(field[1:])
	if !ok && !strings.Contains(field, `"`) { // as in custom_attributes.2fa, said without quotes
		path, ok = strings.Split(field[1:], "."), true
	}
	if !ok || slices.Contains(path, "") {
		d := c.notAnAddress(text)
		d.Summary = fmt.Sprintf("%s: %s is not the name of a field", oneLine(text), quoted(field[1:]))
		d.Detail = `a field is written as custom_attributes.plan; a name with a dot in it goes in quotes: custom_attributes."a.b"`
		d.Hint = c.explainCommand(model.Key{Kind: k, ID: id}.String())
		return model.Key{}, nil, d
	}
	return model.Key{Kind: k, ID: id}, path, nil
}

// splitID divides an id from the field behind it, which begins with its dot.
func (c *compiled) splitID(k model.Kind, text string) (id, field string) {
	if quoted, err := strconv.QuotedPrefix(text); err == nil && text[0] == '"' {
		if rest := text[len(quoted):]; rest == "" || rest[0] == '.' {
			id, _ = strconv.Unquote(quoted)
			return id, rest
		}
	}
	for i := len(text) - 1; i > 0; i-- {
		if text[i] == '.' && c.has(model.Key{Kind: k, ID: text[:i]}) {
			return text[:i], text[i:]
		}
	}
	id, field, found := strings.Cut(text, ".")
	if found {
		field = "." + field
	}
	return id, field
}

func (c *compiled) has(key model.Key) bool {
	return slices.ContainsFunc(c.tree.objects, func(o *object) bool { return o.key == key })
}

func (c *compiled) notAnAddress(text string) *model.Diagnostic {
	d := &model.Diagnostic{
		Severity: model.Error,
		Code:     "unknown-address",
		Summary:  quoted(text) + " is not an address",
		Detail:   "an address is KIND/ID or KIND/ID.FIELD, for example tenant/acme-corp.custom_attributes.plan",
		Hint:     "descope-mgmt eval --env " + c.loaded.env,
	}
	for _, o := range c.tree.objects {
		if text == o.key.ID || strings.HasPrefix(text, o.key.ID+".") {
			meant := string(o.key.Kind) + "/" + text
			d.Detail = "did you mean " + quoted(meant) + "?"
			d.Hint = c.explainCommand(meant)
		}
	}
	return d
}

// explainCommand is the command that explains an address, or what shows all of them where
// the address would have to be quoted for a shell.
func (c *compiled) explainCommand(address string) string {
	if isPlainName(strings.NewReplacer("/", "", ".", "").Replace(address)) {
		return "descope-mgmt explain " + address + " --env " + c.loaded.env
	}
	return "descope-mgmt eval --env " + c.loaded.env
}
