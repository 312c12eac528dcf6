package history

import (
	"context"
	"fmt"
	"time"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
)

// A computer without a battery starts with a clock of years ago, until NTP sets it, and
// a broken one with a clock of years to come. Neither may cost anything that was
// recorded: a run under a clock that was set tells no time of other runs (see
// index.runAt), and retention does not believe at once that years have passed.

const (
	clockAlarm = 24 * time.Hour // before the last record: then the clock is told to be wrong
	clockTrust = time.Hour      // after a start, until a clock of days to come is believed
)

const noticeClock route.NoticeKind = "history_clock" // of the program: the clock is before the last record

// started is what the clock and the file said when recording began.
type started struct{ last, at time.Time } // last is the last record; zero: there was none

// checkClock notes when recording begins, and warns of a clock that is far before the
// last record.
func (h *History) checkClock(ctx context.Context, last, now time.Time) {
	h.started = started{last, now}
	if now.Before(last.Add(-clockAlarm)) {
		h.deps.Logger.ErrorContext(ctx, "the clock is before the last record of the history: what is recorded until it is set has the wrong time",
			"clock", now.UTC(), "last_record", last)
	}
}

// clockNotice returns what an operator should know of the clock.
func (h *History) clockNotice(now time.Time) (route.Notice, bool) {
	c := &h.started
	if !now.Before(c.last.Add(-clockAlarm)) || now.Sub(c.at) >= gapFor {
		return route.Notice{}, false
	}
	text := fmt.Sprintf("The clock is before the last record of the history, of %s: what is recorded until it is set has the wrong time.", c.last.Format(time.RFC3339))
	return route.Notice{Kind: noticeClock, Since: c.at, Last: now, Text: text}, true
}

// aging is the time that the age of what is kept counts to. A clock that jumped is
// believed once it went on for an hour: a clock of years to come would have everything
// dropped. Its zero value believes the first time that it sees.
type aging struct {
	seen  time.Time // the clock, when last looked at, or the last record
	until time.Time // what is believed
	doubt time.Time // when the clock had jumped; zero: it is believed
}

// at returns the time that ages count to.
func (a *aging) at(now time.Time) time.Time {
	step := now.Sub(a.seen)
	switch {
	case a.seen.IsZero():
		a.until = now
	case step > clockTrust || step < -maxStep:
		a.doubt = now
	case a.doubt.IsZero() || now.Sub(a.doubt) >= clockTrust:
		a.until, a.doubt = now, time.Time{}
	default:
		a.until = a.until.Add(max(0, step))
	}
	if a.seen = now; now.Before(a.until) {
		return now
	}
	return a.until
}

// forward begins a new run when a clock was set forward: it must not seem as if the time
// in between had been recorded.
func (j *journal) forward(at int64) {
	if !j.off && at > j.last+maxForward.Milliseconds() {
		j.beginLocked(format.OriginContinued, at, at, "the clock was set forward")
	}
}

// stepped is forward for who does not hold the mutex.
func (j *journal) stepped(now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forward(now.UnixMilli())
}

// pass has time go on without a record: what ends now ends now, and not when something
// was recorded last.
func (j *journal) pass(now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forward(now.UnixMilli())
	if !j.off {
		j.last = max(j.last, now.UnixMilli())
	}
}
