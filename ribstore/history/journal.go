package history

import (
	"slices"
	"sync"
	"time"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// journal is the end of the journal, which is in memory. The writer of the table
// adds records to it. The history writes its groups to the file once they are full
// or old enough.
//
// A moment is a millisecond. Records of one moment are numbered: changes can be stored
// by prefix, apart from the events of sessions, and are still put together again in
// their order. What comes behind the end of a snapshot, and what happens live to a
// session, begins a moment when something was recorded in the current one: what a moment
// of the live table says of sessions is all before its routes. An import has its own
// times, which stay as they are.
type journal struct {
	limits *limits

	mu      sync.Mutex
	now     format.Run // under way
	open    format.GroupWriter
	shared  bool     // somebody reads the octets of open
	spare   []buffer // of groups that were written
	pending pending
	next    uint64 // number of the open group
	last    int64  // milliseconds; of the last record
	barrier bool   // the next record begins a moment
	off     bool   // nothing is recorded before the first run begins
	lost    bool   // something was given up
	peers   map[string]uint32
	names   []string      // of peers, by number
	tails   []*tail       // of snapshots under way
	ready   chan struct{} // has one when a group is full
	shares  shares
	thinned func(peer string, changes int, octets int64) // is told what is left out; nil: nobody is

	lostTrack bool // of a peer, since it was asked last
}

// pending is what waits to be written.
type pending struct {
	groups []pendingGroup
	octets int // of groups
	runs   []format.Run
	names  []string // of peers, those with the highest numbers
	marks  []format.Mark

	firstName uint32     // number of the first of names
	end       format.End // with all of it
}

func (p *pending) empty() bool { return len(p.groups)+len(p.runs)+len(p.names)+len(p.marks) == 0 }

// pendingGroup is a group that is not written yet.
type pendingGroup struct {
	piece  format.Piece
	buffer buffer
	events bool
	shared bool // somebody reads the octets
}

// buffer is the memory of a group. It is used again once the group is written, unless
// somebody still reads it.
type buffer struct {
	octets []byte
	places *format.Places
}

// maxSpare is how many buffers are kept: those of the groups that wait while a table
// is loaded.
const maxSpare = 16

// size is about how many octets a group takes in memory.
func (g *pendingGroup) size() int { return len(g.buffer.octets) + g.buffer.places.Size() }

func newJournal(l *limits) *journal {
	return &journal{
		open:   format.GroupWriter{Places: new(format.Places)},
		limits: l, peers: make(map[string]uint32), ready: make(chan struct{}, 1), off: true,
		shares: shares{all: make(map[string]*share), thinned: make(map[*share]bool)},
	}
}

// begin begins a run. Nothing is recorded before the first.
func (j *journal) begin(from format.Origin, start, resumed time.Time, reason string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.beginLocked(from, start.UnixMilli(), resumed.UnixMilli(), reason)
}

func (j *journal) beginLocked(from format.Origin, start, resumed int64, reason string) {
	j.closeGroup()
	j.now = format.Run{ID: j.now.ID + 1, Origin: from, Start: start, Resumed: resumed, First: j.next, Reason: reason}
	j.pending.runs = append(j.pending.runs, j.now)
	j.last, j.barrier, j.off = start-1, false, false
	j.continueMarks(start)
}

// record writes one record with write, also to the tails of snapshots, and
// returns its time.
func (j *journal) record(now time.Time, event bool, write func(w *format.GroupWriter, at format.When)) time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	at := format.When{At: j.stamp(now.UnixMilli(), event)}
	if !j.off {
		write(&j.open, at)
		for _, t := range j.tails {
			write(&t.group, at)
		}
		j.closeIfFull()
	}
	return at.Exact()
}

// stamp returns the moment of the next record. When the clock was set back a new
// run begins.
func (j *journal) stamp(at int64, event bool) int64 {
	if at < j.last-maxStep.Milliseconds() && !j.off {
		j.beginLocked(format.OriginContinued, at, at, "the clock was set back")
		j.last = at
		return at
	}
	if at <= j.last {
		at = j.last
		if event || j.barrier {
			at++
		}
	}
	j.last, j.barrier = at, false
	return at
}

