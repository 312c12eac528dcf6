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
// characters made visible. The style sheet and the scripts are served from
// [Renderer.Asset] under paths that hold their hash.
//
// # Texts
//
// What a page says stands in package catalogue: a template asks for it by "t", and
// by "th" where a link or an element stands in the middle of a sentence. Values of a
// page that are texts are of type [catalogue.Text]; those that came from outside
// are strings, shown through "clean" or, within a sentence, "bdi". The text form is English.
//
// Pages are of a [site.Site]: its name, logo, colours, notice and links stand on
// each. [Renderer.SetSite] changes over to another while pages are written.
//
// # Style
//
// The style sheet goes from palette (two sets of colours, light and dark) to
// intents (what a colour is for); rules use intents only.
//
// # Script
//
// Pages are whole without script: links and forms. Native modules add to them:
// completion, keys, the theme, the strip of changes, and live pages, for which
// the fresh page is fetched and its parts take the place of the old ones. Answers
// go on as they are read: pages far away are taken out again. No module makes
// markup or code out of text. What a module asks is in a data attribute of the
// page; the policy lets it ask this server only. Types are in comments, which are
// not served; ui/browser holds what checks them.
package ui
