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
	s := n.session()
	if s == nil {
		return fmt.Errorf("end the session of %s: there is none", name)
	}
	s.cancel(overLimit(wire.CeaseOutOfResources, nil, reason, n.settings().MaxPrefixesRestart))
	return nil
}
