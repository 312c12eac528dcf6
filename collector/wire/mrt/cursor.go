package mrt

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"ribglass/ribstore/route"
)

var errShort = errors.New("record ends within a field")

// cursor takes fields off a record's body. Reading past the end gives zeros
// and sets short, so that a caller checks once, after a run of fields.
type cursor struct {
	rest  []byte
	short bool
}

// take returns the next n octets, or nil when there are fewer.
func (c *cursor) take(n int) []byte {
	if n > len(c.rest) {
		c.rest, c.short = nil, true
		return nil
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) uint8() uint8 {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) asn(four bool) route.ASN {
	if four {
		return route.ASN(c.uint32())
	}
	return route.ASN(c.uint16())
}

func (c *cursor) addr4() netip.Addr {
	if b := c.take(4); b != nil {
		return netip.AddrFrom4([4]byte(b))
	}
	return netip.Addr{}
}

func (c *cursor) addr(ipv6 bool) netip.Addr {
	if !ipv6 {
		return c.addr4()
	}
	if b := c.take(16); b != nil {
		return netip.AddrFrom16([16]byte(b))
	}
	return netip.Addr{}
}
