package bgp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ribglass/collector/wire"
	"ribglass/setting"
)

// scoped reports whether an address means another host on each link.
func scoped(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() }

// peerOf returns the address by which the neighbor of a connection is found: without
// the mapping of IPv4, and with its zone only where that tells hosts apart.
func peerOf(remote netip.AddrPort) netip.Addr {
	a := remote.Addr().Unmap()
	if !scoped(a) {
		return a.WithZone("")
	}
	return a
}

// addressName returns an address as the name of a neighbor.
func addressName(a netip.Addr) string {
	return strings.Map(func(r rune) rune {
		if validName(string(r)) {
			return r
		}
		return '-'
	}, a.Unmap().String())
}

// validateAddress checks the address of a router. On a link any host may take any
// link-local address, so such a router is known by its interface too.
func validateAddress(key string, a netip.Addr) error {
	switch {
	case !a.IsValid() || a.IsUnspecified() || a.IsMulticast():
		return setting.Errorf(key, "%s is not the address of a router", a)
	case a.Zone() != "" && !scoped(a):
		return setting.Errorf(key, "%s: only a link-local address (fe80::/10) has an interface", a)
	case scoped(a) && a.Zone() == "":
		return setting.Errorf(key, "%s is an address on every link: write its interface too, such as %s%%eth0", a, a)
	case scoped(a) && strings.Trim(a.Zone(), "0123456789") == "":
		return setting.Errorf(key, "%s: write the name of the interface, such as %s%%eth0", a, a.WithZone(""))
	}
	return nil
}

// tellsApart reports whether connections of two neighbors with one address can be
// told apart: by what the OPEN says, or by the ports that this side dials.
func (n Neighbor) tellsApart(other Neighbor) bool {
	return n.ASN != other.ASN ||
		n.RouterID.IsValid() && other.RouterID.IsValid() && n.RouterID != other.RouterID ||
		n.Connect && other.Connect && n.Dialing.withDefaults().Port != other.Dialing.withDefaults().Port
}

// validateShared checks the neighbors that share an address. The kernel knows keys
// and TTLs by address, before there is an OPEN.
func (c Config) validateShared() error {
	for i, n := range c.Neighbors {
		at := fmt.Sprintf("neighbors[%d].", i)
		for j, other := range c.Neighbors[:i] {
			a, b := n.Address.Unmap(), other.Address.Unmap()
			if a.WithZone("") == b.WithZone("") && n.Password != other.Password {
				return setting.Errorf(at+"password_file", "%s is the address of neighbors[%d] too, and the kernel has one TCP-MD5 key for an address: give both the same key", a, j)
			}
			if a.WithZone("") == b.WithZone("") && !slices.Equal(n.TCPAO, other.TCPAO) {
				return setting.Errorf(at+"tcp_ao", "%s is the address of neighbors[%d] too, and the kernel knows TCP-AO keys by address: give both the same keys", a, j)
			}
			if a != b {
				continue
			}
			if !n.tellsApart(other) {
				return setting.Errorf(at+"address", "%s is the address of neighbors[%d] too: give them different asn, or each a router_id, or connect and different port, to tell them apart", a, j)
			}
			if n.TTLSecurity != other.TTLSecurity {
				return setting.Errorf(at+"ttl_security", "%d: neighbors[%d] with the same address has %d, and it is checked before the router says who it is", n.TTLSecurity, j, other.TTLSecurity)
			}
		}
	}
	return nil
}

// place makes a neighbor findable by its address, and displace undoes it. The caller
// holds c.mu.
func (c *Collector) place(n *neighbor) {
	address := n.peerAddress()
	if !slices.Contains(c.byAddress[address], n) {
		c.byAddress[address] = append(c.byAddress[address], n)
		slices.SortFunc(c.byAddress[address], func(a, b *neighbor) int { return cmp.Compare(a.name, b.name) })
	}
}

func (c *Collector) displace(n *neighbor) {
	address := n.peerAddress()
	list := slices.DeleteFunc(slices.Clone(c.byAddress[address]), func(other *neighbor) bool { return other == n })
	if len(list) == 0 {
		delete(c.byAddress, address)
		return
	}
	c.byAddress[address] = list
}

// sharing returns the neighbors with the address of n, n among them.
func (c *Collector) sharing(n *neighbor) []*neighbor {
	address := n.peerAddress()
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.byAddress[address])
}

// greeting is an OPEN of the peer that was read before the session began, and the
// octets of it, which the session reads again.
type greeting struct {
	open   *wire.Open
	octets []byte
}

