package history

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// position is a moment in the order in which things were recorded. The clock may
// be set back, so a time alone does not tell; within a run it never goes back.
type position struct {
	run uint32
	at  int64 // milliseconds since 1970
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.run, q.run), cmp.Compare(p.at, q.at))
}

// origin says what the table held when a run began.
type origin uint8

const (
	// originEmpty: nothing.
	originEmpty origin = iota
	// originContinued: what it held at the end of the run before.
	originContinued
	// originUnknown: what was not recorded. The run begins to be known with its
	// first snapshot.
	originUnknown
)

// run is a stretch of the journal without a break and without a clock that went
// back.
type run struct {
	id      uint32
	origin  origin
	start   int64  // milliseconds; of its first moment
	resumed int64  // milliseconds; from start to here nothing was recorded
	first   uint64 // number of its first group
	reason  string
}

// piece is a part of the journal: a group, or a segment made of many. Pieces
// follow each other without a hole in their numbers.
type piece struct {
	level       uint8 // 0: a group
	run         uint32
	first, last int64  // milliseconds; of the records in it
	from, to    uint64 // numbers of its first and last group
	records     uint32
	pending     []byte // a group that is not in the file yet
	lost        bool   // it was found damaged
}

const pieceKey = 1 + 4 + 4*8 + 4 + sumSize

// key returns the key of a piece, which sorts by number of the first group.
func (p *piece) key() []byte {
	b := be64(make([]byte, 0, pieceKey), p.from)
	b = append(b, p.level)
	b = be64(be32(b, p.run), p.to)
	b = be64(be64(b, uint64(p.first)), uint64(p.last))
	return appendSum(be32(b, p.records))
}

func parsePiece(k []byte) (piece, error) {
	if len(k) != pieceKey || !hasSum(k) {
		return piece{}, damaged("a key of the journal is none")
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(k[at:]) }
	p := piece{
		from: u64(0), level: k[8], run: binary.BigEndian.Uint32(k[9:]), to: u64(13),
		first: int64(u64(21)), last: int64(u64(29)), records: binary.BigEndian.Uint32(k[37:]),
	}
	if p.to < p.from || p.last < p.first {
		return piece{}, damaged("a key of the journal contradicts itself")
	}
	return p, nil
}

// snapshot is what the index knows of a snapshot.
type snapshot struct {
	run        uint32
	begun, end int64  // milliseconds: the walk; the snapshot is true from end on
	next       uint64 // number of the first group after it
	routes     uint32
}

const snapshotKey = 4 + 3*8 + 4 + sumSize

func (s *snapshot) key() []byte {
	b := be32(make([]byte, 0, snapshotKey), s.run)
	b = be64(be64(b, uint64(s.end)), uint64(s.begun))
	return appendSum(be32(be64(b, s.next), s.routes))
}

func parseSnapshot(k []byte) (snapshot, error) {
	if len(k) != snapshotKey || !hasSum(k) {
		return snapshot{}, damaged("a key of a snapshot is none")
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(k[at:]) }
	return snapshot{
		run: binary.BigEndian.Uint32(k), end: int64(u64(4)), begun: int64(u64(12)),
		next: u64(20), routes: binary.BigEndian.Uint32(k[28:]),
	}, nil
}

// index is what of the file is kept in memory: what there is, not what is in it.
// It is never changed, but replaced by another one.
type index struct {
	runs      []run      // by id
	snapshots []snapshot // in order
	pieces    []piece    // in order
	next      uint64     // number of the next group
}

// plan says how to get at the state of the table at a moment.
type plan struct {
	base    *snapshot // nil: an empty table
	pieces  []piece   // of the journal, to be replayed on it
	upTo    position
	at      time.Time // the moment that the state is true for
	notices []string
}

// RangeError is returned for a moment before the history begins.
type RangeError struct{ Begins time.Time }

// Error says when the history begins.
func (e *RangeError) Error() string {
	if e.Begins.IsZero() {
		return "nothing is recorded yet"
	}
	return "the history begins at " + e.Begins.Format(time.RFC3339)
}

// plan finds the way to the state of the table at a time. Where the journal does
// not reach, it goes as far as it does, and a notice says so: a past that is not
// the one asked for is never given as if it were.
func (x *index) plan(at int64) (*plan, error) {
	i := len(x.runs) - 1
	for i >= 0 && x.runs[i].start > at {
		i--
	}
	if i < 0 && len(x.runs) > 0 && x.runs[0].start == at+1 {
		i = 0 // just before the first: what happens in its first moment is replayed from there
	}
	p := &plan{at: fromMillis(at)}
	if i >= 0 {
		p.upTo = position{x.runs[i].id, at}
		p.noticeOf(&x.runs[i], at)
	}
	for i >= 0 {
		from, found := x.base(p, i)
		if found {
			return p, x.through(p, from)
		}
		// The last run before this one that is known is the best there is.
		i = x.broken(p.upTo.run)
		if i--; i >= 0 {
			p.upTo = position{x.runs[i].id, x.lastOf(x.runs[i].id)}
			p.at = fromMillis(p.upTo.at)
			p.notices = append(p.notices, "nothing was recorded at that time: this is the state of "+p.at.Format(time.RFC3339))
		}
	}
	return nil, &RangeError{x.begins()}
}

