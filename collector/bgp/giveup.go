package bgp

import (
	"fmt"

	"ribglass/collector/wire"
)

// GiveUp ends the session of a neighbor because the program is short of something
// that the peer has most of, such as memory. Its routes are removed, and the session
// stays down as after max_prefixes. It returns at once.
func (c *Collector) GiveUp(name, reason string) error {
	n := c.neighbor(name)
	if n == nil {
		return fmt.Errorf("end the session of %q: %w", name, ErrUnknownPeer)
	}
	n.mu.Lock()
	s := n.current
	n.mu.Unlock()
	if s == nil {
		return fmt.Errorf("end the session of %s: there is none", name)
	}
	e := cease(wire.CeaseOutOfResources, nil, reason)
	e.drop, e.idle, e.idleFor = true, true, n.settings().MaxPrefixesRestart
	s.cancel(e)
	return nil
}
