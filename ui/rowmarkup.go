package ui

import (
	"html/template"
	"strconv"
	"strings"
	"time"

	"ribglass/ribstore/route"
)

// rowWriter writes the routes of a table. A page has up to a thousand of them, and
// a template takes fifteen times as long for one: it looks up each name and
// copies each value anew. Everything that is not a constant goes through text or
// attr, which escape it.
type rowWriter struct {
	tongue
	words

	now     time.Time
	keep    string
	columns []Column
	labels  []string // of columns
	texts   map[string]string
	b       strings.Builder
}

func (l tongue) rowWriter(w words, now time.Time, keep string) *rowWriter {
	return &rowWriter{tongue: l, words: w, now: now, keep: keep, texts: map[string]string{}}
}

// bodiesOf returns the routes of a table, a body for each prefix.
func (l tongue) bodiesOf(names words) func(*RouteTable) template.HTML {
	return func(t *RouteTable) template.HTML {
		w := l.rowWriter(names, t.Now, t.Keep)
		w.columns = t.Columns
		for _, c := range t.Columns {
			w.labels = append(w.labels, w.label(c.Name))
		}
		for i := range t.Groups {
			w.group(&t.Groups[i], t)
		}
		return safe(w.b.String())
	}
}

// pathOf returns an AS path with links.
func (l tongue) pathOf(names words) func(string, route.ASPath) template.HTML {
	return func(keep string, path route.ASPath) template.HTML {
		w := l.rowWriter(names, time.Time{}, keep)
		w.hops(hops(path))
		return safe(w.b.String())
	}
}

// label returns what a cell of a column is called where rows are lists.
func (w *rowWriter) label(column string) string {
	if column == "received" {
		return w.T("label.received")
	}
	return w.T("column." + column)
}

// said returns a text of the catalogue, which rows have again and again.
func (w *rowWriter) said(key string) string {
	text, ok := w.texts[key]
	if !ok {
		text = w.T(key)
		w.texts[key] = text
	}
	return text
}

// named returns the text of a value that has one in a family.
func (w *rowWriter) named(family, value string) string {
	key := family + "\x00" + value
	text, ok := w.texts[key]
	if !ok {
		text = w.word(family, value)
		w.texts[key] = text
	}
	return text
}

// raw writes markup that is constant, or was made by tongue.
func (w *rowWriter) raw(parts ...string) {
	for _, p := range parts {
		w.b.WriteString(p)
	}
}

func (w *rowWriter) text(s string) { template.HTMLEscape(&w.b, []byte(s)) }

// attr writes an attribute; one without a value is left out.
func (w *rowWriter) attr(name, value string) {
	if value == "" {
		return
	}
	w.raw(" ", name, `="`)
	w.text(value)
	w.raw(`"`)
}

// open writes the begin of a link to a page of this site, and whether it did.
func (w *rowWriter) open(to, title string) bool {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
		return false
	}
	w.raw("<a")
	w.attr("href", to)
	w.attr("title", title)
	w.raw(">")
	return true
}

// link writes a link, or the text alone where it leads nowhere.
func (w *rowWriter) link(to, title, text string) {
	linked := w.open(to, title)
	w.text(text)
	if linked {
		w.raw("</a>")
	}
}

func (w *rowWriter) group(g *Group, t *RouteTable) {
	w.raw("<tbody>\n", `<tr class="prefix"><th colspan="`, strconv.Itoa(t.Span()), `" scope="rowgroup">`)
	w.link(g.URL, "", g.Prefix.String())
	w.raw("</th></tr>\n")
	apart := t.Has("community")
	for _, r := range g.Rows() {
		w.row(r, apart)
	}
	w.raw("</tbody>\n")
}

// row writes a route; communities have a column of their own or not.
func (w *rowWriter) row(r *RouteRow, apart bool) {
	w.raw(`<tr class="`)
	if r.Best {
		w.raw("best")
	}
	if !r.StaleSince.IsZero() {
		w.raw(" old")
	}
	if r.Compared() {
		w.raw(" other")
	}
	w.raw(`"`)
	w.attr("data-q", r.Query)
	w.raw(">\n")
	w.marks(r)
	for i, c := range w.columns {
		switch c.Name {
		case "peer":
			w.cell("peer", w.labels[i])
			w.peer(r)
		case "path":
			w.cell("path", w.labels[i])
			w.path(r, apart)
		case "community":
			w.cell("communities mono", w.labels[i])
			w.values(r.Communities)
		case "age":
			w.cell("n", w.labels[i])
			w.age(r)
		case "received":
			w.cell("mono", w.labels[i])
			w.raw(`<time datetime="`, machine(r.ReceivedAt), `">`, precise(r.ReceivedAt), "</time>")
		default:
			w.cell(classOf(c, r), w.labels[i])
			w.text(r.Cell(c.Name))
		}
		w.raw("</td>\n")
	}
	w.raw("</tr>\n")
}

