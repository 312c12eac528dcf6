package ui

import (
	"html/template"
	"net/netip"
	"strings"
	"time"

	"ribglass/ribstore/route"
)

// Help is the page about the query language.
type Help struct {
	Frame
	Prefixes []Example
	Words    []WordHelp
	Steps    []string // of the decision process, as routes name them
}

// WordHelp explains a word of the language. The URL asks the example, "" when
// there is nothing to ask.
type WordHelp struct {
	Word string
	Example
}

// Document is a page that the operator wrote.
type Document struct {
	Frame
	HTML   template.HTML
	Source string // as it was written, for terminals
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

func (*Help) template() string     { return "help" }
func (*About) template() string    { return "about" }
func (*Document) template() string { return "document" }

// text writes the Markdown, which is made to be read.
func (p *Document) text(w *textWriter) {
	w.line("%s", w.english.Say(p.Title))
	w.line("")
	for line := range strings.Lines(p.Source) {
		w.line("%s", strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "    "))
	}
}

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
	w.line("")
	w.wrapped(0, w.english.T("help.best_steps"), p.Steps)
}

func (p *About) text(w *textWriter) {
	rows := [][]string{}
	for _, row := range [][]string{{"site", p.Look.Name}, {"contact", p.Look.Contact}} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	w.table("", append(rows, [][]string{
		{"version", p.Version},
		{"as", p.ASN.String()},
		{"router id", p.RouterID.String()},
		{"running for", age(p.Now, p.StartedAt)},
		{"routes", count(p.Routes)},
		{"attribute sets", count(p.AttributeSets)},
		{"memory of them", byteSize(p.TableBytes)},
	}...))
}
