package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rate is how much changed in the last hour, minute by minute.
type Rate struct {
	From              time.Time // of the first minute
	Changes           []int     // one for each minute, sixty at most; nil: not known
	Last, Peak, Total int
	URL               string // of the changes; "" where they are not kept
}

// Busy is something and how much it changed.
type Busy struct {
	Text, URL string
	Rate      Rate
}

// The sparkline of a rate, in its own units: two minutes are one step, and the
// hour is as wide whenever counting began.
const (
	sparkSteps  = 30
	sparkWidth  = 2 * sparkSteps
	sparkHeight = 14
)

// Line returns the sparkline as the path of an SVG, drawn from left to right: an
// hour's worth, flat where nothing was counted.
func (r Rate) Line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "M1 %dl", sparkHeight+1)
	last := 0
	for i, h := range r.heights(sparkSteps, sparkHeight) {
		if i > 0 {
			fmt.Fprintf(&b, "2 %d ", last-h)
		} else {
			fmt.Fprintf(&b, "0 %d ", -h)
		}
		last = h
	}
	return strings.TrimSuffix(b.String(), " ")
}

// heights sums the hour up in steps, each as high as its share of the highest;
// what is not nothing is one at least.
func (r Rate) heights(steps, high int) []int {
	sums := make([]int, steps)
	missing := 60 - len(r.Changes)
	for i, n := range r.Changes {
		sums[min((missing+i)*steps/60, steps-1)] += n
	}
	peak := max(slices.Max(sums), 1)
	for i, n := range sums {
		sums[i] = (n*high + peak - 1) / peak
	}
	return sums
}

// Blocks returns the sparkline for a terminal.
func (r Rate) Blocks(steps int) string {
	const marks = 7
	var b strings.Builder
	for _, h := range r.heights(steps, marks) {
		b.WriteRune('▁' + rune(h))
	}
	return b.String()
}

// Hour reports whether the changes are of a whole hour, not of the minutes since
// counting began.
func (r Rate) Hour() bool { return len(r.Changes) >= 60 }

// words say what the sparkline shows.
func (l tongue) words(r Rate) string {
	span := l.T("rate.minutes", len(r.Changes))
	if r.Hour() {
		span = l.T("rate.hour")
	}
	return l.T("rate.changes", r.Total) + " " + span + ", " + l.T("rate.last", r.Last) + ", " + l.T("rate.peak", r.Peak)
}
