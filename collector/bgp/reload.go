package bgp

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"time"

	"ribglass/collector/wire"
)

// reloading asks Run for a reload.
type reloading struct {
	cfg    Config
	result chan error
}

// Reload changes over to cfg. Sessions stay up whose settings stay the same, or change
// only where a running session takes them over; those of other neighbors are ended or
// restarted. When an address cannot be
// listened on, everything else has changed nevertheless, and the error says so.
func (c *Collector) Reload(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	c.mu.Lock()
	running := c.running
	if running == nil {
		defer c.mu.Unlock()
		c.byName, c.byAddress, c.aliases = map[string]*neighbor{}, map[netip.Addr][]*neighbor{}, map[netip.Addr]bool{}
		c.apply(cfg.normalized(), c.deps.Now())
		return nil
	}
	c.mu.Unlock()
	r := reloading{cfg: cfg.normalized(), result: make(chan error, 1)}
	select {
	case c.reloads <- r:
		return <-r.result
	case <-running:
		return errors.New("reload: the collector has stopped")
	}
}

// change lists what remains to be done after a configuration was applied.
type change struct {
	remove   []*neighbor
	restart  []*neighbor
	describe []*neighbor // only what sessions take over as they run has changed
}

// apply changes over to the configuration. The caller holds c.mu, or no other
// goroutine uses c.
func (c *Collector) apply(cfg Config, now time.Time) (todo change) {
	old := c.cfg
	c.cfg = cfg
	wanted := make(map[string]Neighbor, len(cfg.Neighbors))
	for _, n := range cfg.Neighbors {
		wanted[n.Name] = n
	}
	rules := c.newRules(cfg)
	for _, n := range c.byName {
		conf, keep := wanted[n.name]
		if n.rule != nil {
			conf, keep = c.dynamicAfter(n, rules, cfg)
		}
		switch {
		case !keep:
			todo.remove = append(todo.remove, n)
		case old.ASN != cfg.ASN || old.RouterID != cfg.RouterID || !n.conf.runsOn(conf):
			todo.restart = append(todo.restart, n)
			c.displace(n)
			n.configure(conf, cfg, now)
		case !reflect.DeepEqual(n.conf, conf):
			todo.describe = append(todo.describe, n)
			n.configure(conf, cfg, now)
		default:
			n.endIdle(now)
		}
	}
	for _, n := range todo.remove {
		c.discard(n)
	}
	if len(todo.describe) > 0 {
		c.deps.changed.Ring()
	}
	for _, n := range todo.restart { // addresses may have changed hands
		c.place(n)
	}
	for _, conf := range cfg.Neighbors {
		if c.byName[conf.Name] == nil {
			c.add(newNeighbor(conf, cfg, c.deps))
		}
	}
	return todo
}

// newRules replaces the dynamic rules and returns the new ones.
func (c *Collector) newRules(cfg Config) map[ruleKey]*DynamicNeighbor {
	byKey := make(map[ruleKey]*DynamicNeighbor)
	c.rules = nil
	for i := range cfg.DynamicNeighbors {
		rule := cfg.DynamicNeighbors[i]
		c.rules = append(c.rules, &rule)
		byKey[rule.key()] = &rule
	}
	return byKey
}

// dynamicAfter returns the settings of a dynamic neighbor under the new rules, and
// whether it stays. It stays when its rule and group are still configured, and no
// configured neighbor has its address.
func (c *Collector) dynamicAfter(n *neighbor, rules map[ruleKey]*DynamicNeighbor, cfg Config) (Neighbor, bool) {
	rule := rules[n.rule.key()]
	taken := slices.ContainsFunc(cfg.Neighbors, func(static Neighbor) bool {
		return static.Address == n.conf.Address || static.Name == n.name
	})
	if rule == nil || rule.Group != n.rule.Group || taken {
		return Neighbor{}, false
	}
	conf := n.conf
	conf.Settings, conf.ASN = rule.Settings, 0
	if len(rule.ASNs) == 1 {
		conf.ASN = rule.ASNs[0]
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(rule.ASNs) > 0 && !slices.Contains(rule.ASNs, n.peer.ASN) {
		return Neighbor{}, false
	}
	n.rule = rule
	return conf, true
}

// endIdle ends the idle time after max_prefixes.
func (n *neighbor) endIdle(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.idle {
		n.idle = false
		n.awaitConnection(now, "configuration reloaded")
	}
}

// reload applies the configuration while Run runs.
func (c *Collector) reload(ctx context.Context, cfg Config) error {
	c.mu.Lock()
	old := c.cfg
	todo := c.apply(cfg, c.deps.Now())
	err := c.relisten(ctx, old, cfg)
	c.mu.Unlock()
	var wg sync.WaitGroup
	for _, n := range todo.remove {
		wg.Go(func() { c.forget(ctx, n) })
	}
	for _, n := range todo.restart {
		wg.Go(func() { n.stop(ctx, n.restarting()) })
	}
	wg.Wait()
	for _, n := range todo.describe {
		c.redescribe(ctx, n)
	}
	if old.ASN != cfg.ASN || old.RouterID != cfg.RouterID {
		err = errors.Join(err, c.restartSpeaker(ctx))
	}
	c.log.DebugContext(ctx, "configuration reloaded", "removed", len(todo.remove), "restarted", len(todo.restart), "changed", len(todo.describe), "neighbors", len(cfg.Neighbors))
	return err
}

// restarting returns the ending for the session of a changed neighbor.
func (n *neighbor) restarting() *ending {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conf.Shutdown != "" {
		return cease(wire.CeaseAdminShutdown, wire.ShutdownCommunication(n.conf.Shutdown), "")
	}
	return cease(wire.CeaseConfigChange, nil, "")
}

// restartSpeaker replaces the speaker by one with the new AS number and router
// id.
func (c *Collector) restartSpeaker(ctx context.Context) error {
	c.mu.Lock()
	asn, id := c.cfg.ASN, c.cfg.RouterID
	c.mu.Unlock()
	fresh, err := c.newSpeaker(ctx, asn, id, c.log)
	if err != nil {
		return err
	}
	c.mu.Lock()
	stale := c.bgp
	c.bgp = fresh
	c.mu.Unlock()
	stale.stop()
	return nil
}

// relisten closes and opens listeners and changes their keys. The caller holds c.mu.
func (c *Collector) relisten(ctx context.Context, old, cfg Config) error {
	var errs []error
	for at, l := range c.listeners {
		if !slices.Contains(cfg.Listen, at) {
			errs = append(errs, l.Close())
			delete(c.listeners, at)
		}
	}
	for _, l := range c.listeners {
		errs = append(errs, rekey(l, old, cfg))
	}
	for _, at := range cfg.Listen {
		if c.listeners[at] == nil {
			errs = append(errs, c.open(ctx, at))
		}
	}
	return errors.Join(errs...)
}
