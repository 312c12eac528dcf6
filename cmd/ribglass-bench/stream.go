package main

import (
	"iter"
	"math/rand/v2"
	"net/netip"
	"strconv"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// table is where feeds come from: the generator or an MRT file.
type table interface {
	feeds() []feed
	// runs yields all that feed i announces, the prefixes with one attribute set
	// together. What it yields may be kept.
	runs(i int) iter.Seq[route.Update]
	// stream encodes it.
	stream(i int) (*stream, error)
	// change draws one prefix of feed i and attributes for it that the feed
	// uses elsewhere.
	change(i int, random *rand.Rand) route.Update
	// sample draws n addresses that have routes.
	sample(n int) []netip.Addr
}

// feed is one router that announces a whole table.
type feed struct {
	name    string
	source  netip.Addr // its address on loopback
	asn     route.ASN
	hopIPv4 netip.Addr
	hopIPv6 netip.Addr
}

// newFeed returns feed i, which comes from 127.1.0.1 and on.
func newFeed(i int, asn route.ASN) feed {
	high, low := byte((i+1)>>8), byte(i+1)
	return feed{
		name:    feedName(i),
		source:  netip.AddrFrom4([4]byte{127, 1, high, low}),
		asn:     asn,
		hopIPv4: netip.AddrFrom4([4]byte{198, 18, high, low}),
		hopIPv6: netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 14: high, 15: low}),
	}
}

// stream is all that one feed sends, encoded ahead so that the clock sees the
// receiver and not the sender.
type stream struct {
	bytes   []byte
	routes  [route.NumFamilies]int
	updates int // runs of prefixes with the same attributes
	sets    int // distinct sets among them
	// last is announced last. A receiver handles a session's messages in order,
	// so when this answers, everything has been handled.
	last netip.Prefix
}

func (s *stream) total() int {
	n := 0
	for _, routes := range s.routes {
		n += routes
	}
	return n
}

// encoding is the session that every receiver here agrees to.
func encoding(f feed) wire.Session {
	s := wire.Session{FourOctetAS: true, LocalASN: f.asn, PeerASN: localASN, MaxReceive: wire.MaxLen, MaxSend: wire.MaxLen}
	s.Families[route.IPv4Unicast], s.Families[route.IPv6Unicast] = true, true
	return s
}

// add encodes one run of prefixes.
func (s *stream) add(session wire.Session, u route.Update) {
	s.bytes = wire.AppendUpdate(s.bytes, session, u, session.MaxSend)
	s.routes[u.Family] += len(u.NLRI)
	s.updates++
	s.last = u.NLRI[len(u.NLRI)-1].Prefix
}

// finish says End-of-RIB for the families of the stream.
func (s *stream) finish() {
	for _, f := range route.Families() {
		if s.routes[f] > 0 {
			s.bytes = wire.AppendEndOfRIB(s.bytes, f)
		}
	}
}

func feedName(i int) string { return "feed" + strconv.Itoa(i+1) }
