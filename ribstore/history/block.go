package history

import (
	"encoding/binary"
	"net/netip"

	"ribglass/ribstore/route"
)

// change is one route announced or withdrawn, as a block of a segment has it.
type change struct {
	prefix netip.Prefix
	at     int64 // milliseconds since 1970
	peer   uint32
	pathID uint32
	set    route.Attrs // nil: withdrawn
}

// blockWriter turns changes into octets.
type blockWriter struct {
	peerList

	sets *setWriter
}

func newBlockWriter() *blockWriter {
	return &blockWriter{peerList: newPeerList(), sets: newSetWriter()}
}

const (
	refWithdraw = 0
	refAnnounce = 1 // and the reference to the set
)

// encode returns the octets of a block of ordered changes of one family.
func (w *blockWriter) encode(f route.Family, changes []change) []byte {
	w.sets.reset()
	w.list(func(yield func(uint32) bool) {
		for i := range changes {
			if !yield(changes[i].peer) {
				return
			}
		}
	})
	column := prefixColumn{family: f}
	var refs refWriter
	var prefixes, counts, which, paths, times, sets []byte
	flags, base := byte(0), earliest(changes)
	for i := 0; i < len(changes); {
		p := changes[i].prefix
		prefixes = column.put(prefixes, p)
		first, before := i, base
		for ; i < len(changes) && changes[i].prefix == p; i++ {
			c := &changes[i]
			local := w.local[c.peer]
			which = binary.AppendUvarint(which, uint64(local))
			paths = binary.AppendUvarint(paths, uint64(c.pathID))
			times = binary.AppendUvarint(times, uint64(c.at-before))
			before = c.at
			if c.pathID != 0 {
				flags |= withPathIDs
			}
			if c.set == nil {
				sets = append(sets, refWithdraw)
				continue
			}
			id, fresh := w.sets.add(c.set)
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

func earliest(changes []change) int64 {
	if len(changes) == 0 {
		return 0
	}
	at := changes[0].at
	for i := range changes {
		at = min(at, changes[i].at)
	}
	return at
}

// blockReader turns octets into changes.
type blockReader struct {
	octets []byte // scratch
	sets   setReader
	// wanted says of which changes more than prefix and time matters; nil: of all.
	// Those of others are not found.
	wanted func(p netip.Prefix, at int64) bool
}

func (d *blockReader) keeps(p netip.Prefix, at int64) bool { return d.wanted == nil || d.wanted(p, at) }

// decode calls found with the changes of a block, in their order. A set is valid
// until the reader is used again.
func (d *blockReader) decode(b []byte, found func(route.Family, change)) error {
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
		c := change{prefix: column.next(&prefixes), at: base}
		for range counts.below(1<<31, "a count of changes") {
			local := which.below(uint64(len(peers)), "a peer")
			if flags&withPathIDs != 0 {
				c.pathID = uint32(paths.below(1<<32, "a path identifier"))
			}
			c.at += int64(times.uvarint())
			if err := firstError(&prefixes, &which, &paths, &times); err != nil {
				return err
			}
			c.peer, c.set = peers[local], nil
			keep := d.keeps(c.prefix, c.at)
			if ref := sets.uvarint(); ref != refWithdraw {
				if id := refs.set(&sets, &last[local], ref-refAnnounce); sets.err == nil && keep {
					c.set = d.sets.set(id)
				}
			}
			if sets.err != nil {
				return sets.err
			}
			if keep {
				found(f, c)
			}
		}
		if err := firstError(&prefixes, &counts); err != nil {
			return err
		}
	}
	return firstError(&prefixes, &counts)
}
