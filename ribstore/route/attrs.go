package route

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"net/netip"
)

// AttrCode is a path attribute type code of the IANA registry.
type AttrCode uint8

// The attributes Ribglass understands. MP_REACH_NLRI and MP_UNREACH_NLRI carry
// prefixes and a next hop, never attributes of a set: the next hop of every
// family is kept under AttrNextHop.
const (
	AttrOrigin           AttrCode = 1
	AttrASPath           AttrCode = 2
	AttrNextHop          AttrCode = 3
	AttrMED              AttrCode = 4
	AttrLocalPref        AttrCode = 5
	AttrAtomicAggregate  AttrCode = 6
	AttrAggregator       AttrCode = 7
	AttrCommunities      AttrCode = 8
	AttrOriginatorID     AttrCode = 9
	AttrClusterList      AttrCode = 10
	AttrExtCommunities   AttrCode = 16
	AttrIPv6ExtCommunity AttrCode = 25
	AttrAIGP             AttrCode = 26
	AttrLargeCommunities AttrCode = 32
	AttrOTC              AttrCode = 35
)

// Known reports whether Ribglass understands the attribute, so that its value
// in Attrs is bare. The value of an unknown one begins with its flags octet.
func (c AttrCode) Known() bool {
	switch c {
	case AttrOrigin, AttrASPath, AttrNextHop, AttrMED, AttrLocalPref, AttrAtomicAggregate, AttrAggregator,
		AttrCommunities, AttrOriginatorID, AttrClusterList, AttrExtCommunities, AttrIPv6ExtCommunity, AttrAIGP,
		AttrLargeCommunities, AttrOTC:
		return true
	default:
		return false
	}
}

// Name returns the name of the attribute in the IANA registry, "" for one that has
// none there.
func (c AttrCode) Name() string { return attrNames[c] }

var attrNames = map[AttrCode]string{ //nolint:gochecknoglobals // constant
	AttrOrigin:           "ORIGIN",
	AttrASPath:           "AS_PATH",
	AttrNextHop:          "NEXT_HOP",
	AttrMED:              "MULTI_EXIT_DISC",
	AttrLocalPref:        "LOCAL_PREF",
	AttrAtomicAggregate:  "ATOMIC_AGGREGATE",
	AttrAggregator:       "AGGREGATOR",
	AttrCommunities:      "COMMUNITIES",
	AttrOriginatorID:     "ORIGINATOR_ID",
	AttrClusterList:      "CLUSTER_LIST",
	AttrExtCommunities:   "EXTENDED COMMUNITIES",
	AttrIPv6ExtCommunity: "IPv6 EXTENDED COMMUNITIES",
	AttrAIGP:             "AIGP",
	AttrLargeCommunities: "LARGE_COMMUNITY",
	AttrOTC:              "OTC",
	14:                   "MP_REACH_NLRI", 15: "MP_UNREACH_NLRI", 17: "AS4_PATH", 18: "AS4_AGGREGATOR", 22: "PMSI_TUNNEL",
	23: "TUNNEL_ENCAPSULATION", 24: "TRAFFIC_ENGINEERING", 27: "PE_DISTINGUISHER_LABELS", 29: "BGP-LS",
	33: "BGPsec_PATH", 34: "BGP_COMMUNITY_CONTAINER", 36: "D-PATH", 37: "SFP", 38: "BFD_DISCRIMINATOR",
	39: "NEXT_HOP_DEPENDENT_CHARACTERISTICS", 40: "PREFIX_SID", 128: "ATTR_SET",
}

// Origin is the value of the ORIGIN attribute.
type Origin uint8

// The origins.
const (
	OriginIGP        Origin = 0
	OriginEGP        Origin = 1
	OriginIncomplete Origin = 2
)

// String returns "igp", "egp" or "incomplete".
func (o Origin) String() string {
	switch o {
	case OriginIGP:
		return "igp"
	case OriginEGP:
		return "egp"
	case OriginIncomplete:
	}
	return "incomplete"
}

// Attrs is one set of path attributes in canonical form, the form in which the
// table interns and history stores it: equal sets are equal bytes.
//
// It is a sequence of attributes in ascending order of type code, each a code
// octet, a length (one octet below 255, else 255 and two octets in network
// order) and a value. Values are as on the wire with these rules: AS numbers
// have four octets, AS4_PATH and AS4_AGGREGATOR are merged; the value of
// AttrNextHop has 4, 16 or 32 octets (global and link-local IPv6); the value of
// an attribute that is not Known begins with its flags octet.
//
// The nil Attrs is the empty set. Attrs are never modified, may be read by many
// goroutines, and alias memory of the table or of a [Batch]: copy to keep.
// Only the decoder makes them, so the methods trust the bytes; damaged bytes
// give wrong answers but never a panic.
type Attrs []byte

