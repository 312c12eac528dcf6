package history

import (
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Every peer has a share of the journal, so that none takes it from the others: so
// many octets a second, a burst, and a part of what waits in memory. What a peer says
// beyond its share is thinned: the journal remembers which of its routes changed, and
// records the last state of each when the share allows. So the state of the table is
// right again where the stretch ends, and only changes on the way to it are missing.
// What is thinned is caught up before an event of the session, on which the meaning of
// routes depends, and where a snapshot ends.
//
// A peer may go beyond that too: it changes more routes than are remembered, or has
// more caught up before events than its share takes. Then the journal loses track of
// it. Of its batches only those are recorded that say that the session came or went,
// until a snapshot is taken, from which on its state is known again.
//
// Both is said by a mark in the file, and so in every answer about that time.

// place is a route of a peer.
type place struct {
	family route.Family
	bits   uint8
	addr   [16]byte
	pathID uint32
}

func placeOf(f route.Family, n route.NLRI) place {
	return place{f, uint8(n.Prefix.Bits()), n.Prefix.Addr().As16(), n.PathID}
}

func (p place) nlri() route.NLRI {
	addr := netip.AddrFrom16(p.addr)
	if !p.family.IsIPv6() {
		addr = addr.Unmap()
	}
	return route.NLRI{Prefix: netip.PrefixFrom(addr, int(p.bits)), PathID: p.pathID}
}

// placeOctets is about what a place takes in a map.
const placeOctets = 64

// share is what a peer may record, and what it recorded beyond that. It is guarded by
// the mutex of the journal.
type share struct {
	name   string
	tokens int64 // octets that it may record now; below zero: events were recorded beyond it
	filled int64 // milliseconds; when tokens was computed

	waiting, tailed int64  // octets in groups that are not written yet, and in tails
	written         uint64 // how often groups had been written when waiting was counted

	touched map[place]string // routes that changed and are not recorded, with the mark of the last fault; nil: nothing is thinned
	gap     bool             // track of it is lost, and nothing of it is recorded
	losses  int              // how often track of it was lost; its state is unknown while that is more than known
	known   int

	marks [2]*format.Mark // under way or last: of changes that are missing, and of a state that is unknown
	dirty [2]bool         // not written yet
	going [2]bool         // under way when it was changed last
	told  [2]bool         // in the log
}

func (s *share) unknown() bool { return s.losses > s.known }

// shares are the shares of all peers that a journal heard of.
type shares struct {
	rate, burst int64 // octets; rate zero: everything is recorded
	all         map[string]*share
	thinned     map[*share]bool // with touched, gap or a mark that is not written
	touched     int             // octets of all places
	written     uint64          // how often groups were written
}

func (j *journal) shareOf(name string) *share {
	s := j.shares.all[name]
	if s == nil {
		s = &share{name: name, tokens: j.shares.burst}
		j.shares.all[name] = s
	}
	return s
}

// octetsOf is about what an update takes in the journal.
func octetsOf(u *route.Update) int64 { return int64(len(u.Attrs) + 12*len(u.NLRI) + 8) }

// refill gives a peer what it may record by now.
func (j *journal) refill(s *share, at int64) {
	if at > s.filled {
		// In a few hours the bucket is full, however long it was not looked at.
		ms := min(at-s.filled, 24*time.Hour.Milliseconds())
		s.tokens = min(j.shares.burst, s.tokens+j.shares.rate*ms/1000)
	}
	s.filled = at
	if s.written != j.shares.written {
		s.waiting, s.written = 0, j.shares.written
	}
	if len(j.tails) == 0 {
		s.tailed = 0
	}
}

// spend takes octets from the share of a peer.
func (j *journal) spend(s *share, octets int64) {
	s.tokens -= octets
	s.waiting += octets
	if len(j.tails) == 0 {
		return
	}
	s.tailed += octets
	j.tails = slices.DeleteFunc(j.tails, func(t *tail) bool {
		much := t.yields && (s.tailed >= int64(j.limits.maxTail/4) || len(t.group.Octets) > j.limits.maxTail)
		if much {
			t.group, t.over = format.GroupWriter{}, true
		}
		return much
	})
}

// affords reports whether the share of a peer has something left.
func (j *journal) affords(s *share) bool {
	return j.shares.rate == 0 || s.tokens > 0 && s.waiting < int64(j.limits.maxPending/4) && (s.tailed < int64(j.limits.maxTail/4) || !j.insists())
}

// insists reports whether a snapshot is being taken that does not yield to what is said
// meanwhile.
func (j *journal) insists() bool {
	return slices.ContainsFunc(j.tails, func(t *tail) bool { return !t.yields })
}

// said records a batch of a peer as far as its share allows, and returns its time.
// The table has not applied it yet.
func (j *journal) said(now time.Time, b *route.Batch, live *table.Table) time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forward(now.UnixMilli())
	at := j.stamp(now.UnixMilli(), b.Event != route.Routes)
	if j.off {
		return time.UnixMilli(at).UTC()
	}
	s := j.shareOf(b.Peer.Name)
	j.refill(s, at)
	if b.Event == route.Routes {
		j.saidRoutes(s, b, at)
	} else {
		at = j.saidEvent(s, b, at, live)
	}
	j.closeIfFull()
	return time.UnixMilli(at).UTC()
}

