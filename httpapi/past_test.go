package httpapi_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// remembered is the real store with a real history in a temporary directory. Its
// clock stands still between the steps that a test makes, and never runs ahead
// of that of the machine, by which the store finds what is due.
type remembered struct {
	t       testing.TB
	base    time.Time // the end of the steps
	dir     string
	clock   *clock
	log     *slog.Logger
	store   *ribstore.Store
	history *history.History
	in      chan route.Batch
}

func newRemembered(t testing.TB) *remembered {
	t.Helper()
	base := time.Now().UTC().Truncate(time.Second)
	return &remembered{
		t: t, base: base, dir: t.TempDir(), clock: &clock{now: base}, log: slog.New(slog.DiscardHandler), in: make(chan route.Batch),
	}
}

// ago returns the moment so long before the end.
func (r *remembered) ago(d time.Duration) time.Time { return r.base.Add(-d) }

func (r *remembered) open(path string) *history.History {
	r.t.Helper()
	h, err := history.Open(path, history.DefaultConfig(), history.Deps{Logger: r.log, Now: r.clock.Now})
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

// step is something that a peer says some time before the end.
type step struct {
	ago   time.Duration
	batch route.Batch
}

// record writes steps into a file that nobody has open.
func (r *remembered) record(path string, steps ...step) {
	r.t.Helper()
	r.clock.set(r.ago(steps[0].ago))
	h := r.open(path)
	if _, err := h.Resume(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	for i := range steps {
		r.clock.set(r.ago(steps[i].ago))
		h.Record(&steps[i].batch)
	}
	if err := errors.Join(h.Flush(), h.Close()); err != nil {
		r.t.Fatal(err)
	}
}

// live starts the store on the history and gives it the steps, all of which it
// has applied when live returns.
func (r *remembered) live(steps ...step) {
	r.t.Helper()
	r.clock.set(r.ago(steps[0].ago))
	r.history = r.open(filepath.Join(r.dir, "history.db"))
	var err error
	r.store, err = ribstore.New(ribstore.DefaultConfig(), r.deps())
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.store.Resume(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.store.Run(ctx, r.in) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			r.t.Errorf("store: %v", err)
		}
		if err := r.history.Close(); err != nil {
			r.t.Error(err)
		}
	})
	for _, s := range steps {
		r.clock.set(r.ago(s.ago))
		applied := make(chan struct{})
		s.batch.Recycle = func() { close(applied) }
		r.in <- s.batch
		<-applied
	}
	r.clock.set(r.base)
}

func (r *remembered) deps() ribstore.Deps {
	return ribstore.Deps{Logger: r.log, Registerer: prometheus.NewRegistry(), Now: r.clock.Now, History: r.history}
}

// server returns the handler of a server that has all of the past.
func (r *remembered) server(cfg httpapi.Config, sessions httpapi.Sessions) http.Handler {
	r.t.Helper()
	return r.serverOf(r.store, cfg, sessions)
}

