package table

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
	"sync/atomic"

	"ribglass/ribstore/route"
)

// peerSet finds the peers of the table by index and by name. To add or to
// remove a peer costs the same however many peers there are, and readers take no
// lock.
//
// Both arrays hold pointers, each stored when its peer is whole. The writer
// copies a full array to a larger one. A reader that holds the old array misses
// the peers that came later and may meet peers that were removed, whose flag
// says so. An index is used again only after a grace period, so a reader inside
// a view never finds two peers by one index.
//
// One writer adds and removes. The zero value is empty; a peerSet must not be
// copied.
type peerSet struct {
	indexed atomic.Pointer[peerPlaces]
	names   atomic.Pointer[peerPlaces] // a hash table, its length is a power of two
	seed    maphash.Seed
	peers   int // in names
	taken   int // places of names that are not nil: peers and tombstones
}

// peerPlaces are places of peers; nil where there is none.
type peerPlaces []atomic.Pointer[peer]

// fewPeers is the length of the first arrays.
const fewPeers = 8

// tombstone stands in names where a peer was removed, so that a search goes on
// to the places behind it.
var tombstone = new(peer) //nolint:gochecknoglobals // only its address is used

// at returns the peer with the index, nil when there is none.
func (a peerPlaces) at(index uint16) *peer {
	if int(index) >= len(a) {
		return nil
	}
	return a[index].Load()
}

// all yields the peers in the order of their indexes.
func (a peerPlaces) all() iter.Seq[*peer] {
	return func(yield func(*peer) bool) {
		for i := range a {
			if p := a[i].Load(); p != nil && !yield(p) {
				return
			}
		}
	}
}

// byIndex returns the places of peers by index.
func (s *peerSet) byIndex() peerPlaces {
	if places := s.indexed.Load(); places != nil {
		return *places
	}
	return nil
}

// all yields the peers, those that only wait for the sweep of their routes
// included.
func (s *peerSet) all() iter.Seq[*peer] { return s.byIndex().all() }

// present returns the peers that are not removed. No two of them have the same
// name, although peers may come and go meanwhile: a peer that took the name of
// another came after that one was marked as removed.
func (s *peerSet) present() []*peer {
	list := slices.Collect(s.all())
	return slices.DeleteFunc(list, func(p *peer) bool { return p.removed.Load() })
}

// named returns the peer with the name, nil when there is none.
func (s *peerSet) named(name string) *peer {
	table := s.names.Load()
	if table == nil {
		return nil
	}
	places := *table
	for i := s.home(name, len(places)); ; i = (i + 1) & (len(places) - 1) {
		switch p := places[i].Load(); {
		case p == nil:
			return nil
		case p != tombstone && p.name == name:
			return p
		}
	}
}

// home returns where the search for a name begins.
func (s *peerSet) home(name string, places int) int {
	return int(maphash.String(s.seed, name)) & (places - 1)
}

// add publishes a peer whose name and index are free.
func (s *peerSet) add(p *peer) {
	places := s.byIndex()
	if int(p.index) >= len(places) {
		grown := make(peerPlaces, max(fewPeers, 2*len(places), int(p.index)+1))
		for i := range places {
			grown[i].Store(places[i].Load())
		}
		s.indexed.Store(&grown)
		places = grown
	}
	places[p.index].Store(p)
	s.addName(p)
}

func (s *peerSet) addName(p *peer) {
	table := s.names.Load()
	if table == nil || 4*(s.taken+1) > 3*len(*table) {
		table = s.rehash()
	}
	places := *table
	i := s.home(p.name, len(places))
	for {
		old := places[i].Load()
		if old == nil {
			s.taken++
		}
		if old == nil || old == tombstone {
			break
		}
		i = (i + 1) & (len(places) - 1)
	}
	places[i].Store(p)
	s.peers++
}

// rehash publishes a hash table without tombstones that is at most half full.
func (s *peerSet) rehash() *peerPlaces {
	old := s.names.Load()
	if old == nil {
		s.seed = maphash.MakeSeed()
		old = new(peerPlaces)
	}
	places := make(peerPlaces, max(fewPeers, 1<<bits.Len(uint(2*s.peers))))
	for p := range old.all() {
		if p == tombstone {
			continue
		}
		i := s.home(p.name, len(places))
		for places[i].Load() != nil {
			i = (i + 1) & (len(places) - 1)
		}
		places[i].Store(p)
	}
	s.taken = s.peers
	s.names.Store(&places)
	return &places
}

// remove takes a peer out.
func (s *peerSet) remove(p *peer) {
	s.byIndex()[p.index].Store(nil)
	places := *s.names.Load()
	i := s.home(p.name, len(places))
	for places[i].Load() != p {
		i = (i + 1) & (len(places) - 1)
	}
	places[i].Store(tombstone)
	s.peers--
}

// columnSets tell by family which peers have a column. They are published whole
// and never change, so that a view finds all routes of a peer either in its
// column or in the rows.
type columnSets [route.NumFamilies]columnSet

// columnSet is the peers of one family that have a column.
type columnSet struct {
	list    []peerColumn // in the order of indexes
	indexes Bits         // of the peers in the list
}

type peerColumn struct {
	peer   *peer
	column *column
}

// has reports whether the routes of the peer with the index are in a column, so
// that what rows may still hold of them is out of date.
func (s *columnSet) has(index uint16) bool { return s.indexes.Has(uint32(index)) }

// with returns the set with the column of a peer in it, or without one when the
// peer has none.
func (s *columnSet) with(p *peer, c *column) columnSet {
	highest := uint32(p.index)
	if n := len(s.list); n > 0 {
		highest = max(highest, uint32(s.list[n-1].peer.index))
	}
	changed := columnSet{make([]peerColumn, 0, len(s.list)+1), NewBits(int(highest) + 1)}
	add := func(entry peerColumn) {
		changed.list = append(changed.list, entry)
		changed.indexes.Add(uint32(entry.peer.index))
	}
	for _, entry := range s.list {
		if c != nil && entry.peer.index > p.index {
			add(peerColumn{p, c})
			c = nil
		}
		if entry.peer != p {
			add(entry)
		}
	}
	if c != nil {
		add(peerColumn{p, c})
	}
	return changed
}

// publishColumn publishes that a peer got its column of a family, or lost it.
func (t *Table) publishColumn(p *peer, f route.Family) {
	sets := *t.columns.Load()
	sets[f] = sets[f].with(p, p.families[f].column)
	t.columns.Store(&sets)
}
