package history

import (
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/route"
)

// A segment is a part of the journal put in order: changes by prefix in blocks,
// so that the past of one prefix is read without all the others, and the events
// of sessions apart. It takes the place of the groups, or of the smaller
// segments, that it was made of.

// segment is the header of one.
type segment struct {
	events []byte // a group of the events
	blocks []blockInfo
}

// blockInfo describes a block. Its number is its place in the list.
type blockInfo struct {
	first   place // of its first change
	changes uint32
}

func (s *segment) encode(key []byte) []byte {
	b := appendPart(nil, key)
	b = appendPart(b, s.events)
	b = binary.AppendUvarint(b, uint64(len(s.blocks)))
	for i := range s.blocks {
		b = appendPlace(b, s.blocks[i].first)
		b = binary.AppendUvarint(b, uint64(s.blocks[i].changes))
	}
	return b
}

func decodeSegment(key, b []byte) (*segment, error) {
	r := reader{b: b}
	if filed := r.take(r.count()); r.err == nil && string(filed) != string(key) {
		return nil, damaged("a segment is filed as another one")
	}
	s := &segment{events: slices.Clone(r.take(r.count()))}
	for range r.count() {
		s.blocks = append(s.blocks, blockInfo{r.place(), uint32(r.uvarint())})
		if n := len(s.blocks); r.err == nil && n > 1 && s.blocks[n-2].first.compare(s.blocks[n-1].first) > 0 {
			r.fail("blocks are out of order")
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	return s, r.end()
}

// wanted reports whether block i may have changes of the scope.
func (s *segment) wanted(i int, within scope) bool {
	next := place{}
	if i+1 < len(s.blocks) && s.blocks[i+1].first.family == s.blocks[i].first.family && s.blocks[i+1].first.long == s.blocks[i].first.long {
		next = s.blocks[i+1].first
	}
	return within.touches(s.blocks[i].first, next)
}

func blockKey(segment []byte, number int) []byte { return be32(slices.Clone(segment), uint32(number)) }

// segmentOf reads the header of a segment.
func (h *History) segmentOf(p *piece) (*segment, error) {
	key := p.key()
	var s *segment
	err := h.view(func(tx *bbolt.Tx) error {
		b, err := h.codec.open(nil, tx.Bucket(bucketJournal).Get(key))
		if err == nil {
			s, err = decodeSegment(key, b)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("segment of %s: %w", stamp(p.first), err)
	}
	return s, nil
}

// block reads a block with d, which keeps its octets.
func (h *History) block(d *blockReader, p *piece, number int, found func(route.Family, change)) error {
	key := blockKey(p.key(), number)
	err := h.view(func(tx *bbolt.Tx) error {
		stored := tx.Bucket(bucketBlocks).Get(key)
		if stored == nil {
			return damaged("it is not there")
		}
		var err error
		d.octets, err = h.codec.open(d.octets[:0], stored)
		return err
	})
	octets := d.octets
	if err == nil {
		octets, err = unsealed(key, octets)
	}
	if err == nil {
		err = d.decode(octets, found)
	}
	if err != nil {
		return fmt.Errorf("block %d of the segment of %s: %w", number, stamp(p.first), err)
	}
	return nil
}

// group reads a group and calls found with its records.
func (h *History) group(p *piece, found func(*record) error) error {
	octets := p.pending
	if octets == nil {
		err := h.view(func(tx *bbolt.Tx) error {
			stored := tx.Bucket(bucketJournal).Get(p.key())
			if stored == nil {
				return damaged("it is not there")
			}
			var err error
			octets, err = h.codec.open(nil, stored)
			if err == nil {
				octets, err = unsealed(p.key(), octets)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("group of %s: %w", stamp(p.first), err)
		}
	}
	var d groupReader
	if err := d.decode(octets, found); err != nil {
		return fmt.Errorf("group of %s: %w", stamp(p.first), err)
	}
	return nil
}