// classOf is the class of a cell that holds nothing but a text.
func classOf(c Column, r *RouteRow) string {
	class := "mono"
	if c.Number() {
		class = "n"
	}
	switch {
	case r.Same(c.Name):
		return class + " same"
	case r.Compared():
		return class + " differs"
	}
	return class
}

func (w *rowWriter) cell(class, label string) {
	w.raw("<td")
	w.attr("class", class)
	w.attr("data-label", label)
	w.raw(">")
}

// marks writes what routers write in front of a route.
func (w *rowWriter) marks(r *RouteRow) {
	mark := func(class, title, sign string) {
		w.raw("<abbr")
		w.attr("class", class)
		w.attr("title", title)
		w.raw(` role="img">`, sign, "</abbr>") // so that the title is read, and not "star"
	}
	w.raw(`<td class="mark">`)
	if r.StaleSince.IsZero() {
		mark("", w.said("route.valid"), "*")
	} else {
		mark("stale", w.said("route.stale_title"), "S")
	}
	if r.Best {
		mark("", w.said("route.best"), "&gt;")
	}
	w.raw("</td>\n")
}

func (w *rowWriter) peer(r *RouteRow) {
	linked := w.open(r.PeerURL, "")
	w.raw(string(bdi(r.Peer.Name)))
	if linked {
		w.raw("</a>")
	}
	if r.Peer.AddPath[r.Family] {
		w.raw(` <small class="subtle">`)
		w.text(w.T("route.path_id", strconv.FormatUint(uint64(r.PathID), 10)))
		w.raw("</small>")
	}
	w.raw(`<div class="note"`)
	w.attr("title", w.as(r.Peer.ASN))
	w.raw(">AS", r.Peer.ASN.String(), "</div>")
}

func (w *rowWriter) path(r *RouteRow, apart bool) {
	w.hops(r.Hops)
	w.raw(`<abbr class="origin"`)
	w.attr("title", w.T("route.origin", r.Attrs.Origin()))
	w.raw(">", originMark(r.Attrs), "</abbr>")
	if r.Decision != "" {
		key := "route.not_best_by"
		if r.Best {
			key = "route.best_by"
		}
		w.raw(`<div class="note">`)
		w.text(w.T(key, w.named("decision", r.Decision)))
		w.raw("</div>")
	}
	communities := r.Communities
	if apart {
		communities = nil
	}
	if len(communities) == 0 && len(r.Facts) == 0 {
		return
	}
	w.raw(`<dl class="facts">`)
	if len(communities) > 0 {
		w.fact("communities", communities)
	}
	for i := range r.Facts {
		w.fact(r.Facts[i].Name, r.Facts[i].Values)
	}
	w.raw("</dl>")
}

func (w *rowWriter) fact(name string, list []Value) {
	w.raw("<div><dt>")
	w.text(w.named("fact", name))
	w.raw("</dt><dd>")
	w.values(list)
	w.raw("</dd></div>")
}

func (w *rowWriter) hops(list []Hop) {
	for i := range list {
		h := &list[i]
		w.raw(`<span class="as`)
		if h.Set {
			w.raw(" set")
		}
		if h.Same {
			w.raw(" same")
		}
		w.raw(`">`)
		if h.Set {
			w.text(h.Text)
		} else {
			w.link("/as/"+h.Text+w.keep, w.hop(*h), h.Text)
		}
		if h.Times > 1 {
			w.raw(`<span class="times"`)
			w.attr("title", w.T("route.times", h.Times))
			w.raw("> ×", strconv.Itoa(h.Times), "</span>")
		}
		w.raw("</span> ")
	}
}

// values writes a list of values, the end of a long one folded away.
func (w *rowWriter) values(list []Value) {
	shown, more := fold(list)
	for i := range shown {
		w.value(&shown[i])
	}
	if len(more) == 0 {
		return
	}
	w.raw(`<details class="more"><summary>`)
	w.text(w.T("route.more", len(more)))
	w.raw("</summary>")
	for i := range more {
		w.value(&more[i])
	}
	w.raw("</details>")
}

func (w *rowWriter) value(v *Value) {
	w.raw("<span")
	if v.Same {
		w.raw(` class="same"`)
	}
	w.raw(">")
	if v.URL != "" {
		w.link(v.URL+w.keep, w.meaning(*v), v.Text)
	} else {
		w.text(v.Text)
	}
	if v.Name != "" {
		w.raw(" <small>")
		w.text(v.Name)
		w.raw("</small>")
	}
	w.raw("</span> ")
}

func (w *rowWriter) age(r *RouteRow) {
	w.raw(string(w.ago(w.now, r.ReceivedAt)))
	if r.StaleSince.IsZero() {
		return
	}
	key := "route.stale_for"
	if r.LongLived {
		key = "route.stale_long"
	}
	w.raw(` <div class="stale note">`, string(w.markup(key, w.ago(w.now, r.StaleSince))), "</div>")
}
