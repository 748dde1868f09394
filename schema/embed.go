// Package schema holds the CUE schema of the configuration, so that the binary
// carries it. What a field means stands beside it in the .cue files.
package schema

import "embed"

// FS holds the .cue files of the schema, all in its root. It is read-only and
// safe for concurrent use.
//
//go:embed *.cue
var FS embed.FS
