package table

import (
	"cmp"
	"slices"

	"ribglass/ribstore/route"
)

// Rank orders attribute sets as the steps of the decision process from
// "long-lived-stale" to "origin" do; a lower one is better. Two bits are of routes, not
// of sets, and the last one orders nothing:
//
//	bit  63     long-lived stale
//	bit  62     stale
//	bits 30-61  complement of LOCAL_PREF
//	bits 9-29   AS path length, which an attribute of 65,535 octets keeps below 2^15
//	bits 1-8    ORIGIN
//	bit  0      there is more that later steps compare: a MED, a route reflector
type Rank uint64

const (
	longLivedRank Rank = 1 << 63
	staleRank     Rank = 1 << 62
	moreRank      Rank = 1

	prefShift   = 30
	lengthShift = 9
	lengthMost  = 1<<(prefShift-lengthShift) - 1
	originShift = 1

	rankedSteps = 5 // steps that a rank stands for
)

// RankOf returns the rank of routes with an attribute set that are not stale.
func RankOf(set route.Attrs) Rank {
	pref, origin, length := uint32(defaultLocalPref), route.OriginIncomplete, 0
	var rank Rank
	for code, value := range set.All() {
		switch code {
		case route.AttrOrigin:
			origin = set.Origin()
		case route.AttrASPath:
			length = route.ASPath(value).Len()
		case route.AttrMED:
			if med, _ := set.MED(); med > 0 {
				rank |= moreRank
			}
		case route.AttrLocalPref:
			if n, ok := set.LocalPref(); ok {
				pref = n
			}
		case route.AttrCommunities:
			if route.Communities(value).Has(route.LLGRStale) {
				rank |= longLivedRank
			}
		case route.AttrOriginatorID, route.AttrClusterList:
			rank |= moreRank
		default: // the decision process does not ask for it
		}
		if code >= route.AttrClusterList {
			break
		}
	}
	return rank | Rank(^pref)<<prefShift | Rank(min(length, lengthMost))<<lengthShift | Rank(origin)<<originShift
}

// Contest finds the best routes of prefixes without the ranks of all their routes: it
// gives the same best ones as [Decide], by the same steps, and tells no reasons. It is
// for searches, which ask it of every prefix. One goroutine uses it.
type Contest struct {
	view  *View
	ranks []Rank   // by attribute set; what is missing is worked out
	group []uint32 // by index of peer; nil: all routes are compared
	order []uint32 // by index of peer, see orderPeers; nil: not needed yet

	// Scratch memory for the routes at hand.
	left []int         // which of them lead
	full []route.Route // those, made whole
	lead []placed      // which of these are left at a step
}

// placed is how a route does at a step.
type placed struct {
	at          int // in Contest.full
	group, rank uint64
}

// NewContest returns a contest among the routes of the view. Ranks are those of its
// attribute sets by id; there may be none.
func (v *View) NewContest(ranks []Rank) *Contest {
	c := &Contest{view: v, ranks: ranks}
	if !v.Only(route.AdjRIBIn) {
		c.group = v.groups()
	}
	return c
}

// groups numbers the groups of routes that are compared with each other, see [Decide],
// by index of peer.
func (v *View) groups() []uint32 {
	of := make([]uint32, len(v.peers))
	numbers := map[route.View]map[string]uint32{}
	next := uint32(1)
	for p := range v.peers.all() {
		info := p.info.Load()
		if info.View == route.AdjRIBIn {
			continue
		}
		routers := numbers[info.View]
		if routers == nil {
			routers = map[string]uint32{}
			numbers[info.View] = routers
		}
		name := info.RouterName()
		if routers[name] == 0 {
			routers[name] = next
			next++
		}
		of[p.index] = routers[name]
	}
	return of
}

// Decide marks the best of the routes that the view has of one prefix. All must be
// there: a route that is left out is not compared. It may change their order.
func (c *Contest) Decide(found []Found) {
	if c.group == nil {
		c.decide(found)
		return
	}
	slices.SortFunc(found, func(a, b Found) int { return int(c.group[a.Index()]) - int(c.group[b.Index()]) })
	for len(found) > 0 {
		n := 1
		for n < len(found) && c.group[found[n].Index()] == c.group[found[0].Index()] {
			n++
		}
		c.decide(found[:n])
		found = found[n:]
	}
}

