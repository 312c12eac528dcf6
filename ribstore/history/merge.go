package history

import (
	"bytes"
	"context"
	"net/netip"
	"slices"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
)

// largest bounds what becomes one piece. The journal is dropped piece by piece, so
// a piece must be small against everything that is kept, in octets and in time.
type largest struct {
	records int
	octets  int   // before they are compressed
	span    int64 // milliseconds; zero: any
	wide    int   // octets of the largest blocks of all pieces that are merged together
	weigh   func(*format.Piece) weight
}

// fraction is how many of the largest pieces make everything that is kept.
const fraction = 8

func (h *History) largest() largest {
	const octets = 12 // of a record; most take fewer
	return largest{
		records: int(h.config.MaxSize / octets / fraction), octets: int(h.config.MaxSize / fraction), span: h.config.Journal.Milliseconds() / fraction,
		wide: h.limits.wide, weigh: h.weigh,
	}
}

// weight is how much a piece holds, in octets before they are compressed.
type weight struct {
	whole int // of everything; events count headWeight times, since a head is read whole
	block int // of the largest block

	stored int // compressed
}

// headWeight keeps the head of a segment well below format.MaxValue.
const headWeight = 4

// weigh returns the weight of a piece, as its values say without being read. What is
// damaged weighs nothing: the merge finds it. keeping is held.
func (h *History) weigh(p *format.Piece) weight {
	key := p.Key()
	if w, ok := h.weights[string(key)]; ok {
		return w
	}
	var w weight
	_ = h.view(func(tx *bbolt.Tx) error {
		head := tx.Bucket(p.Bucket()).Get(key)
		w.whole, w.stored = format.ContentSize(head), len(head)
		if p.Level == format.LevelLoad {
			w.whole = format.LoadSize(head)
		}
		if p.IsGroup() {
			return nil
		}
		w.whole *= headWeight
		eachBlock(tx, key, func(_, stored []byte) {
			n := format.ContentSize(stored)
			w.whole += n
			w.block = max(w.block, n)
			w.stored += len(stored)
		})
		return nil
	})
	if len(h.weights) >= maxWeights {
		clear(h.weights)
	}
	h.weights[string(key)] = w
	return w
}

// maxWeights bounds how many weights are remembered.
const maxWeights = 1 << 12

// eachBlock calls found with the blocks of a segment.
func eachBlock(tx *bbolt.Tx, segment []byte, found func(key, stored []byte)) {
	c := tx.Bucket(format.BucketBlocks).Cursor()
	for k, v := c.Seek(segment); len(k) == len(segment)+4 && bytes.HasPrefix(k, segment); k, v = c.Next() {
		found(k, v)
	}
}

// mergeable returns a stretch of pieces of one level that should become one piece,
// and the level of that piece. It returns nil when there is no such stretch.
func (x *index) mergeable(levels []merging, maxLoads int, most largest) (stretch []format.Piece, level uint8) {
	loads := 0
	for i := range x.Pieces {
		if x.Pieces[i].Level == format.LevelLoad {
			loads++
		}
	}
	for start := 0; start < len(x.Pieces); {
		p := &x.Pieces[start]
		from, to := int(p.Level), p.Level+1
		if p.Level == format.LevelLoad && loads > maxLoads {
			from, to = 0, uint8(len(levels))
		}
		if from >= len(levels) {
			start++
			continue
		}
		enough := levels[from]
		enough.records, enough.octets = min(enough.records, most.records), min(enough.octets, most.octets)
		end, whole := x.stretch(start, enough, most)
		if whole && end-start > 1 {
			return x.Pieces[start:end], to
		}
		start = max(end, start+1)
	}
	return nil, 0
}

// stretch returns the end of the pieces that can be merged from index start on, and
// whether no further piece will join them. A piece that is too heavy to be merged
// with the next stays as it is.
func (x *index) stretch(start int, enough merging, most largest) (end int, whole bool) {
	p := &x.Pieces[start]
	records, octets, wide := 0, 0, 0
	for end = start; end < len(x.Pieces) && x.joins(start, end); end++ {
		if records >= enough.records || end-start >= enough.pieces {
			return end, true
		}
		w := most.weigh(&x.Pieces[end])
		octets += w.whole
		wide += w.block
		if end > start && (most.span > 0 && x.Pieces[end].Last-p.First > most.span || octets > enough.octets || wide > most.wide) {
			return end, true
		}
		records += int(x.Pieces[end].Records)
	}
	// What comes between loads is not merged with what comes behind them.
	cut := end < len(x.Pieces) && (x.Pieces[end].Run != p.Run || x.Pieces[end].Level == format.LevelLoad || p.Level == format.LevelLoad)
	return end, records >= enough.records || end-start >= enough.pieces || cut
}

