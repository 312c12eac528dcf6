package interop

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The message types (RFC 4271 section 4.1, RFC 2918).
const (
	msgOpen         = 1
	msgUpdate       = 2
	msgNotification = 3
	msgKeepalive    = 4
	msgRouteRefresh = 5
)

// message is one BGP message as received: the whole of it, header included.
type message []byte

func (m message) kind() byte   { return m[18] }
func (m message) body() []byte { return m[19:] }

// notification returns code, subcode and data of a NOTIFICATION.
func (m message) notification() (code, subcode byte, data []byte) { return m[19], m[20], m[21:] }

// announces reports whether an UPDATE carries a reachable prefix: NLRI behind
// the attributes, or an MP_REACH_NLRI.
func (m message) announces() bool {
	body := m.body()
	withdrawn := int(binary.BigEndian.Uint16(body))
	attrs := int(binary.BigEndian.Uint16(body[2+withdrawn:]))
	if len(body) > 4+withdrawn+attrs {
		return true
	}
	for rest := body[4+withdrawn:]; len(rest) >= 3; {
		if rest[1] == 14 {
			return true
		}
		if rest[0]&0x10 != 0 {
			rest = rest[4+int(binary.BigEndian.Uint16(rest[2:])):]
		} else {
			rest = rest[3+int(rest[2]):]
		}
	}
	return false
}

// frame puts a header before body.
func frame(kind byte, body []byte) []byte {
	b := make([]byte, 16, 19+len(body))
	for i := range b {
		b[i] = 0xff
	}
	b = binary.BigEndian.AppendUint16(b, uint16(19+len(body)))
	b = append(b, kind)
	return append(b, body...)
}

// capability encodes one capability (RFC 5492).
func capability(code byte, value ...byte) []byte {
	return append([]byte{code, byte(len(value))}, value...)
}

// familyCapability is the multiprotocol capability (RFC 4760 section 8).
func familyCapability(afi uint16, safi byte) []byte {
	return capability(1, byte(afi>>8), byte(afi), 0, safi)
}

// asnCapability is the four-octet AS number capability (RFC 6793).
func asnCapability(asn uint32) []byte {
	return capability(65, binary.BigEndian.AppendUint32(nil, asn)...)
}

// The capabilities of an ordinary dual-stack router.
func usualCapabilities(asn uint32) [][]byte {
	return [][]byte{familyCapability(1, 1), familyCapability(2, 1), capability(2), asnCapability(asn)}
}

// openMessage encodes an OPEN with every capability in one parameter.
func openMessage(asn uint32, hold uint16, routerID netip.Addr, capabilities ...[]byte) []byte {
	var params []byte
	for _, c := range capabilities {
		params = append(params, c...)
	}
	if len(params) > 0 {
		params = append([]byte{2, byte(len(params))}, params...)
	}
	short := uint16(23456)
	if asn < 1<<16 {
		short = uint16(asn)
	}
	body := binary.BigEndian.AppendUint16([]byte{4}, short)
	body = binary.BigEndian.AppendUint16(body, hold)
	id := routerID.As4()
	body = append(body, id[:]...)
	body = append(body, byte(len(params)))
	return frame(msgOpen, append(body, params...))
}

// updateMessage encodes an UPDATE of three parts that are encoded already.
func updateMessage(withdrawn, attrs, nlri []byte) []byte {
	body := binary.BigEndian.AppendUint16(nil, uint16(len(withdrawn)))
	body = append(body, withdrawn...)
	body = binary.BigEndian.AppendUint16(body, uint16(len(attrs)))
	body = append(body, attrs...)
	return frame(msgUpdate, append(body, nlri...))
}

// attribute encodes a path attribute, with a two-octet length when it needs one
// or when flags ask for it.
func attribute(flags, code byte, value ...byte) []byte {
	if len(value) > 255 || flags&0x10 != 0 {
		b := binary.BigEndian.AppendUint16([]byte{flags | 0x10, code}, uint16(len(value)))
		return append(b, value...)
	}
	return append([]byte{flags, code, byte(len(value))}, value...)
}

