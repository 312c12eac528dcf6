package bgp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	api "github.com/osrg/gobgp/v3/api"
	gobgplog "github.com/osrg/gobgp/v3/pkg/log"
	"github.com/osrg/gobgp/v3/pkg/server"

	"ribglass/collector"
	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// speaker is the embedded GoBGP. It listens on a loopback port; a session adds
// its neighbor under an alias address and connects from that address, and
// removes the neighbor when it ends, so that each session meets a fresh state
// machine: GoBGP's own would refuse connections for five seconds after the end
// of a session. Nothing is ever put into its tables, and its policies reject.
//
// GoBGP's listener has TCP-MD5 only when it is not a multipath TCP socket, which
// Go makes by default: the godebug line of go.mod turns that off.
//
// GoBGP's main loop has no end; stop leaves that one goroutine behind, idle.
// All methods may be called concurrently.
type speaker struct {
	bgp      *server.BgpServer
	log      *slog.Logger
	gobgpLog *gobgpLogger
	address  netip.AddrPort
	stop     func()

	warnOnce sync.Once
}

// startSpeaker starts GoBGP on a free loopback port.
func startSpeaker(ctx context.Context, asn route.ASN, routerID netip.Addr, logger *slog.Logger) (*speaker, error) {
	adapter := &gobgpLogger{log: logger.With("component", "gobgp"), noMD5: make(map[string]bool)}
	s := &speaker{bgp: server.NewBgpServer(server.LoggerOption(adapter)), log: logger, gobgpLog: adapter}
	s.stop = s.bgp.Stop
	go s.bgp.Serve()
	var err error
	for range 10 { // another process may take the port first
		if s.address, err = freePort(ctx); err != nil {
			continue
		}
		err = s.bgp.StartBgp(ctx, &api.StartBgpRequest{Global: &api.Global{
			Asn:             uint32(asn),
			RouterId:        routerID.String(),
			ListenPort:      int32(s.address.Port()),
			ListenAddresses: []string{s.address.Addr().String()},
		}})
		if err == nil {
			return s, s.rejectAll(ctx)
		}
	}
	return nil, fmt.Errorf("start the BGP speaker: %w", err)
}

func freePort(ctx context.Context) (netip.AddrPort, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	address := l.Addr().(*net.TCPAddr).AddrPort()
	return address, l.Close()
}

// rejectAll makes the global policies reject every route.
func (s *speaker) rejectAll(ctx context.Context) error {
	for _, direction := range []api.PolicyDirection{api.PolicyDirection_IMPORT, api.PolicyDirection_EXPORT} {
		err := s.bgp.SetPolicyAssignment(ctx, &api.SetPolicyAssignmentRequest{Assignment: &api.PolicyAssignment{
			Name: "global", Direction: direction, DefaultAction: api.RouteAction_REJECT,
		}})
		if err != nil {
			return fmt.Errorf("set the speaker's %s policy: %w", direction, err)
		}
	}
	return nil
}

// speakerPeer is a neighbor as the speaker sees it.
type speakerPeer struct {
	alias    netip.Addr
	asn      route.ASN // zero: any
	localASN route.ASN
	holdTime time.Duration
	families []route.Family
}

// connect adds the peer and returns a connection and the OPEN that GoBGP has sent on
// it. The caller closes the connection and calls forget.
func (s *speaker) connect(ctx context.Context, p speakerPeer) (net.Conn, *wire.Open, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	key := rand.Text()
	s.gobgpLog.forget(p.alias)
	if err := s.add(ctx, p, key); err != nil {
		return nil, nil, err
	}
	if s.gobgpLog.lacksMD5(p.alias) {
		key = ""
		s.warnOnce.Do(func() {
			s.log.WarnContext(ctx, "the kernel took no TCP-MD5 key: other local processes could disturb inner connections (see net.core.optmem_max)")
		})
	}
	conn, open, err := s.dial(ctx, p.alias, key)
	if err != nil {
		s.forget(ctx, p.alias)
		return nil, nil, fmt.Errorf("connect to the BGP speaker as %s: %w", p.alias, err)
	}
	return conn, open, nil
}

func (s *speaker) add(ctx context.Context, p speakerPeer, key string) error {
	peer := &api.Peer{
		Conf: &api.PeerConf{
			NeighborAddress: p.alias.String(),
			PeerAsn:         uint32(p.asn),
			LocalAsn:        uint32(p.localASN),
			AuthPassword:    key,
		},
		Timers:    &api.Timers{Config: &api.TimersConfig{HoldTime: uint64(p.holdTime / time.Second)}},
		Transport: &api.Transport{PassiveMode: true},
	}
	for _, f := range p.families {
		peer.AfiSafis = append(peer.AfiSafis, &api.AfiSafi{Config: &api.AfiSafiConfig{
			Family: &api.Family{Afi: api.Family_Afi(f.AFI()), Safi: api.Family_Safi(f.SAFI())}, Enabled: true,
		}})
	}
	if err := s.bgp.AddPeer(ctx, &api.AddPeerRequest{Peer: peer}); err != nil {
		return fmt.Errorf("add %s to the BGP speaker: %w", p.alias, err)
	}
	return nil
}

// leave ends an inner connection and waits until GoBGP has closed its half. A state
// machine that is removed while it has a message of the handshake to read leaves a
// goroutine behind.
func leave(inner net.Conn) {
	defer inner.Close()
	half, ok := inner.(*net.TCPConn)
	if !ok || half.CloseWrite() != nil || half.SetReadDeadline(deadline(leaveTime)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, inner)
}

