// Package yamlconfig reads a configuration that is written in YAML or JSON, in the
// older spelling: version, auth, environments, tenants, flows, with ${VAR} and with a
// file per environment. What it makes of an environment is a tree of values, each with
// the place where it was written; the compiler puts that through the same schema and
// the same rules as CUE. See docs/adr/0012-yaml-front-door.md.
//
// Only what YAML itself and the older spelling add is checked here: the form of the
// document, ids, variables, and keys that mean nothing any more.
package yamlconfig
