package table

import (
	"cmp"
	"slices"
	"time"

	"ribglass/ribstore/route"
)

// PeerState is all that the table knows of a peer but its routes. It and the
// routes, each with its class, are enough for [Restore] to make a table that
// goes on as this one does, whatever comes. A PeerState is a value of the
// caller's; Peer is shared and read-only.
type PeerState struct {
	Peer       *route.Peer
	Up         bool
	StaleSince time.Time // zero while up
	LastUpdate time.Time // zero: none yet
	Families   [route.NumFamilies]FamilyState

	peer     *peer                     // of the table that State was called of
	advances [route.NumFamilies]uint64 // generations taken until then
}

// FamilyState is the part of a PeerState that belongs to one family.
//
// A route has a class: how many generations ago a session, or a route refresh,
// confirmed it last, from 0, the newest, to 15.
type FamilyState struct {
	Routes      int // how many
	EndOfRIB    time.Time
	Deadline    time.Time     // of unconfirmed routes; zero: none
	LongLived   time.Duration // more time after the deadline
	InLongLived bool          // the long-lived phase has begun
	AsFresh     bool          // stale routes are compared as if they were fresh
	// Since tells by class since when its routes are stale, zero when they are
	// not. Classes behind its end have no routes.
	Since []time.Time
}

// State returns the state of every peer, ordered by name, without those that
// only wait for the sweep of their routes. Only the writer calls it.
func (t *Table) State() []PeerState {
	states := make([]PeerState, 0, t.peers.peers)
	for p := range t.peers.all() {
		if !p.removed.Load() {
			states = append(states, p.state())
		}
	}
	slices.SortFunc(states, func(a, b PeerState) int { return cmp.Compare(a.Peer.Name, b.Peer.Name) })
	return states
}

func (p *peer) state() PeerState {
	s := PeerState{
		Peer:       p.info.Load(),
		Up:         p.up.Load(),
		StaleSince: instant(p.staleSince.Load()),
		LastUpdate: instant(p.lastUpdate.Load()),
		peer:       p,
	}
	for i := range p.families {
		pf := &p.families[i]
		ph := pf.phase.Load()
		s.advances[i] = ph.advances
		s.Families[i] = pf.state(ph)
	}
	return s
}

func (pf *peerFamily) state(ph *phase) FamilyState {
	s := FamilyState{
		EndOfRIB:    instant(pf.endOfRIB.Load()),
		Deadline:    pf.deadline,
		LongLived:   pf.longLived,
		InLongLived: ph.longLived,
		AsFresh:     ph.asFresh,
	}
	since := make([]time.Time, generations)
	classes := 0
	for class := range since {
		gen := back(ph.gen, uint8(class))
		since[class] = instant(ph.since[gen])
		kept := pf.counts[gen] > 0 && !ph.isGone(gen)
		if kept {
			s.Routes += pf.counts[gen]
		}
		if kept || !since[class].IsZero() {
			classes = class + 1
		}
	}
	s.Since = since[:classes:classes]
	return s
}

// back returns the generation that was current so many before gen.
func back(gen, before uint8) uint8 { return (gen - before) % generations }

// Index returns the small number that the peer went by in the views of its table
// when State was called, see [Found.Index].
func (s *PeerState) Index() uint16 { return s.peer.index }

// Class returns the class of a route that [View.Each] met after State was
// called, and whether it is one to keep. The route is to be loaded into the
// table of that time, on which everything since is then replayed:
//
// A generation taken since is class 0: its routes were announced since, and
// the replay announces them again, in its generation. The table takes numbers of
// generations again, also while a walk goes on; the phase that the route was
// met in tells which generation a number means.
//
// Routes that a generation of before lost since, by a session that ended say,
// are not met. Those of a peer that was removed since are not kept, nor those
// with a path identifier when the peer had no ADD-PATH: the replay would drop
// them, and announces what came after.
func (s *PeerState) Class(f Found) (class uint8, kept bool) {
	if f.peer != s.peer || f.PathID != 0 && !s.Peer.AddPath[f.Family] {
		return 0, false
	}
	age := uint64(back(f.phase.gen, f.word.gen()))
	taken := f.phase.advances - s.advances[f.Family]
	if age < taken {
		return 0, true
	}
	return uint8(age - taken), true
}