func (r *remembered) serverOf(store httpapi.Store, cfg httpapi.Config, sessions httpapi.Sessions) http.Handler {
	r.t.Helper()
	s, err := httpapi.New(cfg, httpapi.Deps{
		Store: store, Sessions: sessions, Logger: r.log, Registerer: prometheus.NewRegistry(), Now: r.clock.Now,
		Info:    httpapi.Info{Version: "0.1.0", ASN: 64500, RouterID: netip.MustParseAddr("192.0.2.10"), StartedAt: r.ago(time.Hour)},
		History: r.history,
		Snapshots: func() []history.SnapshotInfo {
			return []history.SnapshotInfo{{At: r.ago(time.Hour), Routes: 3, Took: time.Second, Chunks: 2, Bytes: 99}}
		},
		Collections: ribstore.NewCollections(r.dir, ribstore.DefaultConfig(), r.deps()),
		Export:      exportLines,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return s.Handler()
}

// exportLines stands for the writer of MRT: a line for each route or change.
func exportLines(ctx context.Context, w io.Writer, from httpapi.Searcher, q query.Query) error {
	if q.Between.IsZero() {
		return from.Stream(ctx, q, func(list []route.Route) error {
			for range list {
				if _, err := io.WriteString(w, "route\n"); err != nil {
					return err
				}
			}
			return nil
		})
	}
	list, err := from.Changes(ctx, q, changes.Page{Page: query.Page{Limit: query.MaxLimit}, Oldest: true})
	if err != nil {
		return err
	}
	for i := range list.Changes {
		if _, err := io.WriteString(w, string(list.Changes[i].Kind)+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// hostileReason is what a neighbour may say of itself.
const hostileReason = `"><script>alert(1)</script>` + "\x1b[2J\u202e"

// up, says, takes and down are what peers do.
func up(p *route.Peer) route.Batch { return route.Batch{Peer: p, Event: route.PeerUp} }

func says(p *route.Peer, prefix string, pathID uint32, set route.Attrs) route.Batch {
	u := route.Update{Attrs: set, NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix(prefix), PathID: pathID}}}
	if u.NLRI[0].Prefix.Addr().Is6() {
		u.Family = route.IPv6Unicast
	}
	return route.Batch{Peer: p, Updates: []route.Update{u}}
}

func takes(p *route.Peer, prefix string, pathID uint32) route.Batch {
	return says(p, prefix, pathID, nil)
}

func down(p *route.Peer, stale time.Duration) route.Batch {
	b := route.Batch{Peer: p, Event: route.PeerDown, Reason: hostileReason}
	for i := range b.Retention {
		b.Retention[i].Stale = stale
	}
	return b
}

// The moments of the world of the past, before the end.
const (
	firstRun  = 30 * time.Hour
	betweenIt = 10 * time.Hour // nothing was recorded
	secondRun = 3 * time.Hour
	moved     = 2 * time.Hour // the origin of thePrefix moves
	lost      = time.Hour     // the session of rs1.ixp is lost
	withdrawn = 30 * time.Minute
)

const thePrefix = "203.0.113.0/24"

// pastWorld is a world that was recorded: in a first run thePrefix comes from AS
// 64501. In a second it comes anew, moves to AS 64502, and is withdrawn, while
// the route server shows one of everything, and is lost. The collection "old" is
// the first run.
func pastWorld(t testing.TB) (*remembered, fakeSessions) {
	t.Helper()
	r := newRemembered(t)
	_, sessions := world()
	edge2, edge1, rs := sessions[0].Peer, sessions[1].Peer, sessions[2].Peer
	from := func(origin route.ASN) route.Attrs {
		return attrs{path: []route.ASN{64500, origin}, nextHop: "192.0.2.1", med: 10, pref: 200}.build()
	}
	first := func() []step {
		return []step{{firstRun, up(edge1)}, {firstRun, says(edge1, thePrefix, 0, from(64501))}, {firstRun - time.Hour, up(edge2)}}
	}
	r.record(filepath.Join(r.dir, "history.db"), first()...)
	path, err := ribstore.CollectionPath(r.dir, "old")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	r.record(path, first()...)
	everything := attrs{
		path: []route.ASN{4200000001, 64501}, nextHop: "198.51.100.77", med: 1, pref: 2, everything: true,
		communities: []route.Community{64500<<16 | 1}, large: []route.LargeCommunity{{Global: 64500, Local1: 1, Local2: 2}},
	}.build()
	linkLocal := route.Attrs(nil).AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, 64500)).
		AppendAttr(route.AttrNextHop, append([]byte{0x20, 1, 15: 1}, []byte{0xfe, 0x80, 15: 2}...))
	gone := down(rs, 48*time.Hour)
	r.live(
		step{secondRun, up(edge1)},
		step{secondRun, up(edge2)},
		step{secondRun, up(rs)},
		step{secondRun, says(edge1, thePrefix, 0, from(64501))},
		step{secondRun, says(rs, "198.51.100.0/24", 7, everything)},
		step{secondRun, says(rs, "2001:db8:2::/48", 7, linkLocal)},
		step{secondRun, says(edge1, "2001:db8:1::/48", 0, linkLocal)},
		step{secondRun - time.Minute, route.Batch{Peer: edge1, Event: route.EndOfRIB, Family: route.IPv4Unicast}},
		step{moved, says(edge1, thePrefix, 0, from(64502))},
		step{lost, gone},
		step{withdrawn, takes(edge1, thePrefix, 0)},
	)
	if _, err := r.store.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r, sessions
}

// param returns the moment so long before the end for a URL.
func (r *remembered) param(ago time.Duration) string { return r.ago(ago).Format(time.RFC3339) }

// stalled is a client that stops reading at the first octets of an answer.
type stalled struct {
	once             sync.Once
	header           http.Header
	reached, release chan struct{}
}

func (s *stalled) Header() http.Header {
	if s.header == nil {
		s.header = http.Header{}
	}
	return s.header
}

func (s *stalled) WriteHeader(int) {}

func (s *stalled) Write(b []byte) (int, error) {
	s.once.Do(func() { close(s.reached) })
	<-s.release
	return len(b), nil
}

func newRequest(target, accept string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Accept", accept)
	return r
}
