package history

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

// load reads the index. What is damaged is left out: the numbers of what is
// there, and the end that was written last, tell that something is missing.
func (h *History) load() error {
	l := loader{codec: h.codec, index: &index{next: 1}}
	if err := h.view(l.read); err != nil {
		return err
	}
	l.arrange()
	for _, err := range l.damage {
		h.deps.Logger.Error("a part of the history is damaged and passed over", "error", err)
	}
	x, j := l.index, h.journal
	j.names = l.names
	for i, name := range l.names {
		if name != "" {
			j.peers[name] = uint32(i)
		}
	}
	j.next = x.next
	if n := len(x.runs); n > 0 {
		j.now = x.runs[n-1]
		j.last = x.lastOf(j.now.id)
	}
	h.index.Store(x)
	return nil
}

// loader reads what the index is made of.
type loader struct {
	codec  *codec
	index  *index
	names  []string
	end    end
	damage []error
}

func (l *loader) read(tx *bbolt.Tx) error {
	x := l.index
	l.end.read(tx)
	err := tx.Bucket(bucketRuns).ForEach(func(k, v []byte) error {
		if r, err := decodeRun(l.codec, k, v); err != nil {
			l.damage = append(l.damage, err)
		} else {
			x.runs = append(x.runs, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := tx.Bucket(bucketPeers).ForEach(l.name); err != nil {
		return err
	}
	x.snapshots = loadKeys(l, tx.Bucket(bucketSnapshots), parseSnapshot)
	x.pieces = loadKeys(l, tx.Bucket(bucketJournal), parsePiece)
	return nil
}

func loadKeys[T any](l *loader, b *bbolt.Bucket, parse func([]byte) (T, error)) []T {
	var list []T
	c := b.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		v, err := parse(k)
		if err != nil {
			l.damage = append(l.damage, err)
			continue
		}
		list = append(list, v)
	}
	return list
}

// name reads the name of a peer. A name that is missing is left empty.
func (l *loader) name(k, v []byte) error {
	number, name, err := decodeName(l.codec, v)
	if err == nil && string(be32(nil, number)) != string(k) {
		err = damaged("a peer is filed as another one")
	}
	if err != nil {
		l.damage = append(l.damage, err)
		return nil
	}
	l.grow(number + 1)
	l.names[number] = name
	return nil
}

// maxPeers bounds what room is made for.
const maxPeers = 1 << 20

func (l *loader) grow(n uint32) {
	if n <= maxPeers && int(n) > len(l.names) {
		l.names = append(l.names, make([]string, int(n)-len(l.names))...)
	}
}

// arrange puts everything in order, and what is missing in its place: the journal
// reaches up to the end, and every run that is spoken of is there.
func (l *loader) arrange() {
	x := l.index
	slices.SortFunc(x.runs, func(a, b run) int { return cmp.Compare(a.id, b.id) })
	x.runs = slices.CompactFunc(x.runs, func(a, b run) bool { return a.id == b.id })
	slices.SortFunc(x.snapshots, func(a, b snapshot) int { return position{a.run, a.end}.compare(position{b.run, b.end}) })
	x.snapshots = slices.Compact(x.snapshots)
	slices.SortStableFunc(x.pieces, func(a, b piece) int { return cmp.Compare(a.from, b.from) })
	kept := x.pieces[:0]
	for _, p := range x.pieces {
		if p.from >= x.next {
			kept = append(kept, p)
			x.next = p.to + 1
		}
	}
	x.pieces = kept
	for i := range x.snapshots {
		x.next = max(x.next, x.snapshots[i].next)
	}
	for i := range x.pieces {
		l.needRun(x.pieces[i].run, x.pieces[i].first, x.pieces[i].from)
	}
	for i := range x.snapshots {
		l.needRun(x.snapshots[i].run, x.snapshots[i].begun, x.snapshots[i].next)
	}
	l.grow(l.end.peers)
	l.reachEnd()
}

// reachEnd makes a hole where the journal ends too early: a piece behind it that
// is lost. A journal of which nothing is there may be kept no longer.
func (l *loader) reachEnd() {
	x := l.index
	reached := x.next
	if n := len(x.pieces); n > 0 {
		reached = x.pieces[n-1].to + 1
	}
	x.next = max(x.next, l.end.next)
	if reached < x.next {
		last, id := int64(0), l.end.run
		for i := range x.runs {
			last, id = max(last, x.lastOf(x.runs[i].id)), max(id, x.runs[i].id)
		}
		l.needRun(id, last+1, x.next)
		last = x.lastOf(id)
		x.pieces = append(x.pieces, piece{run: id, first: last, last: last + 1, from: x.next, to: x.next, lost: true})
		x.next++
		l.damage = append(l.damage, damaged("the end of the journal is missing"))
	}
	if n := len(x.runs); l.end.run > 0 && (n == 0 || x.runs[n-1].id < l.end.run) {
		start := int64(0)
		if n > 0 {
			start = x.lastOf(x.runs[n-1].id) + 1
		}
		l.needRun(l.end.run, start, x.next)
	}
}

// needRun makes sure that a run is there. Of one that is missing nothing is known
// but what has its number.
func (l *loader) needRun(id uint32, start int64, first uint64) {
	x := l.index
	i, found := slices.BinarySearchFunc(x.runs, id, func(r run, id uint32) int { return cmp.Compare(r.id, id) })
	if !found {
		x.runs = slices.Insert(x.runs, i, run{id: id, origin: originUnknown, start: start, resumed: start, first: first, reason: "it is damaged"})
		l.damage = append(l.damage, damaged("run %d is missing", id))
	}
}

// end says how far everything goes, so that it is seen when the last of it is
// missing.
type end struct {
	next  uint64 // number of the next group
	run   uint32 // the last
	peers uint32 // how many have a number
}

func (e *end) put(tx *bbolt.Tx) error {
	b := be32(be32(be64(nil, e.next), e.run), e.peers)
	return tx.Bucket(bucketMeta).Put(keyEnd, appendSum(b))
}

// read leaves it zero when it is not there.
func (e *end) read(tx *bbolt.Tx) {
	b := tx.Bucket(bucketMeta).Get(keyEnd)
	if len(b) == 8+4+4+sumSize && hasSum(b) {
		*e = end{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])}
	}
}

func decodeRun(c *codec, k, v []byte) (run, error) {
	b, err := c.open(nil, v)
	r := reader{b: b}
	u := run{origin: origin(r.octet()), id: uint32(r.uvarint()), start: r.varint(), resumed: r.varint(), first: r.uvarint(), reason: r.text()}
	switch {
	case err != nil:
	case r.end() != nil:
		err = r.err
	case string(be32(nil, u.id)) != string(k):
		err = damaged("it is filed as another one")
	case u.origin > originUnknown:
		err = damaged("its origin is unknown")
	}
	if err != nil {
		return run{}, fmt.Errorf("run %x: %w", k, err)
	}
	return u, nil
}

func encodeName(c *codec, number uint32, name string) []byte {
	return c.fast.EncodeAll(append(be32(nil, number), name...), nil)
}

func decodeName(c *codec, v []byte) (number uint32, name string, err error) {
	b, err := c.open(nil, v)
	if err != nil || len(b) < 4 {
		return 0, "", damaged("the name of a peer")
	}
	return binary.BigEndian.Uint32(b), string(b[4:]), nil
}
