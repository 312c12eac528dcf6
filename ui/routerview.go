package ui

import (
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"time"

	"ribglass/ribstore/route"
)

// View is a way to write routes, for those who read that of their routers
// faster. The zero value is a table.
type View string

// The views.
const (
	AsTable View = ""
	AsCisco View = "cisco" // "show ip bgp"
	AsJunos View = "junos" // "show route"
	AsBIRD  View = "bird"  // "show route all"
)

// Views lists the views, in the order in which a page offers them.
func Views() []View { return []View{AsTable, AsCisco, AsJunos, AsBIRD} }

// Title is what a page calls the view.
func (v View) Title() string {
	switch v {
	case AsCisco:
		return "Cisco"
	case AsJunos:
		return "Junos"
	case AsBIRD:
		return "BIRD"
	case AsTable:
	}
	return "Table"
}

// RouterText returns the routes of the answer as a router of the view writes
// them.
func (p *Lookup) RouterText() string {
	w := textWriter{now: p.Now}
	w.view(p.View, p.Groups)
	return w.buf.String()
}

func (w *textWriter) view(v View, groups []Group) {
	switch v {
	case AsCisco:
		w.cisco(groups)
	case AsJunos:
		w.junos(groups)
	case AsBIRD:
		w.bird(groups)
	case AsTable:
		w.routes(groups)
	}
}

// cisco writes routes as "show ip bgp" does: one line a route, or two where an
// address is too long for its column.
func (w *textWriter) cisco(groups []Group) {
	w.line("Status codes: S Stale, * valid, > best")
	w.line("Origin codes: i - IGP, e - EGP, ? - incomplete")
	w.line("")
	w.line("    %-18s %-17s %9s %6s %6s %s", "Network", "Next Hop", "Metric", "LocPrf", "Weight", "Path")
	for _, g := range groups {
		for i := range g.Routes {
			r := &g.Routes[i]
			network := ""
			if i == 0 {
				network = g.Prefix.String()
			}
			w.column(fmt.Sprintf(" %-2s ", marks(r.Route)), network, 18, 23)
			w.column("", r.Attrs.NextHop().String(), 17, 41)
			w.line("%9s %6s %6s %s", med(r.Attrs), localPref(r.Attrs), "0", strings.TrimLeft(r.Attrs.ASPath().String()+" "+originMark(r.Attrs), " "))
		}
	}
}

// column writes a cell of so many characters; what is wider has the rest of its
// line to itself, and the next begins at column next of a new one.
func (w *textWriter) column(before, text string, width, next int) {
	w.buf.WriteString(before)
	if len(text) > width {
		w.line("%s", text)
		w.buf.WriteString(strings.Repeat(" ", next))
		return
	}
	fmt.Fprintf(&w.buf, "%-*s ", width, text)
}

// junos writes routes as "show route" does.
func (w *textWriter) junos(groups []Group) {
	for i, g := range groups {
		if i == 0 || groups[i-1].Family != g.Family {
			if i > 0 {
				w.line("")
			}
			w.line("%s:", junosTable(g.Family))
			w.line("+ = Active Route, - = Last Active, * = Both")
			w.line("")
		}
		for j := range g.Routes {
			w.junosRoute(g.Prefix, j == 0, &g.Routes[j])
		}
	}
}

func junosTable(f route.Family) string {
	switch f {
	case route.IPv4Unicast:
		return "inet.0"
	case route.IPv6Unicast:
		return "inet6.0"
	case route.IPv4Multicast:
		return "inet.2"
	case route.IPv6Multicast:
	}
	return "inet6.2"
}

func (w *textWriter) junosRoute(prefix netip.Prefix, first bool, r *Route) {
	name, mark := "", " "
	if first {
		name = prefix.String()
	}
	if r.Best {
		mark = "*"
	}
	w.column("", name, 18, 19)
	line := fmt.Sprintf("%s[BGP/170] %s", mark, junosAge(w.now, r.ReceivedAt))
	if text := med(r.Attrs); text != "" {
		line += ", MED " + text
	}
	if text := localPref(r.Attrs); text != "" {
		line += ", localpref " + text
	}
	if r.Peer.Address.IsValid() {
		line += ", from " + r.Peer.Address.String()
	}
	w.line("%s", line)
	origin := map[route.Origin]string{route.OriginIGP: "I", route.OriginEGP: "E"}[r.Attrs.Origin()]
	if origin == "" {
		origin = "?"
	}
	w.line("%21s AS path: %s", "", strings.TrimLeft(r.Attrs.ASPath().String()+" "+origin, " "))
	w.line("%19s > to %s", "", r.Attrs.NextHop())
}

// junosAge prints an age as "2w3d 04:05:06".
func junosAge(now, t time.Time) string {
	d := max(now.Sub(t), 0).Truncate(time.Second)
	days := int(d / (24 * time.Hour))
	d %= 24 * time.Hour
	clock := fmt.Sprintf("%02d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	switch {
	case days >= 7:
		return fmt.Sprintf("%dw%dd %s", days/7, days%7, clock)
	case days > 0:
		return fmt.Sprintf("%dd %s", days, clock)
	}
	return clock
}

// bird writes routes as "show route all" does.
func (w *textWriter) bird(groups []Group) {
	for i, g := range groups {
		if i == 0 || groups[i-1].Family != g.Family {
			w.line("Table %s:", birdTable(g.Family))
		}
		for j := range g.Routes {
			w.birdRoute(g.Prefix, j == 0, &g.Routes[j])
		}
	}
}

func birdTable(f route.Family) string {
	switch f {
	case route.IPv4Unicast:
		return "master4"
	case route.IPv6Unicast:
		return "master6"
	case route.IPv4Multicast:
		return "mcast4"
	case route.IPv6Multicast:
	}
	return "mcast6"
}

func (w *textWriter) birdRoute(prefix netip.Prefix, first bool, r *Route) {
	name, mark := "", ""
	if first {
		name = prefix.String()
	}
	if r.Best {
		mark = " *"
	}
	pref := localPref(r.Attrs)
	if pref == "" {
		pref = "100"
	}
	origin := ""
	if asn, ok := r.Attrs.ASPath().Origin(); ok {
		origin = "AS" + asn.String()
	}
	w.line("%-20s unicast [%s %s]%s (%s) [%s%s]", name, r.Peer.Name, r.ReceivedAt.UTC().Format("2006-01-02 15:04:05"), mark, pref, origin,
		originMark(r.Attrs))
	w.line("        via %s", r.Attrs.NextHop())
	origins := map[route.Origin]string{route.OriginIGP: "IGP", route.OriginEGP: "EGP", route.OriginIncomplete: "Incomplete"}
	for _, a := range [][2]string{
		{"BGP.origin", origins[r.Attrs.Origin()]},
		{"BGP.as_path", r.Attrs.ASPath().String()},
		{"BGP.next_hop", nextHops(r.Attrs)},
		{"BGP.med", med(r.Attrs)},
		{"BGP.local_pref", localPref(r.Attrs)},
		{"BGP.community", tuples(r.Attrs.Communities().All())},
		{"BGP.large_community", tuples(r.Attrs.LargeCommunities().All())},
	} {
		if a[1] != "" {
			w.line("        %s: %s", a[0], a[1])
		}
	}
}

// tuples prints communities as BIRD does: "(64500,100) (64500,200)".
func tuples[T fmt.Stringer](all iter.Seq[T]) string {
	var words []string
	for c := range all {
		words = append(words, "("+strings.ReplaceAll(c.String(), ":", ",")+")")
	}
	return strings.Join(words, " ")
}
