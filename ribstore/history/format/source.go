package format

import (
	"fmt"
	"net/netip"

	"ribglass/ribstore/route"
)

// Values are the buckets of a history at one moment. What it returns is valid
// until the function that was given it returns.
type Values interface {
	// get returns the value of a key, nil when there is none.
	Get(bucket, key []byte) []byte
	// each calls visit with every key of a bucket in order, and ends with the
	// first error.
	Each(bucket []byte, visit func(key, value []byte) error) error
}

// Source reads what is stored in a history. Every value is checked: what is
// missing, damaged or filed under the key of another value is an error that
// wraps ErrDamaged. It may be used by many goroutines.
type Source struct {
	Codec *Codec
	// view calls read with the values of one moment and returns its error.
	View func(read func(Values) error) error
}

// open appends the content of a value to dst.
func (s *Source) open(dst, bucket, key []byte) ([]byte, error) {
	err := s.View(func(v Values) error {
		stored := v.Get(bucket, key)
		if stored == nil {
			return Damagedf("it is not there")
		}
		var err error
		dst, err = s.Codec.open(dst, stored)
		return err
	})
	return dst, err
}

// Manifest reads the manifest of a snapshot.
func (s *Source) Manifest(of *Snapshot) (*Manifest, error) {
	octets, err := s.open(nil, BucketSnapshots, of.Key())
	var m *Manifest
	if err == nil {
		m, err = decodeManifest(of.Key(), octets)
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", Stamp(of.End), err)
	}
	return m, nil
}

// Chunk reads a chunk with d. The chunk is valid until d is used again.
func (s *Source) Chunk(d *ChunkReader, at Hash) (*Chunk, error) {
	err := s.View(func(v Values) error {
		stored := v.Get(BucketChunks, at[:])
		switch {
		case stored == nil:
			return Damagedf("it is not there")
		case HashOf(stored) != at:
			return Damagedf("its octets are not those that were written")
		}
		var err error
		d.octets, err = s.Codec.open(d.octets[:0], stored)
		return err
	})
	var c *Chunk
	if err == nil {
		c, err = d.decode(d.octets)
	}
	if err != nil {
		return nil, fmt.Errorf("chunk %x: %w", at, err)
	}
	return c, nil
}

// GroupOctets returns the octets of a group, which may not be in the file yet. It may
// use the memory of dst for them.
func (s *Source) GroupOctets(dst []byte, p *Piece) (octets []byte, err error) {
	if p.Pending != nil {
		return p.Pending, nil
	}
	key := p.Key()
	err = s.View(func(v Values) error {
		stored := v.Get(p.Bucket(), key)
		switch {
		case stored == nil:
			return Damagedf("it is not there")
		case p.Level == LevelLoad:
			octets, err = openLoad(dst, key, stored)
		default:
			octets, err = s.Codec.open(dst[:0], stored)
		}
		return err
	})
	if err == nil && p.Level != LevelLoad {
		octets, err = unsealed(key, octets)
	}
	if err != nil {
		return nil, fmt.Errorf("group of %s: %w", Stamp(p.First), err)
	}
	return octets, nil
}

// Records reads the records of a group with d. They are valid until d is used again.
func (s *Source) Records(d *GroupReader, p *Piece) ([]Record, error) {
	octets, err := s.GroupOctets(d.octets, p)
	if err != nil {
		return nil, err
	}
	if p.Pending == nil {
		d.octets = octets
	}
	list, err := d.DecodeAll(octets)
	if err != nil {
		return nil, fmt.Errorf("group of %s: %w", Stamp(p.First), err)
	}
	return list, nil
}

