package compiler

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// packed is the form in which a result is kept by a [Cache]: every text once, numbers
// as varints. Reading ten thousand tenants takes a fifth of what JSON takes, which is
// most of what a warm start costs.
//
// It is written and read by the same program: there is no version in it, and no way to
// read what another one wrote.

// packer writes. The zero value is ready.
type packer struct {
	out   []byte
	texts map[string]uint64 // those that were written, by number
}

func (p *packer) uint(n uint64) { p.out = binary.AppendUvarint(p.out, n) }

// text writes the number of a text, and the text itself the first time.
func (p *packer) text(s string) {
	if n, ok := p.texts[s]; ok {
		p.uint(n)
		return
	}
	if p.texts == nil {
		p.texts = map[string]uint64{}
	}
	n := uint64(len(p.texts))
	p.texts[s] = n
	p.uint(n)
	p.uint(uint64(len(s)))
	p.out = append(p.out, s...)
}

// The kinds of values.
const (
	packedNull = iota
	packedFalse
	packedTrue
	packedText
	packedNumber
	packedList
	packedMap
)

func (p *packer) value(v any) {
	switch v := v.(type) {
	case nil:
		p.uint(packedNull)
	case bool:
		if v {
			p.uint(packedTrue)
		} else {
			p.uint(packedFalse)
		}
	case string:
		p.uint(packedText)
		p.text(v)
	case json.Number:
		p.uint(packedNumber)
		p.text(string(v))
	case []any:
		p.uint(packedList)
		p.uint(uint64(len(v)))
		for _, e := range v {
			p.value(e)
		}
	case map[string]any:
		p.uint(packedMap)
		p.uint(uint64(len(v)))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			p.text(k)
			p.value(v[k])
		}
	default:
		panic("compiler: a value that is not in normal form")
	}
}

func (p *packer) origin(o model.Origin) {
	p.text(o.File)
	p.uint(uint64(o.Line))   //nolint:gosec // positions are not negative
	p.uint(uint64(o.Column)) //nolint:gosec // as above
}

func (p *packer) resource(r model.Resource) {
	p.text(string(r.Key.Kind))
	p.text(r.Key.ID)
	p.value(r.Attrs)
	p.json(r.Policy)
	p.origin(r.Origin)
	p.uint(uint64(len(r.Origins)))
	for _, path := range slices.Sorted(maps.Keys(r.Origins)) {
		p.text(path)
		p.origin(r.Origins[path])
	}
}

// json writes what there is little of.
func (p *packer) json(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("compiler: " + err.Error()) // the types are ours
	}
	p.text(string(b))
}

// packResult writes a result and its warnings.
func packResult(r *Result, d model.Diagnostics) []byte {
	var p packer
	p.json(r.Environment)
	p.json(d)
	p.json(r.Excluded)
	p.uint(uint64(r.State.Len())) //nolint:gosec // not negative
	for _, r := range r.State.Resources() {
		p.resource(r)
	}
	return p.out
}

var errPacked = errors.New("not what was packed")

// unpacker reads. Texts are parts of one string, so that reading them allocates
// nothing. After an error everything that it yields is empty.
type unpacker struct {
	rest  string
	texts []string
	err   error
}

func (u *unpacker) fail() { u.rest, u.texts, u.err = "", nil, errPacked }

func (u *unpacker) uint() uint64 {
	var n uint64
	for i := 0; i < len(u.rest) && i < binary.MaxVarintLen64; i++ {
		b := u.rest[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			u.rest = u.rest[i+1:]
			return n
		}
	}
	u.fail()
	return 0
}

// count is how many of something follow, each of which takes a byte at least.
func (u *unpacker) count() int {
	n := u.uint()
	if n > uint64(len(u.rest)) {
		u.fail()
		return 0
	}
	return int(n) //nolint:gosec // it is less than the length of a string
}

func (u *unpacker) text() string {
	switch n := u.uint(); {
	case u.err != nil:
		return ""
	case n < uint64(len(u.texts)):
		return u.texts[n]
	case n > uint64(len(u.texts)):
		u.fail()
		return ""
	}
	n := u.count()
	if u.err != nil {
		return ""
	}
	s := u.rest[:n]
	u.rest = u.rest[n:]
	u.texts = append(u.texts, s)
	return s
}

// maxPackedDepth is more than a value can have: CUE gives up before.
const maxPackedDepth = 10_000

func (u *unpacker) value(depth int) any {
	if depth > maxPackedDepth {
		u.fail()
	}
	switch u.uint() {
	case packedFalse:
		return false
	case packedTrue:
		return true
	case packedText:
		return u.text()
	case packedNumber:
		return json.Number(u.text())
	case packedList:
		out := make([]any, u.count())
		for i := range out {
			out[i] = u.value(depth + 1)
		}
		return out
	case packedMap:
		n := u.count()
		out := make(map[string]any, n)
		for range n {
			k := u.text()
			out[k] = u.value(depth + 1)
		}
		return out
	case packedNull:
		return nil
	default:
		u.fail()
		return nil
	}
}

func (u *unpacker) origin() model.Origin {
	return model.Origin{File: u.text(), Line: int(u.uint()), Column: int(u.uint())} //nolint:gosec // what was an int
}

func (u *unpacker) resource() model.Resource {
	var r model.Resource
	r.Key = model.Key{Kind: model.Kind(u.text()), ID: u.text()}
	attrs, ok := u.value(0).(map[string]any)
	if !ok {
		u.fail()
	}
	r.Attrs = attrs
	if policy := u.text(); policy != "{}" && u.err == nil && json.Unmarshal([]byte(policy), &r.Policy) != nil {
		u.fail()
	}
	r.Origin = u.origin()
	if n := u.count(); n > 0 {
		r.Origins = make(map[string]model.Origin, n)
		for range n {
			path := u.text()
			r.Origins[path] = u.origin()
		}
	}
	return r
}

func (u *unpacker) json(v any) {
	if text := u.text(); u.err == nil && json.Unmarshal([]byte(text), v) != nil {
		u.fail()
	}
}

// unpackResult reads what packResult wrote.
func unpackResult(data []byte) (*Result, model.Diagnostics, error) {
	u := unpacker{rest: string(data)}
	var r Result
	var d model.Diagnostics
	u.json(&r.Environment)
	u.json(&d)
	u.json(&r.Excluded)
	resources := make([]model.Resource, u.count())
	for i := range resources {
		resources[i] = u.resource()
	}
	if u.err != nil || u.rest != "" {
		return nil, nil, errPacked
	}
	var err error
	if r.State, err = model.NewState(resources); err != nil {
		return nil, nil, err
	}
	return &r, d, nil
}