// All yields the attributes in order of their codes.
func (a Attrs) All() iter.Seq2[AttrCode, []byte] {
	return func(yield func(AttrCode, []byte) bool) {
		for rest := a; len(rest) > 0; {
			code, value, next, ok := rest.cut()
			if !ok || !yield(code, value) {
				return
			}
			rest = next
		}
	}
}

// cut splits the first attribute off a.
func (a Attrs) cut() (code AttrCode, value []byte, rest Attrs, ok bool) {
	if len(a) < 2 {
		return 0, nil, nil, false
	}
	start, length := 2, int(a[1])
	if a[1] == 255 {
		if len(a) < 4 {
			return 0, nil, nil, false
		}
		start, length = 4, int(binary.BigEndian.Uint16(a[2:]))
	}
	if start+length > len(a) {
		return 0, nil, nil, false
	}
	return AttrCode(a[0]), a[start : start+length : start+length], a[start+length:], true
}

// Get returns the value of the attribute with the code, and whether it is there.
func (a Attrs) Get(code AttrCode) ([]byte, bool) {
	for rest := a; len(rest) > 0; {
		c, value, next, ok := rest.cut()
		if !ok || c > code {
			return nil, false
		}
		if c == code {
			return value, true
		}
		rest = next
	}
	return nil, false
}

// AppendAttr appends an attribute to a set under construction. The caller
// appends in ascending order of codes, each code once. A value has at most
// 65,535 octets.
func (a Attrs) AppendAttr(code AttrCode, value []byte) Attrs {
	if len(value) < 255 {
		a = append(a, byte(code), byte(len(value)))
	} else {
		a = append(a, byte(code), 255, byte(len(value)>>8), byte(len(value)))
	}
	return append(a, value...)
}

// Origin returns the ORIGIN, OriginIncomplete when there is none.
func (a Attrs) Origin() Origin {
	if v, ok := a.Get(AttrOrigin); ok && len(v) == 1 {
		return Origin(v[0])
	}
	return OriginIncomplete
}

// ASPath returns the AS_PATH.
func (a Attrs) ASPath() ASPath {
	// Nearly every set begins with ORIGIN and a short AS_PATH.
	const path = 5
	if len(a) > path && a[0] == byte(AttrOrigin) && a[1] == 1 && a[3] == byte(AttrASPath) && a[4] < 255 {
		if end := path + int(a[4]); end <= len(a) {
			return ASPath(a[path:end:end])
		}
	}
	v, _ := a.Get(AttrASPath)
	return v
}

// NextHop returns the (global) next hop, the zero Addr when there is none.
func (a Attrs) NextHop() netip.Addr {
	v, _ := a.Get(AttrNextHop)
	switch len(v) {
	case 4:
		return netip.AddrFrom4([4]byte(v))
	case 16, 32:
		return netip.AddrFrom16([16]byte(v[:16]))
	}
	return netip.Addr{}
}

// LinkLocalNextHop returns the link-local address that came with an IPv6 next
// hop (RFC 2545 section 3), the zero Addr when there is none.
func (a Attrs) LinkLocalNextHop() netip.Addr {
	v, _ := a.Get(AttrNextHop)
	if len(v) != 32 {
		return netip.Addr{}
	}
	return netip.AddrFrom16([16]byte(v[16:]))
}

// MED returns the MULTI_EXIT_DISC and whether there is one.
func (a Attrs) MED() (uint32, bool) { return a.uint32(AttrMED) }

// LocalPref returns the LOCAL_PREF and whether there is one.
func (a Attrs) LocalPref() (uint32, bool) { return a.uint32(AttrLocalPref) }

// OTC returns the AS number of ONLY_TO_CUSTOMER (RFC 9234) and whether there is one.
func (a Attrs) OTC() (ASN, bool) {
	v, ok := a.uint32(AttrOTC)
	return ASN(v), ok
}

func (a Attrs) uint32(code AttrCode) (uint32, bool) {
	v, ok := a.Get(code)
	if !ok || len(v) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}

// AtomicAggregate reports whether ATOMIC_AGGREGATE is there.
func (a Attrs) AtomicAggregate() bool {
	_, ok := a.Get(AttrAtomicAggregate)
	return ok
}

// Aggregator returns the AGGREGATOR and whether there is one.
func (a Attrs) Aggregator() (ASN, netip.Addr, bool) {
	v, ok := a.Get(AttrAggregator)
	if !ok || len(v) != 8 {
		return 0, netip.Addr{}, false
	}
	return ASN(binary.BigEndian.Uint32(v)), netip.AddrFrom4([4]byte(v[4:])), true
}

