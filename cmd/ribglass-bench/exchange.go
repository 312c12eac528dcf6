package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"ribglass/collector/player"
	"ribglass/ribstore/route"
)

// exchanged is what the members of an exchange cost.
type exchanged struct {
	Peers    int           `json:"peers"`
	Routes   int           `json:"routes"`
	Prefixes int           `json:"prefixes"` // distinct
	Sets     int           `json:"attribute_sets"`
	Wall     time.Duration `json:"wall_ns"` // first UPDATE to all routes there

	Idle     footprint `json:"idle"`     // no session
	Sessions footprint `json:"sessions"` // all sessions, no route
	Settled  footprint `json:"settled"`  // all routes
}

// footprint is the least memory in use over a while that has seen a collection
// of garbage.
type footprint struct {
	Resident uint64 `json:"resident_bytes"`
	Heap     uint64 `json:"heap_bytes"`
	Table    uint64 `json:"table_bytes"` // what the table accounts for itself
}

// perRoute is what a route costs over the sessions, by the live heap: what is
// resident also holds what the runtime keeps for later.
func (x *exchanged) perRoute() float64 {
	return float64(int64(x.Settled.Heap)-int64(x.Sessions.Heap)) / float64(max(x.Routes, 1))
}

// perRouteResident is what a route costs over an empty start, its share of the
// sessions and of the runtime's reserves included.
func (x *exchanged) perRouteResident() float64 {
	return float64(int64(x.Settled.Resident)-int64(x.Idle.Resident)) / float64(max(x.Routes, 1))
}

func (x *exchanged) perSession() float64 {
	return float64(int64(x.Sessions.Heap)-int64(x.Idle.Heap)) / float64(max(x.Peers, 1))
}

// measureFootprint watches a receiver for longer than the two minutes after
// which an idle Go program collects its garbage.
func measureFootprint(ctx context.Context, r *receiver) (footprint, error) {
	const window = 135 * time.Second
	least := footprint{Resident: math.MaxUint64, Heap: math.MaxUint64}
	for start := time.Now(); time.Since(start) < window; {
		if err := quiet(ctx, time.Second); err != nil {
			return least, err
		}
		u, err := r.usage()
		if err != nil {
			return least, err
		}
		status, err := r.asker.(ribglass).status(ctx)
		if err != nil {
			return least, err
		}
		least.Resident = min(least.Resident, u.resident)
		least.Heap = min(least.Heap, status.Memory.HeapBytes)
		least.Table = status.Memory.TableBytes
	}
	return least, nil
}

// An exchange as route servers see it: members announce their own prefixes and
// those of customers, and customers often buy from several members.
const (
	exchangePeers  = 900
	memberRoutes   = 500
	memberOwn      = 200 // announced by nobody else
	sharedBy       = 4   // members that announce each of the other prefixes
	exchangeIPv6   = 4   // one prefix in four
	exchangeSource = "127.2.0.0/16"
)

// exchange is the table of an exchange: each member announces some groups of a
// generated table.
type exchange struct {
	*generated
	members []member
}

type member struct {
	feed   feed
	parts  []part
	routes int
}

// part is the first count prefixes of a group.
type part struct{ group, count int }

func newExchange(seed uint64) *exchange {
	distinct := exchangePeers * (memberOwn + (memberRoutes-memberOwn)/sharedBy)
	e := &exchange{generated: generate(shape{
		feeds: exchangePeers, seed: seed,
		ipv4: distinct - distinct/exchangeIPv6, ipv6: distinct / exchangeIPv6,
	})}
	source := netip.MustParsePrefix(exchangeSource).Addr().As4()
	for i := range exchangePeers {
		f := newFeed(i, route.ASN(64600+i))
		f.name = fmt.Sprintf("member%d", i+1)
		source[2], source[3] = byte((i+1)>>8), byte(i+1)
		f.source = netip.AddrFrom4(source)
		e.members = append(e.members, member{feed: f})
	}
	e.deal()
	return e
}

// deal gives groups out in a random order: to one member until all have their
// own, from then on to several.
func (e *exchange) deal() {
	random := newRandom(e.seed)
	order := random.Perm(len(e.groups))
	next := func() int {
		g := order[0]
		order = order[1:]
		return g
	}
	for i := range e.members {
		for m := &e.members[i]; m.routes < memberOwn && len(order) > 0; {
			m.take(next(), e.groups, memberOwn)
		}
	}
	for len(order) > 0 {
		g := next()
		for range sharedBy {
			e.hungry(random).take(g, e.groups, memberRoutes)
		}
	}
}

