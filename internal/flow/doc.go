// Package flow understands Descope's flows: JSON documents in three spellings,
// most of whose bytes say nothing about what the flow does.
//
// A [Flow] is one document, read by [Parse] or [ParseSnapshot] and written by
// [Flow.V2] and [Flow.Snapshot]. Its [Normal] form is what it means: flows that
// do the same have equal normal forms, whatever project they come from. [Diff]
// says how two flows differ, with what is only noise apart.
//
// [Merge] joins two flows that were changed independently, [Flow.Patch] sets texts
// and other properties on screens, and [Flow.Mermaid] and [Flow.DOT] draw a flow.
//
// The package is pure: bytes in, values out. No input makes it panic.
package flow
