package history

import (
	"net/netip"

	"ribglass/ribstore/route"
)

// chunk is the routes of a range of places of one family. In a base chunk every
// route of the range is there; in a difference only those that are not as in
// the base, routes that are no more with the class gone.
type chunk struct {
	family   route.Family
	prefixes []netip.Prefix // ascending
	ends     []uint32       // the routes of prefix i end before ends[i]
	routes   []entry        // of a prefix by peer and path id
	sets     []route.Attrs
	from     *setReader // that makes the sets which are nil yet; nil: none are
}

// entry is one route of a chunk.
type entry struct {
	peer     uint32 // number of the peer in the file
	pathID   uint32
	set      uint32 // index in the chunk's sets
	received uint32 // seconds since 1970
	class    uint8
}

// gone is the class of a route of the base that is no more.
const gone = 255

func (c *chunk) reset(f route.Family) {
	c.family = f
	c.prefixes, c.ends, c.routes, c.sets, c.from = c.prefixes[:0], c.ends[:0], c.routes[:0], c.sets[:0], nil
}

// set returns a set of the chunk.
func (c *chunk) set(i uint32) route.Attrs {
	if c.from != nil {
		return c.from.set(i)
	}
	return c.sets[i]
}

// allSets returns all sets of the chunk.
func (c *chunk) allSets() []route.Attrs {
	for i := range c.sets {
		c.sets[i] = c.set(uint32(i))
	}
	return c.sets
}

// of returns the routes of prefix i.
func (c *chunk) of(i int) []entry {
	start := uint32(0)
	if i > 0 {
		start = c.ends[i-1]
	}
	return c.routes[start:c.ends[i]]
}

func compareEntries(a, b entry) int {
	if a.peer != b.peer {
		return int(int64(a.peer) - int64(b.peer))
	}
	return int(int64(a.pathID) - int64(b.pathID))
}

// same reports whether two routes, each of its chunk, are the same route in the
// same state.
func (c *chunk) same(a entry, d *chunk, b entry) bool {
	return a.peer == b.peer && a.pathID == b.pathID && a.received == b.received && a.class == b.class &&
		(a.class == gone || string(c.set(a.set)) == string(d.set(b.set)))
}

// difference makes of a chunk what is to be known beside another one to have it.
func difference(dst, before, c *chunk) {
	dst.reset(c.family)
	dst.sets = append(dst.sets, c.allSets()...)
	both(before, c, func(p netip.Prefix, was, is []entry) {
		dst.differ(before, was, c, is)
		dst.finish(p)
	})
}

// nextPrefix compares the prefixes that two chunks have next; the end comes last.
func nextPrefix(a *chunk, i int, b *chunk, k int) int {
	switch {
	case i == len(a.prefixes):
		return 1
	case k == len(b.prefixes):
		return -1
	}
	return comparePrefixes(a.prefixes[i], b.prefixes[k])
}

// finish ends the routes of a prefix; one without routes is not there.
func (c *chunk) finish(p netip.Prefix) {
	start := uint32(0)
	if n := len(c.ends); n > 0 {
		start = c.ends[n-1]
	}
	if end := uint32(len(c.routes)); end > start {
		c.prefixes = append(c.prefixes, p)
		c.ends = append(c.ends, end)
	}
}

// differ appends what is different of one prefix.
func (c *chunk) differ(base *chunk, before []entry, now *chunk, after []entry) {
	for len(before) > 0 || len(after) > 0 {
		switch order := nextEntry(before, after); {
		case order < 0:
			c.routes = append(c.routes, entry{peer: before[0].peer, pathID: before[0].pathID, class: gone})
			before = before[1:]
		case order > 0:
			c.routes = append(c.routes, after[0])
			after = after[1:]
		default:
			if !base.same(before[0], now, after[0]) {
				c.routes = append(c.routes, after[0])
			}
			before, after = before[1:], after[1:]
		}
	}
}

func nextEntry(a, b []entry) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return compareEntries(a[0], b[0])
}

// overlay makes one difference of two, of which the second is from what the first
// gives.
func overlay(dst, first, second *chunk) {
	dst.reset(first.family)
	dst.sets = append(append(dst.sets, first.allSets()...), second.allSets()...)
	offset := uint32(len(first.sets))
	both(first, second, func(p netip.Prefix, before, after []entry) {
		for len(before) > 0 || len(after) > 0 {
			order := nextEntry(before, after)
			if order >= 0 {
				e := after[0]
				if e.class != gone {
					e.set += offset
				}
				dst.routes = append(dst.routes, e)
				after = after[1:]
			} else {
				dst.routes = append(dst.routes, before[0])
			}
			if order <= 0 {
				before = before[1:]
			}
		}
		dst.finish(p)
	})
}

// both calls found with the prefixes of two chunks in order, and the routes that
// each has of it.
func both(a, b *chunk, found func(p netip.Prefix, ofA, ofB []entry)) {
	i, k := 0, 0
	for i < len(a.prefixes) || k < len(b.prefixes) {
		switch order := nextPrefix(a, i, b, k); {
		case order < 0:
			found(a.prefixes[i], a.of(i), nil)
			i++
		case order > 0:
			found(b.prefixes[k], nil, b.of(k))
			k++
		default:
			found(a.prefixes[i], a.of(i), b.of(k))
			i++
			k++
		}
	}
}

// routeFound is told a route, whose set is one of the chunk.
type routeFound func(p netip.Prefix, from *chunk, e entry)

// eachRoute calls found with the routes of a base as a difference, which may be
// nil, changes them.
func eachRoute(base, change *chunk, found routeFound) {
	none := chunk{}
	if change == nil {
		change = &none
	}
	both(base, change, func(p netip.Prefix, before, after []entry) {
		for len(before) > 0 || len(after) > 0 {
			order := nextEntry(before, after)
			if order >= 0 {
				if after[0].class != gone {
					found(p, change, after[0])
				}
				after = after[1:]
			} else {
				found(p, base, before[0])
			}
			if order <= 0 {
				before = before[1:]
			}
		}
	})
}