func (j *journal) saidRoutes(s *share, b *route.Batch, at int64) {
	if s.touched == nil && !s.gap && j.affords(s) {
		for i := range b.Updates {
			j.spend(s, octetsOf(&b.Updates[i]))
		}
		j.put(b, at)
		return
	}
	changes, octets := 0, int64(0)
	for i := range b.Updates {
		u := &b.Updates[i]
		changes += len(u.NLRI)
		octets += octetsOf(u)
		if !s.gap {
			j.touch(s, u)
		}
	}
	j.mark(s, s.unknown(), at, changes, octets)
	if !s.gap && j.tooMany(s) {
		j.loseTrack(s, at)
	}
}

// touch remembers that routes of a peer changed.
func (j *journal) touch(s *share, u *route.Update) {
	if s.touched == nil {
		s.touched = make(map[place]string)
		j.shares.thinned[s] = true
	}
	fault := ""
	if u.Attrs.IsFault() {
		fault = string(u.Attrs)
	}
	for _, n := range u.NLRI {
		p := placeOf(u.Family, n)
		before, known := s.touched[p]
		if !known {
			j.shares.touched += placeOctets
		}
		j.shares.touched += len(fault) - len(before)
		s.touched[p] = fault
	}
}

// tooMany reports whether more routes of a peer changed than are remembered.
func (j *journal) tooMany(s *share) bool {
	own := len(s.touched) * placeOctets
	return own > j.limits.maxTouched || j.shares.touched > 4*j.limits.maxTouched && own > j.limits.maxTouched/16
}

func (j *journal) forget(s *share) {
	for _, fault := range s.touched {
		j.shares.touched -= placeOctets + len(fault)
	}
	s.touched = nil
}

// loseTrack has nothing of a peer recorded until a snapshot is taken.
func (j *journal) loseTrack(s *share, at int64) {
	j.forget(s)
	s.gap = true
	s.losses++
	j.shares.thinned[s] = true
	j.mark(s, true, at, 0, 0)
	j.lostTrack = true
}

// saidEvent records an event of a session, after what was thinned before it. It
// returns the time of the event.
func (j *journal) saidEvent(s *share, b *route.Batch, at int64, live *table.Table) int64 {
	const octets = 64
	caught := s.touched != nil && b.Event != route.PeerRemoved
	if caught && !j.catchUp(s, live, at, true) {
		j.loseTrack(s, at)
	}
	coming := b.Event == route.PeerUp || b.Event == route.PeerDown || b.Event == route.PeerRemoved
	if !coming && !s.gap && j.shares.rate > 0 && s.tokens < -max(j.shares.burst/8, minBurst) {
		j.loseTrack(s, at)
	}
	if s.gap && !coming {
		j.mark(s, true, at, 1, octets)
		return at
	}
	if b.Event == route.PeerRemoved { // what it was does not matter any more
		j.forget(s)
		s.gap, s.known = false, s.losses
		j.mark(s, false, at, 0, 0)
	}
	j.spend(s, octets)
	if caught {
		at = j.stamp(at, true)
	}
	j.put(b, at)
	return at
}

