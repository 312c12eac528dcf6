package history

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// manifest is what a snapshot is made of: the state of every peer, the chunks
// that have the routes, and what was recorded while they were collected.
//
// The chunks were read off the table while it changed: what is in them was so at
// some moment between begun and end. The tail has the records from begun to end,
// and with them replayed the table is as it was at end. That a record is replayed
// on what has it already does no harm: the last record of a route decides.
type manifest struct {
	snapshot
	states  []table.PeerState
	numbers []uint32 // of the peers of states in the file
	ranges  []chunkRange
	tail    []byte // a group
}

// chunkRange is the part of a snapshot from a place up to the next range. At
// ordinary churn most ranges change a little from one snapshot to the next, so
// that a snapshot adds a difference to the chunks that the one before has.
type chunkRange struct {
	first   place
	base    hash   // a chunk of all routes
	changes []hash // differences, each from what is before it
	routes  uint32
}

// hash is the address of a chunk: half of the SHA-256 of its stored octets.
type hash [16]byte

func hashOf(stored []byte) hash {
	sum := sha256.Sum256(stored)
	return hash(sum[:16])
}

func (m *manifest) encode() []byte {
	b := appendPart(nil, m.key())
	b = binary.AppendUvarint(b, uint64(len(m.states)))
	for i := range m.states {
		b = binary.AppendUvarint(b, uint64(m.numbers[i]))
		b = appendState(b, &m.states[i])
	}
	b = binary.AppendUvarint(b, uint64(len(m.ranges)))
	for i := range m.ranges {
		r := &m.ranges[i]
		b = appendPlace(b, r.first)
		b = append(b, r.base[:]...)
		b = append(b, byte(len(r.changes)))
		for _, change := range r.changes {
			b = append(b, change[:]...)
		}
		b = binary.AppendUvarint(b, uint64(r.routes))
	}
	return appendPart(b, m.tail)
}

func decodeManifest(key, b []byte) (*manifest, error) {
	r := reader{b: b}
	if filed := r.take(r.count()); r.err == nil && string(filed) != string(key) {
		return nil, damaged("a snapshot is filed as another one")
	}
	s, err := parseSnapshot(key)
	if err != nil {
		return nil, err
	}
	m := &manifest{snapshot: s}
	for range r.count() {
		m.numbers = append(m.numbers, uint32(r.below(1<<32, "a peer")))
		m.states = append(m.states, r.state())
		if r.err != nil {
			return nil, r.err
		}
	}
	for range r.count() {
		c := chunkRange{first: r.place()}
		copy(c.base[:], r.take(len(c.base)))
		for range r.octet() {
			var change hash
			copy(change[:], r.take(len(change)))
			c.changes = append(c.changes, change)
		}
		c.routes = uint32(r.uvarint())
		if n := len(m.ranges); n > 0 && m.ranges[n-1].first.compare(c.first) >= 0 {
			r.fail("chunks are out of order")
		}
		if r.err != nil {
			return nil, r.err
		}
		m.ranges = append(m.ranges, c)
	}
	m.tail = slices.Clone(r.take(r.count()))
	return m, r.end()
}

// manifestCache keeps the manifests that were read last, parsed: many questions
// about one time need the same one.
type manifestCache struct {
	mu   sync.Mutex
	kept []*manifest // the last used first
}

const manifestsKept = 8

func (c *manifestCache) get(s *snapshot) *manifest {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.kept, func(m *manifest) bool { return m.snapshot == *s })
	if i < 0 {
		return nil
	}
	m := c.kept[i]
	c.kept = slices.Insert(slices.Delete(c.kept, i, i+1), 0, m)
	return m
}

func (c *manifestCache) put(m *manifest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = slices.Insert(c.kept, 0, m)
	c.kept = c.kept[:min(len(c.kept), manifestsKept)]
}

// manifest reads the manifest of a snapshot.
func (h *History) manifest(s *snapshot) (*manifest, error) {
	if m := h.manifests.get(s); m != nil {
		return m, nil
	}
	var octets []byte
	err := h.view(func(tx *bbolt.Tx) error {
		stored := tx.Bucket(bucketSnapshots).Get(s.key())
		if stored == nil {
			return damaged("it is not there")
		}
		var err error
		octets, err = h.codec.open(nil, stored)
		return err
	})
	var m *manifest
	if err == nil {
		m, err = decodeManifest(s.key(), octets)
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", stamp(s.end), err)
	}
	h.manifests.put(m)
	return m, nil
}

// chunk reads a chunk into d. Its octets are kept by d.
func (h *History) chunk(d *chunkReader, at hash) (*chunk, error) {
	err := h.view(func(tx *bbolt.Tx) error {
		stored := tx.Bucket(bucketChunks).Get(at[:])
		switch {
		case stored == nil:
			return damaged("it is not there")
		case hashOf(stored) != at:
			return damaged("its octets are not those that were written")
		}
		var err error
		d.octets, err = h.codec.open(d.octets[:0], stored)
		return err
	})
	var c *chunk
	if err == nil {
		c, err = d.decode(d.octets)
	}
	if err != nil {
		return nil, fmt.Errorf("chunk %x: %w", at, err)
	}
	return c, nil
}

// stack is a base with its differences, decoded. It is used again and again, and
// what it gives is valid until then.
type stack struct {
	base    chunkReader
	changes []*chunkReader
	merged  [2]chunk
	change  *chunk // all differences in one; nil: there is none
}

// read reads a range.
func (s *stack) read(h *History, r *chunkRange) error {
	s.change = nil
	base, err := h.chunk(&s.base, r.base)
	if err != nil {
		return err
	}
	for i, at := range r.changes {
		if i == len(s.changes) {
			s.changes = append(s.changes, new(chunkReader))
		}
		change, err := h.chunk(s.changes[i], at)
		if err == nil && change.family != base.family {
			err = damaged("chunk %x: a difference is of another family than its base", at)
		}
		if err != nil {
			return err
		}
		if i > 0 {
			into := &s.merged[i%2]
			overlay(into, s.change, change)
			change = into
		}
		s.change = change
	}
	return nil
}

// makeSets makes all sets, which otherwise are made when they are asked for.
func (s *stack) makeSets() {
	s.base.chunk.allSets()
	if s.change != nil {
		s.change.allSets()
	}
}

// each calls found with the routes of the range.
func (s *stack) each(found routeFound) { eachRoute(&s.base.chunk, s.change, found) }

// flatten makes one chunk of all.
func (s *stack) flatten(dst *chunk) {
	dst.reset(s.base.chunk.family)
	dst.sets = append(dst.sets, s.base.chunk.allSets()...)
	offset := uint32(len(dst.sets))
	if s.change != nil {
		dst.sets = append(dst.sets, s.change.allSets()...)
	}
	last := netip.Prefix{}
	s.each(func(p netip.Prefix, from *chunk, e entry) {
		if p != last && last.IsValid() {
			dst.finish(last)
		}
		last = p
		if from == s.change {
			e.set += offset
		}
		dst.routes = append(dst.routes, e)
	})
	dst.finish(last)
}

func (s *stack) family() route.Family { return s.base.chunk.family }