// readGreeting reads the peer's OPEN from a connection on which nothing was sent yet.
// A peer sends its OPEN without waiting for ours (RFC 4271 section 8.2.2).
func readGreeting(ctx context.Context, conn net.Conn, within time.Duration) (*greeting, error) {
	if err := conn.SetReadDeadline(deadline(within)); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	t, message, err := readMessage(conn, nil)
	var timeout net.Error
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, &wire.Notification{Code: wire.CodeHoldTimer, Reason: fmt.Sprintf("no OPEN within %s", within)}
	case err != nil:
		return nil, err
	case t != wire.TypeOpen:
		return nil, &wire.Notification{Code: wire.CodeFSM, Subcode: 1, Data: []byte{byte(t)}, Reason: t.String() + " instead of OPEN"}
	}
	open, err := wire.ParseOpen(message[wire.HeaderLen:])
	return &greeting{open, message}, err
}

// choose gives a session that the peer began to its neighbor: of several with the
// address, the one that the peer's OPEN fits. The peer must say its OPEN first then,
// because ours may differ by neighbor.
func (c *Collector) choose(ctx context.Context, s *session) (*ending, refusal) {
	candidates := c.sharing(s.n)
	if s.dialed != nil || len(candidates) < 2 {
		return nil, ""
	}
	hello, err := readGreeting(ctx, s.outer, handshakeTime)
	if err == nil {
		var chosen *neighbor
		if chosen, err = fitting(candidates, hello.open); err == nil {
			s.n, s.hello = chosen, hello
			chosen.sawConnection()
			s.log = chosen.log.With("remote", s.outer.RemoteAddr().String())
			return nil, ""
		}
	}
	e := endingOf(err)
	for _, n := range candidates {
		if n != s.n { // which has it as the reason of the refusal
			n.recordEvent("connection refused: " + e.reason)
		}
	}
	return e, refusedUnknown
}

// sawConnection notes that a connection of the neighbor arrived.
func (n *neighbor) sawConnection() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.connected = n.now()
}

// fitting returns the neighbor that an OPEN fits. A neighbor with the router id goes
// before one for any.
func fitting(candidates []*neighbor, open *wire.Open) (*neighbor, error) {
	var fit []*neighbor
	var wanted []string
	subcode := uint8(wire.OpenBadPeerAS)
	for _, n := range candidates {
		n.mu.Lock()
		conf := n.conf
		n.mu.Unlock()
		wanted = append(wanted, conf.identity())
		switch {
		case conf.ASN != open.ASN:
		case conf.RouterID == open.RouterID:
			return n, nil
		case conf.RouterID.IsValid():
			subcode = wire.OpenBadRouterID
		default:
			fit = append(fit, n)
		}
	}
	switch len(fit) {
	case 0:
		return nil, &wire.Notification{Code: wire.CodeOpen, Subcode: subcode, Reason: fmt.Sprintf(
			"the router is in AS %s with router id %s; configured for its address are %s", open.ASN, open.RouterID, strings.Join(wanted, "; "))}
	case 1:
		return fit[0], nil
	}
	return nil, &wire.Notification{Code: wire.CodeCease, Subcode: wire.CeaseConnectionRejected, Reason: fmt.Sprintf(
		"AS %s with router id %s fits %s and %s: give each a router_id", open.ASN, open.RouterID, fit[0].name, fit[1].name)}
}

// identity says whom a neighbor is for, besides the address.
func (n Neighbor) identity() string {
	text := fmt.Sprintf("%s in AS %s", n.name(), n.ASN)
	if n.RouterID.IsValid() {
		text += " with router id " + n.RouterID.String()
	}
	return text
}

// checkRouterID compares the router id of an OPEN with the configured one.
func (n Neighbor) checkRouterID(open *wire.Open) error {
	if !n.RouterID.IsValid() || n.RouterID == open.RouterID {
		return nil
	}
	return &wire.Notification{
		Code: wire.CodeOpen, Subcode: wire.OpenBadRouterID,
		Reason: fmt.Sprintf("the router id is %s, configured is %s", open.RouterID, n.RouterID),
	}
}

// ruleKey identifies a dynamic rule.
type ruleKey struct {
	prefix netip.Prefix
	iface  string
}

func (d *DynamicNeighbor) key() ruleKey { return ruleKey{d.Prefix, d.Interface} }

// covers reports whether the rule is for peers with the address.
func (d *DynamicNeighbor) covers(remote netip.Addr) bool {
	return d.Interface == remote.Zone() && d.Prefix.Contains(remote.WithZone(""))
}

// validateInterface checks that link-local peers come with the link that they are on.
func (d *DynamicNeighbor) validateInterface(at string) error {
	local := netip.MustParsePrefix("fe80::/10")
	inside := d.Prefix.Bits() >= local.Bits() && local.Contains(d.Prefix.Addr())
	switch {
	case inside && d.Interface == "":
		return setting.Errorf(at+"interface", "is missing: %s is on every link, so say on which one, such as eth0", d.Prefix)
	case !inside && d.Interface != "":
		return setting.Errorf(at+"interface", "is for prefixes in fe80::/10 only; peers with other addresses are known by them")
	}
	return nil
}
