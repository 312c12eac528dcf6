package table

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"slices"
	"sync/atomic"

	"ribglass/ribstore/route"
)

// attrSets interns attribute sets: equal sets are stored once and go by one id.
// Ids are small and dense, so that a predicate can run once for each set and
// note its verdict in a bitmap.
//
// A set's octets live in a slab of up to one megabyte, appended and never changed, so
// that readers keep what they found for as long as they like. When routes let
// go of sets, a slab whose sets are all gone is dropped, and when much is dead
// the sparsest slab is emptied by moving its sets. An id is reused after a
// grace period.
//
// One writer interns and lets go; readers resolve ids found in routes.
type attrSets struct {
	grace *grace
	seed  maphash.Seed

	slabs atomic.Pointer[[]*slab]
	last  uint32   // the slab being filled
	empty []uint32 // places of dropped slabs

	where chunked[uint32] // place of the set by id, atomic
	refs  chunked[uint32] // routes that hold the set by id, the writer's
	free  []uint32        // ids
	count atomic.Uint32   // ids ever given: all are below
	used  atomic.Int64    // sets alive

	charges charges

	index [indexShards]attrIndex
	live  uint64 // octets of live sets, framing included
	total uint64 // octets ever put in the slabs that exist
}

const (
	slabSize    = 1 << 20
	firstSlab   = 1 << 12
	slabShift   = 18 // a place is slab<<slabShift | offset/4
	indexShards = 256
	maxAttrID   = 1<<idBits - 1
)

// slab holds sets, each a length (one octet below 255, else 255 and three
// octets) and its octets, padded to four.
type slab struct {
	octets []byte // of slabSize, less in the first few
	filled uint32 // octets used
	live   uint32 // octets of live sets
}

// attrIndex finds a set by its hash: open addressing over ids, each with some
// bits of the hash on top so that most wrong candidates need no look at octets.
type attrIndex struct {
	entries []uint32 // tag | id+1; 0 is free
	count   int
}

const tagShift = idBits + 1

func newAttrSets(g *grace) *attrSets {
	s := &attrSets{grace: g, seed: maphash.MakeSeed()}
	s.slabs.Store(new([]*slab))
	return s
}

// get returns the set with the id. The caller entered the grace before it read
// the id; the set itself is the caller's to keep.
func (s *attrSets) get(id uint32) route.Attrs {
	place := atomic.LoadUint32(s.where.at(id))
	return (*s.slabs.Load())[place>>slabShift].set(place)
}

func (b *slab) set(place uint32) route.Attrs {
	at := place & (1<<slabShift - 1) * 4
	start, length := frame(b.octets[at:])
	return b.octets[int(at)+start : int(at)+start+length : int(at)+start+length]
}

// frame reads the length in front of a set.
func frame(b []byte) (start, length int) {
	if b[0] < 255 {
		return 1, int(b[0])
	}
	return 4, int(b[1])<<16 | int(b[2])<<8 | int(b[3])
}

// framed returns the octets that a set of the length takes in a slab.
func framed(length int) uint32 {
	if length < 255 {
		return uint32(length+1+3) &^ 3
	}
	return uint32(length+4+3) &^ 3
}

// intern returns the id of the set and counts refs more routes that hold it. A new
// set is charged to the peer with the index. It returns false when there are too
// many sets.
func (s *attrSets) intern(set route.Attrs, refs uint32, index uint16) (uint32, bool) {
	hash := maphash.Bytes(s.seed, set)
	x := &s.index[hash>>56]
	if id, ok := s.lookup(x, hash, set); ok {
		*s.refs.at(id) += refs
		return id, true
	}
	id, ok := s.takeID()
	if !ok {
		return 0, false
	}
	place := s.store(set)
	atomic.StoreUint32(s.where.at(id), place)
	*s.refs.at(id) = refs
	s.charges.charge(id, framed(len(set)), index)
	s.used.Add(1)
	s.link(x, hash, id)
	return id, true
}

