package check

import (
	"cmp"
	"errors"
	"os"
	"slices"

	"ribglass/ribstore/history/format"
)

// salvageCut calls found with the values of the leaves of a file that is cut off. The
// pages above the leaves, which name the bucket of a leaf, may be missing: the key and the
// octets of a value tell its bucket. A leaf may also have values that were replaced later:
// where several pieces of the journal have the same groups, one piece is taken.
func salvageCut(codec *format.Codec, path string, found func(bucket, key, stored []byte) error) error {
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	p, err := openPages(f, info.Size())
	if _, cut := errors.AsType[*cutError](err); err != nil && !cut {
		return err
	}
	p.high = min(p.high, uint64(p.size/p.pageSize))
	s := scattered{codec: codec, heads: make(map[string]int), seen: make(map[string]bool), blocks: make(map[string]int), taken: make(map[string]bool)}
	if err := p.leaves(s.see); err != nil {
		return err
	}
	s.choose()
	if err := p.leaves(func(key, stored []byte) error {
		if bucket := s.bucketOf(key, stored); bucket != nil && s.wants(bucket, key) {
			return found(bucket, key, stored)
		}
		return nil
	}); err != nil || s.end == nil {
		return err
	}
	return found(format.BucketMeta, format.KeyEnd, s.end)
}

// leaves calls found with the values of all pages that are leaves.
func (p *pages) leaves(found func(key, stored []byte) error) error {
	p.used, p.flat = make([]bool, p.high), true
	p.found = func(_, key, stored []byte) error { return found(key, stored) }
	for id := uint64(2); id < p.high; id++ {
		if _, count, length, ok := p.claim(id, pageLeaf); ok {
			a := p.area(id, length)
			// A leaf has values, or small buckets with values in them.
			for _, bucket := range [][]byte{format.BucketMeta, nil} {
				if err := p.leaf(a, "", count, bucket, bounds{}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// scattered is what is known of values without their buckets.
type scattered struct {
	codec  *format.Codec
	pieces []format.Piece
	heads  map[string]int  // how many blocks a segment has, by its key
	blocks map[string]int  // how many of them are there
	seen   map[string]bool // blocks that are counted
	taken  map[string]bool // pieces
	end    []byte          // the newest
}

// see notes what a value is.
func (s *scattered) see(key, stored []byte) error {
	if string(key) == string(format.KeyFormat) && len(stored) < 64 {
		return format.CheckFormat(stored)
	}
	if string(key) == string(format.KeyEnd) {
		if end := format.DecodeEnd(stored); end.Next > format.DecodeEnd(s.end).Next {
			s.end = slices.Clone(stored)
		}
		return nil
	}
	if segment, ok := format.SegmentOfBlock(key); ok && !s.seen[string(key)] {
		s.seen[string(key)] = true
		s.blocks[string(segment)]++
		return nil
	}
	p, err := format.ParsePiece(key)
	if err != nil {
		return nil //nolint:nilerr // it is no piece
	}
	if !p.IsGroup() {
		source := format.Source{Codec: s.codec, View: func(read func(format.Values) error) error { return read(only(stored)) }}
		head, err := source.Segment(&p)
		if err != nil {
			return nil //nolint:nilerr // it is damaged
		}
		s.heads[string(key)] = len(head.Blocks)
	}
	s.pieces = append(s.pieces, p)
	return nil
}

// only is one value, under any key.
type only []byte

// Get implements format.Values.
func (o only) Get(_, _ []byte) []byte { return o }

// Each implements format.Values.
func (o only) Each([]byte, func(key, value []byte) error) error { return nil }

// choose takes pieces none of which has a group of another one: the largest that are
// whole.
func (s *scattered) choose() {
	slices.SortFunc(s.pieces, func(a, b format.Piece) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(b.To, a.To)) })
	next := uint64(0)
	for i := range s.pieces {
		p := &s.pieces[i]
		key := string(p.Key())
		if p.From < next || !p.IsGroup() && s.blocks[key] < s.heads[key] {
			continue
		}
		s.taken[key], next = true, p.To+1
	}
}

// wants reports whether a value is one of those that are taken.
func (s *scattered) wants(bucket, key []byte) bool {
	if segment, ok := format.SegmentOfBlock(key); ok {
		key = segment
	} else if string(bucket) != string(format.BucketJournal) && string(bucket) != string(format.BucketLoads) {
		return true
	}
	return s.taken[string(key)]
}

// bucketOf returns the bucket of a value, nil when it is none of a history.
func (s *scattered) bucketOf(key, stored []byte) []byte {
	if p, err := format.ParsePiece(key); err == nil {
		return p.Bucket()
	}
	if _, err := format.ParseSnapshot(key); err == nil {
		return format.BucketSnapshots
	}
	if _, ok := format.SegmentOfBlock(key); ok {
		return format.BucketBlocks
	}
	if at, ok := format.ParseHash(key); ok && at == format.HashOf(stored) {
		return format.BucketChunks
	}
	if _, err := format.DecodeRun(s.codec, key, stored); err == nil {
		return format.BucketRuns
	}
	if _, _, err := format.DecodePeerName(s.codec, key, stored); err == nil {
		return format.BucketPeers
	}
	if _, err := format.DecodeMark(s.codec, key, stored); err == nil {
		return format.BucketMarks
	}
	return nil
}
