package history

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

var lawRuns = flag.Int("law", 60, "random logs that TestLaw tries")

// TestLaw puts the law of the package to random logs: the table at a moment
// equals the plain fold of the events up to it, whatever snapshots, merges,
// retention, compactions, restarts and clocks there were.
func TestLaw(t *testing.T) {
	t.Parallel()
	runs := *lawRuns
	if testing.Short() {
		runs = 10
	}
	for seed := range runs {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, uint64(seed))
			for range 12 {
				w.live(40)
				w.disturb()
			}
			w.compare()
			w.wantWhole()
		})
	}
}

// TestLawOfThinning puts the law to peers that say more than their share: where a
// stretch ends the table is right, within it that of the others is, and answers say
// of whom changes are missing.
func TestLawOfThinning(t *testing.T) {
	t.Parallel()
	runs := *lawRuns / 2
	if testing.Short() {
		runs = 10
	}
	for seed := range runs {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			w := newThinnedWorld(t, uint64(seed), 40)
			for range 12 {
				w.live(40)
				w.disturb()
			}
			w.compare()
			if w.thinned == 0 {
				t.Error("nothing was thinned")
			}
		})
	}
}

// world is a table that is recorded, and the log that is kept beside.
type world struct {
	t       *testing.T
	rand    *rand.Rand
	path    string
	now     time.Time
	history *History
	table   *table.Table
	log     []logged
	up      [4]bool
	rate    int64 // octets a second that a peer may record; zero: any
	thinned int   // peers of which changes are missing at the moments that were compared
}

// logged is one thing that was done, in the order in which it was.
type logged struct {
	at  int64
	run format.Run // under way
	do  func(*table.Table)
}

// upTo returns how many records lead to a moment: those of the runs before one, and of
// it those that are not later. It is the newest run that recorded at that time, else the
// newest that began before without recording yet, else the one that recorded last.
func (w *world) upTo(at int64) int {
	type span struct {
		format.Run

		last int64
	}
	var runs []span
	x, _ := w.history.look() // what was thinned is not recorded at its time
	for _, l := range w.log {
		if n := len(runs); n == 0 || runs[n-1].ID != l.run.ID {
			runs = append(runs, span{l.run, x.LastOf(l.run.ID)})
		}
	}
	slices.Reverse(runs)
	pick := func(fits func(span) bool) int { return slices.IndexFunc(runs, fits) }
	i := pick(func(r span) bool { return max(r.Start, r.Resumed) <= at && at <= r.last })
	if i < 0 {
		i = pick(func(r span) bool { return r.Start <= at && at < r.Resumed && at <= r.last })
	}
	if i < 0 {
		for k, r := range runs {
			if r.Start <= at && (i < 0 || r.last > runs[i].last) {
				i = k
			}
		}
	}
	n := 0
	for i >= 0 && n < len(w.log) && (w.log[n].run.ID < runs[i].ID || w.log[n].run.ID == runs[i].ID && w.log[n].at <= at) {
		n++
	}
	return n
}

// tinyLimits make a few dozen records go through everything.
func tinyLimits() limits {
	l := defaultLimits()
	l.groupRecords = 7
	l.blockChanges, l.maxBlock = 4, 12
	l.levels = []merging{{3, 30, 1 << 20}, {3, 100, 1 << 20}, {2, 300, 1 << 20}}
	l.maxLoads = 6
	l.chunkPrefixes, l.maxChunkPrefixes = 3, 6
	l.walkSlice = 2
	l.worthBytes, l.compactEvery = 0, 0
	return l
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	return newThinnedWorld(t, seed, 0)
}

func newThinnedWorld(t *testing.T, seed uint64, rate int64) *world {
	t.Helper()
	w := &world{
		rate: rate, t: t, rand: rand.New(rand.NewPCG(seed, 4)), path: filepath.Join(t.TempDir(), "h.db"),
		now: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC),
	}
	w.open()
	t.Cleanup(func() { w.history.Close() })
	return w
}

