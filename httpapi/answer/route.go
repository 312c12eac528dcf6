package answer

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// Route is a route that a peer sent. A list of routes may be asked for with some
// of the members only; the others are absent then. Otherwise prefix, family,
// peer, received_at and best are always there, and another member is absent when
// the route has nothing to say for it. A route of a comparison has neither best
// nor decision.
type Route struct {
	Prefix     netip.Prefix `json:"prefix,omitzero"`
	Family     string       `json:"family,omitempty"`
	Peer       string       `json:"peer,omitempty"`    // the name of the peer
	Router     string       `json:"router,omitempty"`  // the router that the session ends on
	View       string       `json:"view,omitempty"`    // the table of the router, such as "post-policy"; absent for a BGP session of the collector
	PathID     *uint32      `json:"path_id,omitempty"` // absent without ADD-PATH (RFC 7911)
	ReceivedAt time.Time    `json:"received_at,omitzero"`
	StaleSince time.Time    `json:"stale_since,omitzero"` // absent while the session confirms the route
	LongLived  bool         `json:"long_lived_stale,omitempty"`
	Best       *bool        `json:"best,omitempty"`     // the decision process prefers the route among the routes of its prefix
	Decision   string       `json:"decision,omitempty"` // the step that settled the route against the best one; for the best, against the runner-up
	PeerASN    route.ASN    `json:"peer_asn,omitempty"`

	Attributes
}

// Attributes are the path attributes of a route. An attribute that the route
// does not have is absent.
type Attributes struct {
	Origin            string             `json:"origin,omitempty"` // "igp", "egp" or "incomplete"
	ASPath            []PathElement      `json:"as_path,omitzero"`
	ASPathText        *string            `json:"as_path_text,omitempty"` // as routers print it; "" for a path without an AS
	OriginAS          *route.ASN         `json:"origin_as,omitempty"`    // absent when the path ends in a set of several, or has no AS
	NextHop           netip.Addr         `json:"next_hop,omitzero"`
	LinkLocalNextHop  netip.Addr         `json:"next_hop_link_local,omitzero"`
	MED               *uint32            `json:"med,omitempty"`
	LocalPref         *uint32            `json:"local_pref,omitempty"`
	AtomicAggregate   bool               `json:"atomic_aggregate,omitempty"`
	Aggregator        *Aggregator        `json:"aggregator,omitempty"`
	Communities       []string           `json:"communities,omitempty"` // such as "64500:1"
	OriginatorID      netip.Addr         `json:"originator_id,omitzero"`
	ClusterList       []netip.Addr       `json:"cluster_list,omitempty"`
	ExtCommunities    []string           `json:"ext_communities,omitempty"` // such as "rt:64500:1"
	AIGP              *uint64            `json:"aigp,omitempty"`            // RFC 7311
	LargeCommunities  []string           `json:"large_communities,omitempty"`
	OTC               *route.ASN         `json:"otc,omitempty"` // RFC 9234
	UnknownAttributes []UnknownAttribute `json:"unknown_attributes,omitempty"`
}

// Aggregator says who aggregated a route (RFC 4271 section 5.1.7).
type Aggregator struct {
	ASN     route.ASN  `json:"asn"`
	Address netip.Addr `json:"address"`
}

// UnknownAttribute is a path attribute that is kept without being understood, or that
// was too long to be kept.
type UnknownAttribute struct {
	Code  uint8  `json:"code"`
	Flags uint8  `json:"flags"`
	Value string `json:"value,omitempty"` // octets in hexadecimal digits; absent when it was too long

	Length       int    `json:"length,omitempty"`        // octets of a value that was too long
	SHA256Prefix string `json:"sha256_prefix,omitempty"` // the first half of its SHA-256, in hexadecimal digits

	Name string `json:"name,omitempty"` // in the IANA registry, such as "ATTR_SET"
	Text string `json:"text,omitempty"` // the value of an ATTR_SET in words
}

// PathElement is an element of an AS path: an AS number of a sequence, or a
// whole segment of another type. In JSON an AS of a sequence is a number, an
// AS_SET an array of numbers, and a confederation segment (RFC 5065) an object
// whose one member is the array. The zero value is AS 0 of a sequence.
type PathElement struct {
	Type route.SegmentType // zero means the same as ASSequence
	AS   route.ASN         // of a sequence
	ASes []route.ASN       // of every other segment
}

// confederation is the JSON form of a confederation segment.
type confederation struct {
	Sequence []route.ASN `json:"confed_sequence,omitempty"`
	Set      []route.ASN `json:"confed_set,omitempty"`
}

