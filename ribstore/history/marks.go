package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"ribglass/ribstore/history/format"
)

// stretchGap is how long a peer keeps to its share before what it says beyond it
// begins a new stretch.
const stretchGap = time.Minute

// mark has the mark of a peer reach up to a moment, or begins one.
func (j *journal) mark(s *share, lost bool, at int64, changes int, octets int64) {
	kind := 0
	if lost {
		kind = 1
	}
	m := s.marks[kind]
	if m == nil || m.Run != j.now.ID || !s.going[kind] && at-m.To > stretchGap.Milliseconds() {
		if changes == 0 && !lost && s.touched == nil {
			return
		}
		if m != nil && s.dirty[kind] {
			j.pending.marks = append(j.pending.marks, *m)
		}
		m = &format.Mark{Run: j.now.ID, From: at, Peer: j.number(s.name), Lost: lost}
		s.marks[kind], s.told[kind] = m, false
	}
	m.To = max(m.To, at)
	m.Changes += uint64(changes)
	m.Octets += uint64(octets)
	s.dirty[kind], s.going[kind] = true, s.open(kind)
	j.shares.thinned[s] = true
	if j.thinned != nil && changes > 0 {
		j.thinned(s.name, changes, octets)
	}
}

// knownAgain notes that a snapshot of a moment has the state of peers.
func (j *journal) knownAgain(found map[*share]int, at int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for s, losses := range found {
		s.known = max(s.known, losses)
		if m := s.marks[1]; m != nil && !s.unknown() {
			m.To, s.dirty[1] = at, true
		}
	}
}

// open reports whether a kind of stretch goes on.
func (s *share) open(kind int) bool {
	if kind == 0 {
		return s.touched != nil
	}
	return s.unknown()
}

// continueMarks begins the marks of stretches that go on again in a new run.
func (j *journal) continueMarks(at int64) {
	for s := range j.shares.thinned {
		for kind, m := range s.marks {
			if m == nil || !s.open(kind) {
				continue
			}
			j.pending.marks = append(j.pending.marks, s.asWritten(kind))
			s.marks[kind] = &format.Mark{Run: j.now.ID, From: at, To: at, Peer: m.Peer, Lost: m.Lost}
			s.dirty[kind] = true
		}
	}
}

// asWritten returns a mark as it is written: what is under way may last until the run
// ends.
func (s *share) asWritten(kind int) format.Mark {
	m := *s.marks[kind]
	if s.open(kind) {
		m.To = math.MaxInt64
	}
	return m
}

// takeMarks returns the marks that are to be written.
func (j *journal) takeMarks() (marks []format.Mark) {
	marks = slices.Clone(j.pending.marks)
	for s := range j.shares.thinned {
		for kind, m := range s.marks {
			if m != nil && s.dirty[kind] {
				marks = append(marks, s.asWritten(kind))
			}
		}
	}
	return marks
}

// openMarks returns the marks of peers that something is still to be done of.
func (j *journal) openMarks() (marks []format.Mark) {
	marks = slices.Clone(j.pending.marks)
	for s := range j.shares.thinned {
		for kind, m := range s.marks {
			if m != nil {
				marks = append(marks, s.asWritten(kind))
			}
		}
	}
	return marks
}

// maxMarks bounds the marks of a file: the oldest go.
const maxMarks = 1 << 12

// withMarks returns marks with newer ones added, or in the place of their older form.
func withMarks(list, newer []format.Mark) []format.Mark {
	if len(newer) == 0 {
		return list
	}
	list = slices.Clone(list)
	for _, m := range newer {
		same := func(o format.Mark) bool {
			return o.Run == m.Run && o.From == m.From && o.Peer == m.Peer && o.Lost == m.Lost
		}
		if i := slices.IndexFunc(list, same); i >= 0 {
			list[i] = m
		} else {
			list = append(list, m)
		}
	}
	return list
}

// wroteMarks notes that marks were written. Peers of which nothing is to be done are
// forgotten.
func (j *journal) wroteMarks(marks []format.Mark) {
	j.pending.marks = slices.DeleteFunc(j.pending.marks, func(m format.Mark) bool { return slices.Contains(marks, m) })
	for s := range j.shares.thinned {
		for kind, m := range s.marks {
			if m != nil && slices.Contains(marks, s.asWritten(kind)) {
				s.dirty[kind] = false
			}
		}
		if s.touched == nil && !s.unknown() && s.dirty == [2]bool{} {
			delete(j.shares.thinned, s)
		}
	}
}

// noticesOf says for people what is missing of the changes between two moments.
func (h *History) noticesOf(x *index, from, upTo position) (notices []string) {
	names := h.journal.peerNames()
	for i := range x.Marks {
		m := &x.Marks[i]
		begin, end := position{m.Run, m.From}, position{m.Run, m.To}
		if begin.compare(upTo) > 0 || end.compare(from) <= 0 || int(m.Peer) >= len(names) {
			continue
		}
		if m.Lost {
			notices = append(notices, fmt.Sprintf("what peer %s said from %s to %s is not known: it was far more than its share of the history",
				names[m.Peer], format.Stamp(m.From), until(x, m)))
			continue
		}
		notices = append(notices, fmt.Sprintf("changes of peer %s between %s and %s were thinned, %d of them (%d bytes): its last state is right, changes in between are missing",
			names[m.Peer], format.Stamp(m.From), until(x, m), m.Changes, m.Octets))
	}
	return notices
}

// until says for people up to when a mark reaches.
func until(x *index, m *format.Mark) string {
	if m.To == math.MaxInt64 {
		return format.Stamp(x.LastOf(m.Run))
	}
	return format.Stamp(m.To)
}

// tellThinned writes to the log which peers have more to say than their share.
func (h *History) tellThinned() {
	for _, p := range h.journal.toTell() {
		if p.Lost {
			h.deps.Logger.Warn("a peer says far more than its share of the history: its changes are not recorded until the next snapshot", "peer", p.Peer, "since", p.Since)
			continue
		}
		h.deps.Logger.Warn("a peer says more than its share of the history: its changes are thinned", "peer", p.Peer, "since", p.Since)
	}
}

func (j *journal) toTell() (list []Thinned) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for s := range j.shares.thinned {
		for kind, m := range s.marks {
			if m != nil && !s.told[kind] {
				s.told[kind] = true
				list = append(list, s.thinned(kind))
			}
		}
	}
	return list
}

// Thinned is a stretch of time in which a peer said more than its share of the
// history.
type Thinned struct {
	Peer         string
	Since, Until time.Time // Until is zero while it goes on
	Changes      uint64    // that are not recorded
	Bytes        uint64    // that they would have taken
	Lost         bool      // the state of the peer is not known in the stretch; else only changes on the way to its last state are missing
}

func (s *share) thinned(kind int) Thinned {
	m := s.asWritten(kind)
	t := Thinned{Peer: s.name, Since: format.FromMillis(m.From), Changes: m.Changes, Bytes: m.Octets, Lost: m.Lost}
	if m.To != math.MaxInt64 {
		t.Until = format.FromMillis(m.To)
	}
	return t
}

// Thinned returns the last stretch of each peer in which it said more than its share,
// since the program started, by peer.
func (h *History) Thinned() (list []Thinned) {
	j := h.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.shares.all {
		for kind, m := range s.marks {
			if m != nil {
				list = append(list, s.thinned(kind))
			}
		}
	}
	slices.SortFunc(list, func(a, b Thinned) int {
		return cmp.Or(cmp.Compare(a.Peer, b.Peer), a.Since.Compare(b.Since))
	})
	return list
}
