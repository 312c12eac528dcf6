package activity

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/route"
)

const (
	tallyKept = 1024          // counters that are left of a full tally, at least half of them
	tallyFull = 2 * tallyKept // counters of a tally before it is pruned
	tallySize = 2 * tallyFull // places for them, a power of two, so that half are empty
)

// tally counts the changes of prefixes during some minutes in bounded memory, as
// the algorithm of Misra and Gries does, which finds the same prefixes as
// Space-Saving with the same bound: when it is full, all counters lose what the
// one in the middle has, and those with nothing left are dropped. Each time at
// least tallyKept counters lose as much, so all that one can lose is at most the
// number of changes divided by tallyKept.
//
// The counters are in a hash table of their own, each as near behind its place as
// is free: a map costs the writer three times as much. Prefixes that are chosen to
// collide make it slower, but a search never passes more than all counters.
type tally struct {
	from     time.Time
	counters [tallySize]counter
	used     int
	missed   uint32 // what counters lost
}

// counter is how often a prefix changed; one that is not used counts nothing.
type counter struct {
	place   place
	changes uint32
}

// place is a prefix of a family, without pointers.
type place struct {
	high, low    uint64
	bits, family uint8
}

func placeOf(f route.Family, p netip.Prefix) place {
	address := p.Addr().As16()
	return place{
		binary.BigEndian.Uint64(address[:8]), binary.BigEndian.Uint64(address[8:]), uint8(p.Bits()), uint8(f),
	}
}

func (k *place) prefix() (route.Family, netip.Prefix) {
	var octets [16]byte
	binary.BigEndian.PutUint64(octets[:8], k.high)
	binary.BigEndian.PutUint64(octets[8:], k.low)
	f, address := route.Family(k.family), netip.AddrFrom16(octets)
	if !f.IsIPv6() {
		address = address.Unmap()
	}
	return f, netip.PrefixFrom(address, int(k.bits))
}

// hash mixes with the odd constants of SplitMix64.
func (k *place) hash() uint64 {
	h := (k.high ^ uint64(k.bits)<<8 ^ uint64(k.family)) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>29 ^ k.low) * 0x94d049bb133111eb
	return h ^ h>>32
}

// find returns the counter of a prefix, or the one to use for it.
func (t *tally) find(k *place) *counter {
	for i := k.hash(); ; i++ {
		c := &t.counters[i%tallySize]
		if c.changes == 0 || c.place == *k {
			return c
		}
	}
}

func (t *tally) add(k place) {
	c := t.find(&k)
	if c.changes == 0 {
		if t.used == tallyFull {
			t.prune()
			c = t.find(&k)
		}
		c.place = k
		t.used++
	}
	c.changes++
}

func (t *tally) prune() {
	list := t.list()
	counts := make([]uint32, len(list))
	for i := range list {
		counts[i] = list[i].changes
	}
	slices.Sort(counts)
	cut := counts[len(counts)-tallyKept]
	t.reset(t.from, t.missed+cut)
	for i := range list {
		if list[i].changes > cut {
			list[i].changes -= cut
			*t.find(&list[i].place) = list[i]
			t.used++
		}
	}
}

func (t *tally) reset(from time.Time, missed uint32) {
	clear(t.counters[:])
	t.from, t.used, t.missed = from, 0, missed
}

// list returns the counters that count something.
func (t *tally) list() []counter {
	list := make([]counter, 0, t.used)
	for i := range t.counters {
		if t.counters[i].changes > 0 {
			list = append(list, t.counters[i])
		}
	}
	return list
}

// counted is a tally that changes no more.
type counted struct {
	from   time.Time
	counts []counter
	missed uint32
}

func (t *tally) copy() *counted { return &counted{t.from, t.list(), t.missed} }
