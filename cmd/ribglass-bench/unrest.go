package main

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"ribglass/ribstore/route"
)

// unrest is a model of how the routes of one full feed change: which, how often,
// and what comes after what. It is made of what is known of real feeds:
//
//   - A small set of highly active prefixes makes a large part of all updates,
//     in every network and over years; most of them are so for a day or a few
//     (Oliveira, Izhak-Ratzin, Zhang, Zhang: Measurement of highly active
//     prefixes in BGP, GLOBECOM 2005). Where much traffic goes, routes are
//     stable (Rexford, Wang, Xiao, Zhang: BGP routing stability of popular
//     destinations, IMW 2002).
//   - Withdrawals are few: 15,000 to 75,000 a day, while a table of a million
//     prefixes is announced (Huston: BGP in 2023 – BGP updates), and one change
//     of the network shows as several updates within seconds, before the
//     routers agree (path exploration).
//   - A third of the announcements change nothing or communities alone
//     (Krenc, Beverly, Smaragdakis: Keep your communities clean, CoNEXT 2020).
//
// The numbers below are about what the 36 busiest peers of two recordings show:
// RIPE RIS rrc01 of 2024-10-01 00:55 (five minutes) and RouteViews Sydney of
// 2022-06-01 02:30 (fifteen). docs/performance.md has both beside each other.
type unrest struct {
	random *rand.Rand
	known  *announced
	rate   float64 // changes a second, on average
	units  []*unit // by rank: the first is the most active
	shares []float64
	later  [horizon][]step // by second
	second int
	owed   float64 // changes that are to come
	moves  []move
}

// The parameters of the model.
const (
	// activity is how fast activity falls with the rank r of a unit: as
	// 1/(r+rankOffset)^activity. The offset keeps the first few from being more
	// active than any seen: some hundred changes in five minutes.
	activity   = 1.08
	rankOffset = 5
	// unstable is the share of the prefixes that are unstable at a time; those of
	// a day are more, because units take turns.
	unstable = 0.04
	// renewed is the share of the units that take turns with others in an hour:
	// a unit is active for two days on average.
	renewed = 0.02
	// background is the share of events that meet any prefix of the table.
	background = 0.02

	single     = 0.6 // of the units have one prefix,
	moreInUnit = 2.5 // the others so many more on average

	downs     = 0.10 // of the events: withdrawn and announced again
	repeats   = 0.08 // of the events: nothing new
	exploring = 0.55 // the chance of one more path on the way to the last

	exploreSeconds = 8   // from one path to the next
	downSeconds    = 120 // until the prefix is back
	horizon        = 2048
)

// Actions of a step beside the number of a state.
const (
	gone  = -1
	again = -2
)

// unit is some prefixes that share their fate. State 0 is what the feed
// announced at first.
type unit struct {
	family route.Family
	nlri   []route.NLRI
	states []route.Attrs
	now    int
}

// step is what becomes of a unit.
type step struct {
	unit   *unit
	action int
}

// move is one UPDATE: what changes, and at which millisecond of its second.
type move struct {
	at     int
	update route.Update
}

// announced is all that a feed announces, and where to find something in it.
type announced struct {
	runs     []route.Update
	ends     []int // prefixes up to the end of each run
	byOrigin map[route.ASN][]int32
}

var errNothing = errors.New("a feed without routes")

func newAnnounced(t table, feed int) (*announced, error) {
	k := &announced{byOrigin: make(map[route.ASN][]int32)}
	n := 0
	for u := range t.runs(feed) {
		if origin, ok := u.Attrs.ASPath().Origin(); ok {
			k.byOrigin[origin] = append(k.byOrigin[origin], int32(len(k.runs)))
		}
		n += len(u.NLRI)
		k.runs, k.ends = append(k.runs, u), append(k.ends, n)
	}
	if n == 0 {
		return nil, errNothing
	}
	return k, nil
}

func (k *announced) prefixes() int { return k.ends[len(k.ends)-1] }

// draw returns a prefix of the table by its run and its place there.
func (k *announced) draw(random *rand.Rand) (run, place int) {
	n := random.IntN(k.prefixes())
	run = sort.SearchInts(k.ends, n+1)
	return run, n - (k.ends[run] - len(k.runs[run].NLRI))
}

