package bgp

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	api "github.com/osrg/gobgp/v3/api"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

func TestMain(m *testing.M) {
	// GoBGP's main loop has no end.
	goleak.VerifyTestMain(testsWithSpeaker{m}, goleak.IgnoreAnyFunction("github.com/osrg/gobgp/v3/pkg/server.(*BgpServer).Serve"))
}

// testsWithSpeaker runs tests around a speaker that their collectors share. GoBGP
// writes global variables when it starts and reads them in its sessions, so that a
// speaker must not start while a session of another one runs. Tests that start a
// speaker of their own do not run in parallel with others.
type testsWithSpeaker struct{ m *testing.M }

var (
	shared      *speaker
	collections atomic.Uint32 // of collectors that share it
)

func (tests testsWithSpeaker) Run() int {
	flag.Parse()
	// Most tests wait for timers and connections, so that more of them can run than
	// there are processors.
	if n := flag.Lookup("test.parallel"); n.Value.String() == n.DefValue {
		_ = n.Value.Set("8")
	}
	cfg := testConfig()
	var err error
	shared, err = startSpeaker(context.Background(), cfg.ASN, cfg.RouterID, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	defer shared.stop()
	return tests.m.Run()
}

// share makes the collector use the shared speaker, in which each collector has
// 4,096 aliases.
func share(c *Collector) {
	c.newSpeaker = func(_ context.Context, _ route.ASN, _ netip.Addr, logger *slog.Logger) (*speaker, error) {
		return &speaker{bgp: shared.bgp, log: logger, gobgpLog: shared.gobgpLog, address: shared.address, stop: func() {}}, nil
	}
	n := collections.Add(1)
	c.nextAlias = netip.AddrFrom4([4]byte{127, 64 + byte(n>>4)&63, byte(n << 4), 1}) // n<<12, in 127.64.0.0/10
	clear(c.aliases)
	for _, n := range c.byName {
		n.alias = c.freeAlias()
		c.aliases[n.alias] = true
	}
}

const patience = 10 * time.Second

// eventually polls until ok, and fails the test when it takes too long.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// bench is a running collector and what came out of it.
type bench struct {
	*Collector
	t        *testing.T
	registry *prometheus.Registry
	out      chan route.Batch
	stop     func() time.Duration // ends Run and returns how long it took

	mu       sync.Mutex
	batches  []route.Batch // with copied updates
	prefixes map[string]map[netip.Prefix]bool
	log      bytes.Buffer
	hold     chan struct{} // not nil: the store takes no batch until it is closed
}

// keepalives returns how many KEEPALIVEs the speaker has received in the session of
// a neighbor.
func (b *bench) keepalives(name string) (received uint64) {
	b.t.Helper()
	request := &api.ListPeerRequest{Address: b.neighbor(name).alias.String()}
	err := b.speaker().bgp.ListPeer(b.t.Context(), request, func(p *api.Peer) {
		received = p.GetState().GetMessages().GetReceived().GetKeepalive()
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return received
}

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

func (c *clock) use(d *Deps) { d.Now = c.now }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func testConfig(neighbors ...Neighbor) Config {
	return Config{
		ASN: 64500, RouterID: addr("192.0.2.10"),
		Listen:    []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Neighbors: neighbors,
	}
}

func testNeighbor(name, address string, asn route.ASN) Neighbor {
	return Neighbor{Name: name, Address: addr(address), ASN: asn, Settings: DefaultSettings()}
}

// start runs a collector with the shared speaker until the test ends. The options
// change its Deps.
func start(t *testing.T, cfg Config, options ...func(*Deps)) *bench {
	t.Helper()
	b := newBench(t, cfg, options...)
	share(b.Collector)
	b.run()
	return b
}

// startAlone runs a collector with a speaker of its own. The test must not run in
// parallel with others.
func startAlone(t *testing.T, cfg Config) *bench {
	t.Helper()
	b := newBench(t, cfg)
	b.run()
	return b
}

func newBench(t *testing.T, cfg Config, options ...func(*Deps)) *bench {
	t.Helper()
	b := &bench{
		t: t, registry: prometheus.NewRegistry(), out: make(chan route.Batch),
		prefixes: make(map[string]map[netip.Prefix]bool),
	}
	deps := Deps{
		Logger:     slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelInfo})),
		Registerer: b.registry, Out: b.out, Prefixes: b.count,
	}
	for _, option := range options {
		option(&deps)
	}
	c, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	c.interval = 10 * time.Millisecond
	b.Collector = c
	return b
}

