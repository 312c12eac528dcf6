package ribstore

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

func TestTheDegreesOfStrain(t *testing.T) {
	var m Memory
	if got := m.strainOf(1<<40, Relaxed); got != Relaxed {
		t.Errorf("without a limit: %d", got)
	}
	m.SetLimit(100)
	was := Relaxed
	for _, step := range []struct {
		used uint64
		want Strain
	}{
		{79, Relaxed},
		{80, Warned},
		{76, Warned},
		{74, Relaxed},
		{86, NoSearches},
		{80, NoSearches},
		{79, Warned},
		{94, NoNewRoutes},
		{300, EndsSession},
		{91, EndsSession},
		{89, NoNewRoutes},
		{70, Relaxed},
	} {
		if was = m.strainOf(step.used, was); was != step.want {
			t.Fatalf("at %d percent: %d, want %d", step.used, was, step.want)
		}
	}
}

// shortOfMemory gives a store a limit, of which all but the table takes a part that
// does not change.
func shortOfMemory(s *Store, limit, other uint64) {
	m := s.Budget().Memory()
	m.heap = func() heap { return heap{cycle: 1, other: other} }
	m.SetLimit(limit)
}

// heavy announces prefixes with an attribute set of 60 kB each.
func heavy(peer *route.Peer, first, n int) route.Batch {
	b := route.Batch{Peer: peer, At: time.Now()}
	for i := first; i < first+n; i++ {
		attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).
			AppendAttr(route.AttrCommunities, binary.BigEndian.AppendUint32(make([]byte, 60_000), uint32(i)))
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
		b.Updates = append(b.Updates, route.Update{Attrs: attrs, NLRI: []route.NLRI{{Prefix: prefix}}})
	}
	return b
}

// Near the limit the peer that takes the memory pays, and nobody else.
func TestThePeerThatTakesTheMemoryPays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := running(t)
		const limit, other = 64 << 20, 8 << 20
		shortOfMemory(s, limit, other)
		flood := &route.Peer{Name: "flood"}
		for _, p := range []*route.Peer{edge1, flood} {
			in <- route.Batch{Peer: p, At: time.Now(), Event: route.PeerUp}
		}
		in <- announce(edge1, "192.0.2.0/24", "198.51.100.0/24")
		for i := range 500 { // 300 MB
			in <- heavy(flood, 10*i, 10)
		}
		synctest.Wait()
		m := s.Budget().Memory()
		if used := m.Used(); used > limit {
			t.Errorf("%d bytes are in use, the limit is %d", used, uint64(limit))
		}
		if m.Strain() < NoNewRoutes {
			t.Errorf("the strain is %d", m.Strain())
		}
		var short *MemoryError
		if _, err := s.Search(t.Context(), query.Query{Expr: query.ViaAS(1)}, query.Page{}); !errors.As(err, &short) || !errors.Is(err, ErrBusy) {
			t.Errorf("a search over the whole table: %v", err)
		}
		if got := search(t, s, "192.0.2.1"); got.Total != 1 {
			t.Errorf("a lookup finds %d routes", got.Total)
		}
		wantNotice(t, s, "", noticeMemory, "memory.limit is 64MiB")
		wantNotice(t, s, "flood", noticeUnkept, "were not kept")
		if list := s.Notices()["edge1"]; len(list) > 0 {
			t.Errorf("the other peer: %+v", list)
		}

		in <- announce(edge1, "203.0.113.0/24")
		synctest.Wait()
		if n := s.Prefixes("edge1", route.IPv4Unicast); n != 3 {
			t.Errorf("the other peer has %d routes, want 3", n)
		}

		// What is not the table grows: the limit is reached.
		m.heap = func() heap { return heap{cycle: 1, other: limit} }
		m.mu.Lock()
		m.last.other = limit
		m.mu.Unlock()
		order := <-s.Orders()
		if order.Peer != "flood" || order.Kind != EndSession || !strings.Contains(order.Reason, "memory.limit 64MiB") {
			t.Fatalf("the order is %+v", order)
		}
		wantNotice(t, s, "flood", noticeRelieved, "Its routes were removed")
		m.mu.Lock()
		m.last.other = other
		m.mu.Unlock()
		in <- route.Batch{Peer: flood, At: time.Now(), Event: route.PeerDown, Reason: order.Reason}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if m.Strain() != Relaxed || len(s.Notices()[""]) > 0 {
			t.Errorf("afterwards: strain %d, %d in use, notices %+v", m.Strain(), m.Used(), s.Notices()[""])
		}
		if s.Prefixes("flood", route.IPv4Unicast) != 0 || s.Prefixes("edge1", route.IPv4Unicast) != 3 {
			t.Error("afterwards the wrong peer has routes")
		}
		in <- heavy(flood, 0, 1)
		synctest.Wait()
		if n := s.Prefixes("flood", route.IPv4Unicast); n != 1 {
			t.Errorf("when memory is free again, %d routes of the peer are kept", n)
		}
	})
}