func (w *world) open() {
	cfg := DefaultConfig()
	cfg.Restart = 90 * time.Second
	h, err := Open(w.path, cfg, Deps{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now }})
	if err != nil {
		w.t.Fatal(err)
	}
	h.limits = tinyLimits()
	h.journal.shares.rate, h.journal.shares.burst = w.rate, 4*w.rate
	w.history = h
	before := len(w.log)
	known := h.journal.last
	if w.table, err = h.Resume(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if before == 0 {
		return
	}
	// What Resume did is part of the log: the sessions that were up ended when
	// recording did, and routes wait.
	start := min(known+1, w.now.UnixMilli())
	for _, s := range w.fold(len(w.log)).State() {
		if !s.Up {
			continue
		}
		b := route.Batch{Peer: s.Peer, Event: route.PeerDown, Reason: "Ribglass did not run", At: time.UnixMilli(start).UTC()}
		for f := range b.Retention {
			b.Retention[f].Stale = cfg.Restart
		}
		w.append(start, func(t *table.Table) { t.Apply(&b) })
	}
	until := time.UnixMilli(h.journal.last).Add(cfg.Restart)
	w.append(h.journal.last, func(t *table.Table) { t.Postpone(until) })
	w.up = [4]bool{}
}

func (w *world) append(at int64, do func(*table.Table)) {
	w.log = append(w.log, logged{at, w.history.journal.now, do})
}

// fold is the stupid twin: everything from the beginning, one after the other.
func (w *world) fold(n int) *table.Table {
	t := table.New()
	for _, l := range w.log[:n] {
		l.do(t)
	}
	for t.Work() {
	}
	return t
}

func (w *world) peer(i int) *route.Peer {
	p := &route.Peer{Name: fmt.Sprint("peer", i), ASN: route.ASN(64500 + i), Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})}
	p.AddPath[route.IPv4Unicast] = i == 3
	return p
}

var lawPrefixes = func() (list []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/24", "10.1.1.0/24", "10.1.255.128/25", "10.2.0.0/15", "10.2.3.4/32",
		"11.0.0.0/9", "11.0.0.0/17", "192.0.2.0/24", "255.255.255.255/32",
		"::/0", "2001:db8::/32", "2001:db8::/48", "2001:db8:1::/48", "2001:db9::/33", "2400::/12", "2400:1::/64", "2400:1::1/128",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// live does some random things to the table, recorded and logged.
func (w *world) live(n int) {
	for range n {
		w.now = w.now.Add(time.Duration(w.rand.IntN(3)*w.rand.IntN(400)) * time.Millisecond / 2)
		if w.rand.IntN(60) == 0 {
			w.now = w.now.Add(time.Duration(w.rand.IntN(200)) * time.Second)
		}
		w.once()
		if w.rand.IntN(8) == 0 {
			w.history.CatchUp(w.now)
		}
		if w.table.Due(w.now) {
			at := w.history.RecordExpiry(w.now)
			w.table.Expire(at)
			w.append(at.UnixMilli(), func(t *table.Table) { t.Expire(at) })
		}
		if w.rand.IntN(4) == 0 {
			w.table.Work()
		}
	}
}

func (w *world) once() {
	i := w.rand.IntN(len(w.up))
	b := route.Batch{Peer: w.peer(i)}
	switch {
	case !w.up[i]:
		b.Event, w.up[i] = route.PeerUp, true
		for f := range b.Retention {
			b.Retention[f].Stale = time.Duration(w.rand.IntN(2)) * time.Minute
		}
	case w.rand.IntN(25) == 0:
		b.Event, b.Reason, w.up[i] = route.PeerDown, "hold timer expired", false
		for f := range b.Retention {
			b.Retention[f] = route.Retention{
				Stale: time.Duration(w.rand.IntN(3)) * 20 * time.Second, LongLived: time.Duration(w.rand.IntN(2)) * 30 * time.Second,
			}
		}
	case w.rand.IntN(20) == 0:
		b.Event = []route.Event{route.EndOfRIB, route.RefreshBegin, route.RefreshEnd, route.EndOfRIB}[w.rand.IntN(4)]
		b.Family = route.Family(w.rand.IntN(2))
	case w.rand.IntN(80) == 0:
		b.Event, w.up[i] = route.PeerRemoved, false
	default:
		for range 1 + w.rand.IntN(3) {
			b.Updates = append(b.Updates, w.update(i))
		}
	}
	w.history.Record(&b)
	w.table.Apply(&b)
	w.append(b.At.UnixMilli(), func(t *table.Table) { t.Apply(&b) })
}

func (w *world) update(peer int) route.Update {
	u := route.Update{}
	for range 1 + w.rand.IntN(3) {
		p := lawPrefixes[w.rand.IntN(len(lawPrefixes))]
		f := route.IPv4Unicast
		if p.Addr().Is6() {
			f = route.IPv6Unicast
		}
		if len(u.NLRI) > 0 && f != u.Family {
			continue
		}
		u.Family = f
		n := route.NLRI{Prefix: p}
		if peer == 3 && f == route.IPv4Unicast {
			n.PathID = uint32(w.rand.IntN(3))
		}
		u.NLRI = append(u.NLRI, n)
	}
	switch w.rand.IntN(8) {
	case 0:
	case 1:
		u.Attrs = route.AppendFault(nil, route.Fault{Code: route.AttrASPath, Reason: fmt.Sprintf("AS %d", w.rand.IntN(3))})
	default:
		u.Attrs = route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{byte(w.rand.IntN(3))})
		u.Attrs = u.Attrs.AppendAttr(route.AttrMED, []byte{0, 0, 0, byte(w.rand.IntN(3))})
		if w.rand.IntN(6) == 0 {
			u.Attrs = u.Attrs.AppendAttr(route.AttrCommunities, []byte{0xff, 0xff, 0, 7})
		}
	}
	return u
}

