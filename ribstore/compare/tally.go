package compare

import (
	"cmp"
	"math/bits"
	"slices"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// tally counts the differences of a comparison.
type tally struct {
	peers      []PeerCounts // by place of the name
	causes     map[CauseCount]int
	attributes [256]int // changed routes by type code of what changed
	stale      int      // changed routes that became stale, or are no longer
}

// empty reports whether nothing was counted.
func (t *tally) empty() bool { return len(t.peers) == 0 }

// peer returns the counts of the peer whose name is at the place.
func (t *tally) peer(place int) *PeerCounts {
	t.peers = grow(t.peers, place+1)
	return &t.peers[place]
}

// add counts a difference.
func (t *tally) add(kind Kind, cause Cause, peer int) {
	if t.causes == nil {
		t.causes = map[CauseCount]int{}
	}
	t.causes[CauseCount{Kind: kind, Cause: cause}]++
	p := t.peer(peer)
	switch kind {
	case Added:
		p.Added++
	case Withdrawn:
		p.Withdrawn++
	case Changed:
		p.Changed++
	}
}

// change counts what changed of a route.
func (t *tally) change(changed *codes, stale bool) {
	for i, word := range changed {
		for ; word != 0; word &= word - 1 {
			code := route.AttrCode(i<<6 + bits.TrailingZeros64(word))
			if code != route.AttrIPv6ExtCommunity || !changed.has(route.AttrExtCommunities) { // one name for both
				t.attributes[code]++
			}
		}
	}
	if stale {
		t.stale++
	}
}

// join adds the counts of another tally.
func (t *tally) join(other *tally) {
	for i, p := range other.peers {
		mine := t.peer(i)
		mine.Same += p.Same
		mine.Added += p.Added
		mine.Withdrawn += p.Withdrawn
		mine.Changed += p.Changed
	}
	if t.causes == nil {
		t.causes = map[CauseCount]int{}
	}
	for of, n := range other.causes {
		t.causes[of] += n
	}
	for i, n := range other.attributes {
		t.attributes[i] += n
	}
	t.stale += other.stale
}

// counts describes the tally. The names are those of the places of peers.
func (t *tally) counts(names []string) *Counts {
	c := &Counts{}
	for place, p := range t.peers {
		if p.Same+p.Added+p.Withdrawn+p.Changed == 0 {
			continue
		}
		p.Peer = names[place]
		c.Peers = append(c.Peers, p)
		c.Same += p.Same
		c.Added += p.Added
		c.Withdrawn += p.Withdrawn
		c.Changed += p.Changed
	}
	for of, n := range t.causes {
		of.Count = n
		c.Causes = append(c.Causes, of)
	}
	slices.SortFunc(c.Causes, func(a, b CauseCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Cause, b.Cause))
	})
	c.Attributes = t.changedAttributes()
	return c
}

func (t *tally) changedAttributes() []query.Facet {
	named := map[string]int{}
	for code, n := range t.attributes {
		if n > 0 {
			named[attributeName(route.AttrCode(code))] += n
		}
	}
	if t.stale > 0 {
		named[string(query.Stale)] = t.stale
	}
	var list []query.Facet
	for name, n := range named {
		list = append(list, query.Facet{Value: name, Count: n})
	}
	query.SortFacets(list)
	return list
}

// grow makes a slice at least n long: a table that grows during a comparison has
// more attribute sets and peers at its end than at its beginning.
func grow[S ~[]E, E any](s S, n int) S {
	if n > len(s) {
		s = append(s, make(S, n-len(s))...)
	}
	return s
}