// A peer whose routes were not kept is asked for them when memory is free again.
func TestWhatWasNotKeptIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := running(t)
		shortOfMemory(s, 64<<20, 0)
		in <- route.Batch{Peer: edge1, At: time.Now(), Event: route.PeerUp}
		for i := range 120 {
			in <- heavy(edge1, 10*i, 10)
		}
		synctest.Wait()
		kept := s.Prefixes("edge1", route.IPv4Unicast)
		if kept == 0 || kept >= 1200 {
			t.Fatalf("%d routes of 1200 are kept", kept)
		}
		// A route that is announced anew and not kept is not shown as it was before.
		if got := search(t, s, "10.0.0.0/32"); got.Total != 1 {
			t.Fatal("the first route is not there")
		}
		again := heavy(edge1, 0, 1)
		again.Updates[0].Attrs = again.Updates[0].Attrs.AppendAttr(route.AttrOTC, []byte{0, 0, 0, 1})
		in <- again
		synctest.Wait()
		if got := search(t, s, "10.0.0.0/32"); got.Total != 0 {
			t.Error("a route that was replaced is shown as it was before")
		}
		s.Budget().Memory().SetLimit(1 << 30)
		order := <-s.Orders()
		if order.Peer != "edge1" || order.Kind != SendAgain {
			t.Errorf("the order is %+v", order)
		}
		in <- route.Batch{Peer: edge1, At: time.Now(), Event: route.RefreshBegin}
		in <- route.Batch{Peer: edge1, At: time.Now(), Event: route.RefreshEnd}
		synctest.Wait()
		if list := s.Notices()["edge1"]; len(list) > 0 {
			t.Errorf("after everything was sent again: %+v", list)
		}
	})
}

// The largest peer may have no session any more.
func TestStaleRoutesGoFirstWhenTheyAreMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := running(t)
		shortOfMemory(s, 1<<30, 0)
		in <- route.Batch{Peer: edge1, At: time.Now(), Event: route.PeerUp}
		for i := range 100 {
			in <- heavy(edge1, 10*i, 10)
		}
		down := route.Batch{Peer: edge1, At: time.Now(), Event: route.PeerDown}
		down.Retention[route.IPv4Unicast].Stale = time.Hour
		in <- down
		s.Budget().Memory().SetLimit(50 << 20)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := s.Prefixes("edge1", route.IPv4Unicast); n != 0 || s.Budget().Memory().Strain() != Relaxed {
			t.Errorf("%d stale routes are left, strain %d", n, s.Budget().Memory().Strain())
		}
		wantNotice(t, s, "edge1", noticeRelieved, "Its routes were removed")
	})
}

func TestAWholeTableOfThePastNeedsRoom(t *testing.T) {
	var m Memory
	live, given := uint64(70), false
	m.heap = func() heap { return heap{cycle: 1, live: live} }
	m.SetLimit(100)
	m.look(0)
	m.onStrain(func() { given = true })
	if err := m.room(10); err != nil || given {
		t.Errorf("10 of 30: %v, given up %v", err, given)
	}
	m.onStrain(func() { live = 50 })
	if err := m.room(30); err != nil || !given {
		t.Errorf("30 after what can be made again is given up: %v, given up %v", err, given)
	}
	var short *MemoryError
	if err := m.room(40); !errors.As(err, &short) || *short != (MemoryError{Needs: 40, Used: 50, Limit: 100}) {
		t.Errorf("40 of 50: %v", err)
	}
}

func wantNotice(t *testing.T, s *Store, peer string, kind route.NoticeKind, text string) {
	t.Helper()
	for _, n := range s.Notices()[peer] {
		if n.Kind == kind && strings.Contains(n.Text, text) && !n.Since.IsZero() && n.Count > 0 {
			return
		}
	}
	t.Errorf("no notice %s about %q with %q in %+v", kind, peer, text, s.Notices()[peer])
}
