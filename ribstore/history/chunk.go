package history

import (
	"encoding/binary"
	"iter"
	"maps"
	"net/netip"
	"slices"

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
	c.prefixes, c.ends, c.routes, c.sets = c.prefixes[:0], c.ends[:0], c.routes[:0], c.sets[:0]
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
		(a.class == gone || string(c.sets[a.set]) == string(d.sets[b.set]))
}

// chunkWriter turns chunks into octets.
type chunkWriter struct {
	peerList

	sets *setWriter
}

// peerColumns are the columns of one peer, in which one route is much like the
// next.
type peerColumns struct {
	number   uint32
	refs     []byte
	times    []byte
	last     uint32
	received int64
}

func newChunkWriter() *chunkWriter {
	return &chunkWriter{peerList: newPeerList(), sets: newSetWriter()}
}

const (
	withPathIDs = 1 << iota
	withClasses
)

// encode returns the octets of a chunk, uncompressed.
func (w *chunkWriter) encode(c *chunk) []byte {
	w.sets.reset()
	w.list(func(yield func(uint32) bool) {
		for i := range c.routes {
			if !yield(c.routes[i].peer) {
				return
			}
		}
	})
	var refs refWriter
	var which, paths, classes []byte
	flags := byte(0)
	for _, e := range c.routes {
		i := w.local[e.peer]
		p := &w.peers[i]
		which = binary.AppendUvarint(which, uint64(i))
		paths = binary.AppendUvarint(paths, uint64(e.pathID))
		classes = append(classes, e.class)
		if e.pathID != 0 {
			flags |= withPathIDs
		}
		if e.class != 0 {
			flags |= withClasses
		}
		if e.class == gone {
			continue
		}
		id, fresh := w.sets.add(c.sets[e.set])
		p.refs = binary.AppendUvarint(p.refs, refs.ref(&p.last, id, fresh))
		p.times = appendZigzag(p.times, int64(e.received)-p.received)
		p.received = int64(e.received)
	}
	b := []byte{byte(c.family), flags}
	b = w.appendPrefixes(b, c)
	b = appendPart(b, which)
	if flags&withPathIDs != 0 {
		b = appendPart(b, paths)
	}
	if flags&withClasses != 0 {
		b = appendPart(b, classes)
	}
	b = binary.AppendUvarint(b, uint64(len(w.peers)))
	for i := range w.peers {
		p := &w.peers[i]
		b = binary.AppendUvarint(b, uint64(p.number))
		b = appendPart(b, p.refs)
		b = appendPart(b, p.times)
	}
	return w.sets.appendTo(b)
}

// peerList numbers the peers of a chunk or a block in the order of their numbers
// in the file.
type peerList struct {
	local map[uint32]int // index in peers
	peers []peerColumns
}

func newPeerList() peerList { return peerList{local: make(map[uint32]int)} }

// list begins anew with the peers of a chunk or a block, each named as often as it
// may be.
func (l *peerList) list(named iter.Seq[uint32]) {
	clear(l.local)
	for n := range named {
		l.local[n] = 0
	}
	l.peers = l.peers[:0]
	for i, n := range slices.Sorted(maps.Keys(l.local)) {
		l.local[n] = i
		l.peers = append(l.peers, peerColumns{number: n})
	}
}

func (w *chunkWriter) appendPrefixes(b []byte, c *chunk) []byte {
	var prefixes, counts []byte
	column := prefixColumn{family: c.family}
	before := uint32(0)
	for i, p := range c.prefixes {
		prefixes = column.put(prefixes, p)
		counts = binary.AppendUvarint(counts, uint64(c.ends[i]-before))
		before = c.ends[i]
	}
	b = binary.AppendUvarint(b, uint64(len(c.prefixes)))
	return appendPart(appendPart(b, prefixes), counts)
}

// chunkReader turns octets into chunks. What it returns is valid until it is
// used again.
type chunkReader struct {
	octets []byte // scratch
	chunk  chunk
	sets   setReader
	peers  []peerReader
}

type peerReader struct {
	number      uint32
	refs, times reader
	last        uint32
	received    int64
}

// decode reads a chunk, of which it believes nothing.
func (d *chunkReader) decode(b []byte) (*chunk, error) {
	r := reader{b: b}
	f := route.Family(r.octet())
	if f >= route.NumFamilies {
		r.fail("a family is unknown")
		return nil, r.err
	}
	d.chunk.reset(f)
	flags := r.octet()
	routes := d.readPrefixes(&r)
	which, paths, classes := r.part(), reader{}, reader{}
	if flags&withPathIDs != 0 {
		paths = r.part()
	}
	if flags&withClasses != 0 {
		classes = r.part()
	}
	if routes > uint64(len(which.b)) {
		r.fail("there are fewer routes than counted")
	}
	d.readPeers(&r)
	d.sets.read(&r)
	if err := r.end(); err != nil {
		return nil, err
	}
	d.chunk.sets = d.sets.sets
	refs := refReader{sets: uint32(len(d.chunk.sets))}
	for range routes {
		e := entry{}
		i := which.below(uint64(len(d.peers)), "a peer")
		if flags&withPathIDs != 0 {
			e.pathID = uint32(paths.below(1<<32, "a path identifier"))
		}
		if flags&withClasses != 0 {
			e.class = classes.octet()
		}
		if err := firstError(&which, &paths, &classes); err != nil {
			return nil, err
		}
		if err := d.peers[i].read(&e, &refs); err != nil {
			return nil, err
		}
		d.chunk.routes = append(d.chunk.routes, e)
	}
	return &d.chunk, nil
}

func (p *peerReader) read(e *entry, refs *refReader) error {
	e.peer = p.number
	if e.class == gone {
		return nil
	}
	e.set = refs.set(&p.refs, &p.last, p.refs.uvarint())
	p.received += p.times.varint()
	e.received = uint32(p.received)
	return firstError(&p.refs, &p.times)
}

func firstError(readers ...*reader) error {
	for _, r := range readers {
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// readPrefixes reads prefixes and ends and returns how many routes there are.
func (d *chunkReader) readPrefixes(r *reader) uint64 {
	n := r.count()
	prefixes, counts := r.part(), r.part()
	column := prefixColumn{family: d.chunk.family}
	total := uint64(0)
	for range n {
		p := column.next(&prefixes)
		total += counts.below(1<<24, "a count of routes")
		if prefixes.err != nil || counts.err != nil || total > 1<<31 {
			r.fail("prefixes are damaged")
			return 0
		}
		d.chunk.prefixes = append(d.chunk.prefixes, p)
		d.chunk.ends = append(d.chunk.ends, uint32(total))
	}
	return total
}

func (d *chunkReader) readPeers(r *reader) {
	n := r.count()
	d.peers = d.peers[:0]
	for range n {
		d.peers = append(d.peers, peerReader{
			number: uint32(r.below(1<<32, "a peer")), refs: r.part(), times: r.part(),
		})
		if r.err != nil {
			return
		}
	}
}

// difference makes of a chunk what is to be known beside another one to have it.
func difference(dst, before, c *chunk) {
	dst.reset(c.family)
	dst.sets = append(dst.sets, c.sets...)
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
	dst.sets = append(append(dst.sets, first.sets...), second.sets...)
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
