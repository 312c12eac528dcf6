package mrt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Batch is a [route.Batch] out of a file. It belongs to whoever got it from
// [Source.Next] until Release, which may be called from any goroutine; a Batch
// that is not released is garbage like any other.
type Batch struct {
	route.Batch

	// Assumed tells of a PeerUp that nothing recorded: the peer is there, since it says
	// something, and may have been there before.
	Assumed bool

	peer   *peer
	memory *memory
}

// memory is what a batch of routes points into. It goes from batch to batch; the
// Batch itself does not, for Release still writes to it when it has given this
// back.
type memory struct {
	builder    wire.Builder
	originated []uint32
	recycle    func()
}

const (
	batchRoutes   = 512      // prefixes after which a batch is full
	batchOctets   = 64 << 10 // memory after which it is
	pendingRoutes = 1 << 16  // prefixes of all peers' batches of a table
	pendingOctets = 16 << 20 // their memory
)

// SourceOptions are what a Source may be told. The zero value is good.
type SourceOptions struct {
	// Peers keeps the identity of peers over several files; nil: this file's own.
	Peers *Peers
	// Errors is how many errors the Report keeps; zero: 20.
	Errors int
	// ReplacesTable makes a table take the place of what was known: the routes of
	// each peer are enclosed in RefreshBegin and RefreshEnd, so that what the table
	// does not have is removed. A table that ends in damage removes nothing.
	ReplacesTable bool
}

// Source reads a file as what a collector would have heard: batches of routes,
// sessions that come up and go down, End-of-RIB markers. Make one with [NewSource];
// one goroutine uses it at a time, but for [Source.Consumed].
//
// A peer comes up (PeerUp) before its first routes; when a session is recorded as
// lost its routes are removed at once. Damage costs the record, or the entry of a
// table, that has it, and is counted in the Report.
type Source struct {
	input    *counted
	reader   *Reader
	options  SourceOptions
	peers    *Peers
	decoders [2][2]*wire.Decoder // of messages: four-octet AS numbers, ADD-PATH
	messages *Batch              // routes of messages, under construction
	scratch  wire.Builder
	table    table
	ready    []*Batch
	next     int // in ready
	err      error
	pool     sync.Pool
	report   Report
}

