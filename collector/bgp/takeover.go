package bgp

import (
	"context"
	"net/netip"
	"reflect"

	"ribglass/ribstore/route"
)

// settings returns the settings as they are now. A reload may have changed those that
// a running session takes over.
func (n *neighbor) settings() Settings {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.conf.Settings
}

// runsOn reports whether a session under the settings goes on under others, because
// they differ only in what it takes over as it runs.
func (n Neighbor) runsOn(other Neighbor) bool {
	n.Settings, other.Settings = n.Settings.fixed(), other.Settings.fixed()
	n.ConnectRetry, other.ConnectRetry = 0, 0
	return reflect.DeepEqual(n, other)
}

// fixed returns the settings without those that a running session takes over: what
// people read, and limits that are looked up each time.
func (s Settings) fixed() Settings {
	s.Group, s.Router, s.Description = "", "", ""
	s.MaxPrefixes, s.MaxPrefixesWarning, s.MaxPrefixesRestart, s.MaxAttributeBytes = 0, 0, 0, 0
	s.StaleTime, s.MaxStaleTime, s.StaleSweep, s.DemoteRestarting = 0, 0, 0, false
	return s
}

// redescribe tells the store how a peer that it knows is described now.
func (c *Collector) redescribe(ctx context.Context, n *neighbor) {
	n.mu.Lock()
	peer, known := n.peer, n.wasEstablished
	n.mu.Unlock()
	if known {
		c.sendLast(ctx, route.Batch{Peer: peer, At: c.deps.Now(), Event: route.PeerChanged})
	}
}

// Identity returns the AS number and the router id that sessions have, as the last
// reload left them.
func (c *Collector) Identity() (route.ASN, netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cfg.ASN, c.cfg.RouterID
}
