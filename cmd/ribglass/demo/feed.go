package demo

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"ribglass/cmd/ribglass/config"
	"ribglass/ribstore/route"
)

// feed cuts what a speaker with the AS number announces out of the table, with
// updates of one attribute set together.
func feed(table []entry, kind config.Feed, asn route.ASN) []route.Update {
	return group(announcements(table, kind, asn))
}

// announcements cuts the same out of the table route by route. Of several with one
// prefix and path identifier the first stays.
func announcements(table []entry, kind config.Feed, asn route.ASN) []announcement {
	var routes []announcement
	for _, e := range table {
		switch kind {
		case config.FeedFull:
			if e.peer == asn {
				routes = append(routes, announcement{e.family, route.NLRI{Prefix: e.prefix}, e.attrs})
			}
		case config.FeedCustomer:
			if a, ok := customerRoute(e, asn); ok {
				routes = append(routes, a)
			}
		case config.FeedRouteServer:
			if a, ok := memberRoute(e, asn); ok {
				routes = append(routes, a)
			}
		}
	}
	seen := make(map[route.NLRI]bool, len(routes))
	return slices.DeleteFunc(routes, func(a announcement) bool {
		again := seen[a.nlri]
		seen[a.nlri] = true
		return again
	})
}

// announcement is one route of a speaker.
type announcement struct {
	family route.Family
	nlri   route.NLRI
	attrs  route.Attrs
}

// group sorts announcements by their attributes and makes an update of each run
// of equal ones.
func group(routes []announcement) []route.Update {
	slices.SortStableFunc(routes, func(a, b announcement) int {
		return cmp.Or(cmp.Compare(a.family, b.family), slices.Compare(a.attrs, b.attrs))
	})
	var updates []route.Update
	for _, a := range routes {
		if last := len(updates) - 1; last >= 0 && updates[last].Family == a.family && slices.Equal(updates[last].Attrs, a.attrs) {
			updates[last].NLRI = append(updates[last].NLRI, a.nlri)
			continue
		}
		updates = append(updates, route.Update{Family: a.family, Attrs: a.attrs, NLRI: []route.NLRI{a.nlri}})
	}
	return updates
}

// customerRoute returns e as the network with the AS number would announce it to
// its provider: when it is on the path, with the path from there on.
func customerRoute(e entry, asn route.ASN) (announcement, bool) {
	path := slices.Collect(e.attrs.ASPath().All())
	i := slices.Index(path, asn)
	if i < 0 {
		return announcement{}, false
	}
	attrs := replace(shorten(e.attrs, path[i:]), route.AttrNextHop, address(e.family, 250))
	return announcement{e.family, route.NLRI{Prefix: e.prefix}, attrs}, true
}

// members returns the networks behind the demonstration's route server. The
// place in the list is the member's path identifier, from 1, and the end of its
// address.
func members() []route.ASN {
	return []route.ASN{6939, 9002, 9498, 37100, 137409, 262589, 37468, 30844, 3741, 20473, 34927}
}

// memberRoute returns e as the route server passes it on: the path begins with
// the member, whose address is the next hop (RFC 7947), and a large community
// names it.
func memberRoute(e entry, asn route.ASN) (announcement, bool) {
	path := slices.Collect(e.attrs.ASPath().All())
	for len(path) > 0 && path[0] == e.peer {
		path = path[1:]
	}
	if len(path) == 0 {
		return announcement{}, false
	}
	member := slices.Index(members(), path[0])
	if member < 0 {
		return announcement{}, false
	}
	id := uint32(member + 1)
	attrs := replace(shorten(e.attrs, path), route.AttrNextHop, address(e.family, byte(id)))
	attrs = replace(attrs, route.AttrLargeCommunities, learntFrom(asn, path[0]))
	return announcement{e.family, route.NLRI{Prefix: e.prefix, PathID: id}, attrs}, true
}

// learntFrom is a large community that says from which member a route server
// has a route.
func learntFrom(server, member route.ASN) []byte {
	const learnt = 1000
	return appendLarge(nil, route.LargeCommunity{Global: uint32(server), Local1: learnt, Local2: uint32(member)})
}

// shorten returns attributes as they were where the path was still the one
// given: without what networks that are no more on it added.
func shorten(attrs route.Attrs, path []route.ASN) route.Attrs {
	var standard, large []byte
	for c := range attrs.Communities().All() {
		if slices.Contains(path, route.ASN(c>>16)) {
			standard = binary.BigEndian.AppendUint32(standard, uint32(c))
		}
	}
	for c := range attrs.LargeCommunities().All() {
		if slices.Contains(path, route.ASN(c.Global)) {
			large = appendLarge(large, c)
		}
	}
	attrs = replace(attrs, route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, path...))
	attrs = replace(attrs, route.AttrLocalPref, nil)
	attrs = replace(attrs, route.AttrExtCommunities, nil)
	return replace(replace(attrs, route.AttrCommunities, standard), route.AttrLargeCommunities, large)
}

func appendLarge(b []byte, c route.LargeCommunity) []byte {
	b = binary.BigEndian.AppendUint32(b, c.Global)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, c.Local1), c.Local2)
}

// address returns address n of the demonstration's exchange, which has prefixes
// for documentation (RFC 5737, RFC 3849).
func address(f route.Family, n byte) []byte {
	if f.IsIPv6() {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: n}).AsSlice()
	}
	return []byte{203, 0, 113, n}
}

// replace returns a copy of a set in which the attribute has the value. A nil
// value takes it out.
func replace(attrs route.Attrs, code route.AttrCode, value []byte) route.Attrs {
	var out route.Attrs
	placed := value == nil
	for c, v := range attrs.All() {
		if !placed && c >= code {
			out, placed = out.AppendAttr(code, value), true
		}
		if c != code {
			out = out.AppendAttr(c, v)
		}
	}
	if !placed {
		out = out.AppendAttr(code, value)
	}
	return out
}
