package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"ribglass/ribstore/history/format"
)

// position is a moment in the order in which things were recorded. A time alone
// does not order them, since the clock may be set back. Within a run it never goes
// back.
type position struct {
	run uint32
	at  int64 // milliseconds since 1970
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.run, q.run), cmp.Compare(p.at, q.at))
}

// index is the part of the file that is kept in memory. An index is never changed,
// but replaced by another one.
type index struct{ format.Contents }

// plan says what to read for the state of the table at a moment.
type plan struct {
	base    *format.Snapshot // nil: an empty table
	pieces  []format.Piece   // of the journal, to be replayed on it
	upTo    position
	at      time.Time // the moment that the state is true for
	notices []string
	read    *loading // counts what is read; nil: nobody asks
}

// effort returns how much a plan reads: the routes of its snapshot and the records of
// its pieces.
func (p *plan) effort() (n int64) {
	if p.base != nil {
		n = int64(p.base.Routes)
	}
	for i := range p.pieces {
		n += int64(p.pieces[i].Records)
	}
	return n
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

// plan returns the plan for the state of the table at a time. Where the journal
// ends before that time, the plan ends with the journal and has a notice: the
// state of another time is never returned without one.
func (x *index) plan(at int64) (*plan, error) {
	i := x.runAt(at)
	if i < 0 && len(x.Runs) > 0 && x.Runs[0].Start == at+1 {
		i = 0 // just before the first: what happens in its first moment is replayed from there
	}
	p := &plan{at: format.FromMillis(at)}
	if i >= 0 {
		p.upTo = position{x.Runs[i].ID, at}
		p.noticeOf(&x.Runs[i], at)
		p.noticeOfStep(x, i, at)
	}
	return x.lead(p, i)
}

// planOf returns the plan for the state at a moment of a run.
func (x *index) planOf(at position) (*plan, error) {
	i := slices.IndexFunc(x.Runs, func(r format.Run) bool { return r.ID == at.run })
	return x.lead(&plan{upTo: at, at: format.FromMillis(at.at)}, i)
}

// lead completes a plan for a moment of the run with index i. Where what leads to it is
// not kept any more, the plan leads to an earlier moment and says so.
func (x *index) lead(p *plan, i int) (*plan, error) {
	for i >= 0 {
		from, found := x.base(p, i)
		if found {
			return p, x.through(p, from)
		}
		// The last run before this one that is known is the best there is.
		i = x.broken(p.upTo.run)
		if i--; i >= 0 {
			p.upTo = position{x.Runs[i].ID, x.LastOf(x.Runs[i].ID)}
			p.at = format.FromMillis(p.upTo.at)
			p.notices = append(p.notices, "nothing was recorded at that time: this is the state of "+p.at.Format(time.RFC3339))
		}
	}
	return nil, &RangeError{x.begins()}
}

// runAt returns the index of the run that tells the state at a time, -1 for none: the
// newest that recorded something at that time. What was recorded outranks the time in
// which a later run did not run yet, and outranks a run under a wrong clock that ended
// earlier. Where nothing was recorded, it is the run that recorded last before.
func (x *index) runAt(at int64) int {
	gap, last := -1, -1
	lasts := x.lasts()
	for i := len(x.Runs) - 1; i >= 0; i-- {
		r := &x.Runs[i]
		switch {
		case r.Start > at:
		case at > lasts[i]:
			if last < 0 || lasts[i] > lasts[last] {
				last = i
			}
		case at >= r.Resumed || r.Origin != format.OriginContinued:
			return i
		case gap < 0:
			gap = i
		}
	}
	if gap >= 0 {
		return gap
	}
	return last
}

// lasts returns the last moment that is recorded of each run, or its begin.
func (x *index) lasts() []int64 {
	list := make([]int64, len(x.Runs))
	for i := range x.Runs {
		list[i] = x.Runs[i].Start
	}
	note := func(run uint32, at int64) {
		if i, ok := slices.BinarySearchFunc(x.Runs, run, func(r format.Run, id uint32) int { return cmp.Compare(r.ID, id) }); ok {
			list[i] = max(list[i], at)
		}
	}
	for i := range x.Pieces {
		note(x.Pieces[i].Run, x.Pieces[i].Last)
	}
	for i := range x.Snapshots {
		note(x.Snapshots[i].Run, x.Snapshots[i].End)
	}
	return list
}

// noticeOfStep says for people that a time lies behind a run that went on at another
// time, since the clock was set.
func (p *plan) noticeOfStep(x *index, i int, at int64) {
	if i+1 == len(x.Runs) {
		return
	}
	last, next := x.LastOf(x.Runs[i].ID), &x.Runs[i+1]
	if at > last+maxForward.Milliseconds() && next.Origin == format.OriginContinued {
		p.notices = append(p.notices, fmt.Sprintf("nothing was recorded from %s on (%s): this is the state of before", format.FromMillis(last).Format(time.RFC3339), next.Reason))
	}
}

func (p *plan) noticeOf(r *format.Run, at int64) {
	if at < r.Resumed && r.Origin == format.OriginContinued {
		p.notices = append(p.notices, fmt.Sprintf("nothing was recorded from %s to %s (%s): this is the state of before",
			format.FromMillis(r.Start).Format(time.RFC3339), format.FromMillis(r.Resumed).Format(time.RFC3339), r.Reason))
	}
}

// base finds the newest snapshot from which the journal leads to the moment without
// a break, or the empty table that a run began with. It looks at the run with
// index i and at the runs that this one continues. It returns the number of the
// first group after the snapshot or the begin.
func (x *index) base(p *plan, i int) (next uint64, found bool) {
	for ; i >= 0; i-- {
		r := &x.Runs[i]
		for k := len(x.Snapshots) - 1; k >= 0; k-- {
			s := &x.Snapshots[k]
			if s.Run == r.ID && (position{s.Run, s.End}).compare(p.upTo) <= 0 {
				p.base = s
				return s.Next, true
			}
		}
		switch r.Origin {
		case format.OriginContinued:
		case format.OriginEmpty:
			return r.First, x.reaches(r.First)
		case format.OriginUnknown:
			return 0, false
		}
	}
	return 0, false
}

// broken goes back from a run through the runs that it continues, and returns the
// index of the first of them.
func (x *index) broken(id uint32) int {
	i := len(x.Runs) - 1
	for i >= 0 && x.Runs[i].ID > id {
		i--
	}
	for i >= 0 && x.Runs[i].Origin == format.OriginContinued {
		i--
	}
	return i
}

// reaches reports whether the journal still has the group with a number, or ends
// before that group.
func (x *index) reaches(number uint64) bool {
	if len(x.Pieces) == 0 {
		return x.Next <= number
	}
	return x.Pieces[0].From <= number
}

// through adds the pieces to the plan that lead from a group to the moment.
func (x *index) through(p *plan, from uint64) error {
	if p.base != nil && !x.reaches(from) {
		return p.stopAt(position{p.base.Run, p.base.End}, "the journal of that time is not kept any more")
	}
	i, _ := slices.BinarySearchFunc(x.Pieces, from, func(c format.Piece, n uint64) int { return cmp.Compare(c.To, n) })
	for ; i < len(x.Pieces); i++ {
		c := &x.Pieces[i]
		if c.From > from { // what is missing may be of any time since
			return p.stopBefore()
		}
		if (position{c.Run, c.First}).compare(p.upTo) > 0 {
			break
		}
		if c.Lost {
			return p.stopBefore()
		}
		p.pieces = append(p.pieces, *c)
		from = c.To + 1
	}
	return nil
}

// stopBefore ends the plan in front of a hole in the journal.
func (p *plan) stopBefore() error {
	last := position{}
	if p.base != nil {
		last = position{p.base.Run, p.base.End}
	}
	if n := len(p.pieces); n > 0 {
		last = position{p.pieces[n-1].Run, p.pieces[n-1].Last}
	}
	if p.upTo.compare(last) == 0 {
		// What is lost may begin in the same moment.
		p.notices = append(p.notices, "a part of the journal is lost: of the state of "+p.at.Format(time.RFC3339)+" the last changes may be missing")
	}
	return p.stopAt(last, "a part of the journal is lost")
}

func (p *plan) stopAt(end position, why string) error {
	if p.upTo.compare(end) > 0 {
		p.upTo, p.at = end, format.FromMillis(end.at)
		p.notices = append(p.notices, why+": this is the state of "+p.at.Format(time.RFC3339))
	}
	return nil
}

// begins returns the first moment whose state is known, and the zero Time when
// there is none.
func (x *index) begins() time.Time {
	first := int64(0)
	if len(x.Snapshots) > 0 {
		first = x.Snapshots[0].End
	}
	for i := range x.Runs {
		if r := &x.Runs[i]; r.Origin == format.OriginEmpty && x.reaches(r.First) {
			if first == 0 || r.Start < first {
				first = r.Start
			}
			break
		}
	}
	return format.FromMillis(first)
}

func (x *index) run(id uint32) *format.Run {
	i, ok := slices.BinarySearchFunc(x.Runs, id, func(r format.Run, id uint32) int { return cmp.Compare(r.ID, id) })
	if !ok {
		return nil
	}
	return &x.Runs[i]
}
