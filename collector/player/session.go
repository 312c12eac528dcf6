package player

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Session is one Established BGP session, made by [Dial]. The zero Session is
// not usable, and a Session is not copied. Its methods may be called by many
// goroutines; messages of two senders mix, whole message by whole message.
type Session struct {
	conn   net.Conn
	cfg    Config
	theirs *wire.Open
	agreed wire.Session
	in     *reader

	closing chan struct{} // closed by the first Close
	done    chan struct{} // closed when the reader has ended
	tasks   sync.WaitGroup
	once    sync.Once

	out struct {
		sync.Mutex
		buf []byte // encoded and not yet written; empty while the lock is free
		err error  // the first write error: the stream may end within a message
	}

	state struct {
		sync.Mutex
		received   []Message
		missed     int
		keepalives int
		err        error
	}
}

// Message is a message that the other side sent.
type Message struct {
	At   time.Time
	Type wire.Type
	Body []byte // without the header
}

// flushAt is how much is encoded before it is written: large enough that a full
// table costs few system calls, small enough to stay in the cache.
const flushAt = 256 << 10

func newSession(conn net.Conn, cfg Config) *Session {
	return &Session{
		conn: conn, cfg: cfg, in: newReader(conn),
		closing: make(chan struct{}), done: make(chan struct{}),
	}
}

// establish runs the handshake of RFC 4271 section 8 from OpenSent on.
func (s *Session) establish() error {
	ours := s.cfg.open()
	if _, err := s.conn.Write(ours.Append(nil)); err != nil {
		return fmt.Errorf("send OPEN: %w", err)
	}
	body, err := s.expect(wire.TypeOpen)
	if err != nil {
		return fmt.Errorf("wait for OPEN: %w", err)
	}
	if s.theirs, err = wire.ParseOpen(body); err != nil {
		return fmt.Errorf("parse OPEN: %w", err)
	}
	s.agreed = wire.Negotiate(ours, s.theirs)
	if _, err := s.conn.Write(wire.AppendKeepalive(nil)); err != nil {
		return fmt.Errorf("send KEEPALIVE: %w", err)
	}
	if _, err := s.expect(wire.TypeKeepalive); err != nil {
		return fmt.Errorf("wait for KEEPALIVE: %w", err)
	}
	return nil
}

// expect reads one message of the handshake, which must be of type want.
func (s *Session) expect(want wire.Type) ([]byte, error) {
	t, body, err := s.in.next(wire.MaxLen)
	switch {
	case err != nil:
		return nil, err
	case t == wire.TypeNotification:
		return nil, notified(body)
	case t != want:
		return nil, fmt.Errorf("message type %d, want %d", t, want)
	}
	return slices.Clone(body), nil
}

// notified turns the body of a NOTIFICATION into the error that it reports.
func notified(body []byte) error {
	n, err := wire.ParseNotification(body)
	if err != nil {
		return fmt.Errorf("parse NOTIFICATION: %w", err)
	}
	return n
}

func (s *Session) start() {
	s.tasks.Go(s.read)
	if s.agreed.HoldTime > 0 {
		s.tasks.Go(s.keepAlive)
	}
}

// Peer returns the OPEN of the other side. It is shared and read-only.
func (s *Session) Peer() *wire.Open { return s.theirs }

// Agreed returns what the OPENs settled, from the player's view.
// wire.AppendUpdate takes it to prepare a stream for SendRaw.
func (s *Session) Agreed() wire.Session { return s.agreed }

// LocalAddr returns the address the session comes from.
func (s *Session) LocalAddr() net.Addr { return s.conn.LocalAddr() }

// Done is closed when the session has ended, by either side.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the session ended: nil before that and after Close, a
// *wire.Notification in the chain when the other side sent one.
func (s *Session) Err() error {
	s.state.Lock()
	defer s.state.Unlock()
	return s.state.err
}

// Close sends Cease (RFC 4271 section 6.7, administrative shutdown), closes the
// connection and waits for the session's goroutines. It may be called again.
func (s *Session) Close() error {
	return s.end(&wire.Notification{Code: wire.CodeCease, Subcode: wire.CeaseAdminShutdown})
}

// Abort closes the connection without a word, as a router that loses power.
func (s *Session) Abort() error { return s.end(nil) }

