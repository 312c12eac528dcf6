package ui

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
	"ribglass/ui/catalogue"
)

func TestByteSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1500: "1.5 kB", 10_000_000_000: "10.0 GB", 1 << 62: "4611.7 PB"} {
		if got := byteSize(n); got != want {
			t.Errorf("byteSize(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSidesMarkWhatChanged(t *testing.T) {
	set := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).
		AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, 64500, 64501)).
		AppendAttr(route.AttrMED, []byte{0, 0, 0, 5}).AppendAttr(route.AttrCommunities, []byte{0xfb, 0xf4, 0, 1}).
		AppendAttr(99, []byte{0xc0, 1})
	want := []Attr{
		{Name: "path", Text: "64500 64501", Marked: true},
		{Name: "origin-code", Text: "igp"},
		{Name: "med", Text: "5"},
		{Name: "community", Text: "64500:1", Marked: true},
		{Name: "attribute-99", Text: "flags 0xc0: 01", Marked: true},
	}
	if diff := cmp.Diff(want, sides(&route.Route{Attrs: set}, []string{"path", "community", "attribute-99"})); diff != "" {
		t.Errorf("sides (-want +got):\n%s", diff)
	}
	got := Changed([]string{"med", "nexthop"}, nil, set)
	if diff := cmp.Diff([]Attr{{Name: "med", Text: "5"}, {Name: "nexthop"}}, got); diff != "" {
		t.Errorf("Changed (-want +got):\n%s", diff)
	}
}

// TestPagesOfThePastTakeAnything renders pages of what neighbours may say, and
// holds them to be text without anything that moves a cursor.
func TestPagesOfThePastTakeAnything(t *testing.T) {
	r, err := New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return rapid.String().Draw(t, name) }
		set := func(name string) route.Attrs { return rapid.SliceOf(rapid.Byte()).Draw(t, name) }
		frame := Frame{Moment: Moment{Notices: []string{text("notice")}, Collection: text("collection")}}
		prefix := netip.MustParsePrefix("192.0.2.0/24")
		names := append(attrNames(), "attribute-99", text("attribute"))
		side := func(name string) *route.Route {
			return &route.Route{Prefix: prefix, Peer: &route.Peer{Name: text("peer")}, Attrs: set(name)}
		}
		for _, page := range []Page{
			&Changes{Frame: frame, Query: text("query"), List: []Change{
				{Prefix: prefix, Peer: text("peer"), Old: set("old"), New: set("new"), Attributes: names, Reason: text("reason")},
				{Kind: "peer-down", Peer: text("peer"), Reason: text("reason")},
			}},
			&Timeline{Frame: frame, Prefix: prefix, FirstSeen: time.Unix(1, 0), Rows: []TimelineRow{{Peer: text("peer"), States: []TimelineState{
				{Attrs: set("state"), Stale: true, Changed: Changed(names, set("old"), set("new"))}, {},
			}}}},
			&Diff{Frame: frame, Compared: true, Counts: &DiffCounts{Peers: []PeerDiff{{Peer: text("peer")}}}, Differences: []Difference{
				{Prefix: prefix, Old: side("old"), New: side("new"), Attributes: names}, {Prefix: prefix, New: side("new")}, {Prefix: prefix, Old: side("old")},
			}},
			&History{Frame: frame, Collections: []Collection{{Name: text("name")}}},
		} {
			var plain, html bytes.Buffer
			if err := r.Text(&plain, page); err != nil {
				t.Fatal(err)
			}
			if err := r.HTML(&html, page); err != nil {
				t.Fatal(err)
			}
			if i := strings.IndexFunc(plain.String(), func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }); i >= 0 {
				t.Errorf("%T as text has %q", page, plain.String()[i])
			}
			if regexp.MustCompile(`<script($|>| [^st])`).MatchString(html.String()) {
				t.Errorf("%T has a script", page)
			}
		}
	})
}

// moment is a time in the text of the pages below.
func moment(hour, minute int) time.Time { return time.Date(2026, 11, 22, hour, minute, 0, 0, time.UTC) }

func pathOf(asns ...route.ASN) route.Attrs {
	return route.Attrs(nil).AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, asns...)).
		AppendAttr(route.AttrNextHop, []byte{192, 0, 2, 1})
}

