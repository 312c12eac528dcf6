package tap

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ribglass/ribstore/route"
)

// big is a size that nothing in these tests fills.
const big = 1 << 30

func peerNamed(name string) *route.Peer { return &route.Peer{Name: name} }

// announce returns a batch of one update.
func announce(peer string, prefixes ...string) *route.Batch {
	u := route.Update{Attrs: route.Attrs{1, 2, 3, 4}}
	for _, p := range prefixes {
		u.NLRI = append(u.NLRI, route.NLRI{Prefix: netip.MustParsePrefix(p)})
	}
	return &route.Batch{Peer: peerNamed(peer), At: time.Unix(1, 0), Updates: []route.Update{u}}
}

// drawn returns a batch of anything, from few peers and prefixes.
func drawn(random *rand.Rand) *route.Batch {
	b := &route.Batch{Peer: peerNamed(fmt.Sprintf("edge%d", random.IntN(3))), At: time.Unix(random.Int64N(1000), 0)}
	b.Event = route.Event(max(0, random.IntN(14)-7))
	b.Family = route.Family(random.IntN(route.NumFamilies))
	b.Reason = []string{"", "hold timer expired"}[random.IntN(2)]
	if b.Event != route.Routes {
		return b
	}
	for range random.IntN(4) {
		u := route.Update{Family: route.Family(random.IntN(route.NumFamilies))}
		if random.IntN(3) > 0 {
			u.Attrs = route.Attrs{byte(random.IntN(256)), 2, 3}
		}
		for range 1 + random.IntN(3) {
			u.NLRI = append(u.NLRI, route.NLRI{Prefix: drawnPrefix(random, u.Family), PathID: random.Uint32N(3)})
		}
		b.Updates = append(b.Updates, u)
	}
	return b
}

// drawnPrefix draws one prefix of few, of all lengths.
func drawnPrefix(random *rand.Rand, f route.Family) netip.Prefix {
	addr := netip.AddrFrom4([4]byte{byte(10 + random.IntN(2)), byte(random.IntN(3)), byte(random.IntN(2)), byte(random.IntN(2))})
	if f.IsIPv6() {
		octets := addr.As4()
		var wide [16]byte
		wide[0], wide[1], wide[7], wide[8], wide[15] = 0x20, octets[0], octets[1], octets[2], octets[3]
		addr = netip.AddrFrom16(wide)
	}
	return netip.PrefixFrom(addr, random.IntN(addr.BitLen()+1)).Masked()
}

func drawnInterest(random *rand.Rand) Interest {
	var i Interest
	switch random.IntN(4) {
	case 0:
		i.Kinds = Sessions()
	case 1:
		i.Kinds = Only(Routes, PeerDown, Expired)
	}
	if random.IntN(2) == 0 {
		i.Peers = []string{"edge2", "edge0"}[:1+random.IntN(2)]
	}
	if random.IntN(2) == 0 {
		for _, f := range route.Families() {
			if random.IntN(2) == 0 {
				i.Overlap[f] = drawnPrefix(random, f)
			}
		}
	}
	return i
}

// flat is one prefix of an event, or an event without any, in a form to compare.
type flat struct {
	At     int64
	Peer   string
	Kind   Kind
	Family route.Family
	Reason string
	NLRI   route.NLRI
	Attrs  string
}

// wanted returns what of an event an interest is about.
func wanted(i Interest, e *Event) []flat {
	if !i.Kinds.Has(e.Kind) || i.Peers != nil && !slices.Contains(i.Peers, e.Peer.Name) {
		return nil
	}
	f := flat{At: e.At.Unix(), Peer: e.Peer.Name, Kind: e.Kind, Family: e.Family, Reason: e.Reason}
	if e.Kind != Routes {
		return []flat{f}
	}
	var list []flat
	for _, u := range e.Updates {
		for _, n := range u.NLRI {
			if over := i.Overlap[u.Family]; i.narrow() && (!over.IsValid() || !over.Overlaps(n.Prefix)) {
				continue
			}
			f.Family, f.NLRI, f.Attrs = u.Family, n, string(u.Attrs)
			list = append(list, f)
		}
	}
	return list
}