func (s *Session) end(last *wire.Notification) error {
	s.once.Do(func() {
		close(s.closing)
		// A sender that is blocked gives up; the Cease has a second to leave.
		_ = s.conn.SetWriteDeadline(time.Now().Add(time.Second))
		if last != nil {
			_ = s.SendRaw(last.Append(nil))
		}
		_ = s.conn.Close()
	})
	s.tasks.Wait()
	return nil
}

// fail records why the session ends, unless Close made it end.
func (s *Session) fail(err error) {
	select {
	case <-s.closing:
		return
	default:
	}
	s.state.Lock()
	defer s.state.Unlock()
	s.state.err = err
}

// read logs what the other side says until the connection ends.
func (s *Session) read() {
	defer close(s.done)
	defer s.conn.Close()
	for {
		if s.agreed.HoldTime > 0 {
			_ = s.conn.SetReadDeadline(time.Now().Add(s.agreed.HoldTime))
		}
		t, body, err := s.in.next(s.agreed.MaxReceive)
		if err != nil {
			s.fail(s.readError(err))
			return
		}
		s.log(t, body)
		if t == wire.TypeNotification {
			s.fail(notified(body))
			return
		}
		if t == wire.TypeRouteRefresh && s.cfg.OnRefresh != nil {
			if r, err := wire.ParseRouteRefresh(body); err == nil {
				s.cfg.OnRefresh(s, r)
			}
		}
	}
}

// readError says to the other side what ended the stream, if it can know it.
func (s *Session) readError(err error) error {
	var n *wire.Notification
	if !errors.As(err, &n) {
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			return fmt.Errorf("read: %w", err)
		}
		n = &wire.Notification{Code: wire.CodeHoldTimer}
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_ = s.SendRaw(n.Append(nil))
	return n
}

func (s *Session) log(t wire.Type, body []byte) {
	s.state.Lock()
	defer s.state.Unlock()
	switch {
	case t == wire.TypeKeepalive:
		s.state.keepalives++
	case len(s.state.received) >= s.cfg.KeepReceived:
		s.state.missed++
	default:
		s.state.received = append(s.state.received, Message{time.Now(), t, slices.Clone(body)})
	}
}

// Received is what the other side sent since the session was established.
type Received struct {
	Messages   []Message // the first Config.KeepReceived, without KEEPALIVEs
	Missed     int       // messages beyond them
	Keepalives int
}

// Received returns the log so far; the messages are shared and read-only.
func (s *Session) Received() Received {
	s.state.Lock()
	defer s.state.Unlock()
	return Received{slices.Clone(s.state.received), s.state.missed, s.state.keepalives}
}

// keepAlive sends a KEEPALIVE each third of the hold time (RFC 4271 section 4.4).
func (s *Session) keepAlive() {
	ticker := time.NewTicker(s.agreed.HoldTime / 3)
	defer ticker.Stop()
	message := wire.AppendKeepalive(nil)
	for {
		select {
		case <-ticker.C:
			if s.SendRaw(message) != nil {
				return
			}
		case <-s.closing:
			return
		case <-s.done:
			return
		}
	}
}

// Send encodes updates and writes them. It blocks while the other side does not
// read. The error of a session that has ended wraps net.ErrClosed or the cause.
func (s *Session) Send(updates ...route.Update) error {
	s.out.Lock()
	defer s.out.Unlock()
	for _, u := range updates {
		s.out.buf = wire.AppendUpdate(s.out.buf, s.agreed, u, s.agreed.MaxSend)
		if len(s.out.buf) < flushAt {
			continue
		}
		if err := s.flush(); err != nil {
			return err
		}
	}
	return s.flush()
}

// EndOfRIB says that the routes of the family are complete (RFC 4724 section 2).
func (s *Session) EndOfRIB(f route.Family) error {
	return s.SendRaw(wire.AppendEndOfRIB(nil, f))
}

// SendRaw writes bytes as they are: whole messages, unless a test wants the
// other side to meet something else. b is not kept.
func (s *Session) SendRaw(b []byte) error {
	s.out.Lock()
	defer s.out.Unlock()
	return s.write(b)
}

func (s *Session) flush() error {
	err := s.write(s.out.buf)
	s.out.buf = s.out.buf[:0]
	return err
}

// write needs s.out locked.
func (s *Session) write(b []byte) error {
	if s.out.err != nil {
		return s.out.err
	}
	if _, err := s.conn.Write(b); err != nil {
		s.out.err = fmt.Errorf("send to %s: %w", s.cfg.Address, err)
	}
	return s.out.err
}
