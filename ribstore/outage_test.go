package ribstore

import (
	"testing"
	"testing/synctest"
	"time"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// After kill -9 the sessions ended when the program did, and not when something was
// recorded last, which may be a minute before.
func TestAnOutageIsDatedToASecondOrTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		edge := &route.Peer{Name: "edge"}
		r.up(edge, time.Hour)
		r.send(announce(edge, "192.0.2.0/24"))
		began := time.Now()
		for _, idle := range []time.Duration{23400 * time.Millisecond, 200*time.Second + 700*time.Millisecond} {
			r.wait(idle)
			killed := time.Now()
			r.crash()
			time.Sleep(5 * time.Minute)
			r.start()
			q := parse(t, "peer edge")
			q.Between = query.Span{From: at(began)}
			list, err := r.Changes(t.Context(), q, changes.Page{Kinds: []changes.Kind{changes.SessionDown}})
			if err != nil || len(list.Changes) == 0 {
				t.Fatalf("Changes = %+v, %v", list, err)
			}
			if off := killed.Sub(list.Changes[0].At); off < -time.Millisecond || off > 2*time.Second {
				t.Errorf("killed after %v: the session ended %v before", idle, off)
			}
			r.up(edge, time.Hour)
		}
	})
}

// What happened in the last hour is told after a restart as it was before.
func TestTheLastHourOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		edge := &route.Peer{Name: "edge"}
		r.up(edge, time.Hour)
		r.send(route.Batch{Peer: edge, Event: route.EndOfRIB})
		for i := range 90 {
			b := announce(edge, "192.0.2.0/24")
			if i%2 > 0 {
				b.Updates[0].Attrs = nil
			}
			r.send(b)
			r.wait(time.Minute)
		}
		before, busiest := r.Rate("edge"), r.Busiest()
		r.stop()
		r.start()
		after := r.Rate("edge")
		if n := before.Total(); n < 55 || after.Total() != n || !after.From.Equal(before.From) {
			t.Errorf("%d changes since %v, before the restart %d since %v", after.Total(), after.From, n, before.From)
		}
		if got := r.Busiest().Prefixes; len(got) != 1 || got[0].Changes < busiest.Prefixes[0].Changes-5 {
			t.Errorf("the busiest prefixes are %v, before the restart %v", got, busiest.Prefixes)
		}
	})
}
