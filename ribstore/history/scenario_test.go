package history

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// A scenario is a log without end whose step i is always the same: what one of
// a few peers says, and then a marker, a route of one more peer whose MED is i.
// So the state of a table tells how much of the log is in it, and a fold of as
// much is what it must be.
type scenario struct {
	seed     uint64
	peers    []*route.Peer
	prefixes []route.Update // of one prefix each, without attributes
}

const (
	scenarioStep = 250 * time.Millisecond
	longTime     = 10_000 * time.Hour // nothing expires
)

var scenarioStart = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func newScenario(seed uint64) *scenario {
	s := &scenario{seed: seed}
	for i := range 4 {
		p := &route.Peer{
			Name: fmt.Sprintf("edge%d", i), ASN: route.ASN(64501 + i), LocalASN: 64500,
			Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), RouterID: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}),
		}
		if i == 1 {
			p.AddPath[route.IPv4Unicast], p.AddPath[route.IPv6Unicast] = true, true
		}
		s.peers = append(s.peers, p)
	}
	s.peers = append(s.peers, &route.Peer{Name: "marker", ASN: 64999})
	r := rand.New(rand.NewPCG(seed, 1))
	for range 600 {
		f := route.Family(r.IntN(route.NumFamilies))
		s.prefixes = append(s.prefixes, route.Update{Family: f, NLRI: []route.NLRI{{Prefix: anyPrefix(r, f)}}})
	}
	return s
}

// anyPrefix returns a prefix out of few addresses and all kinds of lengths.
func anyPrefix(r *rand.Rand, f route.Family) netip.Prefix {
	lengths := []int{0, 1, 8, 15, 16, 17, 20, 24, 24, 24, 31, 32}
	addr := netip.AddrFrom4([4]byte{byte(10 + r.IntN(3)), byte(r.IntN(4)), byte(r.IntN(16) * 16), byte(r.IntN(256))})
	if f.IsIPv6() {
		lengths = []int{0, 3, 16, 31, 32, 33, 44, 48, 48, 63, 64, 65, 127, 128}
		var b [16]byte
		binary.BigEndian.PutUint64(b[:], 0x2001_0db8_0000_0000|uint64(r.IntN(4))<<32|uint64(r.IntN(16))<<16)
		b[8], b[15] = byte(r.IntN(2)*128), byte(r.IntN(256))
		addr = netip.AddrFrom16(b)
	}
	return netip.PrefixFrom(addr, lengths[r.IntN(len(lengths))]).Masked()
}

func attrsOf(r *rand.Rand) route.Attrs {
	path := []byte{2, 2, 0, 0, 251, 244, 0, 0, 0, byte(r.IntN(8))}
	a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{byte(r.IntN(3))}).AppendAttr(route.AttrASPath, path)
	if r.IntN(3) == 0 {
		a = a.AppendAttr(route.AttrMED, []byte{0, 0, 0, byte(r.IntN(5))})
	}
	if r.IntN(20) == 0 {
		a = a.AppendAttr(route.AttrCommunities, make([]byte, 4*(60+r.IntN(10))))
	}
	return a
}

func (s *scenario) at(i int) time.Time { return scenarioStart.Add(time.Duration(i) * scenarioStep) }

func keepLong() (r [route.NumFamilies]route.Retention) {
	for f := range r {
		r[f].Stale = longTime
	}
	return r
}

// said returns what a peer says in step i. A session that ended comes back in
// the next step.
func (s *scenario) said(i int) route.Batch {
	r := rand.New(rand.NewPCG(s.seed, uint64(i)+1000))
	b := route.Batch{Peer: s.peers[r.IntN(len(s.peers)-1)]}
	if i > 0 {
		if before := s.event(i - 1); before != nil {
			return route.Batch{Peer: before, Event: route.PeerUp, Retention: keepLong()}
		}
	}
	switch kind := r.IntN(1000); {
	case kind < 20:
		b.Event = route.PeerDown
		b.Reason = "hold timer expired"
		if kind < 15 {
			b.Retention = keepLong()
		}
	case kind < 24:
		b.Event = route.PeerRemoved
	case kind < 60:
		b.Event, b.Family = route.EndOfRIB, route.Family(r.IntN(route.NumFamilies))
	case kind < 80:
		b.Event, b.Family = route.RefreshBegin+route.Event(r.IntN(2)), route.Family(r.IntN(route.NumFamilies))
	default:
		for range 1 + r.IntN(12) {
			u := s.prefixes[r.IntN(len(s.prefixes))]
			u.NLRI = slices.Clone(u.NLRI)
			if b.Peer.AddPath[u.Family] {
				u.NLRI[0].PathID = uint32(r.IntN(3))
			}
			if r.IntN(4) > 0 {
				u.Attrs = attrsOf(r)
			}
			b.Updates = append(b.Updates, u)
		}
	}
	return b
}

