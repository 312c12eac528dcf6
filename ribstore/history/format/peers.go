package format

import (
	"encoding/binary"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// peerVersion is the version of a stored peer. A later version may have more
// behind these fields, never other fields in their place.
const peerVersion = 1

// confederationBit stands in the octet of ADD-PATH families, which leave it free.
const confederationBit = 1 << 7

// appendPeer appends what is known of a peer, its name included: a version, and
// then the fields of that version as a part.
func appendPeer(b []byte, p *route.Peer) []byte {
	var fields []byte
	for _, s := range []string{p.Name, p.Router, p.Group, p.Description} {
		fields = appendText(fields, s)
	}
	fields = appendAddr(appendAddr(fields, p.Address), p.RouterID)
	fields = binary.AppendUvarint(fields, uint64(p.ASN))
	fields = binary.AppendUvarint(fields, uint64(p.LocalASN))
	paths := byte(0)
	for f, on := range p.AddPath {
		if on {
			paths |= 1 << f
		}
	}
	if p.Confederation {
		paths |= confederationBit
	}
	fields = append(fields, paths, byte(p.View))
	return appendPart(append(b, peerVersion), fields)
}

// peer reads a peer. It skips the fields that a later version has added.
func (r *reader) peer() *route.Peer {
	version := r.octet()
	fields := r.part()
	p := fields.peerFields()
	switch {
	case fields.err != nil:
		r.fail("a peer is damaged")
	case version == 0, version == peerVersion && len(fields.b) > 0:
		r.fail("a peer has another version than it says")
	}
	return p
}

func (r *reader) peerFields() *route.Peer {
	p := &route.Peer{Name: r.text(), Router: r.text(), Group: r.text(), Description: r.text()}
	p.Address, p.RouterID = r.addr(), r.addr()
	p.ASN = route.ASN(r.below(1<<32, "an AS number"))
	p.LocalASN = route.ASN(r.below(1<<32, "an AS number"))
	paths := r.octet()
	for f := range p.AddPath {
		p.AddPath[f] = paths>>f&1 != 0
	}
	p.Confederation = paths&confederationBit != 0
	p.View = route.View(r.octet())
	if p.View >= route.NumViews {
		r.fail("a view is unknown")
	}
	return p
}

// appendState appends the state of a peer at the moment of a snapshot.
func appendState(b []byte, s *table.PeerState) []byte {
	b = appendPeer(b, s.Peer)
	b = append(b, octetOf(s.Up))
	b = appendInstant(appendInstant(b, s.StaleSince), s.LastUpdate)
	for i := range s.Families {
		f := &s.Families[i]
		b = binary.AppendUvarint(b, uint64(f.Routes))
		b = appendInstant(appendInstant(b, f.EndOfRIB), f.Deadline)
		b = binary.AppendUvarint(b, uint64(max(0, f.LongLived)))
		b = append(b, octetOf(f.InLongLived)|octetOf(f.AsFresh)<<1)
		b = binary.AppendUvarint(b, uint64(len(f.Since)))
		for _, t := range f.Since {
			b = appendInstant(b, t)
		}
	}
	return b
}

func octetOf(on bool) byte {
	if on {
		return 1
	}
	return 0
}

func (r *reader) state() table.PeerState {
	s := table.PeerState{Peer: r.peer(), Up: r.octet() != 0, StaleSince: r.instant(), LastUpdate: r.instant()}
	for i := range s.Families {
		f := &s.Families[i]
		f.Routes = int(r.below(1<<31, "a count of routes"))
		f.EndOfRIB, f.Deadline = r.instant(), r.instant()
		f.LongLived = time.Duration(r.below(1<<62, "a time"))
		phase := r.octet()
		f.InLongLived, f.AsFresh = phase&1 != 0, phase&2 != 0
		for range r.bounded(maxSince, "a count of generations") {
			f.Since = append(f.Since, r.instant())
		}
	}
	return s
}
