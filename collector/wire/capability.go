package wire

import (
	"encoding/binary"
	"slices"
	"time"

	"ribglass/ribstore/route"
)

// Capability codes of the IANA registry.
const (
	CapMultiprotocol   = 1
	CapRouteRefresh    = 2
	CapExtendedNextHop = 5
	CapExtendedMessage = 6
	CapRole            = 9
	CapGracefulRestart = 64
	CapFourOctetAS     = 65
	CapAddPath         = 69
	CapEnhancedRefresh = 70
	CapLongLived       = 71
	CapFQDN            = 73
	CapSoftwareVersion = 75
)

// Capability is a capability of an OPEN (RFC 5492). Value has at most 255 octets.
type Capability struct {
	Code  uint8
	Value []byte
}

// wellFormed reports whether the value has a length that the capability can
// have. One that we do not know, or whose value nobody reads, has any.
func (c Capability) wellFormed() bool {
	n := len(c.Value)
	switch c.Code {
	case CapMultiprotocol, CapFourOctetAS:
		return n == 4
	case CapExtendedNextHop:
		return n%6 == 0
	case CapRole:
		return n == 1
	case CapGracefulRestart:
		return n >= 2 && (n-2)%4 == 0
	case CapAddPath:
		return n%4 == 0
	case CapLongLived:
		return n%7 == 0
	}
	return true
}

// family reads AFI and SAFI out of the first octets of a capability's tuple.
func (c Capability) family(at int) (route.Family, bool) {
	return route.FamilyOf(binary.BigEndian.Uint16(c.Value[at:]), c.Value[at+2])
}

func (o *Open) has(code uint8) bool {
	for _, c := range o.Capabilities {
		if c.Code == code {
			return true
		}
	}
	return false
}

// last returns the last capability with the code: of several, that one counts
// (RFC 4724 section 3).
func (o *Open) last(code uint8) (Capability, bool) {
	for _, c := range slices.Backward(o.Capabilities) {
		if c.Code == code {
			return c, true
		}
	}
	return Capability{}, false
}

// Families returns the families of the multiprotocol capabilities that Ribglass
// keeps, each once, in index order. An OPEN without any such capability, known
// or not, means IPv4 unicast (RFC 4760 section 8).
func (o *Open) Families() []route.Family {
	var set [route.NumFamilies]bool
	if !o.has(CapMultiprotocol) {
		set[route.IPv4Unicast] = true
	}
	for _, c := range o.Capabilities {
		if c.Code != CapMultiprotocol {
			continue
		}
		if f, ok := route.FamilyOf(binary.BigEndian.Uint16(c.Value), c.Value[3]); ok {
			set[f] = true
		}
	}
	return familiesOf(set)
}

func familiesOf(set [route.NumFamilies]bool) []route.Family {
	var list []route.Family
	for _, f := range route.Families() {
		if set[f] {
			list = append(list, f)
		}
	}
	return list
}

// AddPathMode says in which directions a speaker can do ADD-PATH (RFC 7911).
type AddPathMode uint8

// The directions, from the view of the speaker that says so.
const (
	AddPathReceive AddPathMode = 1
	AddPathSend    AddPathMode = 2
	AddPathBoth    AddPathMode = 3
)

// AddPath returns what the ADD-PATH capability says of each family. A capability
// with an undefined direction is ignored whole (RFC 7911 section 4).
func (o *Open) AddPath() [route.NumFamilies]AddPathMode {
	var modes [route.NumFamilies]AddPathMode
	for _, c := range o.Capabilities {
		if c.Code != CapAddPath || !c.addPathDefined() {
			continue
		}
		for at := 0; at < len(c.Value); at += 4 {
			if f, ok := c.family(at); ok {
				modes[f] = AddPathMode(c.Value[at+3])
			}
		}
	}
	return modes
}

func (c Capability) addPathDefined() bool {
	for at := 3; at < len(c.Value); at += 4 {
		if c.Value[at] < 1 || c.Value[at] > 3 {
			return false
		}
	}
	return true
}

// GracefulRestart is the capability of RFC 4724 with the N bit of RFC 8538.
type GracefulRestart struct {
	Restarting   bool // the speaker has restarted and waits for End-of-RIB
	Notification bool // a NOTIFICATION keeps the routes too
	Time         time.Duration
	Families     [route.NumFamilies]bool
	Forwarding   [route.NumFamilies]bool // the forwarding state was kept
}

// GracefulRestart returns the graceful restart capability and whether there is one.
func (o *Open) GracefulRestart() (GracefulRestart, bool) {
	c, ok := o.last(CapGracefulRestart)
	if !ok {
		return GracefulRestart{}, false
	}
	head := binary.BigEndian.Uint16(c.Value)
	g := GracefulRestart{
		Restarting:   head&0x8000 != 0,
		Notification: head&0x4000 != 0,
		Time:         time.Duration(head&0x0fff) * time.Second,
	}
	for at := 2; at < len(c.Value); at += 4 {
		if f, ok := c.family(at); ok {
			g.Families[f] = true
			g.Forwarding[f] = c.Value[at+3]&0x80 != 0
		}
	}
	return g, true
}

// LongLived is the long-lived graceful restart capability (RFC 9494).
type LongLived struct {
	Families   [route.NumFamilies]bool
	Forwarding [route.NumFamilies]bool
	Time       [route.NumFamilies]time.Duration // at most 2^24-1 s
}

