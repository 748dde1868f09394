//go:build !unix

package store

import "io/fs"

// owner is not known where user ids are not numbers.
func owner(fs.FileInfo) (uid int, known bool) { return 0, false }

// permissions are not in the mode there, which is made up: a file has those of the
// directory that it is in, such as the user's profile.
func permissions(fs.FileInfo) fs.FileMode { return 0o700 }