// decide marks the best of routes that are all compared.
func (c *Contest) decide(found []Found) {
	if len(found) == 0 {
		return
	}
	c.left = c.left[:0]
	lowest, more := ^Rank(0), Rank(0)
	for i := range found {
		rank := c.rank(&found[i])
		if rank&^moreRank > lowest {
			continue
		}
		if rank&^moreRank < lowest {
			lowest, more, c.left = rank&^moreRank, 0, c.left[:0]
		}
		more |= rank & moreRank
		c.left = append(c.left, i)
	}
	best, alone := c.left[0], len(c.left) == 1
	if !alone && more == 0 {
		best, alone = c.firstPeer(found)
	}
	if !alone {
		best = c.settle(found)
	}
	found[best].Best = true
}

// firstPeer returns which of the routes that lead is the best when only their peers are
// left to be compared, and whether those tell.
func (c *Contest) firstPeer(found []Found) (best int, alone bool) {
	if c.order == nil {
		c.order = c.view.orderPeers()
	}
	lowest := ^uint32(0)
	for _, i := range c.left {
		switch place := c.order[found[i].Index()]; {
		case place < lowest:
			lowest, best, alone = place, i, true
		case place == lowest:
			alone = false
		}
	}
	return best, alone
}

// orderPeers numbers peers by index in the order in which the last steps compare them;
// peers that those do not tell apart have the same number.
func (v *View) orderPeers() []uint32 {
	var peers []*peer
	for p := range v.peers.all() {
		peers = append(peers, p)
	}
	compare := func(a, b *peer) int {
		x, y := route.Route{Peer: a.info.Load()}, route.Route{Peer: b.info.Load()}
		return cmp.Or(cmp.Compare(rankIBGP(&x), rankIBGP(&y)), cmp.Compare(rankRouterID(&x), rankRouterID(&y)),
			x.Peer.Address.Compare(y.Peer.Address))
	}
	slices.SortFunc(peers, compare)
	order := make([]uint32, len(v.peers))
	place := uint32(0)
	for i, p := range peers {
		if i > 0 && compare(peers[i-1], p) != 0 {
			place++
		}
		order[p.index] = place
	}
	return order
}

func (c *Contest) rank(f *Found) Rank {
	var rank Rank
	if int(f.Set) < len(c.ranks) {
		rank = c.ranks[f.Set]
	} else {
		rank = RankOf(c.view.table.attrs.get(f.Set))
	}
	if f.phase.since[f.word.gen()] != 0 {
		if f.phase.longLived {
			rank |= longLivedRank
		}
		if !f.phase.asFresh {
			rank |= staleRank
		}
	}
	return rank
}

// settle returns which of the routes that lead, of which there are several, is the best.
func (c *Contest) settle(found []Found) int {
	c.full, c.lead = c.full[:0], c.lead[:0]
	for n, i := range c.left {
		f := &found[i]
		c.full = append(c.full, route.Route{Peer: f.peer.info.Load(), PathID: f.PathID, Attrs: c.view.table.attrs.get(f.Set)})
		c.lead = append(c.lead, placed{at: n})
	}
	for _, s := range steps[rankedSteps:] {
		c.keep(s)
		if len(c.lead) == 1 {
			return c.left[c.lead[0].at]
		}
	}
	first := c.lead[0].at
	for _, other := range c.lead[1:] {
		if compareEnds(&c.full[other.at], &c.full[first]) < 0 {
			first = other.at
		}
	}
	return c.left[first]
}

// keep leaves out the routes that lose at a step: sorted by group and rank, those behind
// the lowest rank of their group.
func (c *Contest) keep(s step) {
	for i := range c.lead {
		p := &c.lead[i]
		if p.rank = s.rank(&c.full[p.at]); s.group != nil {
			p.group = s.group(&c.full[p.at])
		}
	}
	slices.SortFunc(c.lead, func(a, b placed) int {
		if a.group != b.group {
			return cmp.Compare(a.group, b.group)
		}
		return cmp.Compare(a.rank, b.rank)
	})
	kept := c.lead[:1]
	for _, p := range c.lead[1:] {
		if last := kept[len(kept)-1]; p.group != last.group || p.rank == last.rank {
			kept = append(kept, p)
		}
	}
	for i := range kept {
		kept[i].group = 0
	}
	c.lead = kept
}