// event returns the peer whose session ends in step i, nil for none.
func (s *scenario) event(i int) *route.Peer {
	r := rand.New(rand.NewPCG(s.seed, uint64(i)+1000))
	p := s.peers[r.IntN(len(s.peers)-1)]
	if i > 0 {
		before := rand.New(rand.NewPCG(s.seed, uint64(i-1)+1000))
		before.IntN(len(s.peers) - 1)
		if before.IntN(1000) < 24 && s.event(i-1) != nil {
			return nil // it is the step in which the one before comes back
		}
	}
	if r.IntN(1000) < 24 {
		return p
	}
	return nil
}

// marker returns the other half of step i.
func (s *scenario) marker(i int) route.Batch {
	a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrMED, binary.BigEndian.AppendUint32(nil, uint32(i)))
	return route.Batch{Peer: s.peers[len(s.peers)-1], Updates: []route.Update{{Attrs: a, NLRI: []route.NLRI{{Prefix: markerPrefix}}}}}
}

var markerPrefix = netip.MustParsePrefix("203.0.113.0/24")

// ups returns what happens when recording begins: all peers come up.
func (s *scenario) ups() []route.Batch {
	var list []route.Batch
	for _, p := range s.peers {
		list = append(list, route.Batch{Peer: p, Event: route.PeerUp, Retention: keepLong()})
	}
	return list
}

// progress returns how many steps of the scenario are in a table.
func progress(t *table.Table) int {
	n := 0
	_ = t.View(func(v *table.View) error {
		if d, ok := v.Exact(route.IPv4Unicast, markerPrefix); ok {
			for _, r := range v.Routes(nil, d, nil) {
				if med, ok := r.Attrs.MED(); ok {
					n = int(med) + 1
				}
			}
		}
		return nil
	})
	return n
}

// dump prints a table, with only the prefixes that overlap within, or all.
// The moments since when something is stale are left out.
func dump(t *table.Table, within netip.Prefix) string {
	var b strings.Builder
	peers := t.Peers()
	slices.SortFunc(peers, func(a, b table.PeerInfo) int { return strings.Compare(a.Peer.Name, b.Peer.Name) })
	for _, p := range peers {
		fmt.Fprintf(&b, "%s up=%v stale=%v as=%d\n", p.Peer.Name, p.Up, !p.StaleSince.IsZero(), p.Peer.ASN)
	}
	_ = t.View(func(v *table.View) error {
		for _, f := range route.Families() {
			for d := range v.Within(f, netip.Prefix{}, netip.Prefix{}) {
				if within.IsValid() && !within.Overlaps(d.Prefix) {
					continue
				}
				var lines []string
				for _, r := range v.Routes(nil, d, nil) {
					lines = append(lines, fmt.Sprintf("%v %v %s %d %x %d stale=%v\n",
						f, r.Prefix, r.Peer.Name, r.PathID, []byte(r.Attrs), r.ReceivedAt.Unix(), !r.StaleSince.IsZero()))
				}
				slices.Sort(lines)
				for _, l := range lines {
					b.WriteString(l)
				}
			}
		}
		return nil
	})
	return b.String()
}

// fold is the stupid twin of a history: the table that the log makes.
type fold struct {
	table *table.Table
	next  int // step
}

func (f *fold) apply(b route.Batch, at time.Time) {
	b.At = at
	f.table.Apply(&b)
	for f.table.Work() {
	}
}

func (f *fold) step(s *scenario) {
	f.apply(s.said(f.next), s.at(f.next))
	f.apply(s.marker(f.next), s.at(f.next))
	f.next++
}

// restart does what a restart does: sessions are down.
func (f *fold) restart(at time.Time) {
	for _, st := range f.table.State() {
		if st.Up {
			f.apply(route.Batch{Peer: st.Peer, Event: route.PeerDown, Retention: keepLong()}, at)
		}
	}
}

// clock is a clock that a test sets.
type clock struct{ ms atomic.Int64 }

func (c *clock) set(t time.Time)          { c.ms.Store(t.UnixMilli()) }
func (c *clock) now() time.Time           { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) advance(d time.Duration)  { c.ms.Add(d.Milliseconds()) }
func clockAt(t time.Time) *clock          { c := new(clock); c.set(t); return c }
func (c *clock) deps(h slog.Handler) Deps { return Deps{Logger: slog.New(h), Now: c.now} }
func directly(t *table.Table) TableWriter {
	return TableWriter{t, func(_ context.Context, f func()) error { f(); return nil }}
}
func (s *scenario) clockFor(step int) *clock { return clockAt(s.at(step)) }

