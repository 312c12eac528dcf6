// Package ui makes the pages of Ribglass: typed page values in, HTML or text
// out. It asks nobody for anything; httpapi fills the values.
//
// A page is one of [Home], [Lookup], [AS], [Peers], [Peer] and [Problem], or of
// those about the past: [Changes], [Timeline], [Diff] and [History]. All share a
// [Frame]: title, search box, the bar that says which moment is shown, live or,
// in amber, the past, and how fresh it is. On a page of the past all ages count to
// the moment shown. [Renderer.HTML] writes a page for browsers through html/template,
// which escapes everything that came from outside; [Renderer.Text] writes the
// same page in columns, as a router would, for terminals, with control
// characters made visible. The style sheet is served from [Renderer.Asset]
// under a path that holds its hash.
//
// # Style
//
// The style sheet goes from palette (two sets of colours, light and dark) to
// intents (what a colour is for); rules use intents only. There is no script.
package ui
