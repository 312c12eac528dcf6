package v1

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// twinRoute is the stupid twin of appendRoute: a struct for encoding/json.
type twinRoute struct {
	Prefix            netip.Prefix  `json:"prefix"`
	Family            string        `json:"family"`
	Peer              string        `json:"peer"`
	Router            string        `json:"router,omitempty"`
	PathID            *uint32       `json:"path_id,omitempty"`
	ReceivedAt        time.Time     `json:"received_at"`
	StaleSince        *time.Time    `json:"stale_since,omitempty"`
	LongLived         bool          `json:"long_lived_stale,omitempty"`
	Best              bool          `json:"best"`
	Decision          string        `json:"decision,omitempty"`
	PeerASN           route.ASN     `json:"peer_asn,omitempty"`
	Origin            string        `json:"origin,omitempty"`
	ASPath            *[]any        `json:"as_path,omitempty"`
	ASPathText        *string       `json:"as_path_text,omitempty"`
	OriginAS          *route.ASN    `json:"origin_as,omitempty"`
	NextHop           *netip.Addr   `json:"next_hop,omitempty"`
	NextHopLinkLocal  *netip.Addr   `json:"next_hop_link_local,omitempty"`
	MED               *uint32       `json:"med,omitempty"`
	LocalPref         *uint32       `json:"local_pref,omitempty"`
	AtomicAggregate   bool          `json:"atomic_aggregate,omitempty"`
	Aggregator        *twinMaker    `json:"aggregator,omitempty"`
	Communities       []string      `json:"communities,omitempty"`
	OriginatorID      *netip.Addr   `json:"originator_id,omitempty"`
	ClusterList       []netip.Addr  `json:"cluster_list,omitempty"`
	ExtCommunities    []string      `json:"ext_communities,omitempty"`
	AIGP              *uint64       `json:"aigp,omitempty"`
	LargeCommunities  []string      `json:"large_communities,omitempty"`
	OTC               *route.ASN    `json:"otc,omitempty"`
	UnknownAttributes []twinUnknown `json:"unknown_attributes,omitempty"`
}

type twinMaker struct {
	ASN     route.ASN  `json:"asn"`
	Address netip.Addr `json:"address"`
}

type twinUnknown struct {
	Code  uint8  `json:"code"`
	Flags uint8  `json:"flags"`
	Value string `json:"value"`
}

func twinOf(r *route.Route) twinRoute {
	a := r.Attrs
	t := twinRoute{
		Prefix: r.Prefix, Family: r.Family.String(), Peer: r.Peer.Name, PeerASN: r.Peer.ASN, Router: r.Peer.Router,
		ReceivedAt: r.ReceivedAt.UTC(), Best: r.Best, LongLived: r.LongLived, Decision: r.Decision, AtomicAggregate: a.AtomicAggregate(),
	}
	if r.Peer.AddPath[r.Family] {
		t.PathID = &r.PathID
	}
	if !r.StaleSince.IsZero() {
		t.StaleSince = new(r.StaleSince.UTC())
	}
	if _, ok := a.Get(route.AttrOrigin); ok {
		t.Origin = a.Origin().String()
	}
	if _, ok := a.Get(route.AttrASPath); ok {
		t.ASPath, t.ASPathText = twinPath(a.ASPath()), new(a.ASPath().String())
	}
	if n, ok := a.ASPath().Origin(); ok {
		t.OriginAS = &n
	}
	if hop := a.NextHop(); hop.IsValid() {
		t.NextHop = &hop
	}
	if hop := a.LinkLocalNextHop(); hop.IsValid() {
		t.NextHopLinkLocal = &hop
	}
	if n, ok := a.MED(); ok {
		t.MED = &n
	}
	if n, ok := a.LocalPref(); ok {
		t.LocalPref = &n
	}
	if asn, id, ok := a.Aggregator(); ok {
		t.Aggregator = &twinMaker{asn, id}
	}
	if id := a.OriginatorID(); id.IsValid() {
		t.OriginatorID = &id
	}
	if n, ok := a.AIGP(); ok {
		t.AIGP = &n
	}
	if n, ok := a.OTC(); ok {
		t.OTC = &n
	}
	t.lists(a)
	return t
}

