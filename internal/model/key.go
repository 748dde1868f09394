package model

import (
	"cmp"
	"fmt"
	"strings"
)

// Key identifies a resource within one project.
type Key struct {
	Kind Kind
	ID   string
}

// String is the address of the resource, for example tenant/acme-corp.
func (k Key) String() string { return string(k.Kind) + "/" + k.ID }

// Compare orders keys by stage of their kind, then by id, bytewise.
func (k Key) Compare(o Key) int {
	if k.Kind != o.Kind {
		if c := cmp.Compare(Spec(k.Kind).Stage, Spec(o.Kind).Stage); c != 0 {
			return c
		}
		return cmp.Compare(k.Kind, o.Kind)
	}
	return cmp.Compare(k.ID, o.ID)
}

// ParseKey reads an address such as tenant/acme-corp. The id may be any
// non-empty string, since ids made in the console follow no rule of ours.
func ParseKey(s string) (Key, error) {
	kind, id, ok := strings.Cut(s, "/")
	if !ok || id == "" {
		return Key{}, fmt.Errorf("%q is not an address; write KIND/ID, for example tenant/acme-corp", s)
	}
	k, err := ParseKind(kind)
	if err != nil {
		return Key{}, fmt.Errorf("address %q: %w", s, err)
	}
	return Key{Kind: k, ID: id}, nil
}

// MarshalText writes the address, so that keys read well in JSON.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *Key) UnmarshalText(b []byte) error {
	p, err := ParseKey(string(b))
	if err != nil {
		return err
	}
	*k = p
	return nil
}
