package history

import (
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/table"
)

// A clock that steps puts the same time into several runs. What is asked for is
// then one of the moments that had the time, never a mixture.
func TestAClockThatSteps(t *testing.T) {
	rows := []struct {
		name  string
		steps []time.Duration // after every 20 steps of the scenario
	}{
		{"a little back", []time.Duration{-3 * time.Second}},
		{"far back", []time.Duration{-time.Hour}},
		{"back before the begin", []time.Duration{-24 * 365 * time.Hour}},
		{"far forward", []time.Duration{24 * 365 * time.Hour}},
		{"forward and back again", []time.Duration{10 * time.Hour, -10 * time.Hour}},
		{"back again and again", []time.Duration{-time.Minute, -time.Minute, -time.Second, -time.Minute, -time.Hour}},
		{"to and fro", []time.Duration{time.Hour, -time.Minute, time.Minute, -2 * time.Hour, 30 * time.Second, -11 * time.Second}},
	}
	for _, row := range rows {
		for _, restart := range []bool{false, true} {
			name := row.name
			if restart {
				name += " while nothing runs"
			}
			t.Run(name, func(t *testing.T) {
				c := stepping{path: filepath.Join(memoryDir(t), "h.db"), scenario: newScenario(3), clock: clockAt(scenarioStart), wants: map[int64][]string{}}
				c.open(t)
				r := rand.New(rand.NewPCG(4, 4))
				c.record(t, r)
				for _, d := range row.steps {
					c.clock.advance(d)
					if restart {
						c.close(t)
						c.open(t)
					}
					c.record(t, r)
				}
				c.check(t)
				c.close(t)
				c.open(t)
				c.check(t)
				c.close(t)
			})
		}
	}
}

// stepping records under a clock that is moved. It knows what the table was at
// every time that was recorded, all of them when the time came more than once.
type stepping struct {
	path     string
	scenario *scenario
	clock    *clock
	history  *History
	table    *table.Table
	twin     fold
	next     int
	wants    map[int64][]string
	last     int64
}

func (s *stepping) open(t *testing.T) {
	t.Helper()
	log := newWarnings()
	var err error
	if s.history, err = openSmall(s.path, smallConfig(), s.clock.deps(log)); err != nil {
		t.Fatal(err)
	}
	if s.table, err = s.history.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := int64(0)
	if s.clock.now().Add(clockAlarm).Before(format.FromMillis(s.last)) {
		want = 1 // an alarm
	}
	if got := log.count.Load(); got != want {
		t.Errorf("%d warnings, want %d", got, want)
	}
	if s.twin.table == nil {
		s.twin.table = table.New()
		return
	}
	s.twin.restart(s.clock.now())
	if got, want := dump(s.table, netip.Prefix{}), dump(s.twin.table, netip.Prefix{}); got != want {
		t.Fatalf("resumed: %s", firstDifference(want, got))
	}
}

func (s *stepping) close(t *testing.T) {
	t.Helper()
	if err := s.history.Close(); err != nil {
		t.Fatal(err)
	}
}

