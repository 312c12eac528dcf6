package ui

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
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
	r, err := New()
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
			if strings.Contains(html.String(), "<script") {
				t.Errorf("%T has a script", page)
			}
		}
	})
}