// leaveTime is how long GoBGP may take to end a session.
const leaveTime = time.Second

// forget removes the peer and its state machine.
func (s *speaker) forget(ctx context.Context, alias netip.Addr) {
	if err := s.bgp.DeletePeer(context.WithoutCancel(ctx), &api.DeletePeerRequest{Address: alias.String()}); err != nil {
		s.log.DebugContext(ctx, "speaker does not know the peer", "alias", alias, "error", err)
	}
}

// dial connects until GoBGP answers with its OPEN: it closes what arrives in
// the moment before the new peer's state machine has become Active.
func (s *speaker) dial(ctx context.Context, alias netip.Addr, key string) (net.Conn, *wire.Open, error) {
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(alias, 0))}
	if key != "" {
		dialer.Control = func(_, _ string, raw syscall.RawConn) error {
			return setMD5(raw, netip.PrefixFrom(s.address.Addr(), 32), collector.Secret(key))
		}
	}
	wait := time.Millisecond
	for {
		conn, open, err := greet(ctx, dialer, s.address)
		if err == nil {
			return conn, open, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil, err
		case <-time.After(wait):
			wait = min(2*wait, 200*time.Millisecond)
		}
	}
}

func greet(ctx context.Context, dialer net.Dialer, address netip.AddrPort) (_ net.Conn, _ *wire.Open, err error) {
	conn, err := dialer.DialContext(ctx, "tcp4", address.String())
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			_ = conn.Close()
		}
	}()
	deadline, _ := ctx.Deadline()
	if err = conn.SetReadDeadline(deadline); err != nil {
		return nil, nil, err
	}
	t, message, err := readMessage(conn, nil)
	if err != nil {
		return nil, nil, err
	}
	if t != wire.TypeOpen {
		return nil, nil, fmt.Errorf("%s instead of OPEN", t)
	}
	open, err := wire.ParseOpen(message[wire.HeaderLen:])
	if err != nil {
		return nil, nil, err
	}
	return conn, open, conn.SetReadDeadline(time.Time{})
}

// readMessage reads one message, header included, into buf or, when that is too
// short, into memory of its own.
func readMessage(r io.Reader, buf []byte) (wire.Type, []byte, error) {
	var head [wire.HeaderLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	t, length, err := wire.ParseHeader(head[:], wire.MaxLen)
	if err != nil {
		return 0, nil, err
	}
	if len(buf) < length {
		buf = make([]byte, length)
	}
	message := buf[:length]
	copy(message, head[:])
	_, err = io.ReadFull(r, message[wire.HeaderLen:])
	return t, message, err
}

// gobgpLogger gives what GoBGP logs to slog at debug level: what matters about
// a session is logged by the session. GoBGP expects Panic and Fatal not to
// return; both stand for impossible states, and are logged as errors.
type gobgpLogger struct {
	log *slog.Logger

	mu    sync.Mutex
	noMD5 map[string]bool // aliases whose key the kernel did not take
}

var _ gobgplog.Logger = (*gobgpLogger)(nil)

func (l *gobgpLogger) write(level slog.Level, msg string, fields gobgplog.Fields) {
	ctx := context.Background()
	if !l.log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, len(fields))
	for k, v := range fields {
		attrs = append(attrs, slog.Any(strings.ToLower(strings.ReplaceAll(k, " ", "_")), v))
	}
	l.log.LogAttrs(ctx, level, "gobgp: "+msg, attrs...) //nolint:sloglint // GoBGP's message, not ours
}

// Warn notes when the kernel refuses the TCP-MD5 key of a peer, because GoBGP reports
// it only in its log.
func (l *gobgpLogger) Warn(msg string, fields gobgplog.Fields) {
	if msg == "failed to set md5" {
		l.mu.Lock()
		l.noMD5[fmt.Sprint(fields["Key"])] = true
		l.mu.Unlock()
	}
	l.write(slog.LevelDebug, msg, fields)
}

func (l *gobgpLogger) lacksMD5(alias netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.noMD5[alias.String()]
}

func (l *gobgpLogger) forget(alias netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.noMD5, alias.String())
}

func (l *gobgpLogger) Panic(msg string, fields gobgplog.Fields) {
	l.write(slog.LevelError, msg, fields)
}

func (l *gobgpLogger) Fatal(msg string, fields gobgplog.Fields) {
	l.write(slog.LevelError, msg, fields)
}

func (l *gobgpLogger) Error(msg string, fields gobgplog.Fields) {
	l.write(slog.LevelDebug, msg, fields)
}

func (l *gobgpLogger) Info(msg string, fields gobgplog.Fields) { l.write(slog.LevelDebug, msg, fields) }

func (l *gobgpLogger) Debug(msg string, fields gobgplog.Fields) {
	l.write(slog.LevelDebug, msg, fields)
}

func (l *gobgpLogger) SetLevel(gobgplog.LogLevel) {}

// GetLevel spares GoBGP the work of formatting messages that are not logged.
func (l *gobgpLogger) GetLevel() gobgplog.LogLevel {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		return gobgplog.DebugLevel
	}
	return gobgplog.WarnLevel
}

var errNoMD5 = errors.New("this system has no TCP-MD5 (RFC 2385)")