// MarshalJSON writes a number, an array or an object.
func (e PathElement) MarshalJSON() ([]byte, error) {
	switch e.Type {
	case route.ASSet:
		return json.Marshal(e.ASes)
	case route.ASConfedSequence:
		return json.Marshal(confederation{Sequence: e.ASes})
	case route.ASConfedSet:
		return json.Marshal(confederation{Set: e.ASes})
	case route.ASSequence:
	}
	return json.Marshal(e.AS)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *PathElement) UnmarshalJSON(text []byte) error {
	if len(text) == 0 {
		return errors.New("an element of an AS path is missing")
	}
	switch text[0] {
	case '[':
		*e = PathElement{Type: route.ASSet}
		return json.Unmarshal(text, &e.ASes)
	case '{':
		var c confederation
		if err := json.Unmarshal(text, &c); err != nil {
			return err
		}
		*e = PathElement{Type: route.ASConfedSequence, ASes: c.Sequence}
		if c.Set != nil {
			*e = PathElement{Type: route.ASConfedSet, ASes: c.Set}
		}
		return nil
	}
	*e = PathElement{Type: route.ASSequence}
	return json.Unmarshal(text, &e.AS)
}

// RouteOf returns the answer for r, which shares nothing with r.
func RouteOf(r *route.Route) Route {
	best := r.Best
	a := Route{
		Prefix: r.Prefix, Family: r.Family.String(), Peer: r.Peer.Name, PeerASN: r.Peer.ASN, Router: r.Peer.Router, ReceivedAt: r.ReceivedAt.UTC(),
		StaleSince: r.StaleSince.UTC(), LongLived: r.LongLived, Best: &best, Decision: r.Decision, Attributes: AttributesOf(r.Attrs),
	}
	if r.Peer.AddPath[r.Family] {
		id := r.PathID
		a.PathID = &id
	}
	if r.Peer.View != route.AdjRIBIn {
		a.View = r.Peer.View.String()
	}
	return a
}

// AttributesOf returns the answer for a set of path attributes.
func AttributesOf(attrs route.Attrs) Attributes {
	a := Attributes{
		NextHop: attrs.NextHop(), LinkLocalNextHop: attrs.LinkLocalNextHop(),
		AtomicAggregate: attrs.AtomicAggregate(), OriginatorID: attrs.OriginatorID(),
	}
	if _, ok := attrs.Get(route.AttrOrigin); ok {
		a.Origin = attrs.Origin().String()
	}
	if _, ok := attrs.Get(route.AttrASPath); ok {
		text := attrs.ASPath().String()
		a.ASPath, a.ASPathText = elements(attrs.ASPath()), &text
	}
	if as, ok := attrs.ASPath().Origin(); ok {
		a.OriginAS = &as
	}
	if asn, id, ok := attrs.Aggregator(); ok {
		a.Aggregator = &Aggregator{asn, id}
	}
	a.setNumbers(attrs)
	a.setLists(attrs)
	return a
}

// elements returns the elements of a path: a list without elements, not nil,
// when the path has none.
func elements(path route.ASPath) []PathElement {
	list := []PathElement{}
	for s := range path.Segments() {
		var ases []route.ASN
		for i := range s.Len() {
			ases = append(ases, s.At(i))
		}
		if s.Type != route.ASSequence {
			list = append(list, PathElement{Type: s.Type, ASes: ases})
			continue
		}
		for _, as := range ases {
			list = append(list, PathElement{Type: s.Type, AS: as})
		}
	}
	return list
}

func (a *Attributes) setNumbers(attrs route.Attrs) {
	if n, ok := attrs.MED(); ok {
		a.MED = &n
	}
	if n, ok := attrs.LocalPref(); ok {
		a.LocalPref = &n
	}
	if n, ok := attrs.AIGP(); ok {
		a.AIGP = &n
	}
	if n, ok := attrs.OTC(); ok {
		a.OTC = &n
	}
}

func (a *Attributes) setLists(attrs route.Attrs) {
	for c := range attrs.Communities().All() {
		a.Communities = append(a.Communities, c.String())
	}
	for c := range attrs.LargeCommunities().All() {
		a.LargeCommunities = append(a.LargeCommunities, c.String())
	}
	for c := range attrs.ExtCommunities() {
		a.ExtCommunities = append(a.ExtCommunities, c.String())
	}
	for list := attrs.ClusterList(); len(list) >= 4; list = list[4:] {
		a.ClusterList = append(a.ClusterList, netip.AddrFrom4([4]byte(list[:4])))
	}
	for u := range attrs.Unknown() {
		one := UnknownAttribute{Code: uint8(u.Code), Flags: u.Flags, Value: hex.EncodeToString(u.Value), Name: u.Code.Name(), Text: u.Text()}
		if u.Value == nil {
			one.Length, one.SHA256Prefix = u.Length, hex.EncodeToString(u.Hash[:])
		}
		a.UnknownAttributes = append(a.UnknownAttributes, one)
	}
}