// OriginatorID returns the ORIGINATOR_ID (RFC 4456), the zero Addr when there is none.
func (a Attrs) OriginatorID() netip.Addr {
	v, ok := a.Get(AttrOriginatorID)
	if !ok || len(v) != 4 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(v))
}

// ClusterList returns the CLUSTER_LIST (RFC 4456) as octets, four a cluster.
func (a Attrs) ClusterList() []byte {
	v, _ := a.Get(AttrClusterList)
	return v
}

// AIGP returns the accumulated IGP metric (RFC 7311) and whether there is one.
func (a Attrs) AIGP() (uint64, bool) {
	v, _ := a.Get(AttrAIGP)
	for len(v) >= 3 {
		length := int(binary.BigEndian.Uint16(v[1:]))
		if length < 3 || length > len(v) {
			break
		}
		if v[0] == 1 && length == 11 {
			return binary.BigEndian.Uint64(v[3:]), true
		}
		v = v[length:]
	}
	return 0, false
}

// Communities returns the standard communities.
func (a Attrs) Communities() Communities {
	v, _ := a.Get(AttrCommunities)
	return v
}

// LargeCommunities returns the large communities.
func (a Attrs) LargeCommunities() LargeCommunities {
	v, _ := a.Get(AttrLargeCommunities)
	return v
}

// ExtCommunities yields the extended communities, the IPv6-specific ones last.
func (a Attrs) ExtCommunities() iter.Seq[ExtCommunity] {
	return func(yield func(ExtCommunity) bool) {
		v, _ := a.Get(AttrExtCommunities)
		for ; len(v) >= 8; v = v[8:] {
			if !yield(ExtCommunity(v[:8])) {
				return
			}
		}
		v, _ = a.Get(AttrIPv6ExtCommunity)
		for ; len(v) >= 20; v = v[20:] {
			if !yield(ExtCommunity(v[:20])) {
				return
			}
		}
	}
}

// UnknownAttr is an attribute that Ribglass keeps without understanding it, or of
// which it keeps the length and a hash only, because it was too long.
type UnknownAttr struct {
	Code  AttrCode
	Flags uint8
	Value []byte // nil when it was too long

	Length int               // of the value, in octets
	Hash   [TooLongHash]byte // first half of its SHA-256; zero unless it was too long
}

// TooLong yields the attributes that were too long to be kept, see [AppendTooLong].
func (a Attrs) TooLong() iter.Seq[UnknownAttr] {
	return func(yield func(UnknownAttr) bool) {
		v, _ := a.Get(AttrTooLong)
		for len(v) > 1 && len(v[1:]) >= tooLongEntry {
			e := v[1:]
			u := UnknownAttr{Code: AttrCode(e[0]), Flags: e[1], Length: int(binary.BigEndian.Uint32(e[2:])), Hash: [TooLongHash]byte(e[6:])}
			if !yield(u) {
				return
			}
			v = v[tooLongEntry:]
		}
	}
}

// Unknown yields the attributes that are not Known, and those that were too long to
// be kept.
func (a Attrs) Unknown() iter.Seq[UnknownAttr] {
	return func(yield func(UnknownAttr) bool) {
		for code, v := range a.All() {
			if code == AttrTooLong {
				for u := range a.TooLong() {
					if !yield(u) {
						return
					}
				}
				continue
			}
			if code.Known() || len(v) == 0 {
				continue
			}
			if !yield(UnknownAttr{Code: code, Flags: v[0], Value: v[1:], Length: len(v) - 1}) {
				return
			}
		}
	}
}

// AttrTooLong stands in a set for the attributes that were too long to be kept. It is
// the code of MP_UNREACH_NLRI, which is never part of a set. Its value is an octet of
// zero and for each of them its code, flags, length and the begin of its SHA-256.
const AttrTooLong AttrCode = 15

// TooLongHash is how many octets of the SHA-256 of an attribute are kept.
const TooLongHash = 16

const tooLongEntry = 6 + TooLongHash

// AppendTooLong appends to the value of [AttrTooLong], which is empty at first, that
// an attribute was too long.
func AppendTooLong(b []byte, code AttrCode, flags uint8, value []byte) []byte {
	if len(b) == 0 {
		b = append(b, 0)
	}
	sum := sha256.Sum256(value)
	b = binary.BigEndian.AppendUint32(append(b, byte(code), flags), uint32(len(value)))
	return append(b, sum[:TooLongHash]...)
}
