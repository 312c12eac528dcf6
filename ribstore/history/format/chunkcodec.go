package format

import (
	"encoding/binary"
	"iter"
	"slices"

	"ribglass/ribstore/route"
)

// A chunk is written as columns, because values of one kind compress well next to
// each other. Prefixes that were announced together have the same routes of the
// same peers, but for the times. Such a row of routes is written once, and every
// prefix refers to its row.

// ChunkWriter writes chunks.
type ChunkWriter struct {
	peerList

	sets *setWriter
	ids  []uint32 // by set of the chunk, its number among the sets plus one
	rows map[string]uint32
	row  []byte // of the prefix at hand, as a key of rows
	out  []byte
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

// NewChunkWriter returns a writer of chunks.
func NewChunkWriter() *ChunkWriter {
	return &ChunkWriter{sets: newSetWriter(), rows: make(map[string]uint32)}
}

const (
	withPathIDs = 1 << iota
	withClasses // of chunks
	withNumbers // of blocks
	withMicros  // of blocks
)

// rowColumns are the rows, as columns.
type rowColumns struct {
	refs                          []byte // of the prefixes
	counts, which, paths, classes []byte // of the rows
	flags                         byte
	rows, sets                    refWriter
	last                          uint32
}

// Encode returns the octets of a chunk, uncompressed. They are valid until the next
// call.
func (w *ChunkWriter) Encode(c *Chunk) []byte {
	w.sets.reset()
	w.ids = append(w.ids[:0], make([]uint32, len(c.Sets))...)
	clear(w.rows)
	w.list(func(yield func(uint32) bool) {
		for i := range c.Routes {
			if !yield(c.Routes[i].Peer) {
				return
			}
		}
	})
	var columns rowColumns
	for i := range c.Prefixes {
		w.put(&columns, c, c.of(i))
	}
	b := append(w.out[:0], byte(c.Family), columns.flags)
	b = w.appendPrefixes(b, c)
	b = appendPart(b, columns.refs)
	b = binary.AppendUvarint(b, uint64(len(w.rows)))
	b = appendPart(appendPart(b, columns.counts), columns.which)
	if columns.flags&withPathIDs != 0 {
		b = appendPart(b, columns.paths)
	}
	if columns.flags&withClasses != 0 {
		b = appendPart(b, columns.classes)
	}
	b = binary.AppendUvarint(b, uint64(len(w.peers)))
	for i := range w.peers {
		p := &w.peers[i]
		b = binary.AppendUvarint(b, uint64(p.number))
		b = appendPart(b, p.refs)
		b = appendPart(b, p.times)
	}
	w.out = w.sets.appendTo(b)
	return w.out
}

// put writes the routes of one prefix.
func (w *ChunkWriter) put(columns *rowColumns, c *Chunk, routes []Entry) {
	known := len(w.sets.sets.values)
	w.row = w.row[:0]
	for i := range routes {
		e := &routes[i]
		p := &w.peers[w.of(e.Peer)]
		p.times = appendZigzag(p.times, int64(e.Received)-p.received)
		p.received = int64(e.Received)
		w.row = binary.AppendUvarint(w.row, uint64(e.Peer))
		w.row = binary.AppendUvarint(w.row, uint64(e.PathID))
		w.row = append(w.row, e.Class)
		if e.Class != gone {
			w.row = binary.AppendUvarint(w.row, uint64(w.set(c, e.Set)))
		}
	}
	id, have := w.rows[string(w.row)]
	if !have {
		id = uint32(len(w.rows))
		w.rows[string(w.row)] = id
		w.putRow(columns, routes, uint32(known))
	}
	columns.refs = binary.AppendUvarint(columns.refs, columns.rows.ref(&columns.last, id, !have))
}

// set returns the number of a set of the chunk among those written.
func (w *ChunkWriter) set(c *Chunk, i uint32) uint32 {
	if w.ids[i] == 0 {
		id, _ := w.sets.add(c.Set(i))
		w.ids[i] = id + 1
	}
	return w.ids[i] - 1
}

// putRow writes a new row. The sets from number known on are new too.
func (w *ChunkWriter) putRow(columns *rowColumns, routes []Entry, known uint32) {
	columns.counts = binary.AppendUvarint(columns.counts, uint64(len(routes)))
	for i := range routes {
		e := &routes[i]
		local := w.of(e.Peer)
		columns.which = binary.AppendUvarint(columns.which, uint64(local))
		columns.paths = binary.AppendUvarint(columns.paths, uint64(e.PathID))
		columns.classes = append(columns.classes, e.Class)
		if e.PathID != 0 {
			columns.flags |= withPathIDs
		}
		if e.Class != 0 {
			columns.flags |= withClasses
		}
		if e.Class == gone {
			continue
		}
		p, id := &w.peers[local], w.ids[e.Set]-1
		fresh := id == known
		if fresh {
			known++
		}
		p.refs = binary.AppendUvarint(p.refs, columns.sets.ref(&p.last, id, fresh))
	}
}

// peerList numbers the peers of a chunk or a block in the order of their numbers
// in the file.
type peerList struct {
	local Numbers // one more than the index in peers
	found []uint32
	peers []peerColumns
}

// list begins anew with the peers of a chunk or a block, which may be named more
// than once.
func (l *peerList) list(named iter.Seq[uint32]) {
	l.local.Reset()
	l.found = l.found[:0]
	for n := range named {
		if of := l.local.Of(n); *of == 0 {
			*of = 1
			l.found = append(l.found, n)
		}
	}
	slices.Sort(l.found)
	l.peers = l.peers[:0]
	for i, n := range l.found {
		*l.local.Of(n) = uint32(i) + 1
		l.peers = append(l.peers, peerColumns{number: n})
	}
}

// of returns the index in peers of the peer with a number.
func (l *peerList) of(number uint32) uint32 { return *l.local.Of(number) - 1 }

func (w *ChunkWriter) appendPrefixes(b []byte, c *Chunk) []byte {
	var prefixes []byte
	column := prefixColumn{family: c.Family}
	for _, p := range c.Prefixes {
		prefixes = column.put(prefixes, p)
	}
	return appendPart(binary.AppendUvarint(b, uint64(len(c.Prefixes))), prefixes)
}

// ChunkReader reads chunks. What it returns is valid until it is used again.
type ChunkReader struct {
	octets []byte // scratch
	chunk  Chunk
	sets   setReader
	peers  []peerReader
	rows   rowReader
}

type peerReader struct {
	number      uint32
	refs, times reader
	last        uint32
	received    int64
}

// rowReader reads rows as prefixes refer to them.
type rowReader struct {
	refs                          reader
	counts, which, paths, classes reader
	flags                         byte
	rows, sets                    refReader
	last                          uint32

	ends   []uint32   // the routes of row i end before ends[i]
	routes []rowRoute // of all rows read
}

// rowRoute is a route of a row. It has no time.
type rowRoute struct {
	Entry

	local uint32 // its peer among those of the chunk
}

// decode reads a chunk, which may be anything.
func (d *ChunkReader) decode(b []byte) (*Chunk, error) {
	r := reader{b: b}
	f := route.Family(r.octet())
	if f >= route.NumFamilies {
		r.fail("a family is unknown")
		return nil, r.err
	}
	d.chunk.Reset(f)
	flags := r.octet()
	d.readPrefixes(&r)
	d.rows.begin(&r, flags)
	d.readPeers(&r)
	d.sets.read(&r)
	if err := r.end(); err != nil {
		return nil, err
	}
	d.chunk.Sets, d.chunk.from = d.sets.made, &d.sets
	d.rows.sets = refReader{sets: uint32(len(d.chunk.Sets))}
	for range d.chunk.Prefixes {
		if err := d.readRoutes(); err != nil {
			return nil, err
		}
	}
	return &d.chunk, nil
}

// begin finds the columns.
func (w *rowReader) begin(r *reader, flags byte) {
	*w = rowReader{refs: r.part(), flags: flags, ends: w.ends[:0], routes: w.routes[:0]}
	w.rows.sets = uint32(r.below(maxPrefixes+1, "a count of rows"))
	w.counts, w.which = r.part(), r.part()
	if flags&withPathIDs != 0 {
		w.paths = r.part()
	}
	if flags&withClasses != 0 {
		w.classes = r.part()
	}
}

// readRoutes reads the routes of the next prefix. Each route takes an octet or
// more of a column of times, so that a hostile row is not repeated without end.
func (d *ChunkReader) readRoutes() error {
	row, err := d.rows.next(d.peers)
	if err == nil && len(d.chunk.Routes)+len(row) > maxRoutes {
		err = Damagedf("a chunk has too many routes")
	}
	if err != nil {
		return err
	}
	for i := range row {
		e := row[i].Entry
		p := &d.peers[row[i].local]
		p.received += p.times.varint()
		if p.times.err != nil {
			return p.times.err
		}
		e.Received = uint32(p.received)
		d.chunk.Routes = append(d.chunk.Routes, e)
	}
	d.chunk.ends = append(d.chunk.ends, uint32(len(d.chunk.Routes)))
	return nil
}

// next returns the row that the next prefix refers to.
func (w *rowReader) next(peers []peerReader) ([]rowRoute, error) {
	id := w.rows.set(&w.refs, &w.last, w.refs.uvarint())
	if w.refs.err != nil {
		return nil, w.refs.err
	}
	for int(id) >= len(w.ends) {
		if err := w.read(peers); err != nil {
			return nil, err
		}
	}
	start := uint32(0)
	if id > 0 {
		start = w.ends[id-1]
	}
	return w.routes[start:w.ends[id]], nil
}

// read reads a row that was not referred to yet.
func (w *rowReader) read(peers []peerReader) error {
	n := w.counts.below(1<<24, "a count of routes")
	if int(n)+len(w.routes) > maxRoutes {
		w.counts.fail("a count of routes out of range")
		return w.counts.err
	}
	for range n {
		e := rowRoute{local: uint32(w.which.below(uint64(len(peers)), "a peer"))}
		if w.flags&withPathIDs != 0 {
			e.PathID = uint32(w.paths.below(1<<32, "a path identifier"))
		}
		if w.flags&withClasses != 0 {
			e.Class = w.classes.octet()
		}
		if err := firstError(&w.which, &w.paths, &w.classes); err != nil {
			return err
		}
		p := &peers[e.local]
		e.Peer = p.number
		if e.Class != gone {
			e.Set = w.sets.set(&p.refs, &p.last, p.refs.uvarint())
		}
		if p.refs.err != nil {
			return p.refs.err
		}
		w.routes = append(w.routes, e)
	}
	w.ends = append(w.ends, uint32(len(w.routes)))
	return w.counts.err
}

func firstError(readers ...*reader) error {
	for _, r := range readers {
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

func (d *ChunkReader) readPrefixes(r *reader) {
	n := r.bounded(maxPrefixes, "a count of prefixes")
	prefixes := r.part()
	column := prefixColumn{family: d.chunk.Family}
	for range n {
		p := column.next(&prefixes)
		if prefixes.err != nil {
			r.fail("prefixes are damaged")
			return
		}
		d.chunk.Prefixes = append(d.chunk.Prefixes, p)
	}
}

func (d *ChunkReader) readPeers(r *reader) {
	n := r.bounded(maxPeers, "a count of peers")
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
