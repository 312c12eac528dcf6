package bgp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
	"ribglass/setting"
)

// Dialing says how the collector connects to a neighbor itself. The neighbor may
// connect too, at any time.
type Dialing struct {
	Connect      bool          `yaml:"connect"`
	Port         int           `yaml:"port"`          // of the neighbor
	LocalAddress netip.Addr    `yaml:"local_address"` // to connect from; zero: the kernel's choice
	ConnectRetry time.Duration `yaml:"connect_retry"` // longest time between two attempts
}

// DefaultDialing returns the settings of a neighbor whose configuration has none. The
// collector takes them for zeros.
func DefaultDialing() Dialing {
	return Dialing{Port: 179, ConnectRetry: time.Minute}
}

func (d Dialing) withDefaults() Dialing {
	defaults := DefaultDialing()
	d.Port, d.ConnectRetry = cmp.Or(d.Port, defaults.Port), cmp.Or(d.ConnectRetry, defaults.ConnectRetry)
	d.LocalAddress = d.LocalAddress.Unmap()
	return d
}

const (
	connectTime  = 15 * time.Second // for TCP to connect
	firstRetry   = 2 * time.Second  // between the first two attempts
	lastingFault = 3                // attempts without a session, of which an operator should know
)

func (n Neighbor) validateDialing(at string) error {
	d := n.Dialing.withDefaults()
	local := d.LocalAddress
	switch {
	case !d.Connect && d != DefaultDialing():
		return setting.Errorf(at+"connect", "is missing: port, local_address and connect_retry are for connect: true")
	case d.Port < 1 || d.Port > 65535:
		return setting.Errorf(at+"port", "%d: 1 to 65535", d.Port)
	case d.ConnectRetry < time.Second:
		return setting.Errorf(at+"connect_retry", "%s: at least 1s", d.ConnectRetry)
	case d.LocalAddress.IsValid() && (local.Is4() != n.Address.Unmap().Is4() || local.IsUnspecified() || local.IsMulticast()):
		return setting.Errorf(at+"local_address", "%s: an address of this machine is wanted, of the same IP version as %s", local, n.Address)
	case scoped(n.Address) && local.Zone() != "" && local.Zone() != n.Address.Zone():
		return setting.Errorf(at+"local_address", "%s is on another interface than %s", local, n.Address)
	}
	return nil
}

const noticeConnect route.NoticeKind = "connect_failed"

// attempt is one attempt to connect to a neighbor.
type attempt struct {
	conf   Neighbor
	cancel context.CancelFunc
}

// dials is what a neighbor keeps of the attempts to connect to it. Its mutex guards
// it.
type dials struct {
	current *attempt // until its session ends; nil: none is under way
	next    time.Time
	failed  uint64 // attempts since the last session
	since   time.Time
	reason  string // of the last attempt that failed
}

// dialWhenDue begins to connect to a neighbor whose time has come.
func (c *Collector) dialWhenDue(ctx context.Context, n *neighbor, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := &n.dials
	bar, _ := n.barred()
	if !n.conf.Connect || bar != nil || d.current != nil || n.current != nil || n.waiting > 0 || now.Before(d.next) {
		return
	}
	dialing, cancel := context.WithCancel(ctx)
	a := &attempt{conf: n.conf, cancel: cancel}
	d.current = a
	n.enter(route.StateConnect, "connecting to "+target(a.conf).String(), now, d.failed == 0)
	c.wg.Go(func() {
		defer cancel()
		conn, err := connect(dialing, a.conf)
		if err != nil {
			n.dialFailed(ctx, a, err)
			return
		}
		before := n.counters.established.Load()
		c.handshakes.Add(1)
		sessionCtx, end := context.WithCancelCause(ctx)
		s := newSession(c, n, conn, end)
		s.dialed = a
		c.serve(ctx, sessionCtx, s)
		n.dialEnded(a, n.counters.established.Load() != before)
	})
}

// enter changes the state. An attempt that is like the last one is no news.
func (n *neighbor) enter(to route.State, reason string, now time.Time, news bool) {
	if news {
		n.transition(to, reason, now)
		return
	}
	n.state, n.since = to, now
	n.changed.Ring()
}

func target(conf Neighbor) netip.AddrPort {
	return netip.AddrPortFrom(conf.Address, uint16(conf.Port))
}

// dialEnded notes the end of an attempt that reached the neighbor.
func (n *neighbor) dialEnded(a *attempt, established bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dials.current != a { // the settings changed meanwhile
		return
	}
	now := n.now()
	n.failDial(now, n.lastErr)
	if established {
		n.forgetFailedDials()
	}
	if n.current == nil && n.state == route.StateConnect { // it got no session
		n.awaitConnection(now, "")
	}
}

// failDial notes an attempt without a session, and when the next one may be. The caller
// holds n.mu.
func (n *neighbor) failDial(now time.Time, reason string) {
	d := &n.dials
	if d.failed == 0 {
		d.since = now
	}
	d.next = now.Add(backoff(d.failed, n.conf.ConnectRetry))
	d.failed++
	d.reason, d.current = reason, nil
	if d.failed < lastingFault {
		return
	}
	if n.notices == nil {
		n.notices = make(notices)
	}
	n.notices[noticeConnect] = route.Notice{Kind: noticeConnect, Since: d.since, Last: now, Count: d.failed, Text: reason}
}

