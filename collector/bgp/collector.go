package bgp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"ribglass/collector"
	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Deps are what a Collector works with. Logger and Out are required.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics

	// Out takes the batches. A slow receiver slows the sessions down; no batch
	// is dropped. The Collector never closes Out.
	Out chan<- route.Batch

	// Prefixes returns how many prefixes of a peer the store holds, which is
	// compared with max_prefixes. nil: max_prefixes has no effect.
	Prefixes func(peer string, f route.Family) int

	// AttributeBytes returns the memory of a peer's attribute sets, which is compared
	// with max_attribute_bytes; when exact, without those that other peers hold in
	// its stead. nil: max_attribute_bytes has no effect.
	AttributeBytes func(ctx context.Context, peer string, exact bool) uint64

	// NotKept returns how many routes of a peer the store did not keep, because there
	// are too many paths of a prefix. nil: it is not known.
	NotKept func(peer string) uint64

	// Now is the clock that stamps batches and transitions, and that idle times and
	// retention follow. Deadlines of connections and timers follow the clock of the
	// machine. nil: time.Now.
	Now func() time.Time

	changed *collector.Bell // the collector's, rung when a session changed
}

// Collector keeps the sessions of all neighbors. Make it with New; it must not
// be copied. Its methods may be called concurrently, Run once.
type Collector struct {
	deps       Deps
	log        *slog.Logger
	metrics    *metrics
	builders   collector.Builders
	handshakes atomic.Int64 // connections that are not Established
	refusalLog *rate.Limiter
	attempts   attempts
	md5        md5Watch
	readMD5    func() (route.MD5Errors, bool)
	slots      slots
	room       sync.Mutex     // held while a session is counted against max_sessions
	wg         sync.WaitGroup // of Run's listeners and sessions
	reloads    chan reloading
	interval   time.Duration // between two looks at all neighbors
	newSpeaker func(context.Context, route.ASN, netip.Addr, *slog.Logger) (*speaker, error)

	mu        sync.Mutex // guards what follows
	cfg       Config
	byName    map[string]*neighbor
	byAddress map[netip.Addr][]*neighbor // with the zone of a link-local address
	aliases   map[netip.Addr]bool
	nextAlias netip.Addr
	rules     []*DynamicNeighbor
	bgp       *speaker
	listeners map[netip.AddrPort]*net.TCPListener
	running   chan struct{} // closed when Run ends; nil before it begins
}

// New returns a Collector that does nothing before Run. When a setting is wrong the
// error is a *setting.Error.
func New(cfg Config, deps Deps) (*Collector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	deps.changed = new(collector.Bell)
	c := &Collector{
		deps:       deps,
		log:        deps.Logger,
		refusalLog: rate.NewLimiter(1, 20),
		reloads:    make(chan reloading),
		interval:   time.Second,
		newSpeaker: startSpeaker,
		readMD5:    readMD5,
		byName:     make(map[string]*neighbor),
		byAddress:  make(map[netip.Addr][]*neighbor),
		aliases:    make(map[netip.Addr]bool),
		nextAlias:  firstAlias(),
		listeners:  make(map[netip.AddrPort]*net.TCPListener),
	}
	c.apply(cfg.normalized(), deps.Now())
	c.metrics = newMetrics(c)
	if deps.Registerer != nil {
		if err := c.metrics.register(deps.Registerer); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return c, nil
}

// normalized returns a copy in which every default is filled in.
func (c Config) normalized() Config {
	c.Listen = slices.Clone(c.Listen)
	c.Neighbors = slices.Clone(c.Neighbors)
	for i := range c.Neighbors {
		n := &c.Neighbors[i]
		n.Name, n.Address, n.Dialing = n.name(), n.Address.Unmap(), n.Dialing.withDefaults()
		n.Settings = n.Settings.withDefaults()
	}
	c.DynamicNeighbors = slices.Clone(c.DynamicNeighbors)
	for i := range c.DynamicNeighbors {
		c.DynamicNeighbors[i] = c.DynamicNeighbors[i].withDefaults()
	}
	return c
}

// Run listens and keeps sessions until ctx ends. Then it tells every peer
// (Cease, administrative shutdown) and returns within three seconds.
func (c *Collector) Run(ctx context.Context) error {
	if err := c.start(ctx); err != nil {
		return err
	}
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			c.finish()
			return nil
		case r := <-c.reloads:
			r.result <- c.reload(ctx, r.cfg)
		case <-ticker.C:
			c.expireNeighbors(ctx, c.deps.Now())
		}
	}
}

func (c *Collector) start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil {
		return errors.New("the collector has run before")
	}
	bgp, err := c.newSpeaker(ctx, c.cfg.ASN, c.cfg.RouterID, c.log)
	if err != nil {
		return err
	}
	c.bgp = bgp
	for _, at := range c.cfg.Listen {
		if err := c.open(ctx, at); err != nil {
			c.closeListeners()
			c.wg.Wait()
			bgp.stop()
			return err
		}
	}
	c.running = make(chan struct{})
	c.wg.Go(func() { c.supervise(ctx) })
	return nil
}

// open begins to accept connections at an address. The caller holds c.mu.
func (c *Collector) open(ctx context.Context, at netip.AddrPort) error {
	l, err := bind(ctx, at)
	if err != nil {
		return err
	}
	if err := rekey(l, Config{}, c.cfg); err != nil {
		return errors.Join(err, l.Close())
	}
	c.listeners[at] = l
	c.log.InfoContext(ctx, "listening for BGP", "address", l.Addr().String())
	c.wg.Go(func() { c.accept(ctx, l) })
	return nil
}

func (c *Collector) closeListeners() {
	for at, l := range c.listeners {
		_ = l.Close()
		delete(c.listeners, at)
	}
}

