package emulator

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// maxName is the longest name of a tenant. Descope: read in the unreleased
// official Terraform resource.
const maxName = 254

var strictID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,30}$`) })

// tenant is a stored tenant. wire is the object as it is read, without
// successors, and is replaced, never changed; id, name and parent repeat it.
type tenant struct {
	id, name, parent string
	wire             map[string]any
	settings         map[string]any
}

// tenantFields are those that create and update take and a read shows.
func tenantFields() []field {
	return []field{
		{name: "name"},
		{name: "selfProvisioningDomains", kind: texts},
		{name: "customAttributes", kind: attributes},
		{name: "authType", zero: "none"},
		{name: "disabled", kind: flag},
		{name: "enforceSSO", kind: flag},
		{name: "enforceSSOExclusions", kind: texts},
		{name: "federatedAppIds", kind: texts},
		{name: "roleInheritance"},
	}
}

// ownedFields are those that other endpoints, or nobody, may write.
func ownedFields() []field {
	return []field{
		{name: "id"},
		{name: "parent"},
		{name: "createdTime", kind: count},
		{name: "domains", kind: texts},
		{name: "defaultRoles", kind: texts},
	}
}

// notStored are the fields of a request that never end up in the tenant, even
// where unknown ones do.
func notStored() []string {
	return append(fieldNames(ownedFields()), "successors", "tenantId")
}

// tenantFromWire makes a tenant of the object of a seed.
func tenantFromWire(wire map[string]any) (*tenant, error) {
	own := model.CloneMap(wire)
	delete(own, "successors")
	if e := overlay(own, append(ownedFields(), tenantFields()...), own, true); e != nil {
		return nil, fmt.Errorf("%s", e.message)
	}
	t := newTenant(own)
	if t.id == "" || t.name == "" {
		return nil, fmt.Errorf("a tenant needs an id and a name")
	}
	t.settings = emptySettings()
	return t, nil
}

func newTenant(wire map[string]any) *tenant {
	t := &tenant{wire: wire}
	t.id, _ = wire["id"].(string)
	t.name, _ = wire["name"].(string)
	t.parent, _ = wire["parent"].(string)
	return t
}

func (t *tenant) replace(wire map[string]any) {
	settings := t.settings
	*t = *newTenant(wire)
	t.settings = settings
}

// createTenant answers POST /v1/mgmt/tenant/create.
func (c *call) createTenant() (map[string]any, *apiError) {
	if e := c.require("name"); e != nil {
		return nil, e
	}
	wire := map[string]any{}
	if e := overlay(wire, append([]field{{name: "id"}, {name: "parent"}}, tenantFields()...), c.body, false); e != nil {
		return nil, e
	}
	if wire["id"] == "" {
		wire["id"] = newID("T", c.now)
	}
	wire["createdTime"] = json.Number(strconv.FormatInt(c.now.Unix(), 10))
	wire["domains"], wire["defaultRoles"] = []any{}, []any{}
	c.takeExtras(wire, tenantFields())
	t := newTenant(wire)
	t.settings = emptySettings()
	if c.quirks.IDRule == "strict" && !strictID().MatchString(t.id) {
		return nil, invalid("Tenant ID %q is not valid", t.id)
	}
	if c.project.tenant(t.id) != nil {
		return nil, c.duplicate("A tenant with the ID %q already exists", t.id)
	}
	if t.parent != "" && c.project.tenant(t.parent) == nil {
		return nil, &apiError{
			status: c.quirks.UnknownParentStatus, code: codeNoTenant,
			message: fmt.Sprintf("Parent tenant %q not found", t.parent),
		}
	}
	if e := c.check(t); e != nil {
		return nil, e
	}
	c.project.addTenant(t)
	return map[string]any{"id": t.id}, nil
}

// updateTenant answers POST /v1/mgmt/tenant/update. Descope: every parameter
// overrides the stored value, empty ones too.
func (c *call) updateTenant() (map[string]any, *apiError) {
	if e := c.require("id", "name"); e != nil {
		return nil, e
	}
	t, e := c.find("id")
	if e != nil {
		return nil, e
	}
	merge := c.quirks.TenantUpdate == "merge"
	wire := map[string]any{}
	for name, v := range t.wire {
		if merge || slices.Contains(fieldNames(ownedFields()), name) {
			wire[name] = v
		}
	}
	if e := overlay(wire, tenantFields(), c.body, merge); e != nil {
		return nil, e
	}
	c.takeExtras(wire, tenantFields())
	if e := c.check(newTenant(wire)); e != nil {
		return nil, e
	}
	t.replace(wire)
	return nil, nil
}

// deleteTenant answers POST /v1/mgmt/tenant/delete.
func (c *call) deleteTenant() (map[string]any, *apiError) {
	if e := c.require("id"); e != nil {
		return nil, e
	}
	cascade, e := field{name: "cascade", kind: flag}.read(c.body["cascade"])
	if e != nil {
		return nil, e
	}
	t, e := c.find("id")
	if e != nil {
		return nil, e
	}
	gone := []string{t.id}
	children := c.project.children()
	below := children[t.id]
	switch {
	case len(below) == 0:
	case c.quirks.DeleteParent == "refuse":
		return nil, invalid("Tenant %q has %d sub-tenants", t.id, len(below))
	case c.quirks.DeleteParent == "cascade":
		gone, below = append(gone, descendants(children, t.id)...), nil
	}
	if c.quirks.DeleteWithUsers == "refuse" && cascade == false {
		for _, id := range gone {
			if n := c.project.membersOf(id); n > 0 {
				return nil, invalid("Tenant %q has %d users and access keys", id, n)
			}
		}
	}
	for _, id := range gone {
		c.project.dropMembers(id, cascade == true)
		c.project.removeTenant(id)
	}
	for _, id := range below {
		child := c.project.tenant(id)
		wire := model.CloneMap(child.wire)
		wire["parent"] = ""
		child.replace(wire)
	}
	return nil, nil
}

// updateDefaultRoles answers POST /v1/mgmt/tenant/updateDefaultRoles.
func (c *call) updateDefaultRoles() (map[string]any, *apiError) {
	if e := c.require("id"); e != nil {
		return nil, e
	}
	roles, e := field{name: "defaultRoles", kind: texts}.read(c.body["defaultRoles"])
	if e != nil {
		return nil, e
	}
	t, e := c.find("id")
	if e != nil {
		return nil, e
	}
	if c.quirks.UnknownRoles == "refuse" && c.project.roles != nil {
		for _, role := range roles.([]any) {
			if _, known := c.project.roles[role.(string)]; !known {
				return nil, invalid("Role %q does not exist", role)
			}
		}
	}
	wire := model.CloneMap(t.wire)
	wire["defaultRoles"] = roles
	t.replace(wire)
	return nil, nil
}

// takeExtras stores the fields of the request that nobody knows.
func (c *call) takeExtras(wire map[string]any, known []field) {
	if c.quirks.UnknownFields == "drop" {
		return
	}
	taken := append(fieldNames(known), notStored()...)
	for name, v := range c.body {
		switch {
		case slices.Contains(taken, name):
		case v == nil:
			delete(wire, name)
		default:
			wire[name] = model.Clone(v)
		}
	}
}

func (c *call) duplicate(format string, args ...any) *apiError {
	return &apiError{status: c.quirks.DuplicateStatus, code: c.quirks.DuplicateCode, message: fmt.Sprintf(format, args...)}
}

func (c *call) sameName(a, b string) bool {
	return a == b || c.quirks.NameCase == "fold" && strings.EqualFold(a, b)
}

// newID is an id as the service makes them. Descope: a prefix and 27
// characters of base62, a KSUID, which starts with the time.
func newID(prefix string, now time.Time) string {
	raw := make([]byte, 20)
	binary.BigEndian.PutUint32(raw, uint32((now.Unix()-1400000000)&math.MaxUint32))
	_, _ = rand.Read(raw[4:]) // never fails
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	n, base, digit := new(big.Int).SetBytes(raw), big.NewInt(62), new(big.Int)
	out := []byte(strings.Repeat("0", 27))
	for i := len(out) - 1; i >= 0 && n.Sign() > 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = digits[digit.Int64()]
	}
	return prefix + string(out)
}