// forgetFailedDials is for a neighbor that has a session, whoever began it. The caller
// holds n.mu.
func (n *neighbor) forgetFailedDials() {
	n.dials.failed = 0
	delete(n.notices, noticeConnect)
}

// backoff returns how long to wait after so many attempts: twice as long each time,
// up to most, and up to a quarter less so that many neighbors do not keep step
// (RFC 4271 section 10).
func backoff(failed uint64, most time.Duration) time.Duration {
	wait := min(firstRetry<<min(failed, 20), most)
	return wait - time.Duration(rand.Int64N(int64(wait)/4+1)) //nolint:gosec // not a secret
}

// dialFailed notes an attempt that did not reach the neighbor.
func (n *neighbor) dialFailed(ctx context.Context, a *attempt, err error) {
	now, reason := n.now(), dialReason(a.conf, err)
	n.mu.Lock()
	defer n.mu.Unlock()
	d := &n.dials
	if d.current != a { // the settings changed meanwhile
		return
	}
	news := d.failed == 0 || d.reason != reason
	n.failDial(now, reason)
	if n.current != nil || n.removed { // the neighbor connected meanwhile
		return
	}
	n.lastErr = reason
	n.enter(route.StateActive, reason, now, news)
	if news {
		n.log.WarnContext(ctx, "cannot connect to the neighbor", "reason", reason, "retry_in", d.next.Sub(now))
	}
}

// abandonDial ends the attempt that is under way, because the settings changed or the
// neighbor is gone, and lets the next one be at once. The caller holds n.mu.
func (n *neighbor) abandonDial() {
	if a := n.dials.current; a != nil {
		a.cancel()
	}
	n.dials = dials{}
	delete(n.notices, noticeConnect)
}

var errNoInterface = errors.New("this machine has no such interface")

// connect connects to a neighbor by TCP, with the keys and TTLs that it is configured
// with.
func connect(ctx context.Context, conf Neighbor) (*net.TCPConn, error) {
	if zone := conf.Address.Zone(); zone != "" {
		if _, err := net.InterfaceByName(zone); err != nil {
			return nil, errNoInterface
		}
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error { return prepareDialer(raw, conf) }}
	dialer.SetMultipathTCP(false) // it has no TCP-MD5 on Linux
	if from := conf.LocalAddress.Unmap(); from.IsValid() {
		if scoped(from) {
			from = from.WithZone(conf.Address.Zone())
		}
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	conn, err := dialer.DialContext(ctx, "tcp", target(conf).String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// dialReason says why no connection came about, and what to look at.
func dialReason(conf Neighbor, err error) string {
	to := target(conf)
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("%s refused the connection: no BGP speaker listens there for us", to)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Sprintf("%s is unreachable: there is no route, or no host answers", to)
	case errors.Is(err, syscall.EADDRNOTAVAIL) && conf.LocalAddress.IsValid():
		return fmt.Sprintf("local_address %s is not an address of this machine", conf.LocalAddress)
	case errors.As(err, &timeout) && timeout.Timeout():
		why := "a firewall may drop packets"
		switch {
		case conf.Password != "":
			why += ", or the TCP-MD5 keys differ"
		case len(conf.TCPAO) > 0:
			why += ", or the TCP-AO keys or their ids differ"
		}
		return fmt.Sprintf("%s did not answer: %s", to, why)
	}
	return fmt.Sprintf("connect to %s: %v", to, err)
}

// origin says how the connection came about.
func (s *session) origin() string {
	if s.dialed != nil {
		return "connected to " + s.outer.RemoteAddr().String()
	}
	return "connection from " + s.outer.RemoteAddr().String()
}

// input returns what receive reads: first what was read before the session began.
func (s *session) input() io.Reader {
	if s.hello == nil {
		return s.outer
	}
	return io.MultiReader(bytes.NewReader(s.hello.octets), s.outer)
}

// makesWay reports whether s, which runs, ends for another connection of the neighbor.
func (s *session) makesWay(ctx context.Context, newer *session) bool {
	switch {
	case newer.dialed != nil && s.established.Load():
		return false // the peer connected while this side did
	case (s.dialed != nil) == (newer.dialed != nil) || s.established.Load():
		return s.yields(ctx)
	case s.collides(ctx, newer):
		s.cancel(cease(wire.CeaseCollision, nil, "the connection in the other direction stays"))
		return true
	}
	return false
}

// collides resolves a collision (RFC 4271 section 6.8). Each side opened a connection.
// The connection of the side with the higher BGP identifier stays; of equal
// identifiers the higher AS number decides (RFC 6286 section 2.3). It reports
// whether the newer one stays. The peer says its identifier on both connections, so
// that no OPEN of ours is needed on the newer one to learn it.
func (s *session) collides(ctx context.Context, newer *session) (stays bool) {
	var id netip.Addr
	var asn route.ASN
	if agreed := s.agreed.Load(); agreed != nil {
		id, asn = agreed.PeerRouterID, agreed.PeerASN
	} else {
		if newer.hello == nil {
			hello, err := readGreeting(ctx, newer.outer, turnTime)
			if err != nil {
				return false
			}
			newer.hello = hello
		}
		id, asn = newer.hello.open.RouterID, newer.hello.open.ASN
	}
	if s.established.Load() {
		return false
	}
	ourASN, ourID := s.c.Identity()
	ours := ourID.Compare(id) > 0 || ourID == id && s.conf.localASN(ourASN) > asn
	return ours == (newer.dialed != nil)
}