func (t *twinRoute) lists(a route.Attrs) {
	for c := range a.Communities().All() {
		t.Communities = append(t.Communities, c.String())
	}
	for c := range a.LargeCommunities().All() {
		t.LargeCommunities = append(t.LargeCommunities, c.String())
	}
	for c := range a.ExtCommunities() {
		t.ExtCommunities = append(t.ExtCommunities, c.String())
	}
	for list := a.ClusterList(); len(list) >= 4; list = list[4:] {
		t.ClusterList = append(t.ClusterList, netip.AddrFrom4([4]byte(list[:4])))
	}
	for u := range a.Unknown() {
		t.UnknownAttributes = append(t.UnknownAttributes, twinUnknown{uint8(u.Code), u.Flags, hex.EncodeToString(u.Value)})
	}
}

func twinPath(path route.ASPath) *[]any {
	elements := []any{}
	for s := range path.Segments() {
		asns := []any{}
		for i := range s.Len() {
			asns = append(asns, uint32(s.At(i)))
		}
		switch s.Type {
		case route.ASSequence:
			elements = append(elements, asns...)
		case route.ASSet:
			elements = append(elements, asns)
		case route.ASConfedSequence:
			elements = append(elements, map[string]any{"confed_sequence": asns})
		case route.ASConfedSet:
			elements = append(elements, map[string]any{"confed_set": asns})
		}
	}
	return &elements
}

// drawBytes draws n octets.
func drawBytes(t *rapid.T, n int, label string) []byte {
	return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, label)
}

// drawAttrs draws a set of attributes as the decoder would make it.
func drawAttrs(t *rapid.T) route.Attrs {
	var a route.Attrs
	maybe := func(c route.AttrCode, value func() []byte) {
		if rapid.Bool().Draw(t, "has attribute") {
			a = a.AppendAttr(c, value())
		}
	}
	fixed := func(n int) func() []byte { return func() []byte { return drawBytes(t, n, "value") } }
	many := func(unit int) func() []byte {
		return func() []byte { return drawBytes(t, unit*rapid.IntRange(1, 4).Draw(t, "count"), "values") }
	}
	maybe(route.AttrOrigin, func() []byte { return []byte{byte(rapid.IntRange(0, 2).Draw(t, "origin"))} })
	maybe(route.AttrASPath, func() []byte { return drawPath(t) })
	maybe(route.AttrNextHop, func() []byte {
		return drawBytes(t, rapid.SampledFrom([]int{4, 16, 32}).Draw(t, "next hop length"), "next hop")
	})
	maybe(route.AttrMED, fixed(4))
	maybe(route.AttrLocalPref, fixed(4))
	maybe(route.AttrAtomicAggregate, fixed(0))
	maybe(route.AttrAggregator, fixed(8))
	maybe(route.AttrCommunities, many(4))
	maybe(route.AttrOriginatorID, fixed(4))
	maybe(route.AttrClusterList, many(4))
	maybe(route.AttrExtCommunities, many(8))
	maybe(route.AttrIPv6ExtCommunity, many(20))
	maybe(route.AttrAIGP, func() []byte { return append([]byte{1, 0, 11}, drawBytes(t, 8, "aigp")...) })
	maybe(route.AttrLargeCommunities, many(12))
	maybe(route.AttrOTC, fixed(4))
	maybe(99, many(3))
	maybe(255, many(300))
	return a
}

func drawPath(t *rapid.T) route.ASPath {
	var p route.ASPath
	for range rapid.IntRange(0, 4).Draw(t, "segments") {
		kind := route.SegmentType(rapid.IntRange(1, 4).Draw(t, "segment type"))
		p = p.AppendSegment(kind, rapid.SliceOfN(rapid.Custom(func(t *rapid.T) route.ASN {
			return route.ASN(rapid.Uint32().Draw(t, "asn"))
		}), 1, 5).Draw(t, "asns")...)
	}
	return p
}

func drawRoute(t *rapid.T) *route.Route {
	families := route.Families()
	r := &route.Route{
		Family: rapid.SampledFrom(families[:]).Draw(t, "family"),
		Peer: &route.Peer{
			Name: rapid.String().Draw(t, "name"), Router: rapid.String().Draw(t, "router"),
			AddPath: [4]bool{rapid.Bool().Draw(t, "add-path"), true},
		},
		PathID: rapid.Uint32().Draw(t, "path id"), Attrs: drawAttrs(t),
		ReceivedAt: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "received"), rapid.Int64Range(0, 999999999).Draw(t, "ns")),
		Best:       rapid.Bool().Draw(t, "best"), Decision: rapid.String().Draw(t, "decision"),
	}
	if rapid.Bool().Draw(t, "stale") {
		r.StaleSince, r.LongLived = r.ReceivedAt.Add(time.Hour), rapid.Bool().Draw(t, "long-lived")
	}
	octets := drawBytes(t, r.Family.Bits()/8, "address")
	addr, _ := netip.AddrFromSlice(octets)
	r.Prefix = netip.PrefixFrom(addr, rapid.IntRange(0, addr.BitLen()).Draw(t, "length")).Masked()
	return r
}

