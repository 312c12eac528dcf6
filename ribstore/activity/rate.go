package activity

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// Minutes is how many minutes a [Rate] has at most.
const Minutes = 60

// Rate is how many changes there were, minute by minute. It is the caller's to
// keep; the zero value is no minute at all.
type Rate struct {
	From    time.Time // begin of the first minute
	Changes []int     // one for each minute, 60 at most; the last is not over
}

// Last returns the changes of the last minute that is over, or of the one under
// way when it is the first.
func (r Rate) Last() int {
	if len(r.Changes) == 0 {
		return 0
	}
	return r.Changes[max(len(r.Changes)-2, 0)]
}

// Peak returns the changes of the busiest minute.
func (r Rate) Peak() int { return slices.Max(append(r.Changes, 0)) }

// Total returns the changes of all minutes.
func (r Rate) Total() int {
	sum := 0
	for _, n := range r.Changes {
		sum += n
	}
	return sum
}

// ring counts by minute. The writer adds, anyone reads: a bin holds the minute it
// is of beside its count, in one word, so that no count passes for that of another
// minute. The zero value has counted nothing.
type ring struct {
	bins [ringBins]atomic.Uint64 // minute since 1970 above, count below
}

const ringBins = 64

const minute = int64(time.Minute / time.Second)

func minuteOf(seconds int64) uint32 { return uint32(seconds / minute) }

func (r *ring) add(at uint32, n int) {
	bin := &r.bins[at%ringBins]
	sum := uint64(n)
	if old := bin.Load(); uint32(old>>32) == at {
		sum += old & math.MaxUint32
	}
	bin.Store(uint64(at)<<32 | min(sum, math.MaxUint32))
}

// read returns the minutes up to now, but none that was over before the start.
func (r *ring) read(started, now time.Time) Rate {
	last := minuteOf(now.Unix())
	first := min(max(minuteOf(started.Unix()), last-Minutes+1), last)
	rate := Rate{From: time.Unix(int64(first)*minute, 0).UTC(), Changes: make([]int, last-first+1)}
	for i := range r.bins {
		word := r.bins[i].Load()
		if at := uint32(word >> 32); at >= first && at <= last {
			rate.Changes[at-first] = int(word & math.MaxUint32)
		}
	}
	return rate
}
