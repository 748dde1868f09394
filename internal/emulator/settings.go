package emulator

import (
	"encoding/json"
	"slices"
	"strconv"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// sessionFields are the settings of a tenant that only this endpoint knows.
// Descope: the odd capitals are those of the wire.
func sessionFields() []field {
	return []field{
		{name: "enabled", kind: flag},
		{name: "refreshTokenExpiration", kind: count},
		{name: "refreshTokenExpirationUnit"},
		{name: "sessionTokenExpiration", kind: count},
		{name: "sessionTokenExpirationUnit"},
		{name: "stepupTokenExpiration", kind: count},
		{name: "stepupTokenExpirationUnit"},
		{name: "enableInactivity", kind: flag},
		{name: "inactivityTime", kind: count},
		{name: "inactivityTimeUnit"},
		{name: "JITDisabled", kind: flag},
		{name: "ssoSetupSuiteSettings", kind: opaque},
	}
}

// sharedFields are stored in the tenant and written from here as well.
func sharedFields() []field {
	return []field{
		{name: "domains", kind: texts},
		{name: "selfProvisioningDomains", kind: texts},
		{name: "authType", zero: "none"},
	}
}

// laterFields are sent by one SDK only and are not in the published schema:
// taken where present, left alone where absent.
func laterFields() []field {
	return []field{
		{name: "enforceSSO", kind: flag},
		{name: "enforceSSOExclusions", kind: texts},
		{name: "federatedAppIds", kind: texts},
	}
}

func emptySettings() map[string]any {
	settings := map[string]any{}
	for _, f := range sessionFields() {
		settings[f.name] = f.empty()
	}
	return settings
}

// settingsChanged reports whether there is anything to save.
func (t *tenant) settingsChanged() bool { return !model.Equal(t.settings, emptySettings()) }

// loadSettings answers GET /v1/mgmt/tenant/settings.
func (c *call) loadSettings() (map[string]any, *apiError) {
	t, e := c.findQuery("id")
	if e != nil {
		return nil, e
	}
	settings := make(map[string]any, len(t.settings)+3)
	for name, v := range t.settings {
		settings[name] = v
	}
	for _, f := range sharedFields() {
		settings[f.name] = t.wire[f.name]
	}
	return settings, nil
}

// configureSettings answers POST /v1/mgmt/tenant/settings. Descope: what is
// not given is overridden with its default.
func (c *call) configureSettings() (map[string]any, *apiError) {
	if e := c.require("tenantId"); e != nil {
		return nil, e
	}
	t, e := c.find("tenantId")
	if e != nil {
		return nil, e
	}
	merge := c.quirks.SettingsUpdate == "merge"
	settings, wire := model.CloneMap(t.settings), model.CloneMap(t.wire)
	for _, part := range []struct {
		onto   map[string]any
		fields []field
		merge  bool
	}{{settings, sessionFields(), merge}, {wire, sharedFields(), merge}, {wire, laterFields(), true}} {
		if e := overlay(part.onto, part.fields, c.body, part.merge); e != nil {
			return nil, e
		}
	}
	if e := checkSession(settings); e != nil {
		return nil, e
	}
	next := newTenant(wire)
	if e := c.check(next); e != nil {
		return nil, e
	}
	if e := c.checkDomains(next, "domains", c.quirks.DuplicateSSODomains); e != nil {
		return nil, e
	}
	t.replace(next.wire)
	t.settings = settings
	return nil, nil
}

// checkSession applies the documented limits to settings that are switched on.
// Descope: a session token lives at least 3 minutes and no longer than the
// refresh token.
func checkSession(settings map[string]any) *apiError {
	units := map[string]int64{"": 60, "seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}
	seconds := map[string]int64{}
	for _, name := range []string{"refreshTokenExpiration", "sessionTokenExpiration", "stepupTokenExpiration", "inactivityTime"} {
		unit, _ := settings[name+"Unit"].(string)
		scale, ok := units[unit]
		if !ok {
			return invalid("The %sUnit field is not a unit of time", name)
		}
		number, _ := settings[name].(json.Number)
		n, _ := strconv.ParseInt(number.String(), 10, 32)
		if n < 0 {
			return invalid("The %s field is negative", name)
		}
		seconds[name] = n * scale
	}
	session, refresh := seconds["sessionTokenExpiration"], seconds["refreshTokenExpiration"]
	switch {
	case settings["enabled"] != true || session == 0:
		return nil
	case session < 180:
		return invalid("The session token expiration is below 3 minutes")
	case refresh != 0 && session > refresh:
		return invalid("The session token expiration is above that of the refresh token")
	}
	return nil
}

// settingsRequest are all fields that POST settings takes.
func settingsRequest() []string {
	return slices.Concat([]string{"tenantId"}, fieldNames(sessionFields()), fieldNames(sharedFields()), fieldNames(laterFields()))
}
