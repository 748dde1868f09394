package plan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// The errors of [Plan.CheckSeal].
var (
	// ErrUnsealed: the plan was never sealed.
	ErrUnsealed = errors.New("the plan has no seal")
	// ErrSeal: the plan is not the one that was sealed, or another key sealed it.
	ErrSeal = errors.New("the seal of the plan is broken: it was edited, or sealed on another machine")
)

// Sign seals the plan with a key that the state directory keeps: whoever has
// only the file cannot change it unseen.
func (p *Plan) Sign(key []byte) { p.Seal = p.mac(key) }

// CheckSeal reports [ErrUnsealed] or [ErrSeal] unless the plan is exactly the one
// that Sign sealed with this key.
func (p *Plan) CheckSeal(key []byte) error {
	switch {
	case p.Seal == "":
		return ErrUnsealed
	case !hmac.Equal([]byte(p.Seal), []byte(p.mac(key))):
		return ErrSeal
	}
	return nil
}

func (p *Plan) mac(key []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write(p.unsealed())
	return "hmac-sha256:" + hex.EncodeToString(h.Sum(nil))
}