func (b *bench) run() {
	t, c := b.t, b.Collector
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var run, store sync.WaitGroup
	var runErr error
	run.Go(func() { runErr = c.Run(ctx) })
	store.Go(b.store)
	var once sync.Once
	took := time.Duration(0)
	b.stop = func() time.Duration {
		once.Do(func() {
			began := time.Now()
			cancel()
			run.Wait()
			took = time.Since(began)
			close(b.out)
			store.Wait()
			if runErr != nil {
				t.Errorf("Run() = %v", runErr)
			}
			if t.Failed() {
				t.Logf("log:\n%s", b.logged())
			}
		})
		return took
	}
	t.Cleanup(func() { b.stop() })
	eventually(t, "the collector listens", func() bool { return len(c.Addresses()) == len(c.cfg.Listen) })
}

// Write takes log lines.
func (b *bench) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

func (b *bench) logged() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

// store plays the store: it takes the batches and keeps a copy.
func (b *bench) store() {
	for batch := range b.out {
		b.mu.Lock()
		hold := b.hold
		b.mu.Unlock()
		if hold != nil {
			<-hold
		}
		kept := batch
		kept.Updates, kept.Recycle = nil, nil
		b.mu.Lock()
		table := b.prefixes[batch.Peer.Name]
		drop := batch.Event == route.PeerDown && batch.Retention == [route.NumFamilies]route.Retention{}
		if table == nil || drop || batch.Event == route.PeerRemoved {
			table = make(map[netip.Prefix]bool)
			b.prefixes[batch.Peer.Name] = table
		}
		for _, u := range batch.Updates {
			kept.Updates = append(kept.Updates, route.Update{Family: u.Family, Attrs: slices.Clone(u.Attrs), NLRI: slices.Clone(u.NLRI)})
			for _, n := range u.NLRI {
				if u.Withdraw() {
					delete(table, n.Prefix)
				} else {
					table[n.Prefix] = true
				}
			}
		}
		b.batches = append(b.batches, kept)
		b.mu.Unlock()
		batch.Release()
	}
}

func (b *bench) count(peer string, f route.Family) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for p := range b.prefixes[peer] {
		if p.Addr().Is6() == f.IsIPv6() && f < 2 {
			n++
		}
	}
	return n
}

// of returns the batches of a peer with one of the events, in order.
func (b *bench) of(peer string, events ...route.Event) []route.Batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []route.Batch
	for _, batch := range b.batches {
		if batch.Peer.Name == peer && slices.Contains(events, batch.Event) {
			list = append(list, batch)
		}
	}
	return list
}

func (b *bench) has(peer, prefix string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.prefixes[peer][netip.MustParsePrefix(prefix)]
}

func (b *bench) session(name string) route.Session {
	b.t.Helper()
	s, ok := b.Session(name)
	if !ok {
		b.t.Fatalf("no session %q", name)
	}
	return s
}

func (b *bench) waitState(name string, want route.State) {
	b.t.Helper()
	eventually(b.t, name+" is "+string(want), func() bool {
		s, ok := b.Session(name)
		return ok && s.State == want
	})
}

// router is a scripted BGP speaker.
type router struct {
	t      *testing.T
	conn   *net.TCPConn
	open   *wire.Open // what it says
	theirs *wire.Open
	agreed wire.Session // from its own view
}

func testOpen(asn route.ASN, id string, more ...wire.Capability) *wire.Open {
	return &wire.Open{ASN: asn, HoldTime: 90, RouterID: addr(id), Capabilities: append([]wire.Capability{
		wire.MultiprotocolCapability(route.IPv4Unicast),
		wire.MultiprotocolCapability(route.IPv6Unicast),
		wire.RouteRefreshCapability(),
		wire.FourOctetASCapability(asn),
	}, more...)}
}

// dial connects from an address; more may prepare the socket.
func (b *bench) dial(from string, more ...func(network, address string, c syscall.RawConn) error) (*net.TCPConn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: addr(from).AsSlice()}, Timeout: patience}
	if len(more) > 0 {
		d.Control = more[0]
	}
	conn, err := d.DialContext(b.t.Context(), "tcp", b.Addresses()[0].String())
	if err != nil {
		return nil, err
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn), nil
}

func (b *bench) router(from string, open *wire.Open) *router {
	b.t.Helper()
	conn, err := b.dial(from)
	if err != nil {
		b.t.Fatal(err)
	}
	return &router{t: b.t, conn: conn, open: open}
}

