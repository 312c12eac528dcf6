package ui

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ribglass/ribstore/route"
	"ribglass/ui/catalogue"
)

// lineWidth is where long lines of the text form are broken.
const lineWidth = 100

// textWriter collects the text form of a page.
type textWriter struct {
	buf   bytes.Buffer
	now   time.Time
	words words

	english *catalogue.Language
}

// tongue is what the text form is written in.
func (w *textWriter) tongue() tongue { return tongue{w.english} }

// line writes one line; whatever came from outside is made fit for a terminal.
func (w *textWriter) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.buf.WriteString(strings.TrimRight(clean(text), " "))
	w.buf.WriteByte('\n')
}

// table writes rows in columns that are as wide as their widest cell. Columns
// named in right are aligned to the right. The last column is not padded.
func (w *textWriter) table(right string, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(clean(cell)))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(clean(cell)))
			switch {
			case i < len(right) && right[i] == 'r':
				b.WriteString(pad + cell)
			case i == len(row)-1:
				b.WriteString(cell)
			default:
				b.WriteString(cell + pad)
			}
			b.WriteString("  ")
		}
		w.line("%s", b.String())
	}
}

// wrapped writes words behind a label, continued below the first of them.
func (w *textWriter) wrapped(indent int, label string, words []string) {
	margin := strings.Repeat(" ", indent)
	line := margin + label
	hang := margin + strings.Repeat(" ", utf8.RuneCountInString(label))
	empty := true
	for _, word := range words {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > lineWidth {
			w.line("%s", line)
			line = hang
		}
		line += " " + word
		empty = false
	}
	w.line("%s", line)
}

// bar writes which moment a page shows.
func (w *textWriter) bar(f *Frame) {
	m := &f.Moment
	if !m.Past {
		w.live(f.Live)
		return
	}
	name := "past"
	if m.Collection != "" {
		name = "collection " + m.Collection
	}
	w.line("%s %s (%s ago)", name, utc(f.Live.At), age(m.Asked, f.Live.At))
	if !m.To.IsZero() {
		more := ""
		if m.MoreFiles > 0 {
			more = fmt.Sprintf(" and %d more", m.MoreFiles)
		}
		w.line("imported from files: %s to %s %s%s", utc(m.From), utc(m.To), clean(strings.Join(m.Sources, ", ")), more)
	}
	if !m.Requested.IsZero() {
		w.line("asked for %s", utc(m.Requested))
	}
	for _, n := range m.Notices {
		w.line("%s", n)
	}
	w.line("")
}

// live writes how fresh what is live is.
func (w *textWriter) live(l Live) {
	w.line("live %s, %d of %s up, last update %s ago", utc(l.At), l.Up, plural(l.Configured, "peer"),
		age(w.now, l.LastUpdate))
	for _, s := range l.Stale {
		w.line("stale: %s is down since %s (%s ago); its routes are marked S", s.Name, utc(s.Since), age(w.now, s.Since))
	}
	w.line("")
}

// shellURL quotes a URL where a shell would take a part of it for its own.
func shellURL(u string) string {
	if strings.ContainsAny(u, "?&*[") {
		return "'" + u + "'"
	}
	return u
}

// textSteps is how many marks the sparkline of a neighbour has in a list: one for
// ten minutes.
const textSteps = 6

func (w *textWriter) neighbours(list []Neighbour) {
	rows := [][]string{{"Peer", "AS", "Address", "State", "Since", "Routes", "Stale", "Last hour", "Changes", "Description"}}
	for i := range list {
		n := &list[i]
		stale := 0
		for _, s := range n.Stale {
			stale += s
		}
		rows = append(rows, []string{
			n.Peer.Name, n.Peer.ASN.String(), n.Peer.Address.String(), stateText(n), sinceText(w.now, n.Since),
			count(n.Total()), count(stale), n.Rate.Blocks(textSteps), count(n.Rate.Total), n.Peer.Description,
		})
	}
	if !rated(list) {
		for i := range rows {
			rows[i] = slices.Delete(rows[i], 7, 9)
		}
	}
	w.table("lrllrrrlr", rows)
}

