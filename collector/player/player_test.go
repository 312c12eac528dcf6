package player

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// far is the other side: a collector of a few lines.
type far struct {
	t    *testing.T
	conn net.Conn
	in   *reader
}

// listen accepts one connection and hands it to serve, in a goroutine that the
// test's cleanup waits for.
func listen(t *testing.T, control *net.ListenConfig, serve func(far)) string {
	t.Helper()
	l, err := control.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		serve(far{t, conn, newReader(conn)})
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func farOpen() *wire.Open {
	o := &wire.Open{ASN: 64500, HoldTime: 30, RouterID: netip.MustParseAddr("192.0.2.10")}
	for _, f := range []route.Family{route.IPv4Unicast, route.IPv6Unicast} {
		o.Capabilities = append(o.Capabilities, wire.MultiprotocolCapability(f))
	}
	o.Capabilities = append(o.Capabilities, wire.RouteRefreshCapability(), wire.FourOctetASCapability(64500))
	return o
}

// establish is the collector's half of the handshake; it returns our OPEN.
func (f far) establish() *wire.Open {
	_, body, err := f.in.next(wire.MaxLen)
	if err != nil {
		f.t.Errorf("read OPEN: %v", err)
		return nil
	}
	o, err := wire.ParseOpen(body)
	if err != nil {
		f.t.Errorf("parse OPEN: %v", err)
	}
	f.write(farOpen().Append(nil))
	if kind, _, err := f.in.next(wire.MaxLen); err != nil || kind != wire.TypeKeepalive {
		f.t.Errorf("after OPEN: %v, %v, want KEEPALIVE", kind, err)
	}
	f.write(wire.AppendKeepalive(nil))
	return o
}

func (f far) write(b []byte) {
	if _, err := f.conn.Write(b); err != nil {
		f.t.Errorf("write: %v", err)
	}
}

// rest reads until the player closes and returns the types of what it sent.
func (f far) rest() []wire.Type {
	var types []wire.Type
	for {
		kind, _, err := f.in.next(wire.MaxExtendedLen)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				f.t.Errorf("read: %v", err)
			}
			return types
		}
		types = append(types, kind)
	}
}

func testConfig(address string) Config {
	cfg := DefaultConfig()
	cfg.Address = address
	cfg.ASN = 4200000001
	cfg.RouterID = netip.MustParseAddr("192.0.2.1")
	return cfg
}

func dial(t *testing.T, cfg Config) *Session {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := Dial(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenAnnouncesWhatTheConfigurationAsksFor(t *testing.T) {
	opens := make(chan *wire.Open, 1)
	cfg := testConfig(listen(t, &net.ListenConfig{}, func(f far) {
		opens <- f.establish()
		f.rest()
	}))
	cfg.AddPath = []route.Family{route.IPv4Unicast}
	cfg.ExtendedMessages, cfg.EnhancedRefresh = true, true
	cfg.GracefulRestart = &wire.GracefulRestart{Time: 120 * time.Second, Families: setOf(cfg.Families)}
	s := dial(t, cfg)
	defer s.Close()

	got := <-opens
	if got.ASN != cfg.ASN || got.HoldTime != 90 || got.RouterID != cfg.RouterID {
		t.Errorf("OPEN = AS%v, hold time %d, id %v, want those of %+v", got.ASN, got.HoldTime, got.RouterID, cfg)
	}
	var codes []uint8
	for _, c := range got.Capabilities {
		codes = append(codes, c.Code)
	}
	want := []uint8{
		wire.CapMultiprotocol, wire.CapMultiprotocol, wire.CapRouteRefresh, wire.CapEnhancedRefresh,
		wire.CapExtendedMessage, wire.CapFourOctetAS, wire.CapAddPath, wire.CapGracefulRestart,
	}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("capabilities (-want +got):\n%s", diff)
	}
	if got := s.Agreed().HoldTime; got != 30*time.Second {
		t.Errorf("agreed hold time = %v, want the smaller of both, 30s", got)
	}
}

func TestCloseSendsCease(t *testing.T) {
	sent := make(chan []wire.Type, 1)
	s := dial(t, testConfig(listen(t, &net.ListenConfig{}, func(f far) {
		f.establish()
		sent <- f.rest()
	})))
	if err := s.SendRaw(wire.AppendKeepalive(nil)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]wire.Type{wire.TypeKeepalive, wire.TypeNotification}, <-sent); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if err := s.Err(); err != nil {
		t.Errorf("Err after Close = %v, want nil", err)
	}
	if err := s.SendRaw(wire.AppendKeepalive(nil)); err == nil {
		t.Error("SendRaw after Close gave no error")
	}
}