// nlri encodes prefixes.
func nlri(prefixes ...string) []byte {
	var b []byte
	for _, s := range prefixes {
		b = appendNLRI(b, netip.MustParsePrefix(s))
	}
	return b
}

func appendNLRI(b []byte, p netip.Prefix) []byte {
	b = append(b, byte(p.Bits()))
	return append(b, p.Addr().AsSlice()[:(p.Bits()+7)/8]...)
}

// endOfRIB is the End-of-RIB marker of a unicast family (RFC 4724 section 2).
func endOfRIB(afi uint16) []byte {
	if afi == 1 {
		return updateMessage(nil, nil, nil)
	}
	return updateMessage(nil, attribute(0x80, 15, 0, byte(afi), 1), nil)
}

// speakerConfig describes the router that a speaker plays.
type speakerConfig struct {
	local        string // source address
	asn          uint32
	routerID     string   // "": local
	hold         uint16   // 0: 90 s
	capabilities [][]byte // nil: usualCapabilities
	md5          string
	ttl          int
}

func (c speakerConfig) open() []byte {
	if c.routerID == "" {
		c.routerID = c.local
	}
	if c.hold == 0 {
		c.hold = 90
	}
	if c.capabilities == nil {
		c.capabilities = usualCapabilities(c.asn)
	}
	id, err := netip.ParseAddr(c.routerID)
	if err != nil || !id.Is4() {
		id = netip.MustParseAddr("10.9.9.9")
	}
	return openMessage(c.asn, c.hold, id, c.capabilities...)
}

// speaker is a BGP peer that sends what it is told, answers KEEPALIVEs, and
// keeps everything it receives. It is used by one test goroutine.
type speaker struct {
	t    testing.TB
	conn net.Conn
	gone chan struct{} // closed when the other side has ended the connection
	stop chan struct{}

	mu       sync.Mutex // guards what follows
	writing  sync.Mutex // one message at a time
	received []message
}

// connect opens the TCP connection of a speaker and sends nothing.
func connect(cfg speakerConfig, to netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	d := net.Dialer{
		LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(cfg.local), 0)),
		Control: func(_, _ string, c syscall.RawConn) error {
			return control(c, cfg, to)
		},
	}
	return d.DialContext(ctx, "tcp", to.String())
}

// control sets the socket options of cfg before the connection is opened.
func control(c syscall.RawConn, cfg speakerConfig, to netip.AddrPort) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		if cfg.md5 != "" {
			failed = errors.Join(failed, setMD5(int(fd), to.Addr(), cfg.md5))
		}
		if cfg.ttl != 0 {
			failed = errors.Join(failed, unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, cfg.ttl))
		}
	})
	return errors.Join(err, failed)
}

// setMD5 sets the TCP-MD5 key (RFC 2385) towards an address.
func setMD5(fd int, addr netip.Addr, key string) error {
	sig := unix.TCPMD5Sig{Keylen: uint16(len(key))}
	copy(sig.Key[:], key)
	a := addr.As4()
	sig.Addr.Family = unix.AF_INET
	copy(sig.Addr.Data[2:], a[:]) // sockaddr_in: port, then address
	return unix.SetsockoptTCPMD5Sig(fd, unix.IPPROTO_TCP, unix.TCP_MD5SIG, &sig)
}

// tryDial opens a session and returns it when it is Established.
func tryDial(t testing.TB, cfg speakerConfig, to netip.AddrPort) (*speaker, error) {
	t.Helper()
	conn, err := connect(cfg, to)
	if err != nil {
		return nil, err
	}
	s, err := handshake(t, cfg, conn)
	if err != nil {
		conn.Close()
	}
	return s, err
}