func (c *Collector) finish() {
	c.mu.Lock()
	c.closeListeners()
	close(c.running)
	c.mu.Unlock()
	c.wg.Wait()
	c.speaker().stop()
	c.log.Info("collector stopped")
}

// Addresses returns what Run listens on, for configurations with port 0.
func (c *Collector) Addresses() []netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []netip.AddrPort
	for _, l := range c.listeners {
		list = append(list, l.Addr().(*net.TCPAddr).AddrPort())
	}
	slices.SortFunc(list, netip.AddrPort.Compare)
	return list
}

// Sessions returns the sessions of all neighbors, in order of their names.
func (c *Collector) Sessions() []route.Session {
	neighbors := c.neighbors()
	sessions := make([]route.Session, len(neighbors))
	for i, n := range neighbors {
		sessions[i] = n.snapshot()
	}
	return sessions
}

// SessionChanges returns a channel that has something to receive after a session
// changed, came or went, until stop is called.
func (c *Collector) SessionChanges() (changed <-chan struct{}, stop func()) {
	return c.deps.changed.Listen()
}

// neighbors returns the neighbors in order of their names.
func (c *Collector) neighbors() []*neighbor {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*neighbor, 0, len(c.byName))
	for _, n := range c.byName {
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b *neighbor) int { return cmp.Compare(a.name, b.name) })
	return list
}

// Session returns the session of the neighbor with the name.
func (c *Collector) Session(name string) (route.Session, bool) {
	n := c.neighbor(name)
	if n == nil {
		return route.Session{}, false
	}
	return n.snapshot(), true
}

func (c *Collector) neighbor(name string) *neighbor {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byName[name]
}

// ErrUnknownPeer is the error of Refresh for a name that no neighbor has.
var ErrUnknownPeer = errors.New("no such peer")

// Refresh asks the peer to send all its routes again (RFC 2918).
func (c *Collector) Refresh(name string) error {
	n := c.neighbor(name)
	if n == nil {
		return fmt.Errorf("refresh %q: %w", name, ErrUnknownPeer)
	}
	s := n.session()
	if s == nil {
		return fmt.Errorf("refresh %s: the session is not established", name)
	}
	return s.refresh()
}

func (c *Collector) speaker() *speaker {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bgp
}

func (c *Collector) localASN() route.ASN {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cfg.ASN
}

// add makes a neighbor known and gives it an alias. The caller holds c.mu.
func (c *Collector) add(n *neighbor) {
	n.alias = c.freeAlias()
	c.aliases[n.alias] = true
	c.byName[n.name] = n
	c.place(n)
	c.deps.changed.Ring()
}

// discard forgets a neighbor and keeps it from beginning new sessions. The caller
// holds c.mu.
func (c *Collector) discard(n *neighbor) {
	n.remove()
	c.deps.changed.Ring()
	delete(c.byName, n.name)
	c.displace(n)
}

func firstAlias() netip.Addr { return netip.AddrFrom4([4]byte{127, 64, 0, 1}) }

// freeAlias returns an address of 127.64.0.0/10 that no neighbor has. The
// caller holds c.mu.
func (c *Collector) freeAlias() netip.Addr {
	aliases := netip.PrefixFrom(firstAlias(), 10).Masked()
	for {
		alias := c.nextAlias
		c.nextAlias = alias.Next()
		if !aliases.Contains(c.nextAlias) {
			c.nextAlias = firstAlias()
		}
		if !c.aliases[alias] {
			return alias
		}
	}
}

// sendLast sends a batch that must not be lost, and logs when it is lost at the end
// of the program.
func (c *Collector) sendLast(ctx context.Context, b route.Batch) {
	if !collector.SendLast(ctx, c.deps.Out, b) {
		c.log.WarnContext(ctx, "the store did not take the end of a session", "peer", b.Peer.Name)
	}
}

// expireNeighbors ends idle times, forgets dynamic neighbors whose routes have aged
// out, and connects to those that want it.
func (c *Collector) expireNeighbors(ctx context.Context, now time.Time) {
	for _, n := range c.neighbors() {
		n.endIdleTime(now)
		if n.expired(now) {
			c.forget(ctx, n)
			continue
		}
		c.dialWhenDue(ctx, n, now)
	}
}

// expired reports whether a dynamic neighbor has neither a session nor routes.
func (n *neighbor) expired(now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rule != nil && n.wasEstablished && n.current == nil && n.waiting == 0 && n.greeted == 0 && !n.idle && now.After(n.keptUntil)
}

// discardUnused forgets a dynamic neighbor that never had a session.
func (c *Collector) discardUnused(n *neighbor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n.mu.Lock()
	useless := n.rule != nil && !n.wasEstablished && n.current == nil && n.waiting == 0 && n.greeted == 0 && !n.removed
	n.mu.Unlock()
	if useless {
		c.discard(n)
		delete(c.aliases, n.alias)
	}
}

// forget removes a neighbor: its session ends and its routes are removed.
func (c *Collector) forget(ctx context.Context, n *neighbor) {
	c.mu.Lock()
	c.discard(n)
	c.mu.Unlock()
	e := cease(wire.CeasePeerDeconfigured, nil, "")
	e.drop = true // a removed peer keeps no routes
	n.stop(ctx, e)
	n.mu.Lock()
	peer, known := n.peer, n.wasEstablished || n.rule == nil
	n.mu.Unlock()
	if known {
		c.sendLast(ctx, route.Batch{Peer: peer, At: c.deps.Now(), Event: route.PeerRemoved})
	}
	c.mu.Lock()
	delete(c.aliases, n.alias)
	c.mu.Unlock()
}
