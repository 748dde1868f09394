package source

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Live is what a project has, as a configuration says it.
type Live struct {
	// State are the resources that the configuration does not have, with the
	// attributes that are worth managing: those that hold something and that the
	// configuration can say. A tenant that breaks a rule of the house is imported.
	State model.State
	// Remarks say of them what the configuration does not say, and what rules they
	// break.
	Remarks map[model.Key][]string
	// Notes are the same for the user, with the resources that are not in State.
	Notes model.Diagnostics
}

// FromLive turns what is live in a project into what is missing from the configuration
// of its environment: config is what that says already, excluded what enabled_in leaves
// out there.
//
// What a configuration cannot hold is left unmanaged, with a note: values of custom
// attributes that are null, nested or not Unicode, domains that are none, numbers out of
// range, domains that a tenant of the configuration has. A tenant without a name of its own,
// or whose id is not Unicode, is left out.
func FromLive(live, config model.State, excluded []model.Key) Live {
	l := &reader{
		live: live, config: config, excluded: excluded, out: Live{Remarks: map[model.Key][]string{}},
		names: nameHolders(live), taken: nameHolders(config), held: domainHolders(config.Of(model.Tenant)),
	}
	var resources []model.Resource
	for _, r := range live.Resources() {
		if _, configured := config.Get(r.Key); configured || !l.fits(r) {
			continue
		}
		if r.Key.Kind == model.Flow {
			resources = append(resources, model.Resource{Key: r.Key, Attrs: map[string]any{"definition": r.Attrs["definition"]}})
			continue
		}
		resources = append(resources, l.tenant(r))
	}
	l.domains = domainHolders(resources)
	kept := map[model.Key]bool{}
	for _, r := range resources {
		kept[r.Key] = true
	}
	for i, r := range resources {
		if r.Key.Kind == model.Tenant {
			l.place(&resources[i], kept)
			l.house(&resources[i])
		}
	}
	l.out.State, _ = model.NewState(resources) // the keys are those of a state
	slices.SortStableFunc(l.out.Notes, func(a, b model.Diagnostic) int { return a.Key.Compare(*b.Key) })
	return l.out
}

// reader is one run of FromLive.
type reader struct {
	live, config model.State
	excluded     []model.Key
	out          Live
	// names are those of live tenants, taken those of configured ones.
	names, taken map[string][]model.Key
	// domains are those of tenants that are to be written, held those of configured ones.
	domains, held map[string][]model.Resource
}

func nameHolders(s model.State) map[string][]model.Key {
	names := map[string][]model.Key{}
	for _, r := range s.Of(model.Tenant) {
		name, _ := r.Attrs["name"].(string)
		names[name] = append(names[name], r.Key)
	}
	return names
}

func domainHolders(resources []model.Resource) map[string][]model.Resource {
	domains := map[string][]model.Resource{}
	for _, r := range resources {
		for _, d := range model.Texts(r.Attrs["domains"]) {
			domains[strings.ToLower(d)] = append(domains[strings.ToLower(d)], r)
		}
	}
	return domains
}

// note tells of what is not as it is live.
func (l *reader) note(key model.Key, path, code, format string, args ...any) {
	l.out.Notes = append(l.out.Notes, model.Diagnostic{
		Severity: model.Warning, Code: code, Key: &key, Path: path,
		Summary: fmt.Sprintf(format, args...),
	})
}

// unmanaged notes that a value stays out of the configuration.
func (l *reader) unmanaged(key model.Key, path, why string) {
	l.note(key, path, "unmanaged", "%s is left unmanaged: %s", plain(path), why)
	l.remark(key, "%s is left unmanaged: %s", plain(path), why)
}

func (l *reader) remark(key model.Key, format string, args ...any) {
	l.out.Remarks[key] = append(l.out.Remarks[key], fmt.Sprintf(format, args...))
}

// plain is text that can stand in a comment.
func plain(s string) string {
	quoted := strconv.QuoteToASCII(s)
	if inner := quoted[1 : len(quoted)-1]; inner == s {
		return s
	}
	return quoted
}

// fits reports whether a resource can be written at all.
func (l *reader) fits(r model.Resource) bool {
	out := func(format string, args ...any) bool {
		l.note(r.Key, "", "left-out", "left out: "+format, args...)
		return false
	}
	switch {
	case slices.Contains(l.excluded, r.Key):
		return out("enabled_in says that this environment does not have it")
	case strings.ContainsRune(r.Key.ID, utf8.RuneError):
		return out("its id is not valid Unicode")
	case r.Key.Kind != model.Tenant:
		return true
	}
	name, _ := r.Attrs["name"].(string)
	if taken := l.taken[name]; len(taken) > 0 {
		return out("%s of the configuration has its name, %s", plain(taken[0].String()), plain(name))
	}
	if first := l.names[name][0]; first != r.Key {
		if _, configured := l.config.Get(first); !configured && l.nameable(first) {
			return out("%s has its name, %s, too", plain(first.String()), plain(name))
		}
	}
	return true
}

// nameable: the tenant is written, so that its name is taken.
func (l *reader) nameable(key model.Key) bool {
	return !slices.Contains(l.excluded, key) && !strings.ContainsRune(key.ID, utf8.RuneError)
}