// newUnrest returns the model of a feed: with the same seed the same changes.
func newUnrest(known *announced, seed uint64, feed int, rate float64) *unrest {
	u := &unrest{known: known, rate: rate}
	u.random = rand.New(rand.NewPCG(seed, 0x756e_7265_7374+uint64(feed))) //nolint:gosec // a model from a seed, nothing secret
	sum := 0.0
	for prefixes := 0; prefixes < int(unstable*float64(known.prefixes()))+1; {
		unit := u.newUnit()
		prefixes += len(unit.nlri)
		u.units = append(u.units, unit)
		sum += math.Pow(float64(len(u.units)+rankOffset), -activity)
		u.shares = append(u.shares, sum)
	}
	return u
}

func (u *unrest) newUnit() *unit {
	at, first := u.known.draw(u.random)
	run := &u.known.runs[at]
	size := 1
	if u.random.Float64() > single {
		size += 1 + int(u.random.ExpFloat64()*moreInUnit)
	}
	last := min(first+size, len(run.NLRI))
	n := &unit{family: run.Family, nlri: run.NLRI[first:last:last], states: []route.Attrs{run.Attrs}}
	// 2 to 5 states, few more often than many.
	for more := []int{1, 1, 1, 2, 2, 2, 3, 3, 4, 4}[u.random.IntN(10)]; more > 0; more-- {
		n.states = append(n.states, u.known.alternative(u.random, run.Attrs))
	}
	return n
}

// next returns what changes in the next second, in order. It is valid until the
// next call.
func (u *unrest) next() []move {
	u.moves = u.moves[:0]
	now := u.second % horizon
	for _, s := range u.later[now] {
		u.do(s)
	}
	u.later[now] = u.later[now][:0]
	// Updates come in bursts: seconds differ as the waits of a random process do.
	u.owed += u.rate * u.random.ExpFloat64()
	for u.owed > 0 {
		u.event()
	}
	u.second++
	if u.second%3600 == 0 {
		u.renew()
	}
	slices.SortStableFunc(u.moves, func(a, b move) int { return cmp.Compare(a.at, b.at) })
	return u.moves
}

// renew lets some units be quiet from now on and others take their places.
func (u *unrest) renew() {
	for range int(renewed*float64(len(u.units))) + 1 {
		u.units[u.random.IntN(len(u.units))] = u.newUnit()
	}
}

// event begins something with a unit.
func (u *unrest) event() {
	var n *unit
	if u.random.Float64() < background {
		n = u.newUnit()
	} else {
		n = u.units[sort.SearchFloat64s(u.shares, u.random.Float64()*u.shares[len(u.shares)-1])]
	}
	delay := 0
	plan := func(action int) {
		u.owed -= float64(len(n.nlri))
		if delay == 0 {
			u.do(step{n, action})
			return
		}
		at := (u.second + min(delay, horizon-1)) % horizon
		u.later[at] = append(u.later[at], step{n, action})
	}
	explore := func() {
		for u.random.Float64() < exploring {
			plan(u.random.IntN(len(n.states)))
			delay += 1 + int(u.random.ExpFloat64()*exploreSeconds)
		}
	}
	switch kind := u.random.Float64(); {
	case kind < downs:
		explore()
		plan(gone)
		delay += 1 + int(u.random.ExpFloat64()*downSeconds)
		plan(0)
	case kind < downs+repeats:
		plan(again)
	default:
		explore()
		plan(u.random.IntN(len(n.states)))
	}
}

// do takes a step. One that would change nothing by accident takes another state.
func (u *unrest) do(s step) {
	n := s.unit
	switch {
	case s.action == gone && n.now == gone, s.action == again && n.now == gone:
		u.owed += float64(len(n.nlri)) // something else instead
		return
	case s.action == again:
	case s.action == n.now:
		n.now = (n.now + 1) % len(n.states)
	default:
		n.now = s.action
	}
	m := move{u.random.IntN(1000), route.Update{Family: n.family, NLRI: n.nlri}}
	if n.now != gone {
		m.update.Attrs = n.states[n.now]
	}
	u.moves = append(u.moves, m)
}

// restart is the feed's session coming up again: everything is as at first.
func (u *unrest) restart() {
	for i := range u.later {
		u.later[i] = u.later[i][:0]
	}
	for _, n := range u.units {
		n.now = 0
	}
}