// put writes a batch to the open group and to the tails.
func (j *journal) put(b *route.Batch, at int64) {
	number := j.number(b.Peer.Name)
	when := format.When{At: at}
	j.open.Batch(number, b, when)
	for _, t := range j.tails {
		t.group.Batch(number, b, when)
	}
}

// catchUp records the last state of what was thinned of a peer: as much as its share
// allows, or all. It reports whether nothing is left. All is not recorded when that
// is more than one peer may have wait.
func (j *journal) catchUp(s *share, live *table.Table, at int64, all bool) (done bool) {
	b := route.Batch{Event: route.Routes}
	var octets int64
	_ = live.View(func(v *table.View) error {
		info, _ := v.Peer(s.name)
		if b.Peer = info.Peer; b.Peer == nil {
			b.Peer = &route.Peer{Name: s.name}
		}
		for p, fault := range s.touched {
			if !all && !j.affords(s) || all && octets > int64(j.limits.maxPending/4) {
				break
			}
			u := route.Update{Family: p.family, NLRI: []route.NLRI{p.nlri()}, Attrs: stateOf(v, p, s.name)}
			if u.Attrs == nil && fault != "" {
				u.Attrs = route.Attrs(fault)
			}
			b.Updates = append(b.Updates[:0], u)
			j.spend(s, octetsOf(&u))
			octets += octetsOf(&u)
			j.put(&b, at)
			delete(s.touched, p)
			j.shares.touched -= placeOctets + len(fault)
			if len(j.open.Octets) >= j.limits.groupOctets {
				j.closeGroup()
			}
		}
		return nil
	})
	if len(s.touched) > 0 {
		j.mark(s, s.unknown(), at, 0, 0)
		return false
	}
	s.touched = nil
	j.mark(s, s.unknown(), at, 0, 0)
	return true
}

// stateOf returns the attribute set of a route of a peer, nil when there is none.
func stateOf(v *table.View, p place, peer string) (set route.Attrs) {
	n := p.nlri()
	d, ok := v.Exact(p.family, n.Prefix)
	if !ok {
		return nil
	}
	v.Each(d, nil, func(f table.Found) {
		if f.PathID == p.pathID && f.Peer().Name == peer {
			set = v.Set(f.Set)
		}
	})
	return set
}

// behind reports whether something is still to be recorded of a peer.
func (j *journal) behind() bool {
	for s := range j.shares.thinned {
		if s.open(0) || s.open(1) {
			return true
		}
	}
	return false
}

// CatchUp records of the peers that said more than their share what it allows by now.
// The table's writer calls it every second.
func (h *History) CatchUp(now time.Time) {
	j := h.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.off || h.live == nil || !j.behind() {
		return
	}
	at := j.stamp(now.UnixMilli(), false)
	for s := range j.shares.thinned {
		j.refill(s, at)
		if s.touched != nil {
			j.catchUp(s, h.live, at, false)
		}
		if s.unknown() {
			j.mark(s, true, at, 0, 0)
		}
	}
	j.closeIfFull()
}

// catchUpAll records what was thinned, when nobody changes the table any more.
func (j *journal) catchUpAll(live *table.Table) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.off && live != nil {
		j.endWalk(live)
	}
}

// beginWalk has the journal follow the peers again that it lost track of: a walk
// over the table reads what was before.
func (j *journal) beginWalk() {
	for s := range j.shares.thinned {
		s.tailed = 0
		if s.gap {
			s.gap = false
			s.touched = make(map[place]string)
		}
	}
}

// endWalk catches up with all peers, so that the tail of a snapshot has the last state
// of all that changed during the walk. It returns the peers whose state was unknown,
// with how often track of them was lost: those are known by the snapshot of which that
// is still so when it is stored.
func (j *journal) endWalk(live *table.Table) map[*share]int {
	at := j.last
	if j.behind() {
		at = j.stamp(at, false)
	}
	found := make(map[*share]int)
	for s := range j.shares.thinned {
		if s.touched != nil && !j.catchUp(s, live, at, true) {
			j.loseTrack(s, at)
		}
		if s.unknown() && !s.gap {
			found[s] = s.losses
		}
	}
	return found
}
