// Package site reads what the operator of a looking glass says of it: its name
// and logo, its colour, whom to write to, a notice, links, terms and pages.
//
// [Load] makes a [Site] out of a [Config] and the files it names, or says all
// that is wrong with them in [setting.Errors], each with the key it is about. A Site is a
// value that nobody changes; what it holds is fit to be shown to anyone.
//
// # What is trusted
//
// The operator writes these texts, but may have copied them from anywhere, so
// nothing in them runs. Markdown becomes elements of text: HTML in it is
// shown as text, pictures become their descriptions, and links lead to the web, to mail or to this
// server. A logo is an image that is looked at before it is taken, and served so that
// it can do nothing. Everything has a bound, and what is beyond is an error when
// the configuration is read, not when a page is.
package site
