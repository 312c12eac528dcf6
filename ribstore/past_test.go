package ribstore

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

var pastRuns = flag.Int("past", 4, "random lives of a store that are asked about afterwards")

// recorded is a store with a history in a directory of its own, which may be
// stopped and started, and crash. It lives in a bubble of synctest, whose clock
// moves only while all wait.
type recorded struct {
	*Store

	t       *testing.T
	path    string
	restart time.Duration
	in      chan route.Batch
	ticks   time.Time // one of the times at which the store keeps house
	cancel  context.CancelFunc
	done    chan error
}

// record starts a store with an empty history.
func record(t *testing.T) *recorded {
	t.Helper()
	r := &recorded{t: t, path: filepath.Join(t.TempDir(), "history.db"), restart: 90 * time.Second}
	r.start()
	t.Cleanup(func() {
		if r.cancel != nil {
			r.stop()
		}
	})
	return r
}

// start resumes from the file and runs the store.
func (r *recorded) start() {
	r.t.Helper()
	cfg := history.DefaultConfig()
	cfg.Restart, cfg.SnapshotEvery = r.restart, time.Minute
	log := slog.New(slog.DiscardHandler)
	h, err := history.Open(r.path, cfg, history.Deps{Logger: log, Now: time.Now})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Store, err = New(DefaultConfig(), Deps{Logger: log, Registerer: prometheus.NewRegistry(), Now: time.Now, History: h})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.Resume(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // of the test's ends before its cleanups
	r.in, r.cancel, r.done, r.ticks = make(chan route.Batch), cancel, make(chan error), time.Now()
	go func() { r.done <- r.Run(ctx, r.in) }()
	synctest.Wait()
}

// stop ends the store as a signal does.
func (r *recorded) stop() {
	r.t.Helper()
	r.cancel()
	if err := <-r.done; err != nil {
		r.t.Error(err)
	}
	if err := r.past.Close(); err != nil {
		r.t.Error(err)
	}
	r.cancel = nil
}

// crash ends the store as the loss of power does: the file is as it is now.
func (r *recorded) crash() {
	r.t.Helper()
	synctest.Wait()
	files := map[string][]byte{r.path: nil, r.path + ".alive": nil}
	for path := range files {
		now, err := os.ReadFile(path)
		if err != nil {
			r.t.Fatal(err)
		}
		files[path] = now
	}
	r.stop()
	for path, now := range files {
		if err := os.WriteFile(path, now, 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
}

// send gives a batch to the store and waits until it is applied.
func (r *recorded) send(b route.Batch) {
	r.in <- b
	synctest.Wait()
}

func (r *recorded) up(p *route.Peer, keep time.Duration) {
	b := route.Batch{Peer: p, Event: route.PeerUp}
	for f := range b.Retention {
		b.Retention[f].Stale = keep
	}
	r.send(b)
}

// wait lets time pass until it has passed by a time, which is whole in
// milliseconds, as the history counts.
func (r *recorded) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// at returns the moment of a time.
func at(t time.Time) query.Moment { return query.Moment{Time: t} }

func parse(t *testing.T, text string) query.Query {
	t.Helper()
	q, err := query.Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return q
}

// compared are the options with which answers of then and now are compared.
// How an answer was found is none of its content, and when a peer was heard last
// may be unknown, but not wrong.
var compared = gocmp.Options{
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
	cmpopts.IgnoreFields(query.Result{}, "Plan", "Query"),
	cmpopts.IgnoreFields(query.Facet{}, "Expr"), // the value says the same
	cmpopts.EquateEmpty(),
	gocmp.FilterPath(func(p gocmp.Path) bool { return p.Last().String() == ".LastUpdate" },
		gocmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) || a.IsZero() || b.IsZero() })),
}

// A life is a store to which random things happen, and what it answered and held
// meanwhile.
type life struct {
	*recorded

	rand      *rand.Rand
	sessions  [4]bool
	states    []state
	questions []question
}

// question is one that was put to the store when it was live, and its answer.
type question struct {
	at     time.Time
	text   string
	ask    func(*recorded, query.Moment) (any, error)
	answer any
}

// state is all routes as they were from a time on, and what made them so.
type state struct {
	at     time.Time
	routes map[string]route.Route
	batch  *route.Batch // nil: time passed
	gap    bool         // nothing ran before
}