// betweenSlices is a context that has things happen whenever it is asked whether
// it ended, which is between two slices of a snapshot's walk.
type betweenSlices struct {
	context.Context //nolint:containedctx // it is one
	happen          func()
}

func (c betweenSlices) Err() error {
	c.happen()
	return c.Context.Err()
}

// disturb does something that must not change the past.
func (w *world) disturb() {
	ctx := w.t.Context()
	var err error
	switch w.rand.IntN(8) {
	case 0, 1, 2:
		during := betweenSlices{ctx, func() { w.live(w.rand.IntN(3)) }}
		live := TableWriter{Table: w.table, Do: doNow}
		_, err = w.history.Snapshot(during, live)
	case 3:
		err = w.history.Flush()
	case 4:
		if err = w.history.Flush(); err == nil {
			err = w.history.Merge(ctx)
		}
	case 5:
		w.history.keeping.Lock()
		err = w.history.compact(ctx)
		w.history.keeping.Unlock()
	case 6:
		if err = w.history.writeLast(); err == nil {
			err = w.history.Close()
		}
		w.now = w.now.Add(time.Duration(w.rand.IntN(300)) * time.Second)
		if err == nil {
			w.open()
		}
	case 7:
		w.now = w.now.Add(-time.Duration(w.rand.IntN(40)) * time.Second)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// compare asks for many moments and compares with the fold.
func (w *world) compare() {
	moments := []int64{w.now.UnixMilli(), w.log[0].at}
	for range 30 {
		l := w.log[w.rand.IntN(len(w.log))]
		moments = append(moments, l.at, l.at+int64(w.rand.IntN(500)))
	}
	for _, at := range moments {
		n := w.upTo(at)
		want := w.fold(n)
		got, err := w.history.At(w.t.Context(), time.UnixMilli(at), noPrefix)
		if err != nil {
			w.t.Fatalf("at %s: %v", format.Stamp(at), err)
		}
		blurred := w.blurred(got)
		if diff := gocmp.Diff(describeBlurred(want, noPrefix, blurred), describeBlurred(got.Table, noPrefix, blurred)); diff != "" {
			w.t.Fatalf("at %d of %d records (-fold +history):\n%s", n, len(w.log), diff)
		}
		p := lawPrefixes[w.rand.IntN(len(lawPrefixes))]
		narrow, err := w.history.At(w.t.Context(), time.UnixMilli(at), p)
		if err != nil {
			w.t.Fatal(err)
		}
		if diff := gocmp.Diff(describeBlurred(want, p, blurred), describeBlurred(narrow.Table, p, blurred)); diff != "" {
			w.t.Fatalf("at %d of %d records, around %s (-fold +history):\n%s", n, len(w.log), p, diff)
		}
	}
}

// blurred returns what is not known at a moment, which notices must tell.
func (w *world) blurred(past *Past) blur {
	b := blur{map[string]bool{}, map[string]bool{}}
	x, _ := w.history.look()
	for _, m := range x.Marks {
		name := w.history.journal.peerNames()[m.Peer]
		b.ever[name] = true
		if m.Run == past.end.run && m.From <= past.end.at && past.end.at < m.To {
			b.now[name] = true
		}
	}
	for name := range b.now {
		if !slices.ContainsFunc(past.Notices, func(n string) bool { return strings.Contains(n, "of peer "+name+" between") }) {
			w.t.Errorf("at %v nothing tells that changes of %s are missing: %q", past.At, name, past.Notices)
		}
	}
	w.thinned += len(b.now)
	return b
}

// describeTable writes down what a table answers about the prefixes that overlap
// one, and about its peers when that is none.
func describeTable(t *table.Table, within netip.Prefix) []string {
	return describeBlurred(t, within, blur{})
}

// blur is what a history of peers that said more than their share cannot tell.
type blur struct {
	ever map[string]bool // peers of which changes are missing: when routes were received is not exact
	now  map[string]bool // of which changes are missing at the moment
}

func (b blur) time(peer string, t time.Time) string {
	if b.ever[peer] {
		return ""
	}
	return fmt.Sprint(t)
}

func describeBlurred(t *table.Table, within netip.Prefix, blurred blur) (lines []string) {
	_ = t.View(func(v *table.View) error {
		for _, f := range route.Families() {
			for d := range v.Within(f, netip.Prefix{}, netip.Prefix{}) {
				if !(format.Scope{Prefix: within}).Has(d.Prefix) {
					continue
				}
				routes := v.Routes(nil, d, nil)
				slices.SortFunc(routes, func(a, b route.Route) int {
					return cmp.Or(cmp.Compare(a.Peer.Name, b.Peer.Name), cmp.Compare(a.PathID, b.PathID))
				})
				for _, r := range routes {
					if !blurred.now[r.Peer.Name] {
						best := r.Best && len(blurred.now) == 0
						lines = append(lines, fmt.Sprint(f, d.Prefix, r.Peer.Name, r.PathID, string(r.Attrs), blurred.time(r.Peer.Name, r.ReceivedAt), r.StaleSince, r.LongLived, best))
					}
				}
			}
		}
		for _, p := range lawPrefixes {
			for _, f := range route.Families() {
				if !(format.Scope{Prefix: within}).Has(p) {
					continue
				}
				for _, r := range v.Refused(f, p, false, 0) {
					if !blurred.now[r.Peer.Name] {
						lines = append(lines, fmt.Sprint(f, r.NLRI, r.Peer.Name, " refused ", blurred.time(r.Peer.Name, r.At), r.Fault))
					}
				}
			}
		}
		return nil
	})
	peers := t.Peers()
	slices.SortFunc(peers, func(a, b table.PeerInfo) int { return cmp.Compare(a.Peer.Name, b.Peer.Name) })
	for _, p := range peers {
		if blurred.now[p.Peer.Name] {
			continue
		}
		line := fmt.Sprint(p.Peer.Name, p.Peer.ASN, p.Up, p.StaleSince, p.EndOfRIB)
		if !within.IsValid() {
			line += fmt.Sprint(blurred.time(p.Peer.Name, p.LastUpdate), p.Routes, p.Stale)
		}
		lines = append(lines, line)
	}
	return lines
}

// doNow is the writer's way to run something when a test is the writer.
func doNow(_ context.Context, f func()) error {
	f()
	return nil
}
