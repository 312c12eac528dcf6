package ui

import (
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// Help is the page about the query language.
type Help struct {
	Frame
	Prefixes []Example
	Words    []WordHelp
}

// WordHelp explains a word of the language. The URL asks the example, "" when
// there is nothing to ask.
type WordHelp struct {
	Word string
	Example
}

// About is the page about the site.
type About struct {
	Frame
	ASN                   route.ASN
	RouterID              netip.Addr
	StartedAt             time.Time
	Routes, AttributeSets int
	RoutesURL             string
	TableBytes            int64
}

func (*Help) template() string  { return "help" }
func (*About) template() string { return "about" }

func (p *Help) text(w *textWriter) {
	w.line("How to ask")
	w.line("")
	rows := [][]string{}
	for _, e := range p.Prefixes {
		rows = append(rows, []string{e.Query, e.About})
	}
	w.table("", rows)
	w.line("")
	rows = rows[:0]
	for _, e := range p.Words {
		rows = append(rows, []string{e.Query, e.About})
	}
	w.table("", rows)
	w.line("")
	w.line("Side by side: all of it. and, or, not and ( ) combine.")
}

func (p *About) text(w *textWriter) {
	w.table("", [][]string{
		{"version", p.Version},
		{"as", p.ASN.String()},
		{"router id", p.RouterID.String()},
		{"running for", age(p.Now, p.StartedAt)},
		{"routes", count(p.Routes)},
		{"attribute sets", count(p.AttributeSets)},
		{"memory of them", byteSize(p.TableBytes)},
	})
}
