package ribstore

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/tap"
)

// TestWhatAnEventTellsIsInTheTable has a subscriber ask when it read an event: the
// answer is as the event says, for what routers send and for what the table does
// by itself.
func TestWhatAnEventTellsIsInTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := running(t)
		page := s.Subscribe(tap.Interest{Overlap: [route.NumFamilies]netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}, 1<<16)
		defer page.Close()
		type seen struct {
			kind          tap.Kind
			routes, stale int
			after         time.Duration
		}
		var got []seen
		start := time.Now()
		in <- route.Batch{Peer: edge1, At: start, Event: route.PeerUp}
		in <- announce(edge1, "198.51.100.0/24")
		in <- announce(edge1, "192.0.2.0/24")
		down := route.Batch{Peer: edge1, At: start, Event: route.PeerDown, Reason: "hold timer expired"}
		down.Retention[route.IPv4Unicast].Stale = 90*time.Second + 500*time.Millisecond
		for _, step := range []func(){
			func() {},
			func() { in <- down },
			func() { time.Sleep(2 * time.Minute) },
		} {
			step()
			synctest.Wait()
			for d := page.Read(); !d.Empty(); d = page.Read() {
				for _, e := range d.Events {
					answer := search(t, s, "192.0.2.1")
					stale := 0
					for i := range answer.Routes {
						if !answer.Routes[i].StaleSince.IsZero() {
							stale++
						}
					}
					got = append(got, seen{e.Kind, answer.Total, stale, e.At.Sub(start)})
				}
			}
		}
		want := []seen{
			{tap.PeerUp, 1, 0, 0},
			{tap.Routes, 1, 0, 0},
			{tap.PeerDown, 1, 1, 0},
			{tap.Expired, 0, 0, 91 * time.Second},
			{tap.Swept, 0, 0, 91 * time.Second},
		}
		if !slices.Equal(got, want) {
			t.Errorf("the subscriber saw %+v, want %+v", got, want)
		}
	})
}

func TestSubscriptionsEndWithTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := running(t)
		sub := s.Subscribe(tap.Interest{}, 0)
		close(in)
		<-sub.Done()
	})
}