// Touches reports whether a piece may have something of a scope: an event, or a change
// of a prefix. Only the index of a load is read.
func (s *Source) Touches(p *Piece, within Scope) (touches bool, err error) {
	if p.Level != LevelLoad || p.Pending != nil || !within.Prefix.IsValid() {
		return true, nil
	}
	key := p.Key()
	err = s.View(func(v Values) error {
		stored := v.Get(BucketLoads, key)
		if stored == nil {
			return Damagedf("it is not there")
		}
		touches, err = loadTouches(key, stored, within)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("group of %s: %w", Stamp(p.First), err)
	}
	return touches, nil
}

// Group calls found with the records of a group, which may not be in the file
// yet. An error of found is returned.
func (s *Source) Group(p *Piece, found func(*Record) error) error {
	octets, err := s.GroupOctets(nil, p)
	if err != nil {
		return err
	}
	if err := new(GroupReader).Decode(octets, found); err != nil {
		return fmt.Errorf("group of %s: %w", Stamp(p.First), err)
	}
	return nil
}

// Segment reads the header of a segment.
func (s *Source) Segment(p *Piece) (*Segment, error) {
	key := p.Key()
	octets, err := s.open(nil, BucketJournal, key)
	var header *Segment
	if err == nil {
		header, err = decodeSegment(key, octets)
	}
	if err != nil {
		return nil, fmt.Errorf("segment of %s: %w", Stamp(p.First), err)
	}
	return header, nil
}

// Block calls found with the changes of a block of a segment. A change is valid
// until d is used again.
func (s *Source) Block(d *BlockReader, p *Piece, number int, found func(Change)) error {
	key := BlockKey(p.Key(), number)
	octets, err := s.open(d.octets[:0], BucketBlocks, key)
	d.octets = octets
	if err == nil {
		octets, err = unsealed(key, octets)
	}
	if err == nil {
		err = d.decode(octets, found)
	}
	if err != nil {
		return fmt.Errorf("block %d of the segment of %s: %w", number, Stamp(p.First), err)
	}
	return nil
}

// RangeReader reads ranges of snapshots: a base chunk with its differences. It
// keeps its memory from one range to the next. What it returns is valid until it
// reads the next range. The zero RangeReader is ready; it is for one goroutine.
type RangeReader struct {
	base    ChunkReader
	changes []*ChunkReader
	merged  [2]Chunk
	change  *Chunk // all differences in one; nil when the range has none
	hashes  []uint64
}

// Read reads a range.
func (s *RangeReader) Read(from *Source, r *Range) error {
	s.change, s.hashes = nil, s.hashes[:0]
	base, err := from.Chunk(&s.base, r.Base)
	if err != nil {
		return err
	}
	for i, at := range r.Changes {
		if i == len(s.changes) {
			s.changes = append(s.changes, new(ChunkReader))
		}
		change, err := from.Chunk(s.changes[i], at)
		if err == nil && change.Family != base.Family {
			err = Damagedf("chunk %x: a difference is of another family than its base", at)
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

// Family returns the family of the range.
func (s *RangeReader) Family() route.Family { return s.base.chunk.Family }

// BaseChunk returns the base of the range.
func (s *RangeReader) BaseChunk() *Chunk { return &s.base.chunk }

// Difference returns all differences of the range as one, nil when it has none.
func (s *RangeReader) Difference() *Chunk { return s.change }

// MakeSets makes all attribute sets, and hashes the sets of the base. Without MakeSets
// each set is made when it is first asked for.
func (s *RangeReader) MakeSets(hash func(route.Attrs) uint64) {
	s.hashes = s.hashes[:0]
	for _, set := range s.base.chunk.allSets() {
		s.hashes = append(s.hashes, hash(set))
	}
	if s.change != nil {
		s.change.allSets()
	}
}

// Hashes returns the hashes that MakeSets made, none without it.
func (s *RangeReader) Hashes() []uint64 { return s.hashes }

// Each calls found with the routes of the range in order. The chunk that found
// is given is the base or the difference: it has the attribute set of the route.
func (s *RangeReader) Each(found func(p netip.Prefix, from *Chunk, e Entry)) {
	eachRoute(&s.base.chunk, s.change, found)
}

// Flatten writes all routes of the range to dst.
func (s *RangeReader) Flatten(dst *Chunk) {
	dst.Reset(s.base.chunk.Family)
	dst.Sets = append(dst.Sets, s.base.chunk.allSets()...)
	offset := uint32(len(dst.Sets))
	if s.change != nil {
		dst.Sets = append(dst.Sets, s.change.allSets()...)
	}
	last := netip.Prefix{}
	s.Each(func(p netip.Prefix, from *Chunk, e Entry) {
		if p != last && last.IsValid() {
			dst.Finish(last)
		}
		last = p
		if from == s.change {
			e.Set += offset
		}
		dst.Routes = append(dst.Routes, e)
	})
	dst.Finish(last)
}