// spoil overwrites all that a batch points to, as its sender may after Release.
func spoil(b *route.Batch) {
	for i := range b.Updates {
		clear(b.Updates[i].Attrs)
		clear(b.Updates[i].NLRI)
	}
	clear(b.Updates)
}

// TestSubscriptionsEqualARecorder compares what subscribers get with a recorder of
// all that happened, sifted by what each wanted.
func TestSubscriptionsEqualARecorder(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		var tap Tap
		var interests []Interest
		var subscriptions []*Subscription
		for range 1 + random.IntN(6) {
			i := drawnInterest(random)
			interests = append(interests, i)
			subscriptions = append(subscriptions, tap.Subscribe(i, big))
		}
		want, got := make([][]flat, len(interests)), make([][]flat, len(interests))
		for range 300 {
			e := &Event{At: time.Unix(9, 0), Peer: peerNamed("edge0"), Kind: Expired + Kind(random.IntN(2)), Family: 1}
			if random.IntN(20) > 0 {
				b := drawn(random)
				e = &Event{At: b.At, Peer: b.Peer, Kind: Kind(b.Event), Family: b.Family, Reason: b.Reason, Updates: copyOf(b.Updates)}
				tap.Batch(b)
				spoil(b)
			} else {
				tap.Own(e.Kind, e.At, e.Peer, e.Family)
			}
			for i := range interests {
				want[i] = append(want[i], wanted(interests[i], e)...)
				if random.IntN(10) == 0 {
					got[i] = append(got[i], read(t, interests[i], subscriptions[i])...)
				}
			}
		}
		for i := range interests {
			got[i] = append(got[i], read(t, interests[i], subscriptions[i])...)
			if diff := cmp.Diff(want[i], got[i], cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
				t.Fatalf("seed %d, %+v (-recorder +subscription):\n%s", seed, interests[i], diff)
			}
		}
	}
}

// read returns what a subscription has that its interest is about.
func read(t *testing.T, i Interest, s *Subscription) []flat {
	t.Helper()
	d := s.Read()
	if d.Lost != (Lost{}) {
		t.Errorf("%+v was lost", d.Lost)
	}
	var list []flat
	for _, e := range d.Events {
		of := wanted(i, e)
		if len(of) == 0 && (e.Kind != Routes || len(e.Updates) > 0) {
			t.Errorf("%+v is told to a subscriber of %+v", e, i)
		}
		list = append(list, of...)
	}
	return list
}

func TestASlowSubscriberLosesAndIsTold(t *testing.T) {
	const batches = 1000
	var tap Tap
	slow, bell, fast := tap.Subscribe(Interest{}, 10*300), tap.Subscribe(Interest{}, 0), tap.Subscribe(Interest{}, big)
	size := new(letter).size(announce("edge1", "192.0.2.0/24"))
	room := 10 * 300 / size
	for range batches { // nobody reads, and yet this ends
		tap.Batch(announce("edge1", "192.0.2.0/24"))
	}
	rows := []struct {
		name         string
		subscription *Subscription
		events       int
	}{{"slow", slow, room}, {"bell", bell, 0}, {"fast", fast, batches}}
	for _, row := range rows {
		d := row.subscription.Read()
		lost := Lost{batches - row.events, (batches - row.events) * size}
		if len(d.Events) != row.events || d.Lost != lost {
			t.Errorf("%s reads %d events and lost %+v, want %d and %+v", row.name, len(d.Events), d.Lost, row.events, lost)
		}
	}
	if s := tap.Stats(); s != (Stats{3, uint64(batches + room), uint64(2*batches - room)}) {
		t.Errorf("stats are %+v", s)
	}
	tap.Batch(announce("edge1", "192.0.2.0/24"))
	for _, row := range rows[:2] {
		if d := row.subscription.Read(); len(d.Events) != min(row.events, 1) || len(d.Events)+d.Lost.Events != 1 {
			t.Errorf("%s reads %d events and lost %+v after it was told", row.name, len(d.Events), d.Lost)
		}
	}
}

