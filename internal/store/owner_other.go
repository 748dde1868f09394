//go:build !unix

package store

import "io/fs"

// owner is not known where user ids are not numbers.
func owner(fs.FileInfo) (uid int, known bool) { return 0, false }