func stateText(n *Neighbour) string {
	switch {
	case n.Then && n.State == route.StateEstablished:
		return "up"
	case n.Then:
		return "down"
	case n.AdminDown:
		return "admin down"
	}
	if n.Unusable() {
		return "established, no common family"
	}
	return string(n.State)
}

// sinceText prints an age, nothing for what is not known.
func sinceText(now, since time.Time) string {
	if since.IsZero() {
		return ""
	}
	return age(now, since)
}

func (p *Lookup) text(w *textWriter) {
	if p.View != AsTable {
		w.view(p.View, p.Groups)
		return
	}
	w.line("%s: %s", w.english.Say(p.About), plural(p.Total, "route"))
	if p.Meaning != "" {
		w.line("%s", p.Meaning)
	}
	for _, n := range p.Notes {
		w.line("understood as %s", n.Understood)
		if n.URL != "" {
			w.line("did you mean %s? curl %s", n.Other, shellURL(p.Host+n.URL))
		}
	}
	w.bar(&p.Frame)
	if len(p.Groups) == 0 {
		w.line("No route.")
		w.refused(p.Refused)
		w.pastLinks(p)
		return
	}
	w.routes(p.Groups)
	w.line("")
	w.line("> best  * valid  S stale    i igp  e egp  ? incomplete")
	if p.Next != "" {
		w.line("%d of %s shown; more: curl %s", p.Shown, plural(p.Total, "route"), shellURL(p.Host+p.Next))
	}
	w.refused(p.Refused)
	w.facetLists(p.Facets)
	w.legend(p.Groups)
	w.pastLinks(p)
}

// refused writes why peers have no route.
func (w *textWriter) refused(list []Refused) {
	for i := range list {
		r := &list[i]
		path := ""
		if r.Peer.AddPath[r.Family] {
			path = fmt.Sprintf(" (path id %d)", r.PathID)
		}
		w.line("%s of %s%s: withdrawn by Ribglass %s: malformed %s", r.Prefix, r.Peer.Name, path, utc(r.At), r.Fault.Subject())
		w.line("      %s", r.Fault)
	}
}

// pastLinks writes where to see what became of the answer.
func (w *textWriter) pastLinks(p *Lookup) {
	for _, l := range p.Past {
		w.line("%s: curl %s", l.Text, shellURL(p.Host+l.URL))
	}
}

// facetLists writes what an answer has, a line or more a kind.
func (w *textWriter) facetLists(list []Facets) {
	if len(list) > 0 {
		w.line("")
	}
	for _, f := range list {
		texts := make([]string, len(f.Values))
		for i, v := range f.Values {
			texts[i] = fmt.Sprintf("%s (%d)", strings.TrimSpace(v.Text+" "+v.Name), v.Count)
		}
		if f.More > 0 {
			texts = append(texts, w.english.T("facet.more", f.More))
		}
		w.wrapped(0, fmt.Sprintf("%-12s", w.english.T("facet."+f.Kind)), texts)
	}
}

func (p *AS) text(w *textWriter) {
	w.line("%s: originates %s in %s; %s through it", p.Heading(), plural(p.Prefixes, "prefix"), plural(p.Total, "route"),
		plural(p.Transit, "route"))
	w.bar(&p.Frame)
	if len(p.Groups) > 0 {
		w.routes(p.Groups)
		w.line("")
	}
	if p.Shown < p.Total {
		w.line("%d of %s shown; all: curl %s", p.Shown, plural(p.Total, "route"), shellURL(p.Host+p.Origin.URL))
	}
	for _, l := range p.MOASPrefixes {
		w.line("several origins: %s", l.Text)
	}
	w.facetLists(p.Facets)
	if len(p.Paths) > 0 {
		w.line("")
		w.line("Paths with it, the most used first")
	}
	for _, f := range p.Paths {
		w.line("%8d  %s", f.Count, f.Text)
	}
}

