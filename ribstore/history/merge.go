package history

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/route"
)

// largest bounds what becomes one piece. The journal is dropped by pieces, so that
// one must be small against all that is kept, in octets and in time.
type largest struct {
	records int
	span    int64 // milliseconds; zero: any
}

// fraction is how many pieces there are at the least of all that is kept.
const fraction = 8

func (c Config) largest() largest {
	const octets = 12 // of a record; most take fewer
	return largest{int(c.MaxSize / octets / fraction), c.Journal.Milliseconds() / fraction}
}

// mergeable returns a stretch of pieces of one level that should become one, and
// the level it would have.
func (x *index) mergeable(levels []merging, most largest) (stretch []piece, level uint8) {
	for start := 0; start < len(x.pieces); {
		p := &x.pieces[start]
		if int(p.level) >= len(levels) {
			start++
			continue
		}
		enough := levels[p.level]
		enough.records = min(enough.records, most.records)
		end, whole := x.stretch(start, enough, most.span)
		if whole && end-start > 1 {
			return x.pieces[start:end], p.level + 1
		}
		start = max(end, start+1)
	}
	return nil, 0
}

// stretch returns the end of what can be merged from start on, and whether no more
// will come.
func (x *index) stretch(start int, enough merging, span int64) (end int, whole bool) {
	p := &x.pieces[start]
	records := 0
	for end = start; end < len(x.pieces) && x.joins(start, end); end++ {
		if records >= enough.records || end-start >= enough.pieces {
			return end, true
		}
		if end > start && span > 0 && x.pieces[end].last-p.first > span {
			return end, true
		}
		records += int(x.pieces[end].records)
	}
	return end, records >= enough.records || end-start >= enough.pieces || end < len(x.pieces) && x.pieces[end].run != p.run
}

// joins reports whether the piece with index i can be merged with those from
// start on.
func (x *index) joins(start, i int) bool {
	first, p := &x.pieces[start], &x.pieces[i]
	return p.level == first.level && p.run == first.run && !p.lost && (i == start || p.from == x.pieces[i-1].to+1)
}

// source gives the changes of a piece in order: of a group after sorting it, of a
// segment block by block.
type source struct {
	changes []placed // decoded and not given yet
	more    func() ([]placed, error)
}

// placed is a change with its family, and its own copy of the set.
type placed struct {
	family route.Family
	change
}

func (s *source) head() (*placed, error) {
	for len(s.changes) == 0 {
		if s.more == nil {
			return nil, nil //nolint:nilnil // the end
		}
		var err error
		if s.changes, err = s.more(); err != nil {
			return nil, err
		}
		if s.changes == nil {
			s.more = nil
		}
	}
	return &s.changes[0], nil
}

func comparePlaced(a, b *placed) int {
	if c := placeOf(a.family, a.prefix).compare(placeOf(b.family, b.prefix)); c != 0 {
		return c
	}
	return cmp.Compare(a.at, b.at)
}

// groupSource reads groups, which follow each other, as one source. The events
// go to events.
func (h *History) groupSource(groups []piece, events *groupWriter) (*source, error) {
	var list []placed
	sets := make(map[string]route.Attrs)
	for i := range groups {
		err := h.group(&groups[i], func(rec *record) error {
			if rec.kind != kindRoutes {
				rec.copyTo(events)
				return nil
			}
			for u := range rec.batch.Updates {
				list = appendChanges(list, rec, &rec.batch.Updates[u], sets)
			}
			return nil
		})
		if err != nil {
			return nil, &loss{piece: &groups[i], err: err}
		}
	}
	slices.SortStableFunc(list, func(a, b placed) int { return comparePlaced(&a, &b) })
	return &source{changes: list}, nil
}

func appendChanges(list []placed, rec *record, u *route.Update, sets map[string]route.Attrs) []placed {
	c := placed{family: u.Family}
	c.at, c.peer = rec.at, rec.peer
	if !u.Withdraw() {
		set, ok := sets[string(u.Attrs)]
		if !ok {
			set = slices.Clone(u.Attrs)
			sets[string(set)] = set
		}
		c.set = set
	}
	for _, n := range u.NLRI {
		c.prefix, c.pathID = n.Prefix, n.PathID
		list = append(list, c)
	}
	return list
}

// segmentSource reads a segment.
func (h *History) segmentSource(p *piece, events *groupWriter) (*source, error) {
	s, err := h.segmentOf(p)
	if err != nil {
		return nil, &loss{piece: p, err: err}
	}
	var d groupReader
	err = d.decode(s.events, func(rec *record) error {
		rec.copyTo(events)
		return nil
	})
	if err != nil {
		return nil, &loss{piece: p, err: err}
	}
	number := 0
	return &source{more: func() ([]placed, error) {
		if number == len(s.blocks) {
			return nil, nil
		}
		list := make([]placed, 0, s.blocks[number].changes)
		err := h.block(new(blockReader), p, number, func(f route.Family, c change) { list = append(list, placed{f, c}) })
		number++
		if err != nil {
			err = &loss{piece: p, err: err}
		}
		return list, err
	}}, nil
}