// LongLived returns the long-lived graceful restart capability and whether there
// is one. It counts only beside the graceful restart capability (RFC 9494
// section 4.1).
func (o *Open) LongLived() (LongLived, bool) {
	c, ok := o.last(CapLongLived)
	if !ok || !o.has(CapGracefulRestart) {
		return LongLived{}, false
	}
	var l LongLived
	for at := 0; at < len(c.Value); at += 7 {
		if f, ok := c.family(at); ok {
			v := c.Value[at:]
			l.Families[f] = true
			l.Forwarding[f] = v[3]&0x80 != 0
			l.Time[f] = time.Duration(uint32(v[4])<<16|uint32(v[5])<<8|uint32(v[6])) * time.Second
		}
	}
	return l, true
}

// ExtendedNextHop returns the families whose prefixes may come with an IPv6 next
// hop although they are IPv4 (RFC 8950).
func (o *Open) ExtendedNextHop() [route.NumFamilies]bool {
	var set [route.NumFamilies]bool
	for _, c := range o.Capabilities {
		if c.Code != CapExtendedNextHop {
			continue
		}
		for at := 0; at < len(c.Value); at += 6 {
			afi, safi := binary.BigEndian.Uint16(c.Value[at:]), binary.BigEndian.Uint16(c.Value[at+2:])
			if safi > 255 || binary.BigEndian.Uint16(c.Value[at+4:]) != 2 {
				continue
			}
			if f, ok := route.FamilyOf(afi, uint8(safi)); ok && !f.IsIPv6() {
				set[f] = true
			}
		}
	}
	return set
}

// FourOctetAS returns the AS number of the four-octet capability (RFC 6793) and
// whether there is one.
func (o *Open) FourOctetAS() (route.ASN, bool) {
	for _, c := range o.Capabilities {
		if c.Code == CapFourOctetAS {
			return route.ASN(binary.BigEndian.Uint32(c.Value)), true
		}
	}
	return 0, false
}

// RouteRefresh reports the route refresh capability (RFC 2918).
func (o *Open) RouteRefresh() bool { return o.has(CapRouteRefresh) }

// EnhancedRefresh reports the enhanced route refresh capability (RFC 7313).
func (o *Open) EnhancedRefresh() bool { return o.has(CapEnhancedRefresh) }

// ExtendedMessage reports the extended message capability (RFC 8654).
func (o *Open) ExtendedMessage() bool { return o.has(CapExtendedMessage) }

// MultiprotocolCapability announces f (RFC 4760 section 8).
func MultiprotocolCapability(f route.Family) Capability {
	return Capability{CapMultiprotocol, []byte{0, byte(f.AFI()), 0, f.SAFI()}}
}

// RouteRefreshCapability announces RFC 2918.
func RouteRefreshCapability() Capability { return Capability{Code: CapRouteRefresh} }

// EnhancedRefreshCapability announces RFC 7313.
func EnhancedRefreshCapability() Capability { return Capability{Code: CapEnhancedRefresh} }

// ExtendedMessageCapability announces RFC 8654.
func ExtendedMessageCapability() Capability { return Capability{Code: CapExtendedMessage} }

// FourOctetASCapability announces RFC 6793 with our AS number.
func FourOctetASCapability(n route.ASN) Capability {
	return Capability{CapFourOctetAS, binary.BigEndian.AppendUint32(nil, uint32(n))}
}

// ExtendedNextHopCapability announces IPv6 next hops for the IPv4 families set.
func ExtendedNextHopCapability(set [route.NumFamilies]bool) Capability {
	c := Capability{Code: CapExtendedNextHop}
	for _, f := range familiesOf(set) {
		c.Value = append(c.Value, 0, byte(f.AFI()), 0, f.SAFI(), 0, 2)
	}
	return c
}

// AddPathCapability announces the directions of each family; zero leaves it out.
func AddPathCapability(modes [route.NumFamilies]AddPathMode) Capability {
	c := Capability{Code: CapAddPath}
	for _, f := range route.Families() {
		if modes[f] != 0 {
			c.Value = append(c.Value, 0, byte(f.AFI()), f.SAFI(), byte(modes[f]))
		}
	}
	return c
}

// GracefulRestartCapability announces g. Time is cut to its 12 bits of seconds.
func GracefulRestartCapability(g GracefulRestart) Capability {
	head := uint16(min(max(g.Time, 0)/time.Second, 0x0fff))
	if g.Restarting {
		head |= 0x8000
	}
	if g.Notification {
		head |= 0x4000
	}
	c := Capability{CapGracefulRestart, binary.BigEndian.AppendUint16(nil, head)}
	for _, f := range familiesOf(g.Families) {
		c.Value = append(c.Value, 0, byte(f.AFI()), f.SAFI(), forwardingBit(g.Forwarding[f]))
	}
	return c
}

// LongLivedCapability announces l. Times are cut to their 24 bits of seconds.
func LongLivedCapability(l LongLived) Capability {
	c := Capability{Code: CapLongLived}
	for _, f := range familiesOf(l.Families) {
		s := uint32(min(max(l.Time[f], 0)/time.Second, 1<<24-1))
		c.Value = append(c.Value, 0, byte(f.AFI()), f.SAFI(), forwardingBit(l.Forwarding[f]),
			byte(s>>16), byte(s>>8), byte(s))
	}
	return c
}

func forwardingBit(kept bool) byte {
	if kept {
		return 0x80
	}
	return 0
}