func (s *attrSets) lookup(x *attrIndex, hash uint64, set route.Attrs) (uint32, bool) {
	for i := x.home(hash); ; i++ {
		if i == len(x.entries) {
			i = 0
		}
		if len(x.entries) == 0 || x.entries[i] == 0 {
			return 0, false
		}
		if x.entries[i]>>tagShift == tag(hash) {
			id := x.entries[i]&(1<<tagShift-1) - 1
			if string(s.get(id)) == string(set) {
				return id, true
			}
		}
	}
}

// home returns where the search for a hash begins.
func (x *attrIndex) home(hash uint64) int {
	at, _ := bits.Mul64(hash<<8, uint64(len(x.entries)))
	return int(at)
}

func tag(hash uint64) uint32 { return uint32(hash) >> tagShift }

func (s *attrSets) link(x *attrIndex, hash uint64, id uint32) {
	if x.count*8 >= len(x.entries)*7 {
		s.widen(x)
	}
	x.put(hash, id)
	x.count++
}

func (x *attrIndex) put(hash uint64, id uint32) {
	i := x.home(hash)
	for x.entries[i] != 0 {
		if i++; i == len(x.entries) {
			i = 0
		}
	}
	x.entries[i] = tag(hash)<<tagShift | (id + 1)
}

// widen doubles the room of an index.
func (s *attrSets) widen(x *attrIndex) {
	old := x.entries
	x.entries = make([]uint32, max(16, 2*len(old)))
	s.refill(x, old)
}

func (s *attrSets) refill(x *attrIndex, entries []uint32) {
	for _, e := range entries {
		if e != 0 {
			id := e&(1<<tagShift-1) - 1
			x.put(maphash.Bytes(s.seed, s.get(id)), id)
		}
	}
}

// unlink takes an id out of the index and closes the gap it leaves.
func (s *attrSets) unlink(id uint32) {
	hash := maphash.Bytes(s.seed, s.get(id))
	x := &s.index[hash>>56]
	want := tag(hash)<<tagShift | (id + 1)
	n := len(x.entries)
	i := x.home(hash)
	for x.entries[i] != want {
		i = (i + 1) % n
	}
	for j := (i + 1) % n; x.entries[j] != 0; j = (j + 1) % n {
		other := x.entries[j]&(1<<tagShift-1) - 1
		home := x.home(maphash.Bytes(s.seed, s.get(other)))
		if (j-home+n)%n >= (j-i+n)%n {
			x.entries[i] = x.entries[j]
			i = j
		}
	}
	x.entries[i] = 0
	x.count--
	if n > 64 && x.count*4 < n {
		old := x.entries
		x.entries = make([]uint32, n/2)
		s.refill(x, old)
	}
}

func (s *attrSets) takeID() (uint32, bool) {
	if n := len(s.free); n > 0 {
		id := s.free[n-1]
		s.free = s.free[:n-1]
		return id, true
	}
	id := s.count.Load()
	if id == maxAttrID {
		return 0, false
	}
	s.where.reach(id)
	s.refs.reach(id)
	s.charges.payers.reach(id)
	s.count.Store(id + 1)
	return id, true
}

// store appends the octets of a set to a slab and returns their place.
func (s *attrSets) store(set route.Attrs) uint32 {
	size := framed(len(set))
	slabs := *s.slabs.Load()
	if len(slabs) == 0 || int(slabs[s.last].filled+size) > len(slabs[s.last].octets) {
		s.addSlab(size)
		slabs = *s.slabs.Load()
	}
	b := slabs[s.last]
	at := b.filled
	b.filled += size
	b.live += size
	s.live += uint64(size)
	s.total += uint64(size)
	if len(set) < 255 {
		b.octets[at] = byte(len(set))
		copy(b.octets[at+1:], set)
	} else {
		binary.BigEndian.PutUint32(b.octets[at:], 255<<24|uint32(len(set)))
		copy(b.octets[at+4:], set)
	}
	return s.last<<slabShift | at/4
}

