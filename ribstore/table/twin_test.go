package table

import (
	"maps"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// twin is the stupid twin of a table: a map of routes, each with the round of its
// peer that confirmed it. Rounds are counted without end; what the table knows of
// generations, phases and sweeps is not known here.
type twin struct {
	routes map[twinKey]twinRoute
	peers  map[string]*twinPeer
}

type twinKey struct {
	family route.Family
	prefix netip.Prefix
	peer   string
	pathID uint32
}

type twinRoute struct {
	attrs      string
	receivedAt int64
	round      int // of the peer when it was last sent

	// What follows from the round, for the comparison.
	staleSince int64
	longLived  bool
	asFresh    bool
}

type twinPeer struct {
	up       bool
	addPath  [route.NumFamilies]bool
	families [route.NumFamilies]twinFamily
}

// twinFamily tells how long what a peer sent in a family is kept. A session and a route
// refresh begin a round each.
type twinFamily struct {
	round       int
	stale       map[int]int64 // since when the routes of a round are stale
	deadline    time.Time     // of what is stale; zero: none
	longLived   time.Duration // more time after the deadline (RFC 9494)
	inLongLived bool
	asFresh     bool
}

// remembered is how many rounds are told apart. Older routes count as of the oldest one.
const remembered = 16

func newTwin() *twin { return &twin{map[twinKey]twinRoute{}, map[string]*twinPeer{}} }

func (w *twin) apply(b *route.Batch) {
	name := b.Peer.Name
	p := w.peers[name]
	if p == nil {
		p = &twinPeer{addPath: b.Peer.AddPath}
		for f := range p.families {
			p.families[f].stale = map[int]int64{}
		}
		w.peers[name] = p
	}
	switch pf := &p.families[b.Family]; b.Event {
	case route.Routes:
		for _, u := range b.Updates {
			w.update(b, p, u)
		}
	case route.PeerUp:
		w.up(b, p)
	case route.PeerDown:
		w.down(b, p)
	case route.PeerRemoved:
		w.drop(name, func(twinKey, twinRoute) bool { return true })
		delete(w.peers, name)
	case route.RefreshBegin:
		w.begin(name, b.Family)
	case route.EndOfRIB:
		pf.deadline = time.Time{}
		w.dropStale(name, b.Family)
	case route.RefreshEnd:
		w.dropRounds(name, b.Family, func(round int) bool { return round != pf.round })
	case route.PeerChanged:
	}
}

func (w *twin) update(b *route.Batch, p *twinPeer, u route.Update) {
	for _, n := range u.NLRI {
		k := twinKey{u.Family, n.Prefix, b.Peer.Name, n.PathID}
		if u.Withdraw() {
			delete(w.routes, k)
			continue
		}
		r := twinRoute{attrs: string(u.Attrs), receivedAt: b.At.Unix(), round: p.families[u.Family].round}
		if old, ok := w.routes[k]; ok && old.attrs == r.attrs {
			r.receivedAt = old.receivedAt
		}
		w.routes[k] = r
	}
}

func (w *twin) up(b *route.Batch, p *twinPeer) {
	p.up = true
	for _, f := range route.Families() {
		pf := &p.families[f]
		if p.addPath[f] != b.Peer.AddPath[f] {
			w.drop(b.Peer.Name, func(k twinKey, _ twinRoute) bool { return k.family == f })
		}
		pf.markStale(b.At)
		w.begin(b.Peer.Name, f)
		pf.longLived, pf.deadline = 0, b.At.Add(b.Retention[f].Stale)
		if b.Retention[f].Stale <= 0 {
			pf.deadline = time.Time{}
			w.dropStale(b.Peer.Name, f)
		}
	}
	p.addPath = b.Peer.AddPath
}

func (w *twin) down(b *route.Batch, p *twinPeer) {
	p.up = false
	for _, f := range route.Families() {
		pf, keep := &p.families[f], b.Retention[f]
		if keep.Graceful {
			w.dropStale(b.Peer.Name, f)
		}
		pf.markStale(b.At)
		pf.asFresh, pf.longLived, pf.deadline = keep.AsFresh, keep.LongLived, b.At.Add(keep.Stale)
		if keep.Stale <= 0 && keep.LongLived <= 0 {
			w.dropAll(b.Peer.Name, f)
			continue
		}
		w.dropRounds(b.Peer.Name, f, func(round int) bool { return p.due(f, round, b.At) })
	}
}

// begin takes the next round. A round that is too long ago to be told apart joins the one
// after it, and both are stale for as long as the older one is.
func (w *twin) begin(peer string, f route.Family) {
	pf := &w.peers[peer].families[f]
	pf.round++
	pf.inLongLived = false
	old := pf.round - remembered
	for k, r := range w.routes {
		if k.peer == peer && k.family == f && r.round == old {
			r.round++
			w.routes[k] = r
		}
	}
	since, ok := pf.stale[old]
	if younger, both := pf.stale[old+1]; ok && (!both || since < younger) {
		pf.stale[old+1] = since
	}
	delete(pf.stale, old)
}

// markStale makes all rounds stale that are not yet.
func (pf *twinFamily) markStale(at time.Time) {
	for round := max(0, pf.round-remembered+1); round <= pf.round; round++ {
		if _, ok := pf.stale[round]; !ok {
			pf.stale[round] = at.Unix()
		}
	}
}

// due reports whether routes of a round before the current one are to go. While the peer
// is down, and no long-lived phase is agreed, each is kept for as long after it became
// stale as those are that became stale last.
func (p *twinPeer) due(f route.Family, round int, now time.Time) bool {
	pf := &p.families[f]
	since, stale := pf.stale[round]
	if !stale || round == pf.round || pf.deadline.IsZero() {
		return false
	}
	if p.up || pf.longLived > 0 || pf.inLongLived {
		return !now.Before(pf.deadline)
	}
	last := since
	for _, other := range pf.stale {
		last = max(last, other)
	}
	return !now.Before(pf.deadline.Add(time.Duration(since-last) * time.Second))
}

func (w *twin) expire(now time.Time) {
	for name, p := range w.peers {
		for _, f := range route.Families() {
			pf := &p.families[f]
			switch {
			case pf.deadline.IsZero():
			case now.Before(pf.deadline):
				w.dropRounds(name, f, func(round int) bool { return p.due(f, round, now) })
			case pf.longLived > 0:
				pf.deadline, pf.longLived = pf.deadline.Add(pf.longLived), 0
				pf.inLongLived, pf.asFresh = true, false
				w.drop(name, func(k twinKey, r twinRoute) bool { return k.family == f && refusesLongLived(r.attrs) })
			case p.up:
				pf.deadline = time.Time{}
				w.dropStale(name, f)
			default:
				w.dropAll(name, f)
			}
		}
	}
}

// refusesLongLived reports whether the first community of an attribute set is NO_LLGR.
func refusesLongLived(attrs string) bool {
	value, ok := route.Attrs(attrs).Get(route.AttrCommunities)
	return ok && string(value[:4]) == "\xff\xff\x00\x07"
}

// postpone has what waits wait until a time at least.
func (w *twin) postpone(until time.Time) {
	for _, p := range w.peers {
		for f := range p.families {
			if pf := &p.families[f]; !pf.deadline.IsZero() && pf.deadline.Before(until) {
				pf.deadline = until
			}
		}
	}
}

// dropAll drops every route of a peer that is down.
func (w *twin) dropAll(peer string, f route.Family) {
	pf := &w.peers[peer].families[f]
	pf.deadline = time.Time{}
	w.begin(peer, f)
	w.dropRounds(peer, f, func(round int) bool { return round != pf.round })
}

// dropStale drops what rounds before the current one left.
func (w *twin) dropStale(peer string, f route.Family) {
	pf := &w.peers[peer].families[f]
	w.dropRounds(peer, f, func(round int) bool {
		_, stale := pf.stale[round]
		return stale && round != pf.round
	})
}

// dropRounds drops the routes of some rounds, which are not stale any more then.
func (w *twin) dropRounds(peer string, f route.Family, match func(round int) bool) {
	pf := &w.peers[peer].families[f]
	gone := map[int]bool{}
	for round := max(0, pf.round-remembered+1); round <= pf.round; round++ {
		gone[round] = match(round)
	}
	w.drop(peer, func(k twinKey, r twinRoute) bool { return k.family == f && gone[r.round] })
	maps.DeleteFunc(pf.stale, func(round int, _ int64) bool { return gone[round] })
}

func (w *twin) drop(peer string, match func(twinKey, twinRoute) bool) {
	maps.DeleteFunc(w.routes, func(k twinKey, r twinRoute) bool { return k.peer == peer && match(k, r) })
}

// seen returns a route as a reader of the table meets it.
func (w *twin) seen(k twinKey) twinRoute {
	r := w.routes[k]
	p := w.peers[k.peer]
	if p == nil { // the table was loaded
		return r
	}
	pf := &p.families[k.family]
	since, stale := pf.stale[r.round]
	return twinRoute{attrs: r.attrs, receivedAt: r.receivedAt, staleSince: since, longLived: stale && pf.inLongLived, asFresh: stale && pf.asFresh}
}