// tenant is what is written of a tenant, but for what depends on the others.
func (l *reader) tenant(r model.Resource) model.Resource {
	attrs := map[string]any{"name": r.Attrs["name"]}
	if name, _ := r.Attrs["name"].(string); strings.ContainsRune(name, utf8.RuneError) {
		l.note(r.Key, "name", "not-unicode", "its name is not valid Unicode: it is written with a replacement character")
	}
	if domains := model.Texts(r.Attrs["domains"]); len(domains) > 0 {
		if why := l.unwritable(domains); why != "" {
			l.unmanaged(r.Key, "domains", why)
		} else {
			attrs["domains"], attrs["self_provisioning"] = r.Attrs["domains"], true
		}
	}
	for _, name := range []string{"parent", "role_inheritance", "disabled", "default_roles"} {
		if v := r.Attrs[name]; !model.Unset(v) {
			attrs[name] = v
		}
	}
	if v, _ := attrs["role_inheritance"].(string); v != "" && v != "none" && v != "userOnly" {
		delete(attrs, "role_inheritance")
		l.unmanaged(r.Key, "role_inheritance", "it has a value that is not known, "+plain(v))
	}
	custom, _ := r.Attrs["custom_attributes"].(map[string]any)
	kept := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		why := notAnAttribute(custom[name])
		if strings.ContainsRune(name, utf8.RuneError) {
			why = "its name is not valid Unicode"
		}
		if why != "" {
			l.unmanaged(r.Key, model.JoinPath("custom_attributes", name), why)
			continue
		}
		kept[name] = custom[name]
	}
	if len(kept) > 0 {
		attrs["custom_attributes"] = kept
	}
	return model.Resource{Key: r.Key, Attrs: attrs}
}

// maxExponent and maxDigits are what CUE reads without a change.
const (
	maxExponent = 99_999
	maxDigits   = 34
)

// notAnAttribute says why a value cannot be that of a custom attribute, or "".
func notAnAttribute(v any) string {
	switch v := v.(type) {
	case nil:
		return "it is null"
	case map[string]any:
		return "it holds an object"
	case string:
		if strings.ContainsRune(v, utf8.RuneError) {
			return "its value is not valid Unicode"
		}
	case json.Number:
		mantissa, exponent, _ := strings.Cut(strings.TrimPrefix(v.String(), "-"), "e")
		n, err := strconv.Atoi("0" + strings.TrimPrefix(exponent, "-"))
		if err != nil || n > maxExponent-maxDigits {
			return "the number is too large or too small"
		}
		if strings.Contains(mantissa, ".") && len(strings.Trim(strings.ReplaceAll(mantissa, ".", ""), "0")) > maxDigits {
			return fmt.Sprintf("the number has more than %d digits", maxDigits)
		}
	case []any:
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return "it is a list of something else than strings"
			}
			if strings.ContainsRune(s, utf8.RuneError) {
				return "its value is not valid Unicode"
			}
		}
	}
	return ""
}

var domainForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
})

// unwritable says why domains cannot be written, or "".
func (l *reader) unwritable(domains []string) string {
	for _, d := range domains {
		if len(d) > 253 || !domainForm().MatchString(d) {
			return plain(d) + " is no domain in lower case"
		}
		for _, other := range l.held[d] {
			if !other.Policy.Imported {
				return plain(other.Key.String()) + " of the configuration has " + d
			}
		}
	}
	return ""
}

// place drops a parent that the configuration will not have.
func (l *reader) place(r *model.Resource, kept map[model.Key]bool) {
	parent, ok := r.Attrs["parent"].(string)
	if !ok {
		return
	}
	key := model.Key{Kind: model.Tenant, ID: parent}
	if _, configured := l.config.Get(key); configured || kept[key] {
		return
	}
	delete(r.Attrs, "parent")
	l.unmanaged(r.Key, "parent", plain(parent)+" is not in the configuration")
}

// house marks a tenant that breaks a rule of the house.
func (l *reader) house(r *model.Resource) {
	var broken []string
	if !model.IsHouseID(r.Key.ID) {
		broken = append(broken, "its id")
	}
	name, _ := r.Attrs["name"].(string)
	if n := utf8.RuneCountInString(name); n < 1 || n > model.MaxTenantName {
		broken = append(broken, fmt.Sprintf("a name of %d characters", n))
	}
	if slices.ContainsFunc(model.Texts(r.Attrs["domains"]), func(d string) bool { return len(l.domains[d])+len(l.held[d]) > 1 }) {
		broken = append(broken, "a domain of another tenant")
	}
	if depth := l.depth(r.Key.ID); depth > model.MaxTenantLevels {
		broken = append(broken, fmt.Sprintf("level %d", depth))
	}
	if len(broken) > 0 {
		r.Policy.Imported = true
		l.remark(r.Key, "breaks a rule of the house: %s", strings.Join(broken, ", "))
	}
}

// depth is on which level a live tenant is.
func (l *reader) depth(id string) int {
	depth := 0
	for seen := map[string]bool{}; id != "" && !seen[id]; depth++ {
		seen[id] = true
		r, _ := l.live.Get(model.Key{Kind: model.Tenant, ID: id})
		id, _ = r.Attrs["parent"].(string)
	}
	return depth
}
