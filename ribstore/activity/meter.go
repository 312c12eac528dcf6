// Package activity counts what happens to the routes: how many change a minute,
// of which peer, of which prefixes the most, and how the table grew. It is kept in
// memory, in a size that does not depend on how much happens. After a restart it has
// what [Meter.Recall] is told of the hour before, or begins at nothing, and every answer
// says since when it counts.
//
// A change is a prefix announced or withdrawn, whether or not that made a
// difference to the table. What a session sends at first, until End-of-RIB, or for
// five minutes where that does not come, is no change, and so with a route
// refresh: a full table would hide everything else for an hour.
//
// The writer of the table, one goroutine at a time, calls [Meter.Observe] and
// [Meter.Tick]. Anyone may call the other methods of a [Meter] at any time; they
// take no lock and give copies, or values that nobody changes.
package activity

import (
	"sync"
	"time"

	"ribglass/ribstore/route"
)

// Meter counts. The zero value is not usable, see [New]; it must not be copied.
type Meter struct {
	started time.Time
	all     ring
	peers   sync.Map // of *peer by name; the writer adds and removes
	known   int      // peers, the writer's
	busy    busy
	growth  growth

	loaded int64 // when something came last that is no change, in seconds

	last     *peer // of the batch before, whose peer is mostly that of the next
	lastInfo *route.Peer
}

// peer is what is counted of one peer.
type peer struct {
	ring    ring
	loading [route.NumFamilies]int64 // the writer's: until when what comes is no change, in seconds; 0: it is
}

// maxPeers is how many peers are counted apart, as many as a table has.
const maxPeers = 1 << 16

// loadTime is after how long what a session sends counts as changes without
// an End-of-RIB.
const loadTime = 5 * time.Minute

// loadPause is after how long without a part of a first table all are taken to be
// complete.
const loadPause = 15 * time.Second

// New returns a meter that counts from now on.
func New(now time.Time) *Meter {
	m := &Meter{started: now}
	m.busy.begin(now)
	m.growth.samples.Store(&[]Sample{})
	return m
}

// Recall counts what a batch of the past reported, before anything is observed. Batches
// come in order of time.
func (m *Meter) Recall(b *route.Batch) {
	m.Observe(b)
	m.busy.tick(b.At)
	m.last, m.lastInfo = nil, nil // the description may be used again for another peer
}

// Observe counts what a batch reports. Only the writer calls it.
func (m *Meter) Observe(b *route.Batch) {
	p := m.peer(b.Peer)
	if p == nil {
		return
	}
	switch b.Event {
	case route.Routes:
		m.count(p, b)
	case route.PeerUp:
		for f := range p.loading {
			p.loading[f] = b.At.Add(loadTime).Unix()
		}
	case route.RefreshBegin:
		p.loading[b.Family] = b.At.Add(loadTime).Unix()
	case route.EndOfRIB, route.RefreshEnd:
		p.loading[b.Family] = 0
	case route.PeerDown:
		p.loading = [route.NumFamilies]int64{}
	case route.PeerRemoved:
		m.forget(b.Peer.Name)
	case route.PeerChanged:
	}
}

func (m *Meter) count(p *peer, b *route.Batch) {
	now := b.At.Unix()
	n := 0
	for i := range b.Updates {
		u := &b.Updates[i]
		if now < p.loading[u.Family] {
			m.loaded = now
			continue
		}
		n += len(u.NLRI)
		for j := range u.NLRI {
			m.busy.tally.add(placeOf(u.Family, u.NLRI[j].Prefix))
		}
	}
	if n > 0 {
		m.busy.fresh = true
		p.ring.add(minuteOf(now), n)
		m.all.add(minuteOf(now), n)
	}
}

// peer returns the counts of a peer, nil when there are too many.
func (m *Meter) peer(info *route.Peer) *peer {
	if info == m.lastInfo {
		return m.last
	}
	p := m.named(info.Name)
	if p == nil {
		if m.known >= maxPeers {
			return nil
		}
		p = new(peer)
		m.peers.Store(info.Name, p)
		m.known++
	}
	m.last, m.lastInfo = p, info
	return p
}

// named returns the counts of the peer with the name, nil when it has none.
func (m *Meter) named(name string) *peer {
	p, _ := m.peers.Load(name)
	counts, _ := p.(*peer)
	return counts
}

func (m *Meter) forget(name string) {
	if _, known := m.peers.LoadAndDelete(name); known {
		m.known--
	}
	m.last, m.lastInfo = nil, nil
}

// Tick does what is due, about once a second: counts asks how many routes and
// prefixes there are. Only the writer calls it.
func (m *Meter) Tick(now time.Time, counts func() Sample) {
	m.busy.tick(now)
	if m.growth.due(now) && now.Sub(time.Unix(m.loaded, 0)).Abs() >= loadPause {
		m.growth.add(now, counts())
	}
}

// Rate returns the changes of a peer in the hour until now, none for one that is
// not known.
func (m *Meter) Rate(name string, now time.Time) Rate {
	if p := m.named(name); p != nil {
		return p.ring.read(m.started, now)
	}
	return new(ring).read(m.started, now)
}

// RateOfAll returns the changes of all peers together in the hour until now.
func (m *Meter) RateOfAll(now time.Time) Rate { return m.all.read(m.started, now) }
