package format

import (
	"cmp"
	"encoding/binary"
	"net/netip"

	"ribglass/ribstore/route"
)

// Change is one route that was announced or withdrawn.
type Change struct {
	Family route.Family
	Prefix netip.Prefix
	At     int64 // milliseconds since 1970
	Peer   uint32
	PathID uint32
	Set    route.Attrs // nil: withdrawn
}

// CompareChanges orders changes by sort key, then time.
func CompareChanges(a, b *Change) int {
	if c := SortKeyOf(a.Family, a.Prefix).Compare(SortKeyOf(b.Family, b.Prefix)); c != 0 {
		return c
	}
	return cmp.Compare(a.At, b.At)
}

// BlockWriter writes blocks.
type BlockWriter struct {
	peerList

	sets *setWriter
}

// NewBlockWriter returns a writer of blocks.
func NewBlockWriter() *BlockWriter {
	return &BlockWriter{peerList: newPeerList(), sets: newSetWriter()}
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
	var refs refWriter
	var prefixes, counts, which, paths, times, sets []byte
	flags, base := byte(0), earliest(changes)
	for i := 0; i < len(changes); {
		p := changes[i].Prefix
		prefixes = column.put(prefixes, p)
		first, before := i, base
		for ; i < len(changes) && changes[i].Prefix == p; i++ {
			c := &changes[i]
			local := w.local[c.Peer]
			which = binary.AppendUvarint(which, uint64(local))
			paths = binary.AppendUvarint(paths, uint64(c.PathID))
			times = binary.AppendUvarint(times, uint64(c.At-before))
			before = c.At
			if c.PathID != 0 {
				flags |= withPathIDs
			}
			if c.Set == nil {
				sets = append(sets, refWithdraw)
				continue
			}
			id, fresh := w.sets.add(c.Set)
			sets = binary.AppendUvarint(sets, refAnnounce+refs.ref(&w.peers[local].last, id, fresh))
		}
		counts = binary.AppendUvarint(counts, uint64(i-first))
	}
	b := []byte{byte(f), flags}
	b = appendZigzag(b, base)
	b = binary.AppendUvarint(b, uint64(len(w.peers)))
	for i := range w.peers {
		b = binary.AppendUvarint(b, uint64(w.peers[i].number))
	}
	for _, part := range [][]byte{prefixes, counts, which, times, sets} {
		b = appendPart(b, part)
	}
	if flags&withPathIDs != 0 {
		b = appendPart(b, paths)
	}
	return w.sets.appendTo(b)
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

func (d *BlockReader) keeps(p netip.Prefix, at int64) bool { return d.Wanted == nil || d.Wanted(p, at) }

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
	peers := make([]uint32, r.count())
	for i := range peers {
		peers[i] = uint32(r.below(1<<32, "a peer"))
	}
	prefixes, counts, which, times, sets := r.part(), r.part(), r.part(), r.part(), r.part()
	paths := reader{}
	if flags&withPathIDs != 0 {
		paths = r.part()
	}
	d.sets.read(&r)
	if err := r.end(); err != nil {
		return err
	}
	last := make([]uint32, len(peers))
	refs := refReader{sets: uint32(len(d.sets.made))}
	column := prefixColumn{family: f}
	for len(prefixes.b) > 0 {
		c := Change{Family: f, Prefix: column.next(&prefixes), At: base}
		for range counts.below(1<<31, "a count of changes") {
			local := which.below(uint64(len(peers)), "a peer")
			if flags&withPathIDs != 0 {
				c.PathID = uint32(paths.below(1<<32, "a path identifier"))
			}
			c.At += int64(times.uvarint())
			if err := firstError(&prefixes, &which, &paths, &times); err != nil {
				return err
			}
			c.Peer, c.Set = peers[local], nil
			keep := d.keeps(c.Prefix, c.At)
			if ref := sets.uvarint(); ref != refWithdraw {
				if id := refs.set(&sets, &last[local], ref-refAnnounce); sets.err == nil && keep {
					c.Set = d.sets.set(id)
				}
			}
			if sets.err != nil {
				return sets.err
			}
			if keep {
				found(c)
			}
		}
		if err := firstError(&prefixes, &counts); err != nil {
			return err
		}
	}
	return firstError(&prefixes, &counts)
}
