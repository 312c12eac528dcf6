package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// precise prints a time to the millisecond, for things that follow each other quickly,
// and where it has microseconds with these.
func precise(t time.Time) string {
	layout := "2006-01-02 15:04:05.000"
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		layout += "000" // imported times have microseconds
	}
	return t.UTC().Format(layout)
}

func (p *Changes) text(w *textWriter) {
	total := ""
	if p.Exact {
		total = ": " + count(p.Total)
	}
	w.line("Changes%s from %s to %s%s", of(p.Query), utc(p.From), utc(p.To), total)
	w.notices(&p.Frame)
	if len(p.Kinds) > 0 {
		words := make([]string, len(p.Kinds))
		for i, k := range p.Kinds {
			if words[i] = k.Text; p.Exact {
				words[i] += " (" + count(k.Count) + ")"
			}
		}
		w.wrapped(0, "Kinds", words)
	}
	w.line("")
	rows := [][]string{{"At (UTC)", "Kind", "Prefix", "Peer", "What"}}
	for i := range p.List {
		rows = append(rows, p.List[i].row())
	}
	if len(p.List) == 0 {
		w.line("Nothing happened.")
	} else {
		w.table("", rows)
	}
	if p.Next != "" {
		w.line("")
		shown := plural(len(p.List), "change")
		if p.Exact {
			shown = fmt.Sprintf("%d of %s", len(p.List), plural(p.Total, "change"))
		}
		w.line("%s shown; more: curl %s", shown, shellURL(p.Host+p.Next))
	}
}

func of(q string) string {
	if q == "" {
		return ""
	}
	return " of " + q
}

// notices writes what is to be said about a page that has no bar.
func (w *textWriter) notices(f *Frame) {
	if f.Moment.Collection != "" {
		w.line("collection %s", f.Moment.Collection)
	}
	for _, n := range f.Moment.Notices {
		w.line("%s", n)
	}
}

func (c *Change) row() []string {
	prefix := ""
	switch {
	case c.Prefix.IsValid():
		prefix = c.Prefix.String()
	case c.OfFamily:
		prefix = c.Family.String()
	}
	peer := c.Peer
	if c.AddPath {
		peer += " path " + strconv.FormatUint(uint64(c.PathID), 10)
	}
	return []string{precise(c.At), c.Kind, prefix, peer, c.what()}
}