// routes writes groups of routes.
func (w *textWriter) routes(groups []Group) {
	rows := [][]string{{"", "Peer", "Next hop", "LocPrf", "MED", "Age", "AS path"}}
	var prefixes []int // rows that begin a prefix
	for _, g := range groups {
		prefixes = append(prefixes, len(rows))
		for i := range g.Routes {
			rows = append(rows, w.routeRow(&g.Routes[i]))
		}
	}
	w.routeTable(groups, rows, prefixes)
}

func (w *textWriter) routeRow(r *Route) []string {
	attrs := r.Attrs
	return []string{
		marks(r.Route), r.Peer.Name, attrs.NextHop().String(), localPref(attrs), med(attrs), age(w.now, r.ReceivedAt),
		strings.TrimLeft(attrs.ASPath().String()+" "+originMark(attrs), " "),
	}
}

// marks prints the state of a route as routers do.
func marks(r route.Route) string {
	text := "*"
	if !r.StaleSince.IsZero() {
		text = "S"
	}
	if r.Best {
		text += ">"
	}
	return text
}

// routeTable writes aligned rows with the prefix above its routes and further
// attributes below each.
func (w *textWriter) routeTable(groups []Group, rows [][]string, prefixes []int) {
	var body textWriter
	body.table("lllrrr", rows)
	lines := strings.Split(strings.TrimSuffix(body.buf.String(), "\n"), "\n")
	w.line("%s", lines[0])
	for i, g := range groups {
		w.line("%s", g.Prefix)
		for j := range g.Routes {
			w.path(lines[prefixes[i]+j])
			w.facts(&g.Routes[j])
		}
	}
}

// path writes a row, its last column broken where the line gets too long.
func (w *textWriter) path(row string) {
	for utf8.RuneCountInString(row) > lineWidth {
		cut := strings.LastIndexByte(row[:lineWidth], ' ')
		if cut <= lineWidth/2 {
			break
		}
		w.line("%s", row[:cut])
		row = strings.Repeat(" ", lineWidth/2) + row[cut:]
	}
	w.line("%s", row)
}

func (w *textWriter) facts(r *Route) {
	if r.Decision != "" && r.Best {
		w.line("      best: %s", r.Decision)
	} else if r.Decision != "" {
		w.line("      not best: %s", r.Decision)
	}
	if !r.StaleSince.IsZero() {
		kind := "stale"
		if r.LongLived {
			kind = "long-lived stale"
		}
		w.line("      %s since %s", kind, utc(r.StaleSince))
	}
	if r.Peer.AddPath[r.Family] {
		w.line("      path id %d", r.PathID)
	}
	for _, f := range facts(r.Attrs) {
		words := make([]string, len(f.Values))
		for i, v := range f.Values {
			words[i] = v.Text
			if v.Name != "" {
				words[i] += " (" + v.Name + ")"
			}
		}
		w.wrapped(6, f.Name, words)
	}
}

func (p *Peers) text(w *textWriter) {
	w.line("%s", plural(p.Total, "peer"))
	w.bar(&p.Frame)
	w.attention(p.Attention, p.MoreAttention)
	w.neighbours(p.Neighbours)
	if p.Next != "" {
		w.line("")
		w.line("%d of %s shown; more: curl %s", len(p.Neighbours), plural(p.Total, "peer"), shellURL(p.Host+p.Next))
	}
}

func (p *Problem) text(w *textWriter) {
	w.line("%d %s", p.Status, w.english.Say(p.Title))
	w.line("%s", p.Detail)
	if p.Query != "" {
		w.line("")
		w.line("  %s", p.Query)
		w.line("  %s^", strings.Repeat(" ", p.Before))
	}
}
