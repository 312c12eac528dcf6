package table

import (
	"cmp"
	"slices"

	"ribglass/ribstore/route"
)

// Rank orders attribute sets as the steps of the decision process from
// "long-lived-stale" to "origin" do; a lower one is better. Two bits are of routes, not
// of sets:
//
//	bit  63     long-lived stale
//	bit  62     stale
//	bits 30-61  complement of LOCAL_PREF
//	bits 8-29   AS path length, which an attribute of 65,535 octets keeps below 2^15
//	bits 0-7    ORIGIN
type Rank uint64

const (
	longLivedRank Rank = 1 << 63
	staleRank     Rank = 1 << 62
	prefShift          = 30
	lengthShift        = 8
	lengthMost         = 1<<(prefShift-lengthShift) - 1

	rankedSteps = 5 // steps that a rank stands for
)

// RankOf returns the rank of routes with an attribute set that are not stale.
func RankOf(set route.Attrs) Rank {
	r := route.Route{Attrs: set}
	rank := Rank(rankLocalPref(&r)&(1<<32-1))<<prefShift | Rank(set.Origin())
	rank |= Rank(min(set.ASPath().Len(), lengthMost)) << lengthShift
	if rankLongLived(&r) > 0 {
		rank |= longLivedRank
	}
	return rank
}

// Contest finds the best routes of prefixes without the ranks of all their routes: it
// gives the same best ones as [Decide], by the same steps, and tells no reasons. It is
// for searches, which ask it of every prefix. One goroutine uses it.
type Contest struct {
	view  *View
	ranks []Rank   // by attribute set; what is missing is worked out
	group []uint32 // by index of peer; nil: all routes are compared

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
	lowest := ^Rank(0)
	for i := range found {
		rank := c.rank(&found[i])
		if rank > lowest {
			continue
		}
		if rank < lowest {
			lowest, c.left = rank, c.left[:0]
		}
		c.left = append(c.left, i)
	}
	best := c.left[0]
	if len(c.left) > 1 {
		best = c.settle(found)
	}
	found[best].Best = true
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