// what says in one line what changed.
func (c *Change) what() string {
	var parts []string
	switch {
	case c.Old != nil && c.New != nil && len(c.Attributes) > 0:
		for _, a := range Changed(c.Attributes, c.Old, c.New) {
			parts = append(parts, a.Name+": "+orNone(a.Old)+" -> "+orNone(a.Text))
		}
	case c.Prefix.IsValid():
		parts = append(parts, attrText(c.Attrs(), "path"))
	}
	if c.Reason != "" {
		parts = append(parts, c.Reason)
	}
	return strings.Join(parts, "; ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (p *Timeline) text(w *textWriter) {
	w.line("Timeline of %s from %s to %s", p.Prefix, utc(p.From), utc(p.To))
	w.notices(&p.Frame)
	if p.FirstSeen.IsZero() {
		w.line("There was no route.")
		return
	}
	w.line("first seen %s, last seen %s", utc(p.FirstSeen), utc(p.LastSeen))
	w.line("%s, %s, %s, %s", plural(p.Announcements, "announcement"), plural(p.Withdrawals, "withdrawal"), plural(p.Flaps, "flap"),
		plural(p.OriginChangeCount, "origin change"))
	for _, o := range p.OriginChanges {
		w.line("  %s  origin %s -> %s", precise(o.At), asns(o.From), asns(o.To))
	}
	for i := range p.Rows {
		w.timelineRow(&p.Rows[i])
	}
}

func (w *textWriter) timelineRow(r *TimelineRow) {
	w.line("")
	name := r.Peer
	if r.AddPath {
		name += " path " + strconv.FormatUint(uint64(r.PathID), 10)
	}
	w.line("%s: %s, %s", name, plural(r.Total, "state"), plural(r.Flaps, "flap"))
	rows := [][]string{{"  From (UTC)", "To (UTC)", "For", "State"}}
	for i := range r.States {
		s := &r.States[i]
		to := precise(s.To)
		if s.Open {
			to = "-"
		}
		rows = append(rows, []string{"  " + precise(s.From), to, span(s.From, s.To), s.what()})
	}
	w.table("llr", rows)
	if n := r.Total - len(r.States); n > 0 {
		w.line("  and %s before", plural(n, "state"))
	}
}

// what says in one line how the route was.
func (s *TimelineState) what() string {
	switch {
	case s.Refused != "":
		return "treated as withdraw: " + s.Refused
	case s.Attrs == nil:
		return "absent"
	}
	parts := []string{attrText(s.Attrs, "path")}
	if s.Stale {
		parts[0] = "stale " + parts[0]
	}
	for _, a := range s.Changed {
		parts = append(parts, a.Name+": "+orNone(a.Old)+" -> "+orNone(a.Text))
	}
	return strings.Join(parts, "; ")
}

func (p *Diff) text(w *textWriter) {
	if !p.Compared {
		w.line("Compare two moments, or two peers: curl '%s/diff?a=1h&b=now'", p.Host)
		return
	}
	w.line("What differs%s", of(p.Form.Query))
	w.notices(&p.Frame)
	w.table("", [][]string{{"a", utc(p.A.At), p.A.Peer, p.A.Collection}, {"b", utc(p.B.At), p.B.Peer, p.B.Collection}})
	w.line("")
	if p.Counts != nil {
		w.diffCounts(p.Counts)
	}
	if len(p.Differences) == 0 {
		w.line("Nothing differs.")
	}
	for i := range p.Differences {
		w.difference(&p.Differences[i])
	}
	if p.Next != "" {
		w.line("")
		w.line("more: curl %s", shellURL(p.Host+p.Next))
	}
}

func (w *textWriter) diffCounts(c *DiffCounts) {
	w.line("%s added, %s withdrawn, %s changed, %s the same", count(c.Added), count(c.Withdrawn), count(c.Changed), count(c.Same))
	var rows [][]string
	for _, one := range c.Causes {
		rows = append(rows, []string{"  " + one.Kind, one.Cause, count(one.Count)})
	}
	w.table("llr", rows)
	w.line("")
	rows = [][]string{{"Peer", "Added", "Withdrawn", "Changed", "Same"}}
	for _, one := range c.Peers {
		rows = append(rows, []string{one.Peer, count(one.Added), count(one.Withdrawn), count(one.Changed), count(one.Same)})
	}
	w.table("lrrrr", rows)
	w.line("")
}

// difference writes a route that differs: what was behind a minus, what is behind
// a plus.
func (w *textWriter) difference(d *Difference) {
	w.line("%s  %s  %s (%s)", d.Prefix, d.Peer(), d.Kind, d.Cause)
	if d.Old != nil && d.New != nil {
		for _, a := range sides(d.Old, d.Attributes) {
			if a.Marked {
				w.line("  - %s %s", a.Name, a.Text)
			}
		}
		for _, a := range sides(d.New, d.Attributes) {
			if a.Marked {
				w.line("  + %s %s", a.Name, a.Text)
			}
		}
		return
	}
	sign, r := "+", d.New
	if r == nil {
		sign, r = "-", d.Old
	}
	w.line("  %s path %s, next hop %s", sign, attrText(r.Attrs, "path"), attrText(r.Attrs, "nexthop"))
}

func (p *History) text(w *textWriter) {
	if p.Absent {
		w.line("The past is not kept here.")
	} else {
		p.overview(w)
	}
	if len(p.Collections) > 0 {
		w.line("")
	}
	w.collections(p.Collections)
}

// collections lists what was imported from files, when there is something.
func (w *textWriter) collections(list []Collection) {
	if len(list) == 0 {
		return
	}
	rows := [][]string{{"Collection", "From", "To", "Size"}}
	for _, c := range list {
		size := byteSize(c.Bytes)
		if c.Broken {
			size = "cannot be opened"
		}
		rows = append(rows, []string{c.Name, utc(c.Begins), utc(c.Ends), size})
	}
	w.table("", rows)
}

func (p *History) overview(w *textWriter) {
	state := "recording"
	if !p.Recording {
		state = "NOT RECORDING: the log says why"
	}
	size := byteSize(p.FileBytes)
	if p.MaxBytes > 0 {
		size += " of at most " + byteSize(p.MaxBytes)
	}
	w.table("", [][]string{
		{"history", state},
		{"begins", utc(p.Begins)},
		{"ends", utc(p.Ends)},
		{"size", size + ", " + byteSize(p.FreeBytes) + " free in it, " + byteSize(p.PendingBytes) + " not written yet"},
		{"snapshots", count(p.SnapshotCount)},
		{"last snapshot", utc(p.LastSnapshot)},
	})
	if len(p.Snapshots) == 0 {
		return
	}
	w.line("")
	rows := [][]string{{"Snapshot", "Routes"}}
	for _, s := range p.Snapshots {
		rows = append(rows, []string{utc(s.At), count(s.Routes)})
	}
	w.table("lr", rows)
}
