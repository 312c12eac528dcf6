package wire

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ribglass/ribstore/route"
)

// Describe returns the capabilities for people, in the order of the message, one
// entry for each code: several capabilities of one code share it. What the peer
// wrote is made printable. Ours is left to the caller.
func (o *Open) Describe() []route.Capability {
	var list []route.Capability
	for _, c := range o.Capabilities {
		value := c.describe()
		i := slices.IndexFunc(list, func(d route.Capability) bool { return d.Code == c.Code })
		switch {
		case i < 0:
			list = append(list, route.Capability{Code: c.Code, Name: c.name(), Value: value})
		case value == "" || slices.Contains(strings.Split(list[i].Value, ", "), value):
		default:
			list[i].Value += ", " + value
		}
	}
	return list
}

// name returns the name of the capability as configuration files write it.
func (c Capability) name() string {
	switch c.Code {
	case CapMultiprotocol:
		return "multiprotocol"
	case CapRouteRefresh:
		return "route-refresh"
	case CapExtendedNextHop:
		return "extended-next-hop"
	case CapExtendedMessage:
		return "extended-message"
	case CapRole:
		return "bgp-role"
	case CapGracefulRestart:
		return "graceful-restart"
	case CapFourOctetAS:
		return "4-octet-as"
	case CapAddPath:
		return "add-path"
	case CapEnhancedRefresh:
		return "enhanced-route-refresh"
	case CapLongLived:
		return "llgr"
	case CapFQDN:
		return "fqdn"
	case CapSoftwareVersion:
		return "software-version"
	}
	return "capability-" + strconv.Itoa(int(c.Code))
}

// describe returns the value for people. A value that ParseOpen would refuse is
// shown as hex.
func (c Capability) describe() string {
	v := c.Value
	if !c.wellFormed() {
		return hex.EncodeToString(v)
	}
	switch c.Code {
	case CapMultiprotocol:
		return familyText(v, uint16(v[3]))
	case CapExtendedNextHop:
		return c.tuples(0, 6, func(t []byte) string {
			return familyText(t, binary.BigEndian.Uint16(t[2:])) + " by AFI " + strconv.Itoa(int(binary.BigEndian.Uint16(t[4:])))
		})
	case CapRole:
		return string(roleOf(v[0]))
	case CapGracefulRestart:
		return c.describeRestart()
	case CapFourOctetAS:
		return route.ASN(binary.BigEndian.Uint32(v)).String()
	case CapAddPath:
		return c.tuples(0, 4, func(t []byte) string { return familyText(t, uint16(t[2])) + " " + directionText(t[3]) })
	case CapLongLived:
		return c.tuples(0, 7, func(t []byte) string {
			seconds := uint32(t[4])<<16 | uint32(t[5])<<8 | uint32(t[6])
			return fmt.Sprintf("%s %d s%s", familyText(t, uint16(t[2])), seconds, forwardingText(t[3]))
		})
	case CapFQDN:
		return describeFQDN(v)
	case CapSoftwareVersion:
		text, _ := counted(v)
		return text
	}
	return hex.EncodeToString(v)
}

// tuples describes each tuple of size octets from start on.
func (c Capability) tuples(start, size int, text func(t []byte) string) string {
	var parts []string
	for at := start; at+size <= len(c.Value); at += size {
		parts = append(parts, text(c.Value[at:at+size]))
	}
	return strings.Join(parts, ", ")
}

func (c Capability) describeRestart() string {
	head := binary.BigEndian.Uint16(c.Value)
	parts := []string{strconv.Itoa(int(head&0x0fff)) + " s"}
	if head&0x8000 != 0 {
		parts = append(parts, "restarting")
	}
	if head&0x4000 != 0 {
		parts = append(parts, "notification")
	}
	families := c.tuples(2, 4, func(t []byte) string { return familyText(t, uint16(t[2])) + forwardingText(t[3]) })
	if families != "" {
		parts = append(parts, families)
	}
	return strings.Join(parts, ", ")
}

// familyText names the family whose AFI are the first two octets of t.
func familyText(t []byte, safi uint16) string {
	afi := binary.BigEndian.Uint16(t)
	if safi <= 255 {
		if f, ok := route.FamilyOf(afi, uint8(safi)); ok {
			return f.String()
		}
	}
	return fmt.Sprintf("AFI %d SAFI %d", afi, safi)
}

func forwardingText(flags byte) string {
	if flags&0x80 != 0 {
		return " (forwarding kept)"
	}
	return ""
}

func directionText(mode byte) string {
	switch AddPathMode(mode) {
	case AddPathReceive:
		return "receive"
	case AddPathSend:
		return "send"
	case AddPathBoth:
		return "send/receive"
	}
	return "direction " + strconv.Itoa(int(mode))
}

// describeFQDN reads host and domain name (draft-walton-bgp-hostname-capability).
func describeFQDN(v []byte) string {
	host, rest := counted(v)
	domain, _ := counted(rest)
	if domain == "" {
		return host
	}
	return host + "." + domain
}

// counted reads a text led by its length, as much of it as is there.
func counted(v []byte) (text string, rest []byte) {
	if len(v) == 0 {
		return "", nil
	}
	end := 1 + min(int(v[0]), len(v)-1)
	return printable(v[1:end]), v[end:]
}
