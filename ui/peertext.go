package ui

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"ribglass/ribstore/route"
)

func (p *Peer) text(w *textWriter) {
	n := &p.Neighbour
	w.line("%s, AS%s, %s", n.Peer.Name, n.Peer.ASN, n.Peer.Address)
	w.bar(&p.Frame)
	w.noticesOf(n.Notices)
	w.table("", p.overview(w))
	w.line("")
	w.families(n)
	w.capabilities(n.Capabilities)
	if !n.Then {
		w.counters(n.Counters)
	}
	w.history(n.History)
	w.malformed(p.Malformed)
	w.announced(p)
	w.line("Routes: curl %s", shellURL(p.Host+p.RoutesURL))
}

// malformed writes the last messages that broke the rules.
func (w *textWriter) malformed(list []route.Malformed) {
	if len(list) == 0 {
		return
	}
	w.line("%s", w.english.T("malformed.title", len(list)))
	for i := range list {
		m := &list[i]
		w.line("  %s  %s: %s %s", precise(m.At), m.Kind, m.Error, m.RFC)
		for _, more := range m.More {
			w.line("      %s", more)
		}
		words := make([]string, len(m.Prefixes))
		for j, n := range m.Prefixes {
			words[j] = n.Prefix.String()
		}
		if m.Total > len(words) {
			words = append(words, fmt.Sprintf("(%d in all)", m.Total))
		}
		if len(words) > 0 {
			w.wrapped(6, "prefixes", words)
		}
		w.line("      message of %d octets: %x", m.Length, m.Message)
	}
	w.line("")
}

// announced writes what the routes of a peer have, or how to have it counted.
func (w *textWriter) announced(p *Peer) {
	if p.Counts == nil {
		if p.Refused {
			w.line("%s", w.english.T("counts.refused"))
		}
		if p.CountsURL != "" {
			w.line("Origins, communities: curl %s", shellURL(p.Host+p.CountsURL))
		}
		return
	}
	w.line("%s, %s, %s", w.english.T("counts.origins", p.Counts.Origins), w.english.T("counts.neighbors", p.Counts.Neighbors),
		w.english.T("counts.communities", p.Counts.Communities))
	w.topOf(w.english.T("counts.top_origins"), p.Counts.TopOrigins)
	w.topOf(w.english.T("counts.top_communities"), p.Counts.TopCommunities)
	w.line("")
}

// topOf writes the most frequent values with what they mean.
func (w *textWriter) topOf(title string, list []Facet) {
	if len(list) == 0 {
		return
	}
	rows := [][]string{{title, "Routes"}}
	for _, f := range list {
		rows = append(rows, []string{f.Text, count(f.Count), cmp.Or(f.Name, f.About)})
	}
	w.table("lr", rows)
}

// overview lists what is known of the session, the unknown left out.
func (p *Peer) overview(w *textWriter) [][]string {
	n := &p.Neighbour
	var rows [][]string
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	add("description", n.Peer.Description)
	add("group", n.Peer.Group)
	add("router", n.Peer.Router)
	if n.Then {
		add("state", stateText(n))
	} else {
		add("state", fmt.Sprintf("%s since %s (%s)", stateText(n), utc(n.Since), age(p.Now, n.Since)))
	}
	if n.Peer.RouterID.IsValid() {
		add("router id", n.Peer.RouterID.String())
	}
	add("we connect to", n.ConnectTo)
	add("our role", n.Role)
	if n.HoldTime > 0 {
		add("hold time", n.HoldTime.String())
	}
	if n.MaxPrefixes > 0 {
		add("max prefixes", strconv.Itoa(n.MaxPrefixes))
	}
	if n.MaxAttributeBytes > 0 {
		add("attribute sets", w.tongue().T("peer.of_bytes", w.tongue().bytes(p.AttributeBytes), w.tongue().bytes(int64(n.MaxAttributeBytes))))
	}
	if !n.LastUpdate.IsZero() {
		add("last update", fmt.Sprintf("%s (%s ago)", utc(n.LastUpdate), age(p.Now, n.LastUpdate)))
	}
	if !n.StaleSince.IsZero() {
		add("stale since", fmt.Sprintf("%s (%s ago)", utc(n.StaleSince), age(p.Now, n.StaleSince)))
	}
	if !n.Then {
		add("last hour", n.Rate.Blocks(sparkSteps)+"  "+w.tongue().words(n.Rate))
	}
	add("last error", n.LastError)
	return rows
}

func (w *textWriter) families(n *Neighbour) {
	rows := [][]string{{"Family", "Routes", "Stale", "End-of-RIB"}}
	for _, e := range endsOfRIB(n) {
		at := "not seen"
		if !e.At.IsZero() {
			at = utc(e.At)
		}
		rows = append(rows, []string{e.Family.String(), count(e.Routes), count(e.Stale), at})
	}
	w.table("lrr", rows)
	w.line("")
}

// ribState is what is known of one family of a session.
type ribState struct {
	Family        route.Family
	Routes, Stale int
	At            time.Time // End-of-RIB; zero: not seen
	Then          bool      // of the past or of a file, where it may never have been written
	AddPath       bool

	RoutesURL, StaleURL string
}

// endsOfRIB lists the families of a session and those it has routes of.
func endsOfRIB(n *Neighbour) []ribState {
	negotiated := map[route.Family]bool{}
	for _, f := range n.Families {
		negotiated[f] = true
	}
	var list []ribState
	for _, f := range route.Families() {
		if negotiated[f] || n.Routes[f] > 0 {
			list = append(list, ribState{f, n.Routes[f], n.Stale[f], n.EndOfRIB[f], n.Then, n.Peer.AddPath[f], n.RoutesURLs[f], n.StaleURLs[f]})
		}
	}
	return list
}

func (w *textWriter) capabilities(list []route.Capability) {
	if len(list) == 0 {
		return
	}
	rows := [][]string{{"Capability", "Ours too", "Value"}}
	for _, c := range list {
		ours := "no"
		if c.Ours {
			ours = "yes"
		}
		rows = append(rows, []string{c.Name, ours, c.Value})
	}
	w.table("", rows)
	w.line("")
}

func (w *textWriter) counters(c route.SessionCounters) {
	w.table("lrlr", [][]string{
		{"messages in", count(c.MessagesIn), "messages out", count(c.MessagesOut)},
		{"bytes in", count(c.BytesIn), "bytes out", count(c.BytesOut)},
		{"notifications in", count(c.NotificationsIn), "notifications out", count(c.NotificationsOut)},
		{"updates in", count(c.UpdatesIn), "treated as withdraw", count(c.TreatedAsWithdraw)},
		{"prefixes announced", count(c.PrefixesAnnounced), "prefixes withdrawn", count(c.PrefixesWithdrawn)},
		{"attributes discarded", count(c.AttributesDiscarded), "connections refused", count(c.RefusedConnections)},
		{"sessions established", count(c.SessionsEstablished)},
	})
	w.line("")
}

func (w *textWriter) history(list []route.Transition) {
	if len(list) == 0 {
		return
	}
	rows := [][]string{{"At", "From", "To", "Reason"}}
	for _, t := range list {
		rows = append(rows, []string{utc(t.At), string(t.From), string(t.To), t.Reason})
	}
	w.table("", rows)
	w.line("")
}
