package emulator

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// endpoint is one method and path of the API.
type endpoint struct {
	run func(*call) (map[string]any, *apiError)
	// takes are the fields of the request; nil is anything.
	takes []string
	// write marks what changes the project and is saved.
	write bool
	// list names the list of the reply that the list faults cut short.
	list string
	// company marks what needs no project in the Authorization header.
	company bool
	// whole marks what a key that is limited to some projects may not ask.
	whole bool
	// others has the projects that exist looked up before the call.
	others bool
}

// call is one request on its way through an endpoint. The project, where there
// is one, is locked.
type call struct {
	quirks  Quirks
	tier    string
	key     Key
	project *project
	known   []*project // those that exist, where the endpoint asks for them
	made    *project   // one that the call makes
	query   url.Values
	// argument is the end of the path, where the endpoint takes one.
	argument string
	body     map[string]any
	now      time.Time
	serial   uint64
}

// require checks that text fields are there, in this order.
func (c *call) require(names ...string) *apiError {
	for _, name := range names {
		v, e := field{name: name}.read(c.body[name])
		if e != nil {
			return e
		}
		if v == "" {
			return c.missing(name)
		}
	}
	return nil
}

func (c *call) missing(name string) *apiError {
	return &apiError{status: 400, code: c.quirks.MissingFieldCode, message: fmt.Sprintf("The %s field is required", name)}
}

// find is the tenant that a field of the body names.
func (c *call) find(name string) (*tenant, *apiError) {
	id, _ := c.body[name].(string)
	return c.lookup(id)
}

// findQuery is the tenant that a parameter of the query names.
func (c *call) findQuery(name string) (*tenant, *apiError) {
	id := c.query.Get(name)
	if id == "" {
		return nil, c.missing(name)
	}
	return c.lookup(id)
}

func (c *call) lookup(id string) (*tenant, *apiError) {
	if t := c.project.tenant(id); t != nil {
		return t, nil
	}
	return nil, &apiError{status: c.quirks.NotFoundStatus, code: codeNoTenant, message: fmt.Sprintf("Tenant %q not found", id)}
}

