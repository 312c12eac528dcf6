package v1

import (
	"encoding/hex"
	"net/netip"
	"strings"

	"ribglass/httpapi/web"
	"ribglass/ribstore/route"
)

// column is a column of CSV of routes. Lists in it are separated by spaces, an
// unknown attribute is code:flags:hex, one that was too long to be kept
// code:flags:too-long:length:hash.
type column = web.Column[route.Route]

// csvColumns returns the columns for the wanted fields, in the order of
// [fieldNames]. An AS path has one column, whichever of its forms is wanted.
func csvColumns(want fields) []column {
	if want.has(fASPathText) {
		want = want&^fASPathText | fASPath
	}
	var list []column
	names := fieldNames()
	for i, cell := range append(ownCells(), attrCells()...) {
		if cell != nil && want.has(1<<i) {
			list = append(list, column{Name: names[i], Append: cell})
		}
	}
	return list
}

type cell = func(b []byte, r *route.Route) []byte

// ownCells returns the cells from prefix to decision.
func ownCells() []cell {
	return []cell{
		func(b []byte, r *route.Route) []byte { return r.Prefix.AppendTo(b) },
		func(b []byte, r *route.Route) []byte { return append(b, r.Family.String()...) },
		func(b []byte, r *route.Route) []byte { return web.AppendCell(b, r.Peer.Name) },
		func(b []byte, r *route.Route) []byte { return web.AppendCell(b, r.Peer.Router) },
		func(b []byte, r *route.Route) []byte {
			return web.AppendCSVNumber(b, r.PathID, r.Peer.AddPath[r.Family])
		},
		func(b []byte, r *route.Route) []byte { return web.AppendCSVTime(b, r.ReceivedAt) },
		func(b []byte, r *route.Route) []byte { return web.AppendCSVTime(b, r.StaleSince) },
		func(b []byte, r *route.Route) []byte { return web.AppendCSVTrue(b, r.LongLived) },
		func(b []byte, r *route.Route) []byte { return web.AppendBool(b, r.Best) },
		func(b []byte, r *route.Route) []byte { return web.AppendCell(b, r.Decision) },
	}
}

// attrCells returns the cells from next_hop to origin_as, nil for as_path_text.
func attrCells() []cell {
	return []cell{
		func(b []byte, r *route.Route) []byte { return web.AppendCSVAddr(b, r.Attrs.NextHop()) },
		func(b []byte, r *route.Route) []byte { return web.AppendCSVAddr(b, r.Attrs.LinkLocalNextHop()) },
		appendCSVOrigin,
		func(b []byte, r *route.Route) []byte { return appendCSVPath(b, r.Attrs.ASPath()) },
		nil,
		func(b []byte, r *route.Route) []byte { n, ok := r.Attrs.MED(); return web.AppendCSVNumber(b, n, ok) },
		func(b []byte, r *route.Route) []byte {
			n, ok := r.Attrs.LocalPref()
			return web.AppendCSVNumber(b, n, ok)
		},
		appendCSVCommunities,
		appendCSVLarge,
		appendCSVExt,
		appendCSVAggregator,
		func(b []byte, r *route.Route) []byte { return web.AppendCSVTrue(b, r.Attrs.AtomicAggregate()) },
		func(b []byte, r *route.Route) []byte { return web.AppendCSVAddr(b, r.Attrs.OriginatorID()) },
		appendCSVClusters,
		func(b []byte, r *route.Route) []byte { n, ok := r.Attrs.AIGP(); return web.AppendCSVNumber(b, n, ok) },
		func(b []byte, r *route.Route) []byte { n, ok := r.Attrs.OTC(); return web.AppendCSVNumber(b, n, ok) },
		appendCSVUnknown,
		appendCSVView,
		func(b []byte, r *route.Route) []byte { return web.AppendCSVNumber(b, r.Peer.ASN, r.Peer.ASN != 0) },
		func(b []byte, r *route.Route) []byte {
			n, ok := r.Attrs.ASPath().Origin()
			return web.AppendCSVNumber(b, n, ok)
		},
	}
}

func appendCSVView(b []byte, r *route.Route) []byte {
	if r.Peer.View != route.AdjRIBIn {
		b = append(b, r.Peer.View.String()...)
	}
	return b
}

func appendCSVOrigin(b []byte, r *route.Route) []byte {
	if _, ok := r.Attrs.Get(route.AttrOrigin); ok {
		b = append(b, r.Attrs.Origin().String()...)
	}
	return b
}

// appendCSVPath appends an AS path as routers print it. It holds nothing that a
// cell would have to quote but the commas of a set.
func appendCSVPath(b []byte, path route.ASPath) []byte {
	start := len(b)
	b, _ = path.AppendText(b) // the types of package route never fail
	if !strings.ContainsAny(string(b[start:]), ",\"=+-@") {
		return b
	}
	return web.AppendCell(b[:start], path.String())
}

func appendCSVCommunities(b []byte, r *route.Route) []byte {
	list := r.Attrs.Communities()
	for i := range list.Len() {
		b = appendListText(b, i, list.At(i))
	}
	return b
}

func appendCSVLarge(b []byte, r *route.Route) []byte {
	list := r.Attrs.LargeCommunities()
	for i := range list.Len() {
		b = appendListText(b, i, list.At(i))
	}
	return b
}

func appendCSVExt(b []byte, r *route.Route) []byte {
	i := 0
	for c := range r.Attrs.ExtCommunities() {
		b = appendListText(b, i, c)
		i++
	}
	return b
}

func appendListText[T web.TextAppender](b []byte, i int, v T) []byte {
	if i > 0 {
		b = append(b, ' ')
	}
	b, _ = v.AppendText(b) // the types of package route never fail
	return b
}

func appendCSVAggregator(b []byte, r *route.Route) []byte {
	if asn, id, ok := r.Attrs.Aggregator(); ok {
		b = id.AppendTo(append(web.AppendUint(b, uint64(asn)), ' '))
	}
	return b
}

func appendCSVClusters(b []byte, r *route.Route) []byte {
	for list := r.Attrs.ClusterList(); len(list) >= 4; list = list[4:] {
		b = netip.AddrFrom4([4]byte(list)).AppendTo(b)
		if len(list) >= 8 {
			b = append(b, ' ')
		}
	}
	return b
}

func appendCSVUnknown(b []byte, r *route.Route) []byte {
	separator := ""
	for u := range r.Attrs.Unknown() {
		b = append(b, separator...)
		b = append(web.AppendUint(b, uint64(u.Code)), ':')
		b = append(web.AppendUint(b, uint64(u.Flags)), ':')
		if u.Value == nil {
			b = append(web.AppendUint(append(b, "too-long:"...), uint64(u.Length)), ':')
			b = hex.AppendEncode(b, u.Hash[:])
		}
		b = hex.AppendEncode(b, u.Value)
		separator = " "
	}
	return b
}