// TestWhatIsLostIsBehindWhatIsRead has a slow reader put together what it reads
// and what it lost: nothing is missing and nothing is out of order.
func TestWhatIsLostIsBehindWhatIsRead(t *testing.T) {
	const batches = 20_000
	var tap Tap
	s := tap.Subscribe(Interest{}, 2000)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range batches {
			tap.Batch(&route.Batch{Peer: peerNamed("edge1"), At: time.Unix(int64(i), 0), Event: route.PeerDown})
		}
		tap.End()
	})
	next := 0
	for {
		d, err := s.Next(t.Context())
		if errors.Is(err, ErrClosed) {
			break
		}
		for _, e := range d.Events {
			if e.At.Unix() != int64(next) {
				t.Fatalf("event %d comes as number %d", e.At.Unix(), next)
			}
			next++
		}
		next += d.Lost.Events
		if d.Lost.Bytes != d.Lost.Events*eventBytes {
			t.Fatalf("%+v is lost, of events of %d bytes", d.Lost, eventBytes)
		}
	}
	writer.Wait()
	if next != batches {
		t.Errorf("%d events were read or lost, want %d", next, batches)
	}
}

func TestCopiesAreMadeOnceAndOnlyWhenWanted(t *testing.T) {
	var tap Tap
	full := announce("edge1", "192.0.2.0/24", "198.51.100.0/24")
	if n := testing.AllocsPerRun(100, func() { tap.Batch(full) }); n != 0 {
		t.Errorf("a batch that nobody subscribed to allocates %v times", n)
	}
	narrow := Interest{Overlap: [route.NumFamilies]netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")}}
	a, b := tap.Subscribe(narrow, big), tap.Subscribe(narrow, big)
	other := Interest{Kinds: Sessions()}
	c := tap.Subscribe(other, big)
	if n := testing.AllocsPerRun(100, func() { tap.Batch(full) }); n != 0 {
		t.Errorf("a batch that nobody wants allocates %v times", n)
	}
	tap.Batch(announce("edge1", "192.0.2.0/24", "203.0.113.0/24"))
	da, db, dc := a.Read(), b.Read(), c.Read()
	if len(da.Events) != 1 || len(db.Events) != 1 || da.Events[0] != db.Events[0] || len(dc.Events) != 0 {
		t.Fatalf("events are %v, %v, %v, want one that is shared and none", da.Events, db.Events, dc.Events)
	}
	if list := da.Events[0].Updates; len(list) != 1 || len(list[0].NLRI) != 1 || list[0].NLRI[0].Prefix.String() != "203.0.113.0/24" {
		t.Errorf("the event has %v, want the one prefix that is wanted", list)
	}
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tap Tap
		s := tap.Subscribe(Interest{}, big)
		began := time.Now()
		go func() {
			time.Sleep(time.Minute)
			tap.Batch(announce("edge1", "192.0.2.0/24"))
			time.Sleep(time.Minute)
			s.Close()
		}()
		if d, err := s.Next(t.Context()); err != nil || len(d.Events) != 1 || time.Since(began) != time.Minute {
			t.Errorf("Next = %+v, %v after %v", d, err, time.Since(began))
		}
		if _, err := s.Next(t.Context()); !errors.Is(err, ErrClosed) || time.Since(began) != 2*time.Minute {
			t.Errorf("Next of a closed subscription: %v after %v", err, time.Since(began))
		}
		other := tap.Subscribe(Interest{}, big)
		defer other.Close()
		cause := errors.New("the reason")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		if _, err := other.Next(ctx); !errors.Is(err, cause) {
			t.Errorf("Next of a context that ended: %v, want %v", err, cause)
		}
	})
}