var lifePrefixes = func() (list []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/24", "10.1.1.0/24", "10.1.255.128/25", "10.2.3.4/32",
		"11.0.0.0/9", "192.0.2.0/24", "255.255.255.255/32", "::/0", "2001:db8::/32", "2001:db8:1::/48", "2400:1::1/128",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

func newLife(t *testing.T, seed uint64) *life {
	t.Helper()
	l := &life{recorded: record(t), rand: rand.New(rand.NewPCG(seed, 11))}
	l.note(nil, false)
	return l
}

// live lets n things happen, and asks a question after some.
func (l *life) live(n int) {
	for range n {
		l.pass(time.Duration(2+l.rand.IntN(900)) * time.Millisecond)
		if l.rand.IntN(25) == 0 {
			l.pass(time.Duration(l.rand.IntN(100)) * time.Second)
		}
		b := l.something()
		l.send(b)
		l.note(&b, false)
		if l.rand.IntN(4) == 0 {
			l.pass(2 * time.Millisecond)
			l.question()
		}
	}
}

// pass lets time pass and notes what the store does meanwhile by itself. It does
// not end when the store keeps house: two things do not happen at one time.
func (l *life) pass(d time.Duration) {
	for d > 0 {
		next := housekeeping - time.Since(l.ticks)%housekeeping
		step := min(d, next)
		l.wait(step)
		if step == next {
			l.note(nil, false)
			d = max(d, step+2*time.Millisecond)
		}
		d -= step
	}
}

// note keeps the state of the store when it changed.
func (l *life) note(b *route.Batch, gap bool) {
	s := state{at: time.Now().UTC(), routes: map[string]route.Route{}, batch: b, gap: gap}
	for _, routes := range routesAt(query.Known{Table: l.table()}, query.Query{}, everyPlace(query.Known{Table: l.table()})) {
		for _, r := range routes {
			r.Attrs = slices.Clone(r.Attrs)
			s.routes[fmt.Sprint(r.Family, " ", r.Prefix, " ", r.Peer.Name, " ", r.PathID)] = r
		}
	}
	if b == nil && !gap && len(l.states) > 0 && maps.EqualFunc(l.states[len(l.states)-1].routes, s.routes, sameRoute) {
		return
	}
	l.states = append(l.states, s)
}

func sameRoute(a, b route.Route) bool {
	return bytes.Equal(a.Attrs, b.Attrs) && a.ReceivedAt.Equal(b.ReceivedAt) && a.StaleSince.Equal(b.StaleSince) && a.LongLived == b.LongLived
}

func (l *life) peer(i int) *route.Peer {
	p := &route.Peer{
		Name: fmt.Sprint("edge", i), ASN: route.ASN(64500 + i), Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}),
		Router: fmt.Sprint("router", i%2), Group: "all",
	}
	p.AddPath[route.IPv4Unicast] = i == 3
	return p
}

// something returns a random batch that may come next.
func (l *life) something() route.Batch {
	i := l.rand.IntN(len(l.sessions))
	b := route.Batch{Peer: l.peer(i)}
	switch {
	case !l.sessions[i]:
		b.Event, l.sessions[i] = route.PeerUp, true
		for f := range b.Retention {
			b.Retention[f].Stale = time.Duration(l.rand.IntN(2)) * time.Minute
		}
	case l.rand.IntN(25) == 0:
		b.Event, b.Reason, l.sessions[i] = route.PeerDown, "hold timer expired", false
		for f := range b.Retention {
			b.Retention[f] = route.Retention{
				Stale: time.Duration(l.rand.IntN(3)) * 20 * time.Second, LongLived: time.Duration(l.rand.IntN(2)) * 30 * time.Second,
			}
		}
	case l.rand.IntN(12) == 0:
		b.Event = []route.Event{route.EndOfRIB, route.RefreshBegin, route.RefreshEnd, route.EndOfRIB}[l.rand.IntN(4)]
		b.Family = route.Family(l.rand.IntN(2))
	case l.rand.IntN(60) == 0:
		b.Event, l.sessions[i] = route.PeerRemoved, false
	default:
		b.Updates = []route.Update{l.update(i)}
	}
	return b
}

func (l *life) update(peer int) route.Update {
	var u route.Update
	chosen := l.rand.Perm(len(lifePrefixes))[:1+l.rand.IntN(3)]
	for _, i := range chosen {
		n := route.NLRI{Prefix: lifePrefixes[i]}
		f := unicast(n.Prefix)
		if len(u.NLRI) > 0 && f != u.Family {
			continue
		}
		if peer == 3 && f == route.IPv4Unicast {
			n.PathID = uint32(1 + l.rand.IntN(2))
		}
		u.Family, u.NLRI = f, append(u.NLRI, n)
	}
	switch l.rand.IntN(8) {
	case 0:
		return u
	case 1:
		u.Attrs = route.AppendFault(nil, route.Fault{Code: route.AttrASPath, Reason: "AS 0"})
		return u
	}
	path := route.ASPath(nil).AppendSegment(route.ASSequence, route.ASN(64500+peer), route.ASN(65000+l.rand.IntN(3)), route.ASN(65100+l.rand.IntN(2)))
	u.Attrs = u.Attrs.AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, path)
	u.Attrs = u.Attrs.AppendAttr(route.AttrNextHop, []byte{192, 0, 2, byte(l.rand.IntN(2))})
	u.Attrs = u.Attrs.AppendAttr(route.AttrCommunities, []byte{0xfb, 0xf4, 0, byte(l.rand.IntN(3))})
	return u
}