// hungry draws a member that has not all of its routes, if it finds one soon.
func (e *exchange) hungry(random *rand.Rand) *member {
	var m *member
	for range 20 {
		if m = &e.members[random.IntN(len(e.members))]; m.routes < memberRoutes {
			break
		}
	}
	return m
}

// take adds as much of a group as the member has room for, and a group once.
func (m *member) take(g int, groups []group, most int) {
	count := min(int(groups[g].count), most-m.routes)
	if count <= 0 || len(m.parts) > 0 && m.parts[len(m.parts)-1].group == g {
		return
	}
	m.parts = append(m.parts, part{g, count})
	m.routes += count
}

func (e *exchange) feeds() []feed {
	feeds := make([]feed, len(e.members))
	for i := range feeds {
		feeds[i] = e.members[i].feed
	}
	return feeds
}

func (e *exchange) runs(i int) iter.Seq[route.Update] {
	m := &e.members[i]
	return func(yield func(route.Update) bool) {
		for _, p := range m.parts {
			if !yield(e.run(m.feed, p.group, p.count)) {
				return
			}
		}
	}
}

func (e *exchange) stream(i int) (*stream, error) {
	s, session := &stream{}, encoding(e.members[i].feed)
	for u := range e.runs(i) {
		s.add(session, u)
	}
	s.sets = s.updates
	s.finish()
	return s, nil
}

// distinct counts the prefixes that some member announces.
func (e *exchange) distinct() int {
	most := make(map[int]int)
	for _, m := range e.members {
		for _, p := range m.parts {
			most[p.group] = max(most[p.group], p.count)
		}
	}
	n := 0
	for _, count := range most {
		n += count
	}
	return n
}

// measureExchange brings up every member's session, then plays their routes.
func (o *options) measureExchange(ctx context.Context, _ table, result *report, progress io.Writer) error {
	fmt.Fprintln(progress, "exchange: memory is watched for two minutes three times")
	e := newExchange(o.shape.seed)
	setup, err := o.setup(e)
	if err != nil {
		return err
	}
	setup.feeds, setup.dynamic = nil, netip.MustParsePrefix(exchangeSource)
	return withReceiver(ctx, setup.start, func(r *receiver) error {
		x := exchanged{Peers: len(e.members), Prefixes: e.distinct()}
		if err := x.measure(ctx, r, e); err != nil {
			return err
		}
		fmt.Fprintf(progress, "  %d routes of %d peers in %.2f s\n", x.Routes, x.Peers, x.Wall.Seconds())
		result.Exchange = &x
		return nil
	})
}

func (x *exchanged) measure(ctx context.Context, r *receiver, e *exchange) error {
	var err error
	if x.Idle, err = measureFootprint(ctx, r); err != nil {
		return err
	}
	sessions, err := dialAll(ctx, r, e.feeds())
	defer func() {
		for _, s := range sessions {
			if s != nil {
				_ = s.Abort()
			}
		}
	}()
	if err != nil {
		return err
	}
	if x.Sessions, err = measureFootprint(ctx, r); err != nil {
		return err
	}
	if err = x.play(ctx, r, e, sessions); err != nil {
		return err
	}
	x.Settled, err = measureFootprint(ctx, r)
	return err
}

// play sends every member's routes and waits until all are there.
func (x *exchanged) play(ctx context.Context, r *receiver, e *exchange, sessions []*player.Session) error {
	var expect [route.NumFamilies]int
	start := time.Now()
	for i, session := range sessions {
		s, err := e.stream(i)
		if err != nil {
			return err
		}
		for f, n := range s.routes {
			expect[f] += n
		}
		x.Routes += s.total()
		x.Sets += s.sets
		if err := session.SendRaw(s.bytes); err != nil {
			return err
		}
	}
	err := poll(ctx, 50*time.Millisecond, r.process, func() (bool, error) {
		got, err := r.counts(ctx)
		return got == expect, err
	})
	x.Wall = time.Since(start)
	if err != nil {
		return fmt.Errorf("wait for %v routes: %w", expect, err)
	}
	return nil
}

// dialAll opens the sessions of all feeds, some at a time. On an error the
// sessions that are up are returned too.
func dialAll(ctx context.Context, r *receiver, feeds []feed) ([]*player.Session, error) {
	const together = 16
	sessions := make([]*player.Session, len(feeds))
	var dials errgroup.Group
	dials.SetLimit(together)
	for i, f := range feeds {
		dials.Go(func() error {
			var err error
			sessions[i], err = dialFeed(ctx, r, f)
			return err
		})
	}
	return sessions, dials.Wait()
}