// endpoints is the whole API, by method and path.
func endpoints() map[string]endpoint {
	write := func(run func(*call) (map[string]any, *apiError), takes ...string) endpoint {
		return endpoint{run: run, write: true, takes: takes}
	}
	tenantRequest := append([]string{"id"}, fieldNames(tenantFields())...)
	userRequest := append(fieldNames(givenUserFields()), "loginId", "additionalLoginIds", "displayName", "userTenants", "test")
	userSearch := endpoint{run: (*call).searchUsers, list: "users", takes: fieldNames(userSearchFields())}
	return map[string]endpoint{
		"GET /v1/mgmt/license": {run: (*call).licence, company: true},

		"POST /v1/mgmt/tenant/create":             write((*call).createTenant, append(tenantRequest, "parent")...),
		"POST /v1/mgmt/tenant/update":             write((*call).updateTenant, tenantRequest...),
		"POST /v1/mgmt/tenant/delete":             write((*call).deleteTenant, "id", "cascade"),
		"POST /v1/mgmt/tenant/updateDefaultRoles": write((*call).updateDefaultRoles, "id", "defaultRoles"),
		"POST /v1/mgmt/tenant/settings":           write((*call).configureSettings, settingsRequest()...),
		"GET /v1/mgmt/tenant/settings":            {run: (*call).loadSettings},
		"GET /v1/mgmt/tenant":                     {run: (*call).loadTenant},
		"GET /v1/mgmt/tenant/all":                 {run: (*call).allTenants, list: "tenants"},
		"POST /v1/mgmt/tenant/search":             {run: (*call).searchTenants, list: "tenants", takes: fieldNames(searchFields())},

		"POST /v1/mgmt/user/create":               write((*call).createUser, userRequest...),
		"POST /v1/mgmt/user/create/test":          write((*call).createUser, userRequest...),
		"POST /v1/mgmt/user/delete":               write((*call).deleteUser, "loginId", "userId"),
		"POST /v1/mgmt/user/update/tenant/add":    write((*call).addUserTenant, "loginId", "tenantId"),
		"POST /v1/mgmt/user/update/tenant/remove": write((*call).removeUserTenant, "loginId", "tenantId"),
		"GET /v1/mgmt/user":                       {run: (*call).loadUser},
		"POST /v1/mgmt/user/search":               userSearch,
		"POST /v2/mgmt/user/search":               userSearch,
		"POST /v2/mgmt/user/search/test":          userSearch,

		"POST /v1/mgmt/accesskey/create":     write((*call).createAccessKey, append(fieldNames(givenKeyFields()), "userId", "keyTenants")...),
		"POST /v1/mgmt/accesskey/delete":     write((*call).deleteAccessKey, "id"),
		"POST /v1/mgmt/accesskey/activate":   write((*call).activateAccessKey, "id"),
		"POST /v1/mgmt/accesskey/deactivate": write((*call).deactivateAccessKey, "id"),
		"GET /v1/mgmt/accesskey":             {run: (*call).loadAccessKey},
		"POST /v1/mgmt/accesskey/search":     {run: (*call).searchAccessKeys, list: "keys", takes: fieldNames(keySearchFields())},

		"POST /v1/mgmt/sso/oidc":          write((*call).configureOIDC, "tenantId", "settings", "domains", "ssoId"),
		"POST /v1/mgmt/sso/saml":          write((*call).configureSAML, "tenantId", "settings", "redirectUrl", "domains", "ssoId"),
		"POST /v1/mgmt/sso/saml/metadata": write((*call).configureSAML, "tenantId", "settings", "redirectUrl", "domains", "ssoId"),
		"POST /v1/mgmt/sso/settings/new":  write((*call).newSSO, "tenantId", "ssoId", "displayName"),
		"DELETE /v1/mgmt/sso/settings":    write((*call).deleteSSO),
		"GET /v2/mgmt/sso/settings":       {run: (*call).loadSSO},
		"GET /v2/mgmt/sso/settings/all":   {run: (*call).allSSO, list: "SSOSettings"},

		"GET /v1/mgmt/role/all": {run: (*call).allRoles, list: "roles"},

		"POST /v1/mgmt/projects/list":       {run: (*call).listProjects, list: "projects", company: true, whole: true, others: true},
		"POST /v1/mgmt/project/update/name": write((*call).renameProject, "name"),
		"POST /v1/mgmt/project/update/tags": write((*call).tagProject, "tags"),
		"POST /v1/mgmt/project/clone":       write((*call).cloneProject, cloneRequest()...),
		"POST /v1/mgmt/project/clone/async": write((*call).cloneAsync, cloneRequest()...),
		asyncClone:                          {run: (*call).asyncResult},
		"POST /v1/mgmt/project/delete":      {run: (*call).deleteProject, write: true, others: true, takes: []string{}},

		"POST /v1/mgmt/flow/list":          {run: (*call).listFlows, list: "flows", takes: []string{"ids"}},
		"POST /v2/mgmt/flow/export":        {run: (*call).exportFlow, takes: []string{"flowId"}},
		"POST /v2/mgmt/flow/import":        write((*call).importFlow, "flow", "skipRender", "changelog"),
		"POST /v1/mgmt/flow/export":        {run: (*call).exportFlowV1, takes: []string{"flowId"}},
		"POST /v1/mgmt/flow/import":        write((*call).importFlowV1, "flowId", "flow", "screens"),
		"POST /v1/mgmt/flow/delete":        write((*call).deleteFlows, "ids"),
		"POST /v1/mgmt/flow/template/list": {run: (*call).listTemplates, list: "templates", takes: []string{}},
		"POST /v2/mgmt/theme/export":       {run: (*call).exportTheme},
		"POST /v2/mgmt/theme/import":       write((*call).importTheme, "theme"),
		"POST /v1/mgmt/theme/export":       {run: (*call).exportThemeV1},
		"POST /v1/mgmt/theme/import":       write((*call).importThemeV1, "theme"),

		"POST /v1/mgmt/project/snapshot/export":   {run: (*call).exportSnapshot, takes: []string{"format"}},
		"POST /v1/mgmt/project/snapshot/import":   write((*call).importSnapshot, snapshotRequest()...),
		"POST /v1/mgmt/project/snapshot/validate": {run: (*call).validateSnapshot, takes: snapshotRequest()},
		"POST /v1/mgmt/project/export":            {run: (*call).exportSnapshot, takes: []string{}},
		"POST /v1/mgmt/project/import":            write((*call).importSnapshot, "files", "excludes"),
	}
}

// asyncClone is the route of the result of a clone, whose id ends the path.
const asyncClone = "GET /v1/mgmt/project/clone/async/"

// endpointOf finds the endpoint of a route, and what of its path is an argument.
func endpointOf(all map[string]endpoint, route string) (e endpoint, argument string, found bool) {
	if id, ok := strings.CutPrefix(route, asyncClone); ok && id != "" {
		return all[asyncClone], id, true
	}
	e, found = all[route]
	return e, "", found && route != asyncClone
}

// decodeBody reads a request body. Descope: no body, null and {} all ask for
// nothing in particular.
func decodeBody(data []byte) (map[string]any, *apiError) {
	if len(data) == 0 {
		return map[string]any{}, nil
	}
	v, err := model.DecodeJSON(data)
	if err != nil {
		return nil, badRequest("The request body is not valid JSON")
	}
	switch v := v.(type) {
	case nil:
		return map[string]any{}, nil
	case map[string]any:
		return v, nil
	}
	return nil, badRequest("The request body is not a JSON object")
}
