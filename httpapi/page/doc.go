// Package page answers with the pages that people read: as HTML, as text for a
// terminal, and as JSON, which is the answer of package v1. Each page is one
// declared row: its path, its parameters, how they are read, how it asks, and how
// it shows the answer. A page about a moment of the past is the same page about
// another moment.
//
// The pages themselves are typed values of package ui, which makes HTML and text
// of them. This package fills them in.
package page
