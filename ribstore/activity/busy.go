package activity

import (
	"cmp"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"ribglass/ribstore/route"
)

// Busiest are the prefixes that changed most in about the last hour: of sixty to
// sixty-five minutes, since From. A count is never too high, and too low by
// Missed at most. Missed is zero as long as no more than two thousand prefixes
// change in five minutes; then it is a thousandth of all changes at most.
type Busiest struct {
	From     time.Time
	Prefixes []PrefixChanges // a hundred at most, the busiest first; shared and read-only
	Missed   int
}

// PrefixChanges is how often a prefix was announced or withdrawn, by all peers.
type PrefixChanges struct {
	Family  route.Family
	Prefix  netip.Prefix
	Changes int
}

const (
	tallyTime = 5 * time.Minute // that one tally is of
	tallies   = 12              // that are closed and kept: an hour
	busyMost  = 100             // prefixes that an answer has
	busyEvery = 10 * time.Second
)

// busy keeps a tally of the last minutes and those of the hour before. The writer
// publishes a copy every ten seconds when there is something new; the first
// reader after that adds the tallies up.
type busy struct {
	tally     tally
	fresh     bool // the tally has what is not published
	copied    time.Time
	published atomic.Pointer[[]*counted] // the oldest first
	sum       atomic.Pointer[busySum]
}

// busySum is what published tallies add up to.
type busySum struct {
	of *[]*counted
	Busiest
}

func (b *busy) begin(now time.Time) {
	b.tally.reset(now, 0)
	b.published.Store(&[]*counted{b.tally.copy()})
}

func (b *busy) tick(now time.Time) {
	over := now.Sub(b.tally.from).Abs() >= tallyTime // also when the clock was set
	if !over && (!b.fresh || now.Sub(b.copied).Abs() < busyEvery) {
		return
	}
	list := slices.Clone(*b.published.Load())
	list = append(list[:len(list)-1], b.tally.copy()) // the last is a copy of before
	if over {
		b.tally.reset(now, 0)
	}
	list = slices.DeleteFunc(list, func(c *counted) bool {
		return c.from.After(now) || now.Sub(c.from) >= (tallies+1)*tallyTime
	})
	if over || len(list) == 0 { // there is always the one under way, whatever the clock says
		list = append(list, b.tally.copy())
	}
	b.published.Store(&list)
	b.fresh, b.copied = false, now
}

// Busiest returns the prefixes that changed most, as of a few seconds ago.
func (m *Meter) Busiest() Busiest {
	of := m.busy.published.Load()
	if sum := m.busy.sum.Load(); sum != nil && sum.of == of {
		return sum.Busiest
	}
	sum := &busySum{of, addUp(*of)}
	m.busy.sum.Store(sum) // several may do it at once: they come to the same
	return sum.Busiest
}

func addUp(list []*counted) Busiest {
	result := Busiest{From: list[0].from}
	most := 0
	for _, c := range list {
		result.Missed += int(c.missed)
		most += len(c.counts)
	}
	sums := make(map[place]int, most)
	for _, c := range list {
		for i := range c.counts {
			sums[c.counts[i].place] += int(c.counts[i].changes)
		}
	}
	least := leastOf(sums, busyMost)
	for k, n := range sums {
		if n >= least {
			f, p := k.prefix()
			result.Prefixes = append(result.Prefixes, PrefixChanges{f, p, n})
		}
	}
	slices.SortFunc(result.Prefixes, func(a, b PrefixChanges) int {
		return cmp.Or(cmp.Compare(b.Changes, a.Changes), cmp.Compare(a.Family, b.Family), a.Prefix.Compare(b.Prefix))
	})
	result.Prefixes = slices.Clone(result.Prefixes[:min(len(result.Prefixes), busyMost)])
	return result
}

// leastOf returns the count of the last of the so many busiest.
func leastOf(sums map[place]int, most int) int {
	if len(sums) <= most {
		return 0
	}
	sorted := make([]int, 0, len(sums))
	for _, n := range sums {
		sorted = append(sorted, n)
	}
	slices.Sort(sorted)
	return sorted[len(sorted)-most]
}
