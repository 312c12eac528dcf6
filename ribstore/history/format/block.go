package format

import (
	"cmp"
	"encoding/binary"
	"net/netip"

	"ribglass/ribstore/route"
)

// Change is one route that was announced or withdrawn.
type Change struct {
	When

	Family route.Family
	Prefix netip.Prefix
	Peer   uint32
	PathID uint32
	Set    route.Attrs // nil, or the mark of a route.Fault: withdrawn
}

// CompareChanges orders changes by sort key, then time.
func CompareChanges(a, b *Change) int {
	if c := SortKeyOf(a.Family, a.Prefix).Compare(SortKeyOf(b.Family, b.Prefix)); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Number, b.Number))
}

// BlockWriter writes blocks.
type BlockWriter struct {
	peerList

	sets *setWriter
}

// NewBlockWriter returns a writer of blocks.
func NewBlockWriter() *BlockWriter {
	return &BlockWriter{sets: newSetWriter()}
}

const (
	refWithdraw = 0
	refAnnounce = 1 // and the reference to the set
)

// Encode returns the octets of a block of ordered changes of one family.
func (w *BlockWriter) Encode(f route.Family, changes []Change) []byte {
	w.sets.reset()
	w.list(func(yield func(uint32) bool) {
		for i := range changes {
			if !yield(changes[i].Peer) {
				return
			}
		}
	})
	column := prefixColumn{family: f}
	c := blockColumns{BlockWriter: w}
	base := earliest(changes)
	for i := 0; i < len(changes); {
		p := changes[i].Prefix
		c.prefixes = column.put(c.prefixes, p)
		c.count, c.before = 0, base
		for ; i < len(changes) && changes[i].Prefix == p; i++ {
			c.put(&changes[i])
		}
		c.counts = binary.AppendUvarint(c.counts, uint64(c.count))
	}
	b := []byte{byte(f), c.flags}
	b = appendZigzag(b, base)
	b = binary.AppendUvarint(b, uint64(len(w.peers)))
	for i := range w.peers {
		b = binary.AppendUvarint(b, uint64(w.peers[i].number))
	}
	for _, part := range [][]byte{c.prefixes, c.counts, c.which, c.times, c.sets} {
		b = appendPart(b, part)
	}
	for _, column := range [...]struct {
		flag byte
		part []byte
	}{{withPathIDs, c.paths}, {withNumbers, c.numbers}, {withMicros, c.micros}} {
		if c.flags&column.flag != 0 {
			b = appendPart(b, column.part)
		}
	}
	return w.sets.appendTo(b)
}

// blockColumns are the columns of a block that is being written.
type blockColumns struct {
	*BlockWriter

	refs                                 refWriter
	prefixes, counts, which, times, sets []byte
	paths, numbers, micros               []byte // left out when all are zero, as flags says
	flags                                byte
	count                                int   // entries of the prefix at hand
	before                               int64 // the time of the entry before
}

// put writes the entries of a change. A withdrawal that has a mark has two: a set
// that is the mark, and at the same time the withdrawal. A program that does not
// know marks reads a route that is gone at once.
func (b *blockColumns) put(c *Change) {
	if c.Set != nil {
		b.entry(c)
		id, fresh := b.BlockWriter.sets.add(c.Set)
		b.sets = binary.AppendUvarint(b.sets, refAnnounce+b.refs.ref(&b.peers[b.of(c.Peer)].last, id, fresh))
	}
	if c.Set == nil || c.Set.IsFault() {
		b.entry(c)
		b.sets = append(b.sets, refWithdraw)
	}
}

// entry writes what every entry has.
func (b *blockColumns) entry(c *Change) {
	b.count++
	b.which = binary.AppendUvarint(b.which, uint64(b.of(c.Peer)))
	b.paths = binary.AppendUvarint(b.paths, uint64(c.PathID))
	b.times = binary.AppendUvarint(b.times, uint64(c.At-b.before))
	b.before = c.At
	b.numbers = binary.AppendUvarint(b.numbers, uint64(c.Number))
	b.micros = appendZigzag(b.micros, int64(c.Micros))
	if c.PathID != 0 {
		b.flags |= withPathIDs
	}
	if c.Number != 0 {
		b.flags |= withNumbers
	}
	if c.Micros != 0 {
		b.flags |= withMicros
	}
}