// batch records a batch of the past in the moment of now, or a later one. The time of the
// batch is kept to the microsecond when it is within half an hour of that.
func (j *journal) batch(now time.Time, b *route.Batch) {
	j.record(now, false, func(w *format.GroupWriter, at format.When) {
		if off := b.At.UnixMicro() - at.At*1000; int64(int32(off)) == off {
			at.Micros = int32(off)
		}
		b.At = at.Exact()
		w.Batch(j.number(b.Peer.Name), b, at)
	})
}

func (j *journal) expire(now time.Time) time.Time {
	return j.record(now, true, func(w *format.GroupWriter, at format.When) { w.Expire(at) })
}

// wait records that unconfirmed routes are kept for a while longer.
func (j *journal) wait(now time.Time, d time.Duration) time.Time {
	return j.record(now, true, func(w *format.GroupWriter, at format.When) { w.Wait(at, d) })
}

// number returns the number of a peer in the file.
func (j *journal) number(name string) uint32 {
	n, ok := j.peers[name]
	if !ok {
		n = uint32(len(j.names))
		j.peers[name] = n
		j.names = append(j.names, name)
		j.pending.names = append(j.pending.names, name)
	}
	return n
}

func (j *journal) closeIfFull() {
	if j.open.Records < j.limits.groupRecords && len(j.open.Octets) < j.limits.groupOctets {
		return
	}
	j.closeGroup()
	if n := len(j.pending.groups); n > 0 && j.pending.groups[n-1].piece.Records >= uint32(j.limits.groupRecords) {
		j.pending.groups[n-1].piece.Level = format.LevelLoad // full before its second was over
	}
	if j.pending.octets >= j.limits.writeAhead {
		select {
		case j.ready <- struct{}{}:
		default:
		}
	}
	if j.pending.octets > j.limits.maxPending {
		j.giveUp()
	}
}

// giveUp drops what was not written. What follows is recorded in a new run,
// whose state is not known until a snapshot is taken.
func (j *journal) giveUp() {
	j.pending.groups, j.pending.octets = nil, 0
	if n := len(j.pending.runs); n > 0 && j.pending.runs[n-1].Origin == format.OriginUnknown {
		j.pending.runs[n-1].First = j.next
		return
	}
	j.beginLocked(format.OriginUnknown, j.last+1, j.last+1, "the disk did not take what was recorded")
	j.lost = true
}

// peerNames returns the names of all peers by number. The caller must not change
// the list.
func (j *journal) peerNames() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clip(j.names)
}

// take ends the open group and returns what is to be written.
func (j *journal) take() pending {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closeGroup()
	return pending{
		groups: slices.Clone(j.pending.groups), octets: j.pending.octets, runs: slices.Clone(j.pending.runs), names: slices.Clone(j.pending.names), marks: j.takeMarks(),
		firstName: uint32(len(j.names) - len(j.pending.names)),
		end:       format.End{Next: j.next, Run: j.now.ID, Peers: uint32(len(j.names))},
	}
}

// written drops what was taken, since it is in the file, and calls publish at the
// same moment.
func (j *journal) written(p pending, publish func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	publish()
	done := func(g pendingGroup) bool {
		is := slices.ContainsFunc(p.groups, func(w pendingGroup) bool { return w.piece.From == g.piece.From })
		if is && !g.shared && len(j.spare) < maxSpare {
			j.spare = append(j.spare, g.buffer)
		}
		return is
	}
	j.pending.groups = slices.DeleteFunc(j.pending.groups, done)
	j.pending.octets = 0
	for i := range j.pending.groups {
		j.pending.octets += j.pending.groups[i].size()
	}
	j.pending.runs = j.pending.runs[min(len(p.runs), len(j.pending.runs)):]
	j.pending.names = j.pending.names[len(p.names):]
	j.wroteMarks(p.marks)
	j.shares.written++
}