// joins reports whether the piece with index i can be merged with those from
// start on.
func (x *index) joins(start, i int) bool {
	first, p := &x.Pieces[start], &x.Pieces[i]
	return p.Level == first.Level && p.Run == first.Run && !p.Lost && (i == start || p.From == x.Pieces[i-1].To+1)
}

// changeStream gives the changes of a piece, or of several groups, in order. Groups
// are read and sorted at once, a segment is read block by block.
type changeStream struct {
	changes []format.Change // decoded and not given yet
	more    func() ([]format.Change, error)
}

func (s *changeStream) head() (*format.Change, error) {
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

// groupStream returns the changes of groups that follow each other, and writes
// their events to events.
func (h *History) groupStream(groups []format.Piece, events *format.GroupWriter) (*changeStream, error) {
	var list []format.Change
	sets := make(map[string]route.Attrs)
	for i := range groups {
		err := h.source.Group(&groups[i], func(rec *format.Record) error {
			if rec.Kind != format.KindRoutes {
				rec.CopyTo(events)
				return nil
			}
			for u := range rec.Batch.Updates {
				list = appendChanges(list, rec, u, sets)
			}
			return nil
		})
		if err != nil {
			return nil, &loss{piece: &groups[i], err: err}
		}
	}
	slices.SortStableFunc(list, func(a, b format.Change) int { return format.CompareChanges(&a, &b) })
	return &changeStream{changes: list}, nil
}

// appendChanges appends the changes of an update of a batch, which has a number in it.
func appendChanges(list []format.Change, rec *format.Record, number int, sets map[string]route.Attrs) []format.Change {
	u := &rec.Batch.Updates[number]
	c := format.Change{When: rec.When, Family: u.Family, Peer: rec.Peer}
	c.Number += uint32(number)
	if len(u.Attrs) > 0 {
		set, ok := sets[string(u.Attrs)]
		if !ok {
			set = slices.Clone(u.Attrs)
			sets[string(set)] = set
		}
		c.Set = set
	}
	for _, n := range u.NLRI {
		c.Prefix, c.PathID = n.Prefix, n.PathID
		list = append(list, c)
	}
	return list
}

// segmentStream returns the changes of a segment, and writes its events to events.
func (h *History) segmentStream(p *format.Piece, events *format.GroupWriter) (*changeStream, error) {
	s, err := h.source.Segment(p)
	if err != nil {
		return nil, &loss{piece: p, err: err}
	}
	var d format.GroupReader
	err = d.Decode(s.Events, func(rec *format.Record) error {
		rec.CopyTo(events)
		return nil
	})
	if err != nil {
		return nil, &loss{piece: p, err: err}
	}
	number := 0
	return &changeStream{more: func() ([]format.Change, error) {
		if number == len(s.Blocks) {
			return nil, nil
		}
		list := make([]format.Change, 0, s.Blocks[number].Changes)
		err := h.source.Block(new(format.BlockReader), p, number, func(c format.Change) { list = append(list, c) })
		number++
		if err != nil {
			err = &loss{piece: p, err: err}
		}
		return list, err
	}}, nil
}

// merger writes a segment of the changes of streams.
type merger struct {
	history *History
	key     []byte
	segment format.Segment
	writer  *format.BlockWriter
	block   []format.Change
	at      format.SortKey // of the first change of block
	blocks  map[int][]byte
	octets  int // of blocks

	blockOctets int // of the sets of block
}

func (m *merger) run(ctx context.Context, streams []*changeStream) error {
	for {
		if len(m.block) == 1 && ctx.Err() != nil { // once a block
			return ctx.Err()
		}
		var least *format.Change
		var from *changeStream
		for _, s := range streams {
			head, err := s.head()
			if err != nil {
				return err
			}
			if head != nil && (least == nil || format.CompareChanges(head, least) < 0) {
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

func (m *merger) add(c *format.Change) error {
	at := format.SortKeyOf(c.Family, c.Prefix)
	if n := len(m.block); n > 0 {
		region := netip.PrefixFrom(m.at.Prefix.Addr(), 0)
		if last := m.block[n-1].Prefix; at.Long {
			region = netip.PrefixFrom(last.Addr(), format.RegionBits(c.Family)).Masked()
		}
		full := m.blockOctets >= m.history.limits.maxBlockOctets || n >= m.history.limits.blockChanges && !region.Contains(at.Prefix.Addr()) || n >= m.history.limits.maxBlock && m.block[n-1].Prefix != c.Prefix
		if m.at.Family != at.Family || m.at.Long != at.Long || full {
			if err := m.cut(); err != nil {
				return err
			}
		}
	}
	if len(m.block) == 0 {
		m.at = at
	}
	m.block = append(m.block, *c)
	m.blockOctets += len(c.Set)
	return nil
}

func (m *merger) cut() error {
	if len(m.block) == 0 {
		return nil
	}
	key := format.BlockKey(m.key, len(m.segment.Blocks))
	stored := m.history.codec.Seal(key, m.writer.Encode(m.at.Family, m.block))
	m.blocks[len(m.segment.Blocks)] = stored
	m.octets += len(stored)
	m.segment.Blocks = append(m.segment.Blocks, format.BlockInfo{First: m.at, Changes: uint32(len(m.block))})
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
		if err := tx.Bucket(format.BucketBlocks).Put(format.BlockKey(m.key, number), stored); err != nil {
			return err
		}
	}
	return nil
}

// merge makes a segment out of pieces that follow each other.
func (h *History) merge(ctx context.Context, pieces []format.Piece, level uint8) error {
	first, last := &pieces[0], &pieces[len(pieces)-1]
	whole := format.Piece{Level: level, Run: first.Run, First: first.First, Last: last.Last, From: first.From, To: last.To}
	for i := range pieces {
		whole.Records += pieces[i].Records
	}
	var events format.GroupWriter
	var streams []*changeStream
	if first.IsGroup() {
		s, err := h.groupStream(pieces, &events)
		if err != nil {
			return err
		}
		streams = append(streams, s)
	} else {
		for i := range pieces {
			s, err := h.segmentStream(&pieces[i], &events)
			if err != nil {
				return err
			}
			streams = append(streams, s)
		}
	}
	m := merger{history: h, key: whole.Key(), writer: format.NewBlockWriter(), blocks: make(map[int][]byte)}
	if err := m.run(ctx, streams); err != nil {
		return err
	}
	m.segment.Events = events.Octets
	return h.replace(&m, pieces, &whole)
}

// replace writes a segment, and removes the pieces that it was made of.
func (h *History) replace(m *merger, pieces []format.Piece, whole *format.Piece) error {
	err := h.update(func(tx *bbolt.Tx) error {
		if err := m.put(tx); err != nil {
			return err
		}
		for i := range pieces {
			if err := deletePiece(tx, &pieces[i]); err != nil {
				return err
			}
		}
		return tx.Bucket(format.BucketJournal).Put(m.key, h.codec.Compress(m.segment.Encode(m.key)))
	})
	if err != nil {
		return err
	}
	h.publish(func(x *index) {
		i := slices.IndexFunc(x.Pieces, func(p format.Piece) bool { return p.From == whole.From })
		x.Pieces = slices.Replace(slices.Clone(x.Pieces), i, i+len(pieces), *whole)
	})
	return nil
}

// deletePiece removes a piece with its blocks.
func deletePiece(tx *bbolt.Tx, p *format.Piece) error {
	key := p.Key()
	if err := tx.Bucket(p.Bucket()).Delete(key); err != nil || p.IsGroup() {
		return err
	}
	var keys [][]byte
	eachBlock(tx, key, func(k, _ []byte) { keys = append(keys, slices.Clone(k)) })
	for _, k := range keys {
		if err := tx.Bucket(format.BucketBlocks).Delete(k); err != nil {
			return err
		}
	}
	return nil
}