// addSlab begins a slab with room for so many octets. The first ones are small,
// as many tables are.
func (s *attrSets) addSlab(room uint32) {
	size := min(firstSlab<<(2*min(len(*s.slabs.Load()), 10)), slabSize)
	b := &slab{octets: make([]byte, max(size, int(room)))}
	if n := len(s.empty); n > 0 {
		s.last = s.empty[n-1]
		s.empty = s.empty[:n-1]
		s.swapSlab(s.last, b)
		return
	}
	slabs := *s.slabs.Load()
	s.last = uint32(len(slabs))
	grown := append(slices.Clip(slabs), b)
	s.slabs.Store(&grown)
}

func (s *attrSets) swapSlab(i uint32, b *slab) {
	slabs := append([]*slab(nil), *s.slabs.Load()...)
	slabs[i] = b
	s.slabs.Store(&slabs)
}

// retain counts more routes that hold the set.
func (s *attrSets) retain(id, routes uint32) { *s.refs.at(id) += routes }

// letGo counts routes that no longer hold the set, and frees it after the last.
func (s *attrSets) letGo(id, routes uint32) {
	refs := s.refs.at(id)
	if *refs -= routes; *refs > 0 {
		return
	}
	s.unlink(id)
	s.used.Add(-1)
	size := framed(len(s.get(id)))
	s.charges.discharge(id, size)
	s.bury(*s.where.at(id), size)
	s.grace.retire(retired{s, id, 0})
}

// bury counts the octets at the place as dead.
func (s *attrSets) bury(place, size uint32) {
	(*s.slabs.Load())[place>>slabShift].live -= size
	s.live -= uint64(size)
}

// release makes an id available again, or drops an empty slab: no reader
// resolves either any more.
func (s *attrSets) release(index uint32, what int) {
	if what == dropSlab {
		s.swapSlab(index, nil)
		s.empty = append(s.empty, index)
		return
	}
	s.free = append(s.free, index)
}

const dropSlab = 1

// compact empties one slab when more than an eighth of all octets is dead, and
// reports whether there may be more to do.
func (s *attrSets) compact() bool {
	if dead := s.total - s.live; dead < 2*slabSize || dead < s.total/8 {
		return false
	}
	slabs := *s.slabs.Load()
	worst := -1
	for i, b := range slabs {
		if b != nil && uint32(i) != s.last && b.live != buried && (worst < 0 || b.live < slabs[worst].live) {
			worst = i
		}
	}
	if worst < 0 {
		return false
	}
	s.evacuate(uint32(worst), slabs[worst])
	return true
}

// buried marks a slab that waits for readers to leave.
const buried = ^uint32(0)

// evacuate moves the live sets of a slab to the last one.
func (s *attrSets) evacuate(i uint32, b *slab) {
	s.total -= uint64(b.filled)
	for at := uint32(0); at < b.filled && b.live > 0; {
		start, length := frame(b.octets[at:])
		place := i<<slabShift | at/4
		set := route.Attrs(b.octets[int(at)+start : int(at)+start+length])
		at += framed(length)
		hash := maphash.Bytes(s.seed, set)
		id, ok := s.lookup(&s.index[hash>>56], hash, set)
		if ok && *s.where.at(id) == place {
			s.bury(place, framed(length))
			atomic.StoreUint32(s.where.at(id), s.store(set))
		}
	}
	b.live = buried
	s.grace.retire(retired{s, i, dropSlab})
}

// matching returns the ids of the sets that match, nil when there is none.
func (s *attrSets) matching(match func(route.Attrs) bool) Bits {
	var ids Bits
	for id := range s.count.Load() {
		if *s.refs.at(id) == 0 || !match(s.get(id)) {
			continue
		}
		if ids == nil {
			ids = NewBits(int(s.count.Load()))
		}
		ids.Add(id)
	}
	return ids
}

// bytes returns the memory held.
func (s *attrSets) bytes() uint64 {
	n := s.where.bytes() + s.refs.bytes() + s.charges.payers.bytes() + uint64(cap(s.free))*4
	for i := range s.index {
		n += uint64(cap(s.index[i].entries)) * 4
	}
	for _, b := range *s.slabs.Load() {
		if b != nil {
			n += uint64(len(b.octets))
		}
	}
	return n
}