// ask are the kinds of questions, each about a moment; the zero one is now.
var lifeQuestions = []string{
	"10.1.0.77", "10.1.0.0/24", "10.1.255.128/25 or-shorter", "10.0.0.0/8 or-longer", "2001:db8::/32 or-longer",
	"2400:1::1", "origin 65100", "peer edge3", "stale", "via 65001 best", "community 64500:1 not peer edge1", "moas", "router router1",
	"not older-than 30s", "",
}

// question asks something about now and keeps the answer.
func (l *life) question() {
	text := lifeQuestions[l.rand.IntN(len(lifeQuestions))]
	q := question{at: time.Now().UTC(), text: text}
	switch l.rand.IntN(8) {
	case 0:
		q.ask = func(r *recorded, m query.Moment) (any, error) { return r.Facets(r.t.Context(), l.about(text, m), 5) }
	case 1:
		q.ask = func(r *recorded, m query.Moment) (any, error) { return r.ASNeighbors(r.t.Context(), 65001, m, 5) }
	case 2:
		q.ask = func(r *recorded, m query.Moment) (any, error) {
			peers, when, notices, err := r.PeersAt(r.t.Context(), m)
			return []any{peers, when.UTC(), notices}, err
		}
	case 3:
		q.ask = func(r *recorded, m query.Moment) (any, error) {
			var all []route.Route
			err := r.Stream(r.t.Context(), l.about(text, m), func(routes []route.Route) error {
				for _, one := range routes {
					one.Attrs = slices.Clone(one.Attrs)
					all = append(all, one)
				}
				return nil
			})
			return all, err
		}
	default:
		q.ask = func(r *recorded, m query.Moment) (any, error) { return pages(r, l.about(text, m)) }
	}
	var err error
	if q.answer, err = q.ask(l.recorded, query.Moment{}); err != nil {
		l.t.Fatalf("%q: %v", text, err)
	}
	l.questions = append(l.questions, q)
}

func (l *life) about(text string, m query.Moment) query.Query {
	q := parse(l.t, text)
	q.At = m
	return q
}

// pages returns all pages of an answer.
func pages(r *recorded, q query.Query) ([]*query.Result, error) {
	var list []*query.Result
	page := query.Page{Limit: 4}
	for {
		result, err := r.Search(r.t.Context(), q, page)
		if err != nil {
			return nil, err
		}
		list = append(list, result)
		if page.Cursor = result.NextCursor; page.Cursor == "" {
			return list, nil
		}
	}
}

// pause has the store not run for a while. When it ended is known from what it
// recorded last, so that is new.
func (l *life) pause(end func()) {
	last := route.Batch{Peer: l.peer(0), Event: route.PeerUp}
	l.sessions[0] = true
	l.pass(2 * time.Millisecond)
	l.send(last)
	l.note(&last, false)
	l.pass(1500 * time.Millisecond) // what is recorded is written every second
	end()
	time.Sleep(time.Duration(l.rand.IntN(200)) * time.Second)
	l.start()
	l.sessions = [4]bool{}
	l.note(nil, true)
	l.pass(2 * time.Millisecond)
	l.question()
}

// disturb does something that must not be seen in an answer about the past.
func (l *life) disturb() {
	switch l.rand.IntN(4) {
	case 0:
		l.pause(l.stop)
	case 1:
		l.pause(l.crash)
	case 2:
		if _, err := l.Snapshot(l.t.Context()); err != nil {
			l.t.Fatal(err)
		}
	case 3:
		l.pass(3 * time.Minute)
	}
}

// TestThePastIsAnsweredAsItWasWhenItWasNow puts questions to a store while random
// things happen to it, and afterwards all of them again, about then.
func TestThePastIsAnsweredAsItWasWhenItWasNow(t *testing.T) {
	for seed := range *pastRuns {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLife(t, uint64(seed))
				for range 6 {
					l.live(40)
					l.disturb()
				}
				for _, q := range l.questions {
					again, err := q.ask(l.recorded, at(q.at))
					if err != nil {
						t.Fatalf("%q at %v: %v", q.text, q.at, err)
					}
					if diff := gocmp.Diff(q.answer, again, compared); diff != "" {
						t.Fatalf("%q at %v (-then +now):\n%s", q.text, q.at, diff)
					}
				}
				l.changesAreThoseOfTheStates()
				l.comparisonsAreThoseOfTheStates()
				l.timelinesAreThoseOfTheStates()
			})
		})
	}
}

// everyPlace returns the prefixes that may be seen.
func everyPlace(k query.Known) []place {
	var list []place
	_ = k.View(func(v *table.View) error {
		for _, f := range route.Families() {
			for d := range v.Within(f, netip.Prefix{}, netip.Prefix{}) {
				list = append(list, place{f, d.Prefix})
			}
		}
		return nil
	})
	return list
}
