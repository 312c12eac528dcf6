package httpapi

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"ribglass/ribstore/route"
)

// csvColumns names the columns in order. Lists are separated by spaces, an
// unknown attribute is code:flags:hex.
const csvColumns = "prefix,family,peer,router,path_id,received_at,stale_since,long_lived_stale,best,decision,next_hop," +
	"next_hop_link_local,origin,as_path,med,local_pref,communities,large_communities,ext_communities," +
	"aggregator,atomic_aggregate,originator_id,cluster_list,aigp,otc,unknown_attributes"

func appendCSVHeader(b []byte) []byte { return append(b, csvColumns+"\r\n"...) }

// appendCSVRoute appends a route as a line of RFC 4180.
func appendCSVRoute(b []byte, r *route.Route) []byte {
	b = r.Prefix.AppendTo(b)
	b = append(append(b, ','), r.Family.String()...)
	b = appendCell(append(b, ','), r.Peer.Name)
	b = appendCell(append(b, ','), r.Peer.Router)
	b = append(b, ',')
	if r.Peer.AddPath[r.Family] {
		b = appendUint(b, uint64(r.PathID))
	}
	b = append(b, ',')
	b = r.ReceivedAt.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, ',')
	if !r.StaleSince.IsZero() {
		b = r.StaleSince.UTC().AppendFormat(b, time.RFC3339Nano)
	}
	b = append(b, ',')
	if r.LongLived {
		b = append(b, "true"...)
	}
	b = appendBool(append(b, ','), r.Best)
	b = appendCell(append(b, ','), r.Decision)
	b = appendCSVPath(b, r.Attrs)
	b = appendCSVLists(b, r.Attrs)
	b = appendCSVOrigins(b, r.Attrs)
	return append(b, '\r', '\n')
}

func appendCSVAddr(b []byte, a netip.Addr) []byte {
	b = append(b, ',')
	if a.IsValid() {
		b = a.AppendTo(b)
	}
	return b
}

func appendCSVNumber[N ~uint32 | ~uint64](b []byte, n N, ok bool) []byte {
	b = append(b, ',')
	if ok {
		b = appendUint(b, uint64(n))
	}
	return b
}

// appendCSVPath appends next_hop to local_pref.
func appendCSVPath(b []byte, attrs route.Attrs) []byte {
	b = appendCSVAddr(b, attrs.NextHop())
	b = appendCSVAddr(b, attrs.LinkLocalNextHop())
	b = append(b, ',')
	if _, ok := attrs.Get(route.AttrOrigin); ok {
		b = append(b, attrs.Origin().String()...)
	}
	b = appendCell(append(b, ','), attrs.ASPath().String())
	med, hasMED := attrs.MED()
	b = appendCSVNumber(b, med, hasMED)
	pref, hasPref := attrs.LocalPref()
	return appendCSVNumber(b, pref, hasPref)
}

// appendCSVLists appends the three kinds of communities.
func appendCSVLists(b []byte, attrs route.Attrs) []byte {
	b = append(b, ',')
	for i := range attrs.Communities().Len() {
		b = appendListText(b, i, attrs.Communities().At(i))
	}
	b = append(b, ',')
	for i := range attrs.LargeCommunities().Len() {
		b = appendListText(b, i, attrs.LargeCommunities().At(i))
	}
	b = append(b, ',')
	i := 0
	for c := range attrs.ExtCommunities() {
		b = appendListText(b, i, c)
		i++
	}
	return b
}

func appendListText[T textAppender](b []byte, i int, v T) []byte {
	if i > 0 {
		b = append(b, ' ')
	}
	b, _ = v.AppendText(b) // the types of package route never fail
	return b
}

// appendCSVOrigins appends aggregator to unknown_attributes.
func appendCSVOrigins(b []byte, attrs route.Attrs) []byte {
	b = append(b, ',')
	if asn, id, ok := attrs.Aggregator(); ok {
		b = id.AppendTo(append(appendUint(b, uint64(asn)), ' '))
	}
	b = append(b, ',')
	if attrs.AtomicAggregate() {
		b = append(b, "true"...)
	}
	b = appendCSVAddr(b, attrs.OriginatorID())
	b = append(b, ',')
	for list := attrs.ClusterList(); len(list) >= 4; list = list[4:] {
		b = netip.AddrFrom4([4]byte(list)).AppendTo(b)
		if len(list) >= 8 {
			b = append(b, ' ')
		}
	}
	aigp, hasAIGP := attrs.AIGP()
	b = appendCSVNumber(b, aigp, hasAIGP)
	otc, hasOTC := attrs.OTC()
	b = append(appendCSVNumber(b, otc, hasOTC), ',')
	separator := ""
	for u := range attrs.Unknown() {
		b = append(b, separator...)
		b = append(appendUint(b, uint64(u.Code)), ':')
		b = append(appendUint(b, uint64(u.Flags)), ':')
		b = hex.AppendEncode(b, u.Value)
		separator = " "
	}
	return b
}

// appendCell appends text as a cell. Text that a spreadsheet would take for a
// formula gets an apostrophe in front, which such programs show as text.
func appendCell(b []byte, s string) []byte {
	if s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		s = "'" + s
	}
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}