func (p *plan) noticeOf(r *run, at int64) {
	if at < r.resumed && r.origin == originContinued {
		p.notices = append(p.notices, fmt.Sprintf("nothing was recorded from %s to %s (%s): this is the state of before",
			fromMillis(r.start).Format(time.RFC3339), fromMillis(r.resumed).Format(time.RFC3339), r.reason))
	}
}

// base finds the newest snapshot that leads to the moment without a break, or the
// empty table that a run began with, for the run with index i and those that it
// continues. It returns the number of the group that comes after it.
func (x *index) base(p *plan, i int) (next uint64, found bool) {
	for ; i >= 0; i-- {
		r := &x.runs[i]
		for k := len(x.snapshots) - 1; k >= 0; k-- {
			s := &x.snapshots[k]
			if s.run == r.id && (position{s.run, s.end}).compare(p.upTo) <= 0 {
				p.base = s
				return s.next, true
			}
		}
		switch r.origin {
		case originContinued:
		case originEmpty:
			return r.first, x.reaches(r.first)
		case originUnknown:
			return 0, false
		}
	}
	return 0, false
}

// broken returns the index of the run that began without a known state, of those
// that lead to a run.
func (x *index) broken(id uint32) int {
	i := len(x.runs) - 1
	for i >= 0 && x.runs[i].id > id {
		i--
	}
	for i >= 0 && x.runs[i].origin == originContinued {
		i--
	}
	return i
}

// reaches reports whether the journal still has the group with the number, or
// ends before it.
func (x *index) reaches(number uint64) bool {
	if len(x.pieces) == 0 {
		return x.next <= number
	}
	return x.pieces[0].from <= number
}

// through collects the pieces from a group on up to the moment.
func (x *index) through(p *plan, from uint64) error {
	if p.base != nil && !x.reaches(from) {
		return p.stopAt(position{p.base.run, p.base.end}, "the journal of that time is not kept any more")
	}
	i, _ := slices.BinarySearchFunc(x.pieces, from, func(c piece, n uint64) int { return cmp.Compare(c.to, n) })
	for ; i < len(x.pieces); i++ {
		c := &x.pieces[i]
		if c.from > from { // what is missing may be of any time since
			return p.stopBefore()
		}
		if (position{c.run, c.first}).compare(p.upTo) > 0 {
			break
		}
		if c.lost {
			return p.stopBefore()
		}
		p.pieces = append(p.pieces, *c)
		from = c.to + 1
	}
	return nil
}

// stopBefore ends the way in front of a hole in the journal.
func (p *plan) stopBefore() error {
	last := position{}
	if p.base != nil {
		last = position{p.base.run, p.base.end}
	}
	if n := len(p.pieces); n > 0 {
		last = position{p.pieces[n-1].run, p.pieces[n-1].last}
	}
	if p.upTo.compare(last) == 0 {
		// What is lost may begin in the same moment.
		p.notices = append(p.notices, "a part of the journal is lost: of the state of "+p.at.Format(time.RFC3339)+" the last changes may be missing")
	}
	return p.stopAt(last, "a part of the journal is lost")
}

func (p *plan) stopAt(end position, why string) error {
	if p.upTo.compare(end) > 0 {
		p.upTo, p.at = end, fromMillis(end.at)
		p.notices = append(p.notices, why+": this is the state of "+p.at.Format(time.RFC3339))
	}
	return nil
}

// lastOf returns the last moment recorded in a run.
func (x *index) lastOf(id uint32) int64 {
	last := int64(0)
	for i := range x.runs {
		if x.runs[i].id == id {
			last = x.runs[i].start
		}
	}
	for i := range x.pieces {
		if x.pieces[i].run == id {
			last = max(last, x.pieces[i].last)
		}
	}
	for i := range x.snapshots {
		if x.snapshots[i].run == id {
			last = max(last, x.snapshots[i].end)
		}
	}
	return last
}

// begins returns the first moment that can be answered, the zero Time for none.
func (x *index) begins() time.Time {
	first := int64(0)
	if len(x.snapshots) > 0 {
		first = x.snapshots[0].end
	}
	for i := range x.runs {
		if r := &x.runs[i]; r.origin == originEmpty && x.reaches(r.first) {
			if first == 0 || r.start < first {
				first = r.start
			}
			break
		}
	}
	return fromMillis(first)
}

func (x *index) run(id uint32) *run {
	i, ok := slices.BinarySearchFunc(x.runs, id, func(r run, id uint32) int { return cmp.Compare(r.id, id) })
	if !ok {
		return nil
	}
	return &x.runs[i]
}