func TestEndLeavesWhatIsThere(t *testing.T) {
	var tap Tap
	s := tap.Subscribe(Interest{}, big)
	tap.Batch(announce("edge1", "192.0.2.0/24"))
	tap.End()
	tap.Batch(announce("edge1", "192.0.2.0/24"))
	<-s.Done()
	if d, err := s.Next(t.Context()); err != nil || len(d.Events) != 1 {
		t.Errorf("Next = %+v, %v, want the event of before the end", d, err)
	}
	for _, s := range []*Subscription{s, tap.Subscribe(Interest{}, big)} {
		if _, err := s.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Next after the end: %v, want ErrClosed", err)
		}
	}
}

// TestComeAndGoWhilePublishing is for the race detector.
func TestComeAndGoWhilePublishing(t *testing.T) {
	var tap Tap
	stop := make(chan struct{})
	var writer, subscribers sync.WaitGroup
	writer.Go(func() {
		random := rand.New(rand.NewPCG(1, 1))
		for {
			select {
			case <-stop:
				return
			default:
				b := drawn(random)
				tap.Batch(b)
				spoil(b)
			}
		}
	})
	steady := tap.Subscribe(Interest{Kinds: Only(Routes)}, 1<<16)
	for seed := range uint64(4) {
		subscribers.Go(func() {
			random := rand.New(rand.NewPCG(seed, 2))
			for range 200 {
				s := tap.Subscribe(drawnInterest(random), 1<<random.IntN(16))
				for _, e := range s.Read().Events {
					_ = wanted(s.interest, e)
				}
				s.Close()
				s.Close()
			}
		})
	}
	subscribers.Wait()
	if _, err := steady.Next(t.Context()); err != nil {
		t.Error(err)
	}
	close(stop)
	writer.Wait()
	steady.Close()
	if n := tap.Stats().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

// TestSpansEqualOverlaps compares the search in spans with a look at each prefix.
func TestSpansEqualOverlaps(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 3))
	for range 3000 {
		f := route.Families()[random.IntN(route.NumFamilies)]
		var list spans
		var prefixes []netip.Prefix
		for range random.IntN(6) {
			p := drawnPrefix(random, f)
			prefixes = append(prefixes, p)
			list = append(list, spanOf(p))
		}
		list = list.merged()
		p := drawnPrefix(random, f)
		if got, want := list.overlap(spanOf(p)), slices.ContainsFunc(prefixes, p.Overlaps); got != want {
			t.Fatalf("%v overlaps one of %v: %v, want %v", p, prefixes, got, want)
		}
	}
}

// BenchmarkBatch publishes batches of five prefixes to many narrow subscribers
// who want none of them.
func BenchmarkBatch(b *testing.B) {
	for _, n := range []int{0, 1, 256} {
		b.Run(fmt.Sprintf("%d narrow", n), func(b *testing.B) {
			var tap Tap
			for i := range n {
				tap.Subscribe(Interest{Overlap: [route.NumFamilies]netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 1}), 32)}}, 1<<16)
			}
			batch := announce("edge1", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "8.8.8.0/24", "9.9.9.0/24")
			b.ReportAllocs()
			for b.Loop() {
				tap.Batch(batch)
			}
		})
	}
}

func TestLostStopsCounting(t *testing.T) {
	var w lostWord
	w = w.plus(3).plus(4)
	if got := w.lost(); got != (Lost{2, 7}) {
		t.Errorf("two events of 3 and 4 bytes: %+v", got)
	}
	w = lostWord(maxLostEvents)<<lostByteBits | maxLostBytes
	if got := w.plus(1).lost(); got != (Lost{maxLostEvents, maxLostBytes}) {
		t.Errorf("one more than can be counted: %+v", got)
	}
}
