package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// sealKeyBytes is the length of the key.
const sealKeyBytes = 32

// SealKey is the key of this state directory, with which plan files are sealed:
// whoever can read it can seal. It is made, at random, if it is not there and
// create says so; without create that is fs.ErrNotExist. A key of another length
// is a [CorruptError].
func (d *Dir) SealKey(create bool) ([]byte, error) {
	key, err := d.readSealKey()
	if !create || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	locks, err := d.sub("locks")
	if err != nil {
		return nil, err
	}
	err = d.exclusively(context.Background(), filepath.Join(locks, "seal.lock"), func() error {
		key, err = d.readSealKey() // somebody else may have been first
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		key = make([]byte, sealKeyBytes)
		_, _ = rand.Read(key) // never fails
		return replace(d.disk, d.sealKeyPath(), key, d.fileMode(), true)
	})
	if err != nil {
		return nil, err
	}
	return key, nil
}

func (d *Dir) readSealKey() ([]byte, error) {
	path := d.sealKeyPath()
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, explain("reading", path, err)
	}
	if len(key) != sealKeyBytes {
		return nil, &CorruptError{
			Path: path, Reason: fmt.Sprintf("it has %d bytes, and a key has %d", len(key), sealKeyBytes),
			Advice: "remove it: then a new one is made, and plans sealed with the old one are refused",
		}
	}
	return key, nil
}

func (d *Dir) sealKeyPath() string { return filepath.Join(d.path, "seal.key") }