func TestRouteIsEncodedAsEncodingJSONDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRoute(t)
		want, err := json.Marshal(twinOf(r))
		if err != nil {
			t.Fatal(err)
		}
		got := appendFields([]byte("["), r, allFields)[1:]
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("appendRoute (-encoding/json +own):\n%s", diff)
		}
	})
}

func TestRouteIsTheDeclaredAnswer(t *testing.T) {
	addresses := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	prefixes := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	rapid.Check(t, func(t *rapid.T) {
		r := drawRoute(t)
		r.Peer.View = rapid.SampledFrom(route.Views()).Draw(t, "view")
		var got answer.Route
		decoder := json.NewDecoder(bytes.NewReader(appendFields([]byte("["), r, allFields)[1:]))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(answer.RouteOf(r), got, addresses, prefixes); diff != "" {
			t.Errorf("appendFields (-answer.RouteOf +read back):\n%s", diff)
		}
	})
}

func TestDamagedAttributesStillGiveJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRoute(t)
		r.Attrs = rapid.SliceOf(rapid.Byte()).Draw(t, "attributes")
		if got := appendFields([]byte("["), r, allFields)[1:]; !json.Valid(got) {
			t.Errorf("appendRoute = %s, which is no JSON", got)
		}
		web.AppendCSVLine(nil, r, csvColumns(allFields))
	})
}

func TestResultIsEncodedAsEncodingJSONDoes(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 5000, time.UTC)
	q, err := query.Parse("192.0.2.0/24 or-longer peer edge1")
	if err != nil {
		t.Fatal(err)
	}
	res := &query.Result{Query: q, Plan: query.Plan{Method: query.Walk, Cost: 7}, At: at, Total: 7, NextCursor: `a"b`, Freshness: []query.Freshness{
		{Peer: "edge1", Up: true, LastUpdate: at, EndOfRIB: [4]time.Time{at, {}, at}},
		{Peer: "edge2", StaleSince: at},
	}}
	want := map[string]any{
		"query": map[string]any{"canonical": "192.0.2.0/24 or-longer peer edge1", "plan": map[string]any{"method": "walk", "cost": 7.0}},
		"at":    "2026-11-22T12:00:00.000005Z", "total": 7.0, "routes": []any{}, "next_cursor": `a"b`,
		"freshness": []any{
			map[string]any{
				"peer": "edge1", "up": true, "last_update": "2026-11-22T12:00:00.000005Z", "end_of_rib": map[string]any{
					"ipv4_unicast": "2026-11-22T12:00:00.000005Z", "ipv4_multicast": "2026-11-22T12:00:00.000005Z",
				},
			},
			map[string]any{"peer": "edge2", "up": false, "stale_since": "2026-11-22T12:00:00.000005Z", "end_of_rib": map[string]any{}},
		},
	}
	var got map[string]any
	if err := json.Unmarshal(appendResult(nil, res, resultForm{want: allFields}), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("appendResult (-want +got):\n%s", diff)
	}
}

func TestCSVLineHasEveryColumnAndNoFormula(t *testing.T) {
	columns := len(csvColumns(allFields))
	rapid.Check(t, func(t *rapid.T) {
		r := drawRoute(t)
		r.Peer.Name = rapid.StringMatching(`[=+\-@a"\n,]{0,8}`).Draw(t, "hostile name")
		reader := csv.NewReader(bytes.NewReader(web.AppendCSVLine(nil, r, csvColumns(allFields))))
		cells, err := reader.Read()
		if err != nil || len(cells) != columns {
			t.Fatalf("read back %d cells, %v; want %d", len(cells), err, columns)
		}
		for i, cell := range cells {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("column %d begins a formula: %q", i, cell)
			}
		}
		if want := r.Prefix.String(); cells[0] != want {
			t.Errorf("prefix = %q, want %q", cells[0], want)
		}
		if name := strings.TrimPrefix(cells[2], "'"); name != strings.TrimPrefix(r.Peer.Name, "'") {
			t.Errorf("peer = %q, want %q", name, r.Peer.Name)
		}
	})
}
