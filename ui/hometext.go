package ui

import (
	"slices"

	"ribglass/ui/site"
)

// program names the site, where it has a name, and the program.
func (p *Home) program() string {
	program := site.Product + " " + p.Version
	if p.Look.Name != "" {
		return p.Look.Name + ", " + program
	}
	return program
}

func (p *Home) text(w *textWriter) {
	switch {
	case p.Moment.Collection != "":
		w.line("%s, collection %s", p.program(), p.Moment.Collection)
	case p.Moment.Past:
		w.line("%s, AS%s", p.program(), p.ASN)
	default:
		w.line("%s, AS%s, router id %s, up %s", p.program(), p.ASN, p.RouterID, age(w.now, p.StartedAt))
	}
	w.bar(&p.Frame)
	w.attention(p.Attention, p.MoreAttention)
	w.totals(p)
	w.happening(p)
	w.neighbours(p.Neighbours)
	if p.More > 0 {
		w.line("and %d more: /peers", p.More)
	}
	w.line("")
	if w.collections(p.Collections); len(p.Collections) > 0 {
		w.line("")
	}
	if len(p.Examples) > 0 {
		w.line("Try")
	}
	for _, e := range p.Examples {
		w.line("  curl %s", shellURL(p.Host+e.URL))
	}
}

// totals writes what the table holds and how it grew.
func (w *textWriter) totals(p *Home) {
	rows := [][]string{{"Family", "Routes", "Prefixes", "Stale"}}
	if !p.GrowthSince.IsZero() {
		rows[0] = append(rows[0], w.tongue().T("growth.routes")+" "+w.tongue().since(p.Now, p.GrowthSince), "Prefixes")
	}
	for _, f := range p.Families {
		row := []string{familyLabel(f.Family), count(f.Routes), count(f.Prefixes), count(f.Stale)}
		if !p.GrowthSince.IsZero() {
			row = append(row, w.tongue().signed(f.MoreRoutes), w.tongue().signed(f.MorePrefixes))
		}
		rows = append(rows, row)
	}
	if p.Moment.Past { // prefixes of the past are not counted
		for i := range rows {
			rows[i] = slices.Delete(rows[i], 2, 3)
		}
	}
	w.table("lrrrrr", rows)
	w.line("")
}

// happening writes what happened in the last hour.
func (w *textWriter) happening(p *Home) {
	if p.Moment.Past {
		return
	}
	w.line("%s  %s", p.Rate.Blocks(sparkSteps), w.tongue().words(p.Rate))
	w.busiest(w.english.T("busiest.prefixes"), p.BusyPrefixes)
	w.busiest(w.english.T("busiest.peers"), p.BusyPeers)
	w.line("")
}

func (w *textWriter) busiest(title string, list []Busy) {
	if len(list) == 0 {
		return
	}
	w.line("")
	rows := [][]string{{title, "Changes"}}
	for _, b := range list {
		rows = append(rows, []string{b.Text, count(b.Rate.Total)})
	}
	w.table("lr", rows)
}
