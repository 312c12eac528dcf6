package table

import (
	"hash/maphash"
	"math/bits"
	"slices"
	"sync/atomic"

	"ribglass/ribstore/route"
)

// setLoader interns many attribute sets at once into attrSets that are empty
// and that nobody reads. Its index is larger than theirs, so that finding a set
// seldom looks at another one, and growing looks at none; theirs is made of it
// in the end.
type setLoader struct {
	sets    *attrSets
	hashes  []uint64 // by id
	entries []uint64 // open addressing: upper bits of the hash | id+1; 0 is free
	met     uint64   // written, so that a read is not left out
}

const hashMask = ^uint64(1<<idBits - 1) // of the hash, in an entry

// hash returns the hash of a set.
func (x *setLoader) hash(set route.Attrs) uint64 { return maphash.Bytes(x.sets.seed, set) }

// meet looks at where the search for a hash begins. So the memory is on its way when a
// later call of intern needs it.
func (x *setLoader) meet(hash uint64) {
	if len(x.entries) > 0 {
		x.met = x.entries[x.home(hash)]
	}
}

// intern returns the id of the set with a hash. Routes that hold it are not counted yet.
func (x *setLoader) intern(set route.Attrs, hash uint64) (uint32, bool) {
	if 2*len(x.hashes) >= len(x.entries) {
		x.widen()
	}
	at := x.home(hash)
	for ; x.entries[at] != 0; at = (at + 1) % len(x.entries) {
		if (x.entries[at]^hash)&hashMask != 0 {
			continue
		}
		if id := uint32(x.entries[at]&^hashMask) - 1; string(x.sets.get(id)) == string(set) {
			return id, true
		}
	}
	id, ok := x.sets.takeID()
	if !ok {
		return 0, false
	}
	atomic.StoreUint32(x.sets.where.at(id), x.sets.store(set))
	x.sets.used.Add(1)
	x.hashes = append(x.hashes, hash)
	x.entries[at] = hash&hashMask | uint64(id+1)
	return id, true
}

// home returns where the search for a hash begins. It takes no bit of it that an
// entry does not have.
func (x *setLoader) home(hash uint64) int {
	return int(hash >> (64 - bits.TrailingZeros(uint(len(x.entries)))))
}

func (x *setLoader) widen() {
	old := x.entries
	x.entries = make([]uint64, max(64, 2*len(old)))
	x.hashes = slices.Grow(x.hashes, len(x.entries)/2-len(x.hashes)) // else it is copied five times
	for _, e := range old {
		if e == 0 {
			continue
		}
		at := x.home(e)
		for x.entries[at] != 0 {
			at = (at + 1) % len(x.entries)
		}
		x.entries[at] = e
	}
}

// finish makes the index of the sets, and lets go of those without a route.
func (x *setLoader) finish() {
	var count [indexShards]int
	for _, hash := range x.hashes {
		count[hash>>56]++
	}
	for i, n := range count {
		if n == 0 {
			continue
		}
		size := 16
		for n*8 > size*7 {
			size *= 2
		}
		x.sets.index[i] = attrIndex{entries: make([]uint32, size), count: n}
	}
	for id, hash := range x.hashes {
		x.sets.index[hash>>56].put(hash, uint32(id))
	}
	for id := range x.hashes {
		if *x.sets.refs.at(uint32(id)) == 0 {
			x.sets.letGo(uint32(id), 0)
		}
	}
}