// dial is tryDial that tries until a deadline: the other side may still be
// starting, or be holding back reconnects.
func dial(t testing.TB, cfg speakerConfig, to netip.AddrPort) *speaker {
	t.Helper()
	var s *speaker
	waitFor(t, 20*time.Second, fmt.Sprintf("session from %s to %s", cfg.local, to), func() error {
		var err error
		s, err = tryDial(t, cfg, to)
		return err
	})
	return s
}

// handshake exchanges OPEN and KEEPALIVE on a fresh connection.
func handshake(t testing.TB, cfg speakerConfig, conn net.Conn) (*speaker, error) {
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(cfg.open()); err != nil {
		return nil, err
	}
	s := &speaker{t: t, conn: conn, gone: make(chan struct{}), stop: make(chan struct{})}
	for _, want := range []byte{msgOpen, msgKeepalive} {
		m, err := readMessage(conn)
		if err != nil {
			return nil, fmt.Errorf("handshake: %w", err)
		}
		s.received = append(s.received, m)
		if m.kind() == msgNotification {
			code, subcode, data := m.notification()
			return nil, fmt.Errorf("handshake: NOTIFICATION %d/%d %q", code, subcode, data)
		}
		if m.kind() != want {
			return nil, fmt.Errorf("handshake: message of type %d, want %d", m.kind(), want)
		}
		if want == msgOpen {
			if _, err := conn.Write(frame(msgKeepalive, nil)); err != nil {
				return nil, err
			}
		}
	}
	s.start()
	return s, conn.SetDeadline(time.Time{})
}

func (s *speaker) start() {
	var wg sync.WaitGroup
	wg.Go(s.read)
	wg.Go(s.keepalive)
	s.t.Cleanup(func() {
		s.close()
		wg.Wait()
	})
}

// close ends the TCP connection without a NOTIFICATION.
func (s *speaker) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.stop:
	default:
		close(s.stop)
		s.conn.Close()
	}
}

func (s *speaker) read() {
	defer close(s.gone)
	for {
		m, err := readMessage(s.conn)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.received = append(s.received, m)
		s.mu.Unlock()
	}
}

// keepalive keeps the session alive for hold times of three seconds and more.
func (s *speaker) keepalive() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-s.gone:
			return
		case <-tick.C:
			_ = s.write(frame(msgKeepalive, nil)) // read notices a dead connection
		}
	}
}

func (s *speaker) write(b []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.conn.Write(b)
	return err
}

// send writes messages as they are.
func (s *speaker) send(messages ...[]byte) {
	s.t.Helper()
	for _, m := range messages {
		if err := s.write(m); err != nil {
			s.t.Fatalf("send to %s: %v", s.conn.RemoteAddr(), err)
		}
	}
}

// messages returns what was received so far of a type.
func (s *speaker) messages(kind byte) []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []message
	for _, m := range s.received {
		if m.kind() == kind {
			found = append(found, m)
		}
	}
	return found
}

// ended reports whether the other side has ended the connection.
func (s *speaker) ended() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// wantNotification waits for the end of the session and for its reason.
func (s *speaker) wantNotification(code, subcode byte) {
	s.t.Helper()
	waitFor(s.t, 10*time.Second, fmt.Sprintf("NOTIFICATION %d/%d", code, subcode), func() error {
		got := s.messages(msgNotification)
		if len(got) == 0 {
			return errors.New("none received")
		}
		if c, sub, _ := got[0].notification(); c != code || sub != subcode {
			return fmt.Errorf("got %d/%d", c, sub)
		}
		return nil
	})
}

// readMessage reads one message of either size limit.
func readMessage(r io.Reader) (message, error) {
	header := make([]byte, 19)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint16(header[16:]))
	if length < 19 {
		return nil, fmt.Errorf("message of length %d", length)
	}
	m := make(message, length)
	copy(m, header)
	_, err := io.ReadFull(r, m[19:])
	return m, err
}

// waitFor polls a condition until it holds, and fails the test with the last
// reason when it does not within the time.
func waitFor(t testing.TB, within time.Duration, what string, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %v", what, within, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