func (s *stepping) record(t *testing.T, r *rand.Rand) {
	t.Helper()
	for _, b := range s.scenario.ups() {
		s.history.Record(&b)
		s.table.Apply(&b)
		s.twin.apply(b, b.At)
	}
	for i := range 20 {
		b := s.scenario.said(s.next)
		s.next++
		s.history.Record(&b)
		s.table.Apply(&b)
		s.twin.apply(b, b.At)
		if b.At.UnixMilli() == s.last { // of one moment the end counts
			w := s.wants[s.last]
			w[len(w)-1] = dump(s.twin.table, netip.Prefix{})
		} else {
			s.last = b.At.UnixMilli()
			s.wants[s.last] = append(s.wants[s.last], dump(s.twin.table, netip.Prefix{}))
		}
		s.clock.advance(time.Duration(1+r.IntN(400)) * time.Millisecond)
		var err error
		switch {
		case i == 11:
			_, err = s.history.Snapshot(t.Context(), directly(s.table))
		case i%3 == 0:
			err = s.history.Flush()
		case i == 17:
			err = s.history.Merge(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.history.Flush(); err != nil {
		t.Fatal(err)
	}
}

func (s *stepping) check(t *testing.T) {
	t.Helper()
	right := 0
	for ms, wants := range s.wants {
		if ms%3 != 0 {
			continue // some are enough
		}
		past, err := s.history.At(t.Context(), format.FromMillis(ms), netip.Prefix{})
		if err != nil {
			t.Errorf("at %v: %v", format.FromMillis(ms), err)
			continue
		}
		got, found := dump(past.Table, netip.Prefix{}), false
		for _, want := range wants {
			found = found || got == want
		}
		if found {
			right++
		} else if len(past.Notices) == 0 && !s.ambiguous(ms) {
			t.Errorf("at %v: none of the %d states that there were: %s", format.FromMillis(ms), len(wants), firstDifference(wants[0], got))
		}
	}
	if right == 0 {
		t.Error("no answer was right")
	}
}

// ambiguous reports whether the time lies in more than one run: then a later one
// answers, with what was so at its time.
func (s *stepping) ambiguous(ms int64) bool {
	x, _ := s.history.look()
	n := 0
	for i := range x.Runs {
		if r := &x.Runs[i]; r.Start <= ms {
			if i+1 == len(x.Runs) || x.LastOf(r.ID) >= ms || x.Runs[i+1].Start > ms {
				n++
			}
		}
	}
	return n > 1
}

func TestAClockOfBeforeTheEpochIsNoTrouble(t *testing.T) {
	c := clockAt(time.Date(1969, 12, 31, 23, 59, 50, 0, time.UTC))
	h, err := openSmall(filepath.Join(memoryDir(t), "h.db"), smallConfig(), c.deps(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	tab, err := h.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := newScenario(3)
	for i := range 40 {
		b := s.said(i)
		if i < 4 {
			b = s.ups()[i]
		}
		h.Record(&b)
		tab.Apply(&b)
		c.advance(time.Second)
	}
	if err := h.Flush(); err != nil {
		t.Fatal(err)
	}
	past, err := h.At(t.Context(), c.now(), netip.Prefix{})
	if err != nil || len(past.Notices) > 0 || dump(past.Table, netip.Prefix{}) != dump(tab, netip.Prefix{}) {
		t.Errorf("At = %+v, %v: %s", past, err, firstDifference(dump(tab, netip.Prefix{}), dump(past.Table, netip.Prefix{})))
	}
}

// A computer without a battery starts in 2000, and NTP sets its clock minutes later.
// What was recorded before answers as it did, then and now, and nothing says that
// nothing was recorded.
func TestAStartWithAWrongClockHidesNothing(t *testing.T) {
	for _, row := range []struct {
		name  string
		wrong time.Time
		alarm bool
	}{
		{"years ago", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{"years to come", scenarioStart.AddDate(12, 0, 0), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			path, c, s := filepath.Join(memoryDir(t), "h.db"), clockAt(scenarioStart), newScenario(3)
			cfg := smallConfig()
			cfg.Journal, cfg.Keep = 30*24*time.Hour, []Tier{{time.Minute, 30 * 24 * time.Hour}}
			var h *History
			var live *table.Table
			open := func() {
				var err error
				if h, err = openSmall(path, cfg, c.deps(slog.DiscardHandler)); err != nil {
					t.Fatal(err)
				}
				if live, err = h.Resume(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			next := 0
			record := func(k *keeper) {
				for _, b := range s.ups() {
					h.Record(&b)
					live.Apply(&b)
				}
				for range 60 {
					b := s.said(next)
					next++
					h.Record(&b)
					live.Apply(&b)
					c.advance(10 * time.Second)
					if err := h.Flush(); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := h.Snapshot(t.Context(), directly(live)); err != nil {
					t.Fatal(err)
				}
				k.pruned = time.Time{}
				if err := k.prune(t.Context(), c.now()); err != nil {
					t.Fatal(err)
				}
			}
			keeperOf := func() *keeper {
				return &keeper{history: h, aging: aging{seen: h.started.last, until: h.started.last}}
			}
			open()
			record(keeperOf())
			record(keeperOf())
			middle, end := scenarioStart.Add(5*time.Minute), c.now()
			want := dump(mustAt(t, h, middle).Table, netip.Prefix{})
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}

			c.set(row.wrong)
			open()
			if n := len(h.Notices()[""]); (n == 1) != row.alarm {
				t.Errorf("%d notices of the program: %v", n, h.Notices())
			}
			k := keeperOf()
			record(k)
			c.set(end.Add(time.Hour))
			record(k)
			check := func(when string) {
				t.Helper()
				past := mustAt(t, h, middle)
				if got := dump(past.Table, netip.Prefix{}); got != want || len(past.Notices) > 0 {
					t.Errorf("%s: %q, %s", when, past.Notices, firstDifference(want, got))
				}
				if n := len(h.Notices()); n > 0 {
					t.Errorf("%s: notices %v", when, h.Notices())
				}
			}
			check("after NTP")
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			c.advance(time.Hour)
			open()
			record(keeperOf())
			check("after another start")
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func mustAt(t *testing.T, h *History, at time.Time) *Past {
	t.Helper()
	past, err := h.At(t.Context(), at, netip.Prefix{})
	if err != nil {
		t.Fatal(err)
	}
	return past
}