// merger writes a segment out of sources.
type merger struct {
	history *History
	key     []byte
	segment segment
	writer  *blockWriter
	block   []change
	at      place // of the first change of block
	blocks  map[int][]byte
	octets  int // of blocks

	blockOctets int // of the sets of block
}

func (m *merger) run(ctx context.Context, sources []*source) error {
	for {
		if len(m.block) == 1 && ctx.Err() != nil { // once a block
			return ctx.Err()
		}
		var least *placed
		var from *source
		for _, s := range sources {
			head, err := s.head()
			if err != nil {
				return err
			}
			if head != nil && (least == nil || comparePlaced(head, least) < 0) {
				least, from = head, s
			}
		}
		if least == nil {
			return m.cut()
		}
		if err := m.add(least); err != nil {
			return err
		}
		from.changes = from.changes[1:]
	}
}

func (m *merger) add(c *placed) error {
	at := placeOf(c.family, c.prefix)
	if n := len(m.block); n > 0 {
		region := netip.PrefixFrom(m.at.prefix.Addr(), 0)
		if last := m.block[n-1].prefix; at.long {
			region = netip.PrefixFrom(last.Addr(), regionBits(c.family)).Masked()
		}
		full := m.blockOctets >= m.history.limits.maxOctets || n >= m.history.limits.blockChanges && !region.Contains(at.prefix.Addr()) || n >= m.history.limits.maxBlock && m.block[n-1].prefix != c.prefix
		if m.at.family != at.family || m.at.long != at.long || full {
			if err := m.cut(); err != nil {
				return err
			}
		}
	}
	if len(m.block) == 0 {
		m.at = at
	}
	m.block = append(m.block, c.change)
	m.blockOctets += len(c.set)
	return nil
}

func (m *merger) cut() error {
	if len(m.block) == 0 {
		return nil
	}
	key := blockKey(m.key, len(m.segment.blocks))
	stored := m.history.codec.small.EncodeAll(sealed(key, m.writer.encode(m.at.family, m.block)), nil)
	m.blocks[len(m.segment.blocks)] = stored
	m.octets += len(stored)
	m.segment.blocks = append(m.segment.blocks, blockInfo{m.at, uint32(len(m.block))})
	m.block, m.blockOctets = m.block[:0], 0
	if m.octets < m.history.limits.writeAhead {
		return nil
	}
	err := m.history.update(m.put)
	clear(m.blocks)
	m.octets = 0
	return err
}

func (m *merger) put(tx *bbolt.Tx) error {
	for number, stored := range m.blocks {
		if err := tx.Bucket(bucketBlocks).Put(blockKey(m.key, number), stored); err != nil {
			return err
		}
	}
	return nil
}

// merge makes a segment out of pieces that follow each other.
func (h *History) merge(ctx context.Context, pieces []piece, level uint8) error {
	first, last := &pieces[0], &pieces[len(pieces)-1]
	whole := piece{level: level, run: first.run, first: first.first, last: last.last, from: first.from, to: last.to}
	for i := range pieces {
		whole.records += pieces[i].records
	}
	var events groupWriter
	var sources []*source
	if first.level == 0 {
		s, err := h.groupSource(pieces, &events)
		if err != nil {
			return err
		}
		sources = append(sources, s)
	} else {
		for i := range pieces {
			s, err := h.segmentSource(&pieces[i], &events)
			if err != nil {
				return err
			}
			sources = append(sources, s)
		}
	}
	m := merger{history: h, key: whole.key(), writer: newBlockWriter(), blocks: make(map[int][]byte)}
	if err := m.run(ctx, sources); err != nil {
		return err
	}
	m.segment.events = events.octets
	return h.replace(&m, pieces, &whole)
}

// replace puts a segment in the place of the pieces it was made of.
func (h *History) replace(m *merger, pieces []piece, whole *piece) error {
	err := h.update(func(tx *bbolt.Tx) error {
		if err := m.put(tx); err != nil {
			return err
		}
		for i := range pieces {
			if err := deletePiece(tx, &pieces[i]); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketJournal).Put(m.key, h.codec.small.EncodeAll(m.segment.encode(m.key), nil))
	})
	if err != nil {
		return err
	}
	h.publish(func(x *index) {
		i := slices.IndexFunc(x.pieces, func(p piece) bool { return p.from == whole.from })
		x.pieces = slices.Replace(slices.Clone(x.pieces), i, i+len(pieces), *whole)
	})
	return nil
}

// deletePiece removes a piece with its blocks.
func deletePiece(tx *bbolt.Tx, p *piece) error {
	key := p.key()
	if err := tx.Bucket(bucketJournal).Delete(key); err != nil || p.level == 0 {
		return err
	}
	b := tx.Bucket(bucketBlocks)
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(key); len(k) == len(key)+4 && string(k[:len(key)]) == string(key); k, _ = c.Next() {
		keys = append(keys, slices.Clone(k))
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
