package player

import (
	"encoding/binary"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// The capability codes a player announces.
const (
	capMultiprotocol   = 1
	capRouteRefresh    = 2
	capExtendedMessage = 6
	capGracefulRestart = 64
	capFourOctetAS     = 65
	capAddPath         = 69
	capEnhancedRefresh = 70
)

// open builds the OPEN that announces what the configuration asks for.
func (c Config) open() *wire.Open {
	o := &wire.Open{ASN: c.ASN, HoldTime: uint16(c.HoldTime / time.Second), RouterID: c.RouterID}
	add := func(code uint8, value ...byte) {
		o.Capabilities = append(o.Capabilities, wire.Capability{Code: code, Value: value})
	}
	for _, f := range c.Families {
		add(capMultiprotocol, 0, byte(f.AFI()), 0, f.SAFI())
	}
	if c.RouteRefresh {
		add(capRouteRefresh)
	}
	if c.EnhancedRefresh {
		add(capEnhancedRefresh)
	}
	if c.ExtendedMessages {
		add(capExtendedMessage)
	}
	if !c.TwoOctetAS {
		add(capFourOctetAS, binary.BigEndian.AppendUint32(nil, uint32(c.ASN))...)
	}
	if len(c.AddPath) > 0 {
		add(capAddPath, addPathValue(c.AddPath)...)
	}
	if c.GracefulRestart != nil {
		add(capGracefulRestart, c.GracefulRestart.value()...)
	}
	o.Capabilities = append(o.Capabilities, c.Capabilities...)
	return o
}

// addPathValue offers to send several paths, not to receive any.
func addPathValue(families []route.Family) []byte {
	const send = 2
	var v []byte
	for _, f := range families {
		v = append(v, 0, byte(f.AFI()), f.SAFI(), send)
	}
	return v
}

func (g GracefulRestart) value() []byte {
	const restarting, forwarding = 0x8000, 0x80
	flags := uint16(g.Time/time.Second) & 0x0fff
	if g.Restarting {
		flags |= restarting
	}
	v := binary.BigEndian.AppendUint16(nil, flags)
	for _, f := range g.Families {
		v = append(v, 0, byte(f.AFI()), f.SAFI(), 0)
		if g.Forwarding {
			v[len(v)-1] = forwarding
		}
	}
	return v
}