func earliest(changes []Change) int64 {
	if len(changes) == 0 {
		return 0
	}
	at := changes[0].At
	for i := range changes {
		at = min(at, changes[i].At)
	}
	return at
}

// BlockReader reads blocks.
type BlockReader struct {
	octets []byte // scratch
	sets   setReader
	// Wanted reports whether Decode is to find a change of a prefix and a time. When
	// it is nil, Decode finds all changes.
	Wanted func(p netip.Prefix, at int64) bool
}

// SetOctets returns how many octets the sets have that were made for the changes
// found yet. They stay in memory for as long as one of the changes does.
func (d *BlockReader) SetOctets() int { return 2 * len(d.sets.octets) } // it grew by being copied

func (d *BlockReader) keeps(p netip.Prefix, at int64) bool { return d.Wanted == nil || d.Wanted(p, at) }

// nextSet reads the set of an entry, nil when it is not wanted, and whether the entry
// is a withdrawal, which has none.
func (d *BlockReader) nextSet(r *reader, refs *refReader, last *uint32, wanted bool) (set route.Attrs, gone bool) {
	ref := r.uvarint()
	if ref == refWithdraw {
		return nil, true
	}
	if id := refs.set(r, last, ref-refAnnounce); r.err == nil && wanted {
		set = d.sets.set(id)
	}
	return set, false
}

// decode calls found with the changes of a block, in their order. A set is valid
// until the reader is used again.
func (d *BlockReader) decode(b []byte, found func(Change)) error {
	r := reader{b: b}
	f := route.Family(r.octet())
	if f >= route.NumFamilies {
		r.fail("a family is unknown")
		return r.err
	}
	flags := r.octet()
	base := r.varint()
	peers := readPeerNumbers(&r)
	prefixes, counts, which, times, sets := r.part(), r.part(), r.part(), r.part(), r.part()
	few := readFewColumns(&r, flags)
	d.sets.read(&r)
	if err := r.end(); err != nil {
		return err
	}
	last := make([]uint32, len(peers))
	refs := refReader{sets: uint32(len(d.sets.made))}
	column := prefixColumn{family: f}
	for len(prefixes.b) > 0 {
		c := Change{When: When{At: base}, Family: f, Prefix: column.next(&prefixes)}
		var mark route.Attrs
		for range counts.below(1<<31, "a count of changes") {
			local := which.below(uint64(len(peers)), "a peer")
			few.next(&c)
			c.At += int64(times.uvarint())
			if err := cmp.Or(firstError(&prefixes, &which, &times), few.err()); err != nil {
				return err
			}
			c.Peer = peers[local]
			keep := d.keeps(c.Prefix, c.At)
			set, gone := d.nextSet(&sets, &refs, &last[local], keep)
			if sets.err != nil {
				return sets.err
			}
			if c.Set = set; gone {
				c.Set, mark = mark, nil
			}
			switch {
			case !gone && c.Set.IsFault():
				mark = c.Set // of the withdrawal that comes next
			case keep:
				found(c)
			}
		}
		if err := firstError(&prefixes, &counts); err != nil {
			return err
		}
	}
	return firstError(&prefixes, &counts)
}

// fewColumns are the columns of a block that are left out when all in them is zero.
type fewColumns struct {
	flags                  byte
	paths, numbers, micros reader
}

func readFewColumns(r *reader, flags byte) (c fewColumns) {
	c.flags = flags
	if flags&withPathIDs != 0 {
		c.paths = r.part()
	}
	if flags&withNumbers != 0 {
		c.numbers = r.part()
	}
	if flags&withMicros != 0 {
		c.micros = r.part()
	}
	return c
}

// next reads what an entry has of them.
func (f *fewColumns) next(c *Change) {
	if f.flags&withPathIDs != 0 {
		c.PathID = uint32(f.paths.below(1<<32, "a path identifier"))
	}
	if f.flags&withNumbers != 0 {
		c.Number = uint32(f.numbers.below(1<<32, "a number"))
	}
	if f.flags&withMicros != 0 {
		c.Micros = int32(f.micros.varint())
	}
}

func (f *fewColumns) err() error { return firstError(&f.paths, &f.numbers, &f.micros) }

func readPeerNumbers(r *reader) []uint32 {
	peers := make([]uint32, r.bounded(maxPeers, "a count of peers"))
	for i := range peers {
		peers[i] = uint32(r.below(1<<32, "a peer"))
	}
	return peers
}
