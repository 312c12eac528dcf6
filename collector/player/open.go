package player

import (
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// open builds the OPEN that announces what the configuration asks for.
func (c Config) open() *wire.Open {
	o := &wire.Open{ASN: c.ASN, HoldTime: uint16(c.HoldTime / time.Second), RouterID: c.RouterID}
	add := func(announce bool, capability wire.Capability) {
		if announce {
			o.Capabilities = append(o.Capabilities, capability)
		}
	}
	for _, f := range c.Families {
		add(true, wire.MultiprotocolCapability(f))
	}
	add(c.RouteRefresh, wire.RouteRefreshCapability())
	add(c.EnhancedRefresh, wire.EnhancedRefreshCapability())
	add(c.ExtendedMessages, wire.ExtendedMessageCapability())
	add(!c.TwoOctetAS, wire.FourOctetASCapability(c.ASN))
	add(len(c.AddPath) > 0, wire.AddPathCapability(sendPaths(c.AddPath)))
	add(len(c.ExtendedNextHop) > 0, wire.ExtendedNextHopCapability(setOf(c.ExtendedNextHop)))
	if c.GracefulRestart != nil {
		add(true, wire.GracefulRestartCapability(*c.GracefulRestart))
	}
	if c.LongLived != nil {
		add(true, wire.LongLivedCapability(*c.LongLived))
	}
	o.Capabilities = append(o.Capabilities, c.Capabilities...)
	return o
}

// sendPaths offers to send several paths, not to receive any.
func sendPaths(families []route.Family) [route.NumFamilies]wire.AddPathMode {
	var modes [route.NumFamilies]wire.AddPathMode
	for _, f := range families {
		modes[f] = wire.AddPathSend
	}
	return modes
}

func setOf(families []route.Family) [route.NumFamilies]bool {
	var set [route.NumFamilies]bool
	for _, f := range families {
		set[f] = true
	}
	return set
}