// warnings counts what is logged as a warning or an error.
type warnings struct {
	slog.Handler
	count atomic.Int64
}

func newWarnings() *warnings { return &warnings{Handler: slog.DiscardHandler} }

func (w *warnings) Enabled(context.Context, slog.Level) bool { return true }

func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		w.count.Add(1)
	}
	return nil
}

func smallLimits() limits {
	l := defaultLimits()
	l.blockChanges, l.maxBlock = 20, 60
	l.levels = []merging{{6, 2000, 1 << 20}, {4, 20_000, 4 << 20}}
	l.chunkPrefixes, l.maxChunkPrefixes, l.maxChunkRoutes = 40, 80, 400
	l.writeAhead = 8 << 10
	l.worthBytes, l.compactEvery = 128<<10, 0
	return l
}

func smallConfig() Config {
	c := DefaultConfig()
	c.Restart = longTime
	c.Journal = 0
	c.Keep = []Tier{{time.Minute, time.Hour}}
	return c
}

// openSmall opens a file with small limits.
func openSmall(path string, cfg Config, deps Deps) (*History, error) {
	h, err := Open(path, cfg, deps)
	if err == nil {
		h.limits = smallLimits()
	}
	return h, err
}

// recorder records a scenario.
type recorder struct {
	scenario *scenario
	history  *History
	table    *table.Table
	clock    *clock
	next     int
}

func (r *recorder) begin() {
	for _, b := range r.scenario.ups() {
		r.record(b)
	}
}

func (r *recorder) record(b route.Batch) {
	r.history.Record(&b)
	r.table.Apply(&b)
	for r.table.Work() {
	}
}

func (r *recorder) step() {
	r.clock.set(r.scenario.at(r.next))
	r.record(r.scenario.said(r.next))
	r.record(r.scenario.marker(r.next))
	r.next++
}

// moment is a past that a test knows.
type moment struct {
	at   time.Time
	want string // dump
}

// agree reports what is wrong with an answer about a known moment, "" when it is
// right, or says that it is not what was asked for. certain tells which.
func (m *moment) agree(past *Past, err error, within netip.Prefix, full bool) (wrong string, certain bool) {
	var begins *RangeError
	switch {
	case errors.As(err, &begins):
		return "", false
	case err != nil:
		return "an unexpected error: " + err.Error(), false
	case len(past.Notices) > 0:
		return "", false
	case !past.At.Equal(m.at):
		return fmt.Sprintf("the state of %v is given for %v without a notice", past.At, m.at), false
	}
	got, want := dump(past.Table, within), m.want
	if !full {
		want = only(want, within)
	}
	if got != want {
		return "another past than it was:\n" + firstDifference(want, got), false
	}
	return "", true
}

// only leaves the lines of a dump that are of peers or overlap a prefix.
func only(dumped string, within netip.Prefix) string {
	var b strings.Builder
	for line := range strings.Lines(dumped) {
		if fields := strings.Fields(line); strings.Contains(fields[1], "/") {
			if p := netip.MustParsePrefix(fields[1]); !p.Overlaps(within) {
				continue
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d of %d/%d\nwant %s\ngot  %s", i, len(w), len(g), w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// recorded makes a file of a scenario with snapshots, segments of both levels
// and groups, and returns the moments to ask it for.
func recorded(t testing.TB, path string, steps int) (*scenario, []moment) {
	t.Helper()
	s := newScenario(7)
	c := s.clockFor(-10)
	h, err := openSmall(path, smallConfig(), c.deps(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	tab, err := h.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := recorder{scenario: s, history: h, table: tab, clock: c}
	r.begin()
	var moments []moment
	for r.next < steps {
		r.step()
		var err error
		switch {
		case r.next%(steps/4) == 0:
			_, err = h.Snapshot(t.Context(), directly(tab))
		case r.next%5 == 0:
			err = h.Flush()
		}
		if err == nil && r.next%60 == 0 {
			err = h.Merge(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.next%(steps/12) == 3 {
			moments = append(moments, moment{s.at(r.next - 1), dump(tab, netip.Prefix{})})
		}
	}
	if err := h.Flush(); err != nil {
		t.Fatal(err)
	}
	moments = append(moments, moment{s.at(r.next - 1), dump(tab, netip.Prefix{})})
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return s, moments
}

// dumpDown changes a dump to what it is after all sessions ended.
func dumpDown(dumped string) string {
	return strings.ReplaceAll(strings.ReplaceAll(dumped, "up=true stale=false", "up=false stale=true"), "stale=false", "stale=true")
}

// memoryDir returns a directory in memory where there is one: what is tested
// there does not lose power, and would wait for the disk most of the time.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "history-test-") //nolint:usetesting // t.TempDir is on the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
