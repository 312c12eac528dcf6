package activity

import (
	"slices"
	"sync/atomic"
	"time"

	"ribglass/ribstore/route"
)

// Sample is how many routes and prefixes there were at a moment.
type Sample struct {
	At               time.Time
	Routes, Prefixes [route.NumFamilies]int
}

const (
	sampleEvery = 10 * time.Minute
	sampleMost  = 1024 // a week
)

// growth keeps samples of the size of the table. None is taken while a session
// sends its first table, nor while there is no route at all: what follows would
// look like growth.
type growth struct {
	samples atomic.Pointer[[]Sample] // the oldest first; published whole
}

func (g *growth) due(now time.Time) bool {
	list := *g.samples.Load()
	return len(list) == 0 || now.Sub(list[len(list)-1].At).Abs() >= sampleEvery
}

func (g *growth) add(now time.Time, s Sample) {
	old := *g.samples.Load()
	if len(old) == 0 && s.Routes == ([route.NumFamilies]int{}) {
		return
	}
	s.At = now.UTC().Truncate(time.Second)
	list := slices.Clone(old[max(0, len(old)-sampleMost+1):])
	list = slices.DeleteFunc(list, func(one Sample) bool { return !one.At.Before(s.At) }) // the clock was set back
	list = append(list, s)
	g.samples.Store(&list)
}

// Growth returns samples of the size of the table, one in ten minutes for a week
// at most, the oldest first. They are shared and read-only.
func (m *Meter) Growth() []Sample { return *m.growth.samples.Load() }