func TestTextOfPagesOfThePast(t *testing.T) {
	prefix := netip.MustParsePrefix("203.0.113.0/24")
	was, is := pathOf(64500, 64501), pathOf(64500, 64502)
	edge1 := &route.Peer{Name: "edge1"}
	frame := Frame{Host: "lg.example.net", Live: Live{At: moment(10, 0)}, Moment: Moment{
		Past: true, Asked: moment(12, 0), Requested: moment(10, 5), Notices: []string{"a part of the journal is lost"},
	}}
	for name, row := range map[string]struct {
		page Page
		want string
	}{
		"a lookup": {&Lookup{Frame: frame, About: catalogue.Plain("Routes of 203.0.113.0/24"), Past: []Link{{"changes", "/changes?q=203.0.113.0%2F24"}}}, `
Routes of 203.0.113.0/24: 0 routes
past 2026-11-22 10:00:00 UTC (2h00m ago)
asked for 2026-11-22 10:05:00 UTC
a part of the journal is lost

No route.
changes: curl 'lg.example.net/changes?q=203.0.113.0%2F24'
`},
		"changes": {&Changes{
			Frame: frame, Query: "203.0.113.0/24", From: moment(9, 0), To: moment(12, 0), Total: 9, Exact: true, Next: "/changes?cursor=x",
			Kinds: []Kind{{Text: "replace", Count: 8}, {Text: "peer-down", Count: 1}}, List: []Change{
				{At: moment(11, 0), Kind: "replace", Prefix: prefix, Peer: "edge1", Old: was, New: is, Attributes: []string{"path", "med"}},
				{At: moment(10, 0), Kind: "peer-down", Peer: "rs1", Reason: "hold timer expired"},
				{At: moment(10, 0), Kind: "end-of-rib", Peer: "rs1", OfFamily: true, Family: route.IPv6Unicast},
			},
		}, `
Changes of 203.0.113.0/24 from 2026-11-22 09:00:00 UTC to 2026-11-22 12:00:00 UTC: 9
a part of the journal is lost
Kinds replace (8) peer-down (1)

At (UTC)                 Kind        Prefix          Peer   What
2026-11-22 11:00:00.000  replace     203.0.113.0/24  edge1  path: 64500 64501 -> 64500 64502; med: none -> none
2026-11-22 10:00:00.000  peer-down                   rs1    hold timer expired
2026-11-22 10:00:00.000  end-of-rib  ipv6-unicast    rs1

3 of 9 changes shown; more: curl 'lg.example.net/changes?cursor=x'
`},
		"a timeline": {&Timeline{
			Prefix: prefix, From: moment(9, 0), To: moment(12, 0), FirstSeen: moment(9, 30), LastSeen: moment(12, 0),
			Announcements: 2, Flaps: 1, OriginChangeCount: 1, OriginChanges: []OriginChange{{moment(11, 0), []route.ASN{64501}, []route.ASN{64502}}},
			Rows: []TimelineRow{{Peer: "edge1", Total: 9, Flaps: 1, States: []TimelineState{
				{From: moment(11, 0), To: moment(12, 0), Open: true, Attrs: is, Changed: []Attr{{Name: "med", Old: "5"}}},
				{From: moment(10, 0), To: moment(11, 0), Attrs: was, Stale: true},
				{From: moment(9, 0), To: moment(10, 0)},
			}}},
		}, `
Timeline of 203.0.113.0/24 from 2026-11-22 09:00:00 UTC to 2026-11-22 12:00:00 UTC
first seen 2026-11-22 09:30:00 UTC, last seen 2026-11-22 12:00:00 UTC
2 announcements, 0 withdrawals, 1 flap, 1 origin change
  2026-11-22 11:00:00.000  origin 64501 -> 64502

edge1: 9 states, 1 flap
  From (UTC)               To (UTC)                   For  State
  2026-11-22 11:00:00.000  -                        1h00m  64500 64502; med: 5 -> none
  2026-11-22 10:00:00.000  2026-11-22 11:00:00.000  1h00m  stale 64500 64501
  2026-11-22 09:00:00.000  2026-11-22 10:00:00.000  1h00m  absent
  and 6 states before
`},
		"a comparison": {&Diff{
			Compared: true, A: DiffSide{At: moment(9, 0), Peer: "edge1"}, B: DiffSide{At: moment(12, 0), Collection: "old"},
			Counts: &DiffCounts{Same: 1000, Added: 1, Changed: 1, Causes: []CauseCount{{"changed", "origin", 1}}, Peers: []PeerDiff{{"edge1", "", 1000, 1, 0, 1}}},
			Differences: []Difference{
				{Prefix: prefix, Kind: "changed", Cause: "origin", Attributes: []string{"path"}, Old: &route.Route{Peer: edge1, Attrs: was}, New: &route.Route{Peer: edge1, Attrs: is}},
				{Prefix: prefix, Kind: "added", Cause: "new-route", New: &route.Route{Peer: edge1, Attrs: is}},
			},
		}, `
What differs
a  2026-11-22 09:00:00 UTC  edge1
b  2026-11-22 12:00:00 UTC         old

1 added, 0 withdrawn, 1 changed, 1,000 the same
  changed  origin  1

Peer   Added  Withdrawn  Changed   Same
edge1      1          0        1  1,000

203.0.113.0/24  edge1  changed (origin)
  - path 64500 64501
  + path 64500 64502
203.0.113.0/24  edge1  added (new-route)
  + path 64500 64502, next hop 192.0.2.1
`},
		"what is kept": {&History{
			Begins: moment(9, 0), Ends: moment(12, 0), FileBytes: 1500, MaxBytes: 10_000_000, SnapshotCount: 1, LastSnapshot: moment(11, 0),
			Snapshots: []Snapshot{{At: moment(11, 0), Routes: 1000}}, Collections: []Collection{{Name: "old", Broken: true}},
		}, `
history        NOT RECORDING: the log says why
begins         2026-11-22 09:00:00 UTC
ends           2026-11-22 12:00:00 UTC
size           1.5 kB of at most 10.0 MB, 0 B free in it, 0 B not written yet
snapshots      1
last snapshot  2026-11-22 11:00:00 UTC

Snapshot                 Routes
2026-11-22 11:00:00 UTC   1,000

Collection  From  To  Size
old                   cannot be opened
`},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := New(nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := r.Text(&got, row.page); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want[1:], got.String()); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}
