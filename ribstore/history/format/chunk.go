package format

import (
	"net/netip"

	"ribglass/ribstore/route"
)

// Chunk is a range of prefixes of one family with their routes. A base chunk has
// every route of the range. A difference has only the routes that another chunk
// does not have, or has otherwise, and entries of the class gone for routes that
// the other chunk has and that are withdrawn since.
type Chunk struct {
	Family   route.Family
	Prefixes []netip.Prefix // ascending
	ends     []uint32       // the routes of prefix i end before ends[i]
	Routes   []Entry        // of a prefix by peer and path id
	Sets     []route.Attrs
	from     *setReader // that makes the sets which are nil yet; nil: none are
}

// Entry is one route of a chunk.
type Entry struct {
	Peer     uint32 // number of the peer in the file
	PathID   uint32
	Set      uint32 // index in the chunk's sets
	Received uint32 // seconds since 1970
	Class    uint8
}

// gone is the class of a route of the base that is withdrawn.
const gone = 255

// Reset makes the chunk an empty chunk of a family. It keeps the memory.
func (c *Chunk) Reset(f route.Family) {
	c.Family = f
	c.Prefixes, c.ends, c.Routes, c.Sets, c.from = c.Prefixes[:0], c.ends[:0], c.Routes[:0], c.Sets[:0], nil
}

// Set returns a set of the chunk.
func (c *Chunk) Set(i uint32) route.Attrs {
	if c.from != nil {
		return c.from.set(i)
	}
	return c.Sets[i]
}

// allSets returns all sets of the chunk.
func (c *Chunk) allSets() []route.Attrs {
	for i := range c.Sets {
		c.Sets[i] = c.Set(uint32(i))
	}
	return c.Sets
}

// of returns the routes of prefix i.
func (c *Chunk) of(i int) []Entry {
	start := uint32(0)
	if i > 0 {
		start = c.ends[i-1]
	}
	return c.Routes[start:c.ends[i]]
}

// CompareEntries orders the routes of a prefix by peer, then path identifier.
func CompareEntries(a, b Entry) int {
	if a.Peer != b.Peer {
		return int(int64(a.Peer) - int64(b.Peer))
	}
	return int(int64(a.PathID) - int64(b.PathID))
}

// same reports whether an entry of c and an entry of d are the same route in the
// same state.
func (c *Chunk) same(a Entry, d *Chunk, b Entry) bool {
	return a.Peer == b.Peer && a.PathID == b.PathID && a.Received == b.Received && a.Class == b.Class &&
		(a.Class == gone || string(c.Set(a.Set)) == string(d.Set(b.Set)))
}

// Difference writes to dst the entries that turn the chunk before into c.
func Difference(dst, before, c *Chunk) {
	dst.Reset(c.Family)
	dst.Sets = append(dst.Sets, c.allSets()...)
	both(before, c, func(p netip.Prefix, was, is []Entry) {
		dst.differ(before, was, c, is)
		dst.Finish(p)
	})
}

// nextPrefix compares the prefixes that two chunks have next; the end comes last.
func nextPrefix(a *Chunk, i int, b *Chunk, k int) int {
	switch {
	case i == len(a.Prefixes):
		return 1
	case k == len(b.Prefixes):
		return -1
	}
	return comparePrefixes(a.Prefixes[i], b.Prefixes[k])
}

// Finish ends the routes of a prefix. A prefix without routes is left out.
func (c *Chunk) Finish(p netip.Prefix) {
	start := uint32(0)
	if n := len(c.ends); n > 0 {
		start = c.ends[n-1]
	}
	if end := uint32(len(c.Routes)); end > start {
		c.Prefixes = append(c.Prefixes, p)
		c.ends = append(c.ends, end)
	}
}

// differ appends the entries that turn the routes before of one prefix into the
// routes after.
func (c *Chunk) differ(base *Chunk, before []Entry, now *Chunk, after []Entry) {
	for len(before) > 0 || len(after) > 0 {
		switch order := nextEntry(before, after); {
		case order < 0:
			c.Routes = append(c.Routes, Entry{Peer: before[0].Peer, PathID: before[0].PathID, Class: gone})
			before = before[1:]
		case order > 0:
			c.Routes = append(c.Routes, after[0])
			after = after[1:]
		default:
			if !base.same(before[0], now, after[0]) {
				c.Routes = append(c.Routes, after[0])
			}
			before, after = before[1:], after[1:]
		}
	}
}

func nextEntry(a, b []Entry) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return CompareEntries(a[0], b[0])
}

// overlay writes to dst one difference that does what two differences do, one
// after the other.
func overlay(dst, first, second *Chunk) {
	dst.Reset(first.Family)
	dst.Sets = append(append(dst.Sets, first.allSets()...), second.allSets()...)
	offset := uint32(len(first.Sets))
	both(first, second, func(p netip.Prefix, before, after []Entry) {
		for len(before) > 0 || len(after) > 0 {
			order := nextEntry(before, after)
			if order >= 0 {
				e := after[0]
				if e.Class != gone {
					e.Set += offset
				}
				dst.Routes = append(dst.Routes, e)
				after = after[1:]
			} else {
				dst.Routes = append(dst.Routes, before[0])
			}
			if order <= 0 {
				before = before[1:]
			}
		}
		dst.Finish(p)
	})
}

// both calls found with the prefixes of two chunks in order, each once, and with
// the routes that each chunk has for it.
func both(a, b *Chunk, found func(p netip.Prefix, ofA, ofB []Entry)) {
	i, k := 0, 0
	for i < len(a.Prefixes) || k < len(b.Prefixes) {
		switch order := nextPrefix(a, i, b, k); {
		case order < 0:
			found(a.Prefixes[i], a.of(i), nil)
			i++
		case order > 0:
			found(b.Prefixes[k], nil, b.of(k))
			k++
		default:
			found(a.Prefixes[i], a.of(i), b.of(k))
			i++
			k++
		}
	}
}

// routeFound is given a route, and the chunk that has its attribute set.
type routeFound func(p netip.Prefix, from *Chunk, e Entry)

// eachRoute calls found with the routes that a base and a difference, which may be
// nil, make together. A damaged base may have withdrawn entries too: they have no
// attribute set, and are no routes.
func eachRoute(base, change *Chunk, found routeFound) {
	none := Chunk{}
	if change == nil {
		change = &none
	}
	both(base, change, func(p netip.Prefix, before, after []Entry) {
		for len(before) > 0 || len(after) > 0 {
			order := nextEntry(before, after)
			if order >= 0 {
				if after[0].Class != gone {
					found(p, change, after[0])
				}
				after = after[1:]
			} else if before[0].Class != gone {
				found(p, base, before[0])
			}
			if order <= 0 {
				before = before[1:]
			}
		}
	})
}