// counted counts the octets that are read.
type counted struct {
	r io.Reader
	n atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// NewSource returns a Source that reads r, which may be compressed as for
// [NewReader].
func NewSource(r io.Reader, o SourceOptions) (*Source, error) {
	s := &Source{input: &counted{r: r}, options: o, peers: o.Peers}
	if s.peers == nil {
		s.peers = NewPeers("")
	}
	if s.options.Errors == 0 {
		s.options.Errors = 20
	}
	var err error
	if s.reader, err = NewReader(s.input); err != nil {
		return nil, err
	}
	s.pool.New = s.newMemory
	s.table = newTable()
	return s, nil
}

// Close gives the decompressor's memory back. It does not close the stream.
func (s *Source) Close() error { return s.reader.Close() }

// Consumed returns how many octets of the stream, compressed as it is, were read.
func (s *Source) Consumed() int64 { return s.input.n.Load() }

// Report returns what was read so far, and what could not be.
func (s *Source) Report() Report {
	s.report.Lengthened, s.report.SkippedOctets = s.reader.lengthened, s.reader.skipped
	return s.report.clone()
}

// Next returns the next batch, and io.EOF after the last one. When the framing of
// the records is lost, the [*Error] that says so comes after the last batch.
func (s *Source) Next() (*Batch, error) {
	for s.next == len(s.ready) {
		if s.err != nil {
			return nil, s.err
		}
		s.ready, s.next = s.ready[:0], 0
		s.record()
	}
	b := s.ready[s.next]
	s.ready[s.next] = nil
	s.next++
	return b, nil
}

// record reads one record.
func (s *Source) record() {
	record, err := s.reader.Next()
	if err != nil {
		s.readError(err)
		return
	}
	s.report.Records++
	switch record := record.(type) {
	case *PeerIndex:
		s.endTable(true)
		s.flushMessages()
		s.beginTable(record)
	case *RIB:
		s.flushMessages()
		s.rib(record)
	case *TableDump:
		s.flushMessages()
		s.tableDump(record)
	case *Message:
		s.endTable(true)
		s.message(record)
	case *StateChange:
		s.endTable(true)
		s.flushMessages()
		s.stateChange(record)
	case *Other:
		s.skip(SkippedType, s.located(&record.Header, fmt.Errorf("%v is not read", record.Type)))
	}
}

func (s *Source) readError(err error) {
	var e *Error
	switch {
	case errors.Is(err, io.EOF):
		s.endTable(true)
	case errors.As(err, &e) && !e.Final:
		s.table.damaged = true
		if e.orphans {
			s.skip(SkippedOrphans, err)
			return
		}
		s.report.Records++
		s.skip(SkippedRecord, err)
		return
	default:
		s.skip(SkippedRest, err)
		s.endTable(false)
	}
	s.flushMessages()
	s.err = err
}

// message takes the routes out of an UPDATE. Other messages, and what the
// collector itself sent, say nothing about the peer's routes.
func (s *Source) message(m *Message) {
	if m.Sent {
		return
	}
	body, err := updateBodyOf(m.Bytes)
	if err != nil {
		s.skip(SkippedMessage, s.located(&m.Header, err))
		return
	}
	if body == nil || s.endOfRIB(m, body) {
		return
	}
	addPath := m.AddPath || s.hasPathIDs(m, body)
	p := s.peers.ofSession(m.Session, addPath)
	if p == nil {
		s.skip(SkippedPeer, s.located(&m.Header, errManyPeers))
		return
	}
	b := s.messages
	if b != nil && (b.Peer != p.info || !b.At.Equal(m.Time)) {
		s.flushMessages()
		b = nil
	}
	if b == nil {
		b = s.batch(p, m.Time)
		s.messages, p.routes = b, true
	}
	before := len(b.memory.builder.Updates())
	report, err := s.decoder(m.FourOctetAS, addPath).Update(body, &b.memory.builder)
	if err == nil {
		s.unspecified(&report)
		s.malformed(&m.Header, p.info.Name, &report, b.memory.builder.Updates()[before:])
	}
	switch {
	case err != nil:
		s.skip(SkippedMessage, s.located(&m.Header, fmt.Errorf("%s: %w", p.info.Name, err)))
	case b.memory.isFull():
		s.flushMessages()
	}
}

// hasPathIDs reports whether the prefixes of an UPDATE have path identifiers though
// its record says that they have none, as some collectors write it: read without,
// they cannot be read or name the default route twice, and read with, they can.
func (s *Source) hasPathIDs(m *Message, body []byte) bool {
	s.scratch.Reset()
	if !mayHavePathIDs(body) {
		return false
	}
	_, err := s.decoder(m.FourOctetAS, false).Update(body, &s.scratch)
	if err == nil && !defaultTwice(s.scratch.Updates()) {
		return false
	}
	s.scratch.Reset()
	_, err = s.decoder(m.FourOctetAS, true).Update(body, &s.scratch)
	if err != nil || defaultTwice(s.scratch.Updates()) {
		return false
	}
	s.report.PathIDs++
	return true
}

// mayHavePathIDs reports whether a run of prefixes may begin with a path identifier
// below 65536, as those of routers do: with two octets that are zero.
func mayHavePathIDs(body []byte) bool {
	starts := func(field []byte) bool { return len(field) >= 5 && field[0] == 0 && field[1] == 0 }
	if len(body) < 4 {
		return false
	}
	withdrawn, rest := int(binary.BigEndian.Uint16(body)), body[2:]
	if withdrawn+2 > len(rest) {
		return false
	}
	attributes := int(binary.BigEndian.Uint16(rest[withdrawn:]))
	if starts(rest[:withdrawn]) || withdrawn+2+attributes > len(rest) {
		return withdrawn+2+attributes <= len(rest)
	}
	found := starts(rest[withdrawn+2+attributes:])
	for list := rest[withdrawn+2 : withdrawn+2+attributes]; len(list) > 0 && !found; {
		code, _, value, next, ok := cutAttribute(list)
		if !ok {
			return false
		}
		switch {
		case code == codeMPReach && len(value) > 5 && 5+int(value[3]) <= len(value):
			found = starts(value[5+int(value[3]):])
		case code == codeMPUnreach && len(value) > 3:
			found = starts(value[3:])
		}
		list = next
	}
	return found
}

// defaultTwice reports whether an update names a prefix of length 0 twice.
func defaultTwice(updates []route.Update) bool {
	for i := range updates {
		n := 0
		for _, one := range updates[i].NLRI {
			if one.Prefix.Bits() == 0 && one.PathID == 0 {
				n++
			}
		}
		if n > 1 {
			return true
		}
	}
	return false
}

// updateBodyOf returns the body of an UPDATE, nil for another message.
func updateBodyOf(b []byte) ([]byte, error) {
	if len(b) < wire.HeaderLen {
		return nil, fmt.Errorf("message of %d octets", len(b))
	}
	kind, length, err := wire.ParseHeader(b, wire.MaxExtendedLen)
	switch {
	case err != nil:
		return nil, err
	case length > len(b):
		return nil, fmt.Errorf("message of %d octets says %d", len(b), length)
	case kind != wire.TypeUpdate:
		return nil, nil
	}
	return b[wire.HeaderLen:length], nil
}

func (s *Source) decoder(fourOctetAS, addPath bool) *wire.Decoder {
	d := &s.decoders[index(fourOctetAS)][index(addPath)]
	if *d == nil {
		session := tolerant(fourOctetAS)
		for _, f := range route.Families() {
			session.AddPath[f] = addPath
		}
		*d = wire.NewDecoder(session)
	}
	return *d
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// flushMessages hands the routes of messages on.
func (s *Source) flushMessages() {
	if b := s.messages; b != nil {
		s.messages = nil
		s.handOn(b)
	}
}

const established = 6 // of the states' numbers in RFC 6396 section 4.4.1

func (s *Source) stateChange(c *StateChange) {
	up := c.New == established
	if up == (c.Old == established) {
		return
	}
	for _, p := range s.peers.ofState(c.Session) {
		p.up = up
		if up {
			s.event(p, c.Time, route.PeerUp)
			continue
		}
		s.event(p, c.Time, route.PeerDown).Reason = "recorded as lost"
	}
}

// endOfRIB passes an End-of-RIB marker on, and reports whether body is one. It
// belongs to the session, whichever of its messages have path identifiers.
func (s *Source) endOfRIB(m *Message, body []byte) bool {
	const longest = 4 + 4 + 3 // lengths, and an MP_UNREACH_NLRI without prefixes
	if len(body) > longest {
		return false
	}
	s.scratch.Reset()
	report, err := s.decoder(m.FourOctetAS, m.AddPath).Update(body, &s.scratch)
	if err != nil || !report.IsEndOfRIB {
		return false
	}
	s.flushMessages()
	for _, p := range s.peers.ofState(m.Session) {
		s.comeUp(p, m.Time)
		s.event(p, m.Time, route.EndOfRIB).Family = report.EndOfRIB
	}
	return true
}

// comeUp says that a peer is there, when nothing else has.
func (s *Source) comeUp(p *peer, at time.Time) {
	if !p.up {
		p.up = true
		s.event(p, at, route.PeerUp).Assumed = true
	}
}

func (s *Source) event(p *peer, at time.Time, e route.Event) *Batch {
	b := &Batch{Batch: route.Batch{Peer: p.info, At: at, Event: e}}
	s.ready = append(s.ready, b)
	return b
}

// handOn gives a batch of routes to the caller, after the news that its peer is
// there.
func (s *Source) handOn(b *Batch) {
	b.Updates = b.memory.builder.Updates()
	if len(b.Updates) == 0 {
		b.Release()
		return
	}
	if len(b.memory.originated) > 0 {
		b.Received = b.memory.originated
	}
	for i := range b.Updates {
		if u := &b.Updates[i]; u.Withdraw() {
			s.report.Withdrawals += len(u.NLRI)
		} else {
			s.report.Announcements += len(u.NLRI)
		}
	}
	s.comeUp(b.peer, b.At)
	s.ready = append(s.ready, b)
}

// batch returns an empty batch of routes.
func (s *Source) batch(p *peer, at time.Time) *Batch {
	m, _ := s.pool.Get().(*memory)
	m.builder.Reset()
	m.originated = m.originated[:0]
	return &Batch{Batch: route.Batch{Peer: p.info, At: at, Recycle: m.recycle}, peer: p, memory: m}
}

func (s *Source) newMemory() any {
	m := new(memory)
	m.recycle = func() { s.pool.Put(m) }
	return m
}

// isFull reports whether a batch should go on.
func (m *memory) isFull() bool {
	return m.builder.Len() >= batchRoutes || m.builder.Bytes() >= batchOctets
}