// up returns a router whose session is Established.
func (b *bench) up(from string, open *wire.Open) *router {
	b.t.Helper()
	r := b.router(from, open)
	r.establish()
	return r
}

func (r *router) establish() {
	r.t.Helper()
	r.send(r.open.Append(nil))
	theirs, err := wire.ParseOpen(r.expect(wire.TypeOpen))
	if err != nil {
		r.t.Fatal(err)
	}
	r.theirs, r.agreed = theirs, wire.Negotiate(r.open, theirs)
	r.expect(wire.TypeKeepalive)
	r.send(wire.AppendKeepalive(nil))
}

func (r *router) send(b []byte) {
	r.t.Helper()
	_ = r.conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := r.conn.Write(b); err != nil {
		r.t.Fatalf("send: %v", err)
	}
}

func (r *router) update(u route.Update) {
	r.t.Helper()
	r.send(wire.AppendUpdate(nil, r.agreed, u, wire.MaxLen))
}

// announce sends routes for prefixes.
func (r *router) announce(prefixes ...string) {
	r.t.Helper()
	for _, p := range prefixes {
		r.update(announcement(r.open.ASN, p))
	}
}

func announcement(asn route.ASN, prefix string) route.Update {
	p := netip.MustParsePrefix(prefix)
	hop, family := addr("192.0.2.1"), route.IPv4Unicast
	if p.Addr().Is6() {
		hop, family = addr("2001:db8::1"), route.IPv6Unicast
	}
	attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).
		AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, asn)).
		AppendAttr(route.AttrNextHop, hop.AsSlice())
	return route.Update{Family: family, Attrs: attrs, NLRI: []route.NLRI{{Prefix: p}}}
}

// read returns the next message.
func (r *router) read() (wire.Type, []byte, error) {
	_ = r.conn.SetReadDeadline(time.Now().Add(patience))
	t, message, err := readMessage(r.conn, nil)
	if err != nil {
		return 0, nil, err
	}
	return t, message[wire.HeaderLen:], nil
}

// expect returns the body of the next message of a type, passing over others.
func (r *router) expect(want wire.Type) []byte {
	r.t.Helper()
	for {
		t, body, err := r.read()
		if err != nil {
			r.t.Fatalf("waiting for %s: %v", want, err)
		}
		if t == wire.TypeNotification && want != t {
			n, _ := wire.ParseNotification(body)
			r.t.Fatalf("waiting for %s: %v", want, n)
		}
		if t == want {
			return body
		}
	}
}

// notified returns the NOTIFICATION that ends the session, and closes the
// connection, for which the collector waits.
func (r *router) notified() *wire.Notification {
	r.t.Helper()
	n, err := wire.ParseNotification(r.expect(wire.TypeNotification))
	_ = r.conn.Close()
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

func (r *router) wantNotified(code, subcode uint8) wire.Notification {
	r.t.Helper()
	n := r.notified()
	if n.Code != code || n.Subcode != subcode {
		r.t.Fatalf("NOTIFICATION %d/%d (%v), want %d/%d", n.Code, n.Subcode, n, code, subcode)
	}
	return *n
}

// silence reads until the connection ends and returns how much came.
func silence(conn net.Conn) (int64, error) {
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	n, err := io.Copy(io.Discard, conn)
	if errors.Is(err, syscall.ECONNRESET) {
		err = nil
	}
	return n, err
}

// refused checks that a connection was closed without a byte. The reset may come
// before dialling has returned.
func refused(t *testing.T, conn net.Conn, err error) {
	t.Helper()
	if errors.Is(err, syscall.ECONNRESET) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if n, err := silence(conn); n != 0 || err != nil {
		t.Errorf("refused connection received %d octets, %v", n, err)
	}
}

// alive proves that the session still delivers.
func (b *bench) alive(r *router, peer string, serial int) {
	b.t.Helper()
	prefix := fmt.Sprintf("10.%d.%d.0/24", serial/256, serial%256)
	r.announce(prefix)
	eventually(b.t, peer+" delivers "+prefix, func() bool { return b.has(peer, prefix) })
}

func dialerFrom(from string, control func(string, string, syscall.RawConn) error) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: addr(from).AsSlice()}, Timeout: patience, Control: control}
}

func asTCP(conn net.Conn) *net.TCPConn { return conn.(*net.TCPConn) }
