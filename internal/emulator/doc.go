// Package emulator is Descope's management API as an [http.Handler]: the wire
// protocol of tenants and, as opaque documents, of flows and themes, with the
// rate budgets, the error bodies and the failures that a client must survive.
//
// It is written against what is publicly known of the service, never against
// our own client, which it must not import: where the two agree, they agree
// for a reason. What nobody outside Descope knows is a named switch, see
// [Quirks]; what goes wrong on purpose is a named fault, see [Fault].
//
// A [Server] may be served on a listener with [Serve], or used in the process
// through [Transport], which opens no socket and therefore works under
// testing/synctest.
package emulator