func TestDialReportsANotification(t *testing.T) {
	cfg := testConfig(listen(t, &net.ListenConfig{}, func(f far) {
		if _, _, err := f.in.next(wire.MaxLen); err != nil {
			t.Errorf("read OPEN: %v", err)
		}
		n := &wire.Notification{Code: wire.CodeOpen, Subcode: wire.OpenBadPeerAS}
		f.write(n.Append(nil))
	}))
	_, err := Dial(t.Context(), cfg)
	var n *wire.Notification
	if !errors.As(err, &n) || n.Code != wire.CodeOpen || n.Subcode != wire.OpenBadPeerAS {
		t.Errorf("Dial = %v, want the NOTIFICATION 2/2", err)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg := testConfig(listen(t, &net.ListenConfig{}, func(f far) {
		_, _, _ = f.in.next(wire.MaxLen)
		cancel() // and say nothing
		_, _, _ = f.in.next(wire.MaxLen)
	}))
	if _, err := Dial(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial = %v, want context.Canceled", err)
	}
}

func TestReceivedIsBoundedAndWithoutKeepalives(t *testing.T) {
	refresh := wire.RouteRefresh{Family: route.IPv6Unicast}.Append(nil)
	cfg := testConfig(listen(t, &net.ListenConfig{}, func(f far) {
		f.establish()
		f.write(wire.AppendKeepalive(nil))
		for range 3 {
			f.write(refresh)
		}
		f.write((&wire.Notification{Code: wire.CodeCease}).Append(nil))
		f.rest()
	}))
	cfg.KeepReceived = 2
	s := dial(t, cfg)
	defer s.Close()
	<-s.Done()
	got := s.Received()
	if len(got.Messages) != 2 || got.Missed != 2 || got.Keepalives != 1 {
		t.Errorf("Received = %d messages, %d missed, %d keepalives, want 2, 2, 1", len(got.Messages), got.Missed, got.Keepalives)
	}
	var n *wire.Notification
	if !errors.As(s.Err(), &n) || n.Code != wire.CodeCease {
		t.Errorf("Err = %v, want the Cease", s.Err())
	}
}

func TestOnRefreshAnswersARouteRefresh(t *testing.T) {
	answered := make(chan []wire.Type, 1)
	cfg := testConfig(listen(t, &net.ListenConfig{}, func(f far) {
		f.establish()
		f.write(wire.RouteRefresh{Family: route.IPv6Unicast}.Append(nil))
		kind, _, _ := f.in.next(wire.MaxLen)
		answered <- []wire.Type{kind}
		f.rest()
	}))
	cfg.OnRefresh = func(s *Session, r wire.RouteRefresh) {
		if r.Family != route.IPv6Unicast {
			t.Errorf("refresh of %v, want ipv6-unicast", r.Family)
		}
		if err := s.EndOfRIB(r.Family); err != nil {
			t.Errorf("EndOfRIB: %v", err)
		}
	}
	s := dial(t, cfg)
	defer s.Close()
	if diff := cmp.Diff([]wire.Type{wire.TypeUpdate}, <-answered); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestCloseReleasesABlockedSender(t *testing.T) {
	release := make(chan struct{})
	s := dial(t, testConfig(listen(t, &net.ListenConfig{}, func(f far) {
		f.establish()
		<-release // and read nothing
	})))
	defer close(release)
	blocked := make(chan error)
	go func() {
		for {
			if err := s.SendRaw(make([]byte, 1<<20)); err != nil {
				blocked <- err
				return
			}
		}
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-blocked; err == nil {
		t.Error("blocked SendRaw ended without an error")
	}
}

// overPipe returns a session of an agreed hold time of 30 s and the other end,
// for tests in a bubble, where only a pipe blocks durably.
func overPipe(t *testing.T) (*Session, far) {
	t.Helper()
	ours, theirs := net.Pipe()
	s := newSession(ours, testConfig("pipe"))
	f := far{t, theirs, newReader(theirs)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.establish()
	}()
	if err := s.establish(); err != nil {
		t.Fatal(err)
	}
	<-done
	s.start()
	return s, f
}

func TestKeepalivesAreSentEachThirdOfTheHoldTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := overPipe(t)
		start := time.Now()
		for i := range 3 {
			f.write(wire.AppendKeepalive(nil))
			kind, _, err := f.in.next(wire.MaxLen)
			if err != nil || kind != wire.TypeKeepalive {
				t.Fatalf("message %d = %v, %v, want KEEPALIVE", i, kind, err)
			}
		}
		if got := time.Since(start); got != 30*time.Second {
			t.Errorf("third KEEPALIVE after %v, want 30s", got)
		}
		_ = s.Abort()
	})
}

func TestSilenceOfTheOtherSideEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := overPipe(t)
		types := make(chan []wire.Type, 1)
		go func() { types <- f.rest() }()
		<-s.Done()
		var n *wire.Notification
		if !errors.As(s.Err(), &n) || n.Code != wire.CodeHoldTimer {
			t.Errorf("Err = %v, want hold timer expired", s.Err())
		}
		_ = s.Abort()
		if got := <-types; got[len(got)-1] != wire.TypeNotification {
			t.Errorf("last message = %v, want NOTIFICATION", got[len(got)-1])
		}
	})
}

func TestSourceAddressAndMD5(t *testing.T) {
	from := netip.MustParseAddr("127.0.0.77")
	sources := make(chan netip.AddrPort, 1)
	control := &net.ListenConfig{Control: md5Control(from, "secret")}
	cfg := testConfig(listen(t, control, func(f far) {
		sources <- netip.MustParseAddrPort(f.conn.RemoteAddr().String())
		f.establish()
		f.rest()
	}))
	cfg.LocalAddress, cfg.MD5 = from.String(), "secret"
	s := dial(t, cfg)
	defer s.Close()
	if got := <-sources; got.Addr() != from {
		t.Errorf("source = %v, want %v", got.Addr(), from)
	}
}
