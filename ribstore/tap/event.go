package tap

import (
	"time"

	"ribglass/ribstore/route"
)

// Kind says what an [Event] tells.
type Kind uint8

// The kinds: those of batches, and two of changes that the table makes by itself.
const (
	Routes       = Kind(route.Routes)
	PeerUp       = Kind(route.PeerUp)
	PeerDown     = Kind(route.PeerDown)
	PeerRemoved  = Kind(route.PeerRemoved)
	EndOfRIB     = Kind(route.EndOfRIB)
	RefreshBegin = Kind(route.RefreshBegin)
	RefreshEnd   = Kind(route.RefreshEnd)
	PeerChanged  = Kind(route.PeerChanged)
	// Expired: routes of a peer and family waited in vain to be confirmed. They
	// are gone, or in their long-lived phase.
	Expired = PeerChanged + 1
	// Swept: routes of a peer and family that were gone for readers before do not
	// count any more, neither as memory nor as prefixes of the table.
	Swept = PeerChanged + 2
)

// Kinds is a set of kinds. The zero Kinds is all of them.
type Kinds uint16

// Only returns the set of the kinds.
func Only(list ...Kind) Kinds {
	var set Kinds
	for _, k := range list {
		set |= 1 << k
	}
	return set
}

// Sessions returns the kinds that tell of sessions: all but Routes and what the
// table does by itself.
func Sessions() Kinds {
	return Only(PeerUp, PeerDown, PeerRemoved, EndOfRIB, RefreshBegin, RefreshEnd, PeerChanged)
}

// Has reports whether the kind is in the set.
func (s Kinds) Has(k Kind) bool { return s == 0 || s>>k&1 != 0 }

// Event is one thing that happened to the table, which has it already. It is
// shared by all who got it and read-only, and may be kept.
type Event struct {
	At      time.Time
	Peer    *route.Peer
	Kind    Kind
	Family  route.Family   // of EndOfRIB, RefreshBegin, RefreshEnd, Expired and Swept
	Reason  string         // of PeerDown, for people
	Updates []route.Update // of Routes, in the order received
}

// What the parts of an event count as, in bytes.
const (
	eventBytes  = 160
	updateBytes = 56
	nlriBytes   = 40
)

// letter is an event that is made of a batch once somebody has room for it. It
// does not hold the batch, which would have to be on the heap for that.
type letter struct {
	hits  []hit // the prefixes to copy; nil: all
	bytes int
	event *Event
}

// hit is a prefix of a batch that somebody wants.
type hit struct{ update, nlri int }

// size returns what the event counts as.
func (l *letter) size(b *route.Batch) int {
	if l.bytes > 0 {
		return l.bytes
	}
	l.bytes = eventBytes + len(b.Reason)
	if l.hits == nil {
		for i := range b.Updates {
			u := &b.Updates[i]
			l.bytes += updateBytes + len(u.Attrs) + len(u.NLRI)*nlriBytes
		}
		return l.bytes
	}
	for i, h := range l.hits {
		if l.bytes += nlriBytes; i == 0 || h.update != l.hits[i-1].update {
			l.bytes += updateBytes + len(b.Updates[h.update].Attrs)
		}
	}
	return l.bytes
}

// open returns the event, a copy of the batch.
func (l *letter) open(b *route.Batch) *Event {
	if l.event != nil {
		return l.event
	}
	l.event = &Event{At: b.At, Peer: b.Peer, Kind: Kind(b.Event), Family: b.Family, Reason: b.Reason}
	if l.hits == nil {
		l.event.Updates = copyOf(b.Updates)
		return l.event
	}
	// The prefixes that are wanted, as updates that point into the batch.
	var wanted []route.Update
	for i, h := range l.hits {
		u := &b.Updates[h.update]
		if i == 0 || h.update != l.hits[i-1].update {
			wanted = append(wanted, route.Update{Family: u.Family, Attrs: u.Attrs})
		}
		last := &wanted[len(wanted)-1]
		last.NLRI = append(last.NLRI, u.NLRI[h.nlri])
	}
	l.event.Updates = copyOf(wanted)
	return l.event
}

// copyOf copies updates and all that they point to.
func copyOf(updates []route.Update) []route.Update {
	if len(updates) == 0 {
		return nil
	}
	prefixes, octets := 0, 0
	for i := range updates {
		prefixes += len(updates[i].NLRI)
		octets += len(updates[i].Attrs)
	}
	nlri, attrs := make([]route.NLRI, 0, prefixes), make([]byte, 0, octets)
	copied := make([]route.Update, len(updates))
	for i := range updates {
		u := &updates[i]
		n, o := len(nlri), len(attrs)
		nlri, attrs = append(nlri, u.NLRI...), append(attrs, u.Attrs...)
		copied[i] = route.Update{Family: u.Family, NLRI: nlri[n:len(nlri):len(nlri)]}
		if o < len(attrs) {
			copied[i].Attrs = attrs[o:len(attrs):len(attrs)]
		}
	}
	return copied
}