// due reports whether something is to be written: an event of a session, much, or
// what is a few seconds old. Each write takes four pages, however little it writes.
func (j *journal) due(now time.Time) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := &j.pending
	return !p.empty() || len(j.takeMarks()) > 0 || j.lost || j.lostTrack || j.open.Events > 0 || len(j.open.Octets) > fewOctets ||
		j.open.Records > 0 && (now.UnixMilli()-j.open.First >= littleEvery.Milliseconds() || now.UnixMilli() < j.open.First)
}

// takeLost reports whether records were given up, and whether track of a peer was
// lost, since it was called last.
func (j *journal) takeLost() (lost, track bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	lost, track = j.lost, j.lostTrack
	j.lost, j.lostTrack = false, false
	return lost, track
}

func (j *journal) closeGroup() {
	if j.open.Records == 0 {
		return
	}
	g := j.openGroup()
	j.pending.groups = append(j.pending.groups, g)
	j.pending.octets += g.size()
	j.next++
	fresh := buffer{places: new(format.Places)}
	switch n := len(j.spare); {
	case n > 0:
		fresh, j.spare = j.spare[n-1], j.spare[:n-1]
	case g.piece.Records >= uint32(j.limits.groupRecords): // the next will be like it
		fresh = buffer{make([]byte, 0, len(g.buffer.octets)/8*9), g.buffer.places.Like()}
	}
	j.open.Octets, j.open.Places, j.shared = fresh.octets, fresh.places, false
	j.open.Reset()
}

// openGroup returns the open group as it is. Its octets stay as they are, since others
// are only added behind them.
func (j *journal) openGroup() pendingGroup {
	return pendingGroup{
		piece:  format.Piece{Run: j.now.ID, First: j.open.First, Last: j.open.Last, From: j.next, To: j.next, Records: uint32(j.open.Records)},
		buffer: buffer{j.open.Octets, j.open.Places}, events: j.open.Events > 0, shared: j.shared,
	}
}

// share returns all groups that are not written, for somebody who reads them.
func (j *journal) share() []pendingGroup {
	for i := range j.pending.groups {
		j.pending.groups[i].shared = true
	}
	groups := slices.Clip(j.pending.groups)
	if j.open.Records > 0 {
		j.shared = true
		groups = append(groups, j.openGroup())
	}
	return groups
}

// letGo gives back the memory of buffers that nothing needs for now.
func (j *journal) letGo() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.spare = nil
}

// tail has what is recorded while a snapshot is taken.
type tail struct {
	group  format.GroupWriter
	yields bool // it is given up when a peer says more than its part of it; else the peer is thinned
	over   bool // it was given up: it has nothing, and is none of the tails any more
}

// isOver reports whether a tail was given up.
func (j *journal) isOver(t *tail) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return t.over
}

// beginTail ends the current moment and returns it. What is recorded from then on
// also goes to the tail that it returns.
func (j *journal) beginTail(yields bool) (*tail, position) {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := &tail{yields: yields}
	j.tails = append(j.tails, t)
	j.beginWalk()
	return t, j.endMoment()
}

// endMoment ends the current moment and returns it. In a run without a record that
// is the moment in which the run began.
func (j *journal) endMoment() position {
	j.last = max(j.last, j.now.Start)
	j.barrier = true
	return position{j.now.ID, j.last}
}

// ending is where a tail ends.
type ending struct {
	at    position
	next  uint64         // number of the next group
	found map[*share]int // peers whose state was unknown before, see endWalk
	on    bool           // something is recorded at all
}

// endTail ends the current moment and the open group. The tail then has everything
// that was recorded after the moment that beginTail returned, up to this one. Without
// the table, for a snapshot that failed, nothing is caught up.
func (j *journal) endTail(t *tail, live *table.Table) (e ending) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if live != nil {
		e.found = j.endWalk(live)
	}
	j.tails = slices.DeleteFunc(j.tails, func(u *tail) bool { return u == t })
	j.closeGroup()
	e.at, e.next, e.on = j.endMoment(), j.next, !j.off
	return e
}
