package tap

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"ribglass/ribstore/route"
)

// Interest says which events a subscriber gets. The zero Interest is all of them.
// It is a coarse sieve that the writer can afford, so a subscriber may get events
// that make no difference to it.
type Interest struct {
	// Kinds are the kinds of events; zero: all.
	Kinds Kinds
	// Peers are the names of the peers; nil: all.
	Peers []string
	// Overlap confines events of the kind Routes: in each family only prefixes
	// that overlap the one given count, and in a family without a valid one none
	// do. When none is valid, all count. An event may hold further prefixes that
	// somebody else is interested in.
	Overlap [route.NumFamilies]netip.Prefix
}

// narrow reports whether only some prefixes count.
func (i *Interest) narrow() bool {
	for _, p := range i.Overlap {
		if p.IsValid() {
			return true
		}
	}
	return false
}

// overlaps reports whether one of the prefixes counts.
func (i *Interest) overlaps(b *route.Batch, hits []hit) bool {
	for _, h := range hits {
		u := &b.Updates[h.update]
		if p := i.Overlap[u.Family]; p.IsValid() && p.Overlaps(u.NLRI[h.nlri].Prefix) {
			return true
		}
	}
	return false
}

// roster is all subscriptions, arranged for the writer. It never changes.
type roster struct {
	all    []*Subscription
	kinds  Kinds           // that anybody wants
	broad  []*Subscription // those that want routes of all prefixes
	narrow []*Subscription // those that want routes of some
	wanted [route.NumFamilies]spans
}

func newRoster(list []*Subscription) *roster {
	a := &roster{all: list}
	for _, s := range list {
		if s.interest.Kinds == 0 {
			a.kinds = ^Kinds(0)
		}
		a.kinds |= s.interest.Kinds
		switch {
		case !s.interest.Kinds.Has(Routes):
		case s.interest.narrow():
			a.narrow = append(a.narrow, s)
			for f, p := range s.interest.Overlap {
				if p.IsValid() {
					a.wanted[f] = append(a.wanted[f], spanOf(p))
				}
			}
		default:
			a.broad = append(a.broad, s)
		}
	}
	for f := range a.wanted {
		a.wanted[f] = a.wanted[f].merged()
	}
	return a
}

// hits appends the prefixes of a batch that somebody may want.
func (a *roster) hits(hits []hit, b *route.Batch) []hit {
	for i := range b.Updates {
		u := &b.Updates[i]
		wanted := a.wanted[u.Family]
		if len(wanted) == 0 {
			continue
		}
		for j := range u.NLRI {
			if wanted.overlap(spanOf(u.NLRI[j].Prefix)) {
				hits = append(hits, hit{i, j})
			}
		}
	}
	return hits
}

// address is an address as a number.
type address struct{ high, low uint64 }

func (a address) before(b address) bool { return a.high < b.high || a.high == b.high && a.low < b.low }

// span is the addresses of a prefix, of one family.
type span struct{ first, last address }

func spanOf(p netip.Prefix) span {
	var first, mask address
	if a := p.Addr(); a.Is4() {
		octets := a.As4()
		first.low = uint64(binary.BigEndian.Uint32(octets[:]))
		mask.low = 1<<(32-p.Bits()) - 1
	} else {
		octets := a.As16()
		first = address{binary.BigEndian.Uint64(octets[:8]), binary.BigEndian.Uint64(octets[8:])}
		// A shift by 64 or more gives zero.
		mask = address{^uint64(0) >> p.Bits(), ^uint64(0)}
		if n := p.Bits() - 64; n > 0 {
			mask.low >>= n
		}
	}
	return span{
		address{first.high &^ mask.high, first.low &^ mask.low},
		address{first.high | mask.high, first.low | mask.low},
	}
}

// spans are spans in order, none of which overlaps another.
type spans []span

// merged returns the spans of prefixes, which nest or have nothing in common,
// without those inside others.
func (s spans) merged() spans {
	slices.SortFunc(s, func(a, b span) int {
		return cmp.Or(
			cmp.Compare(a.first.high, b.first.high), cmp.Compare(a.first.low, b.first.low),
			cmp.Compare(b.last.high, a.last.high), cmp.Compare(b.last.low, a.last.low),
		)
	})
	kept := s[:0]
	for _, next := range s {
		if n := len(kept); n == 0 || kept[n-1].last.before(next.first) {
			kept = append(kept, next)
		}
	}
	return kept
}

// overlap reports whether the span overlaps one of them.
func (s spans) overlap(with span) bool {
	low, high := 0, len(s) // the first that does not end before with is between them
	for low < high {
		if middle := (low + high) / 2; s[middle].last.before(with.first) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(s) && !with.last.before(s[low].first)
}
