package mrt

import (
	"fmt"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// table is the table that a Source is reading. Routes of a table come prefix by
// prefix and go out peer by peer: a batch for each peer is under construction.
type table struct {
	decoder *Decoder
	memo    *memo
	at      time.Time // of the batches under construction
	damaged bool      // not all of its records were read

	seats    []*seat        // by index into the PEER_INDEX_TABLE
	byPeer   map[Peer]*seat // of a table without one
	open     []*part        // with a batch
	begun    []*part        // in refresh
	families [route.NumFamilies]bool
	routes   int // under construction
	octets   int
}

// seat is a peer of the table; its parts are the routes without and with path
// identifiers.
type seat struct {
	entry Peer
	nth   int
	parts [2]part
}

type part struct {
	seat    *seat
	addPath bool

	peer  *peer // nil before the first route
	batch *Batch
	begun [route.NumFamilies]bool // RefreshBegin was sent
}

func newSeat(entry Peer, nth int) *seat {
	s := &seat{entry: entry, nth: nth}
	s.parts = [2]part{{seat: s}, {seat: s, addPath: true}}
	return s
}

// tableRoute is a route on its way into a batch.
type tableRoute struct {
	family     route.Family
	attrs      route.Attrs
	nlri       route.NLRI
	originated time.Time
}

func newTable() table { return table{decoder: NewDecoder(), memo: newMemo()} }

// beginTable takes the peers of a PEER_INDEX_TABLE.
func (s *Source) beginTable(index *PeerIndex) {
	t := &s.table
	t.seats, t.byPeer, t.damaged = make([]*seat, len(index.Peers)), nil, false
	same := make(map[Peer]int)
	for i, p := range index.Peers {
		t.seats[i] = newSeat(p, same[p])
		same[p]++
	}
}

// rib takes the routes of one prefix.
func (s *Source) rib(rib *RIB) {
	t := &s.table
	s.tableTime(rib.Time)
	f := form{rib.Family, true}
	for range rib.Strangers {
		s.skipKind(SkippedSeat, &rib.Header, fmt.Errorf("%v: a peer index beyond the %d peers of the file", rib.Prefix, len(t.seats)))
	}
	for i := range rib.Entries {
		e := &rib.Entries[i]
		attrs, err := s.attrs(&rib.Header, f, e.Attributes, nil)
		if err != nil {
			s.skipEntry(&rib.Header, fmt.Errorf("attributes of %v: %w", rib.Prefix, err))
			continue
		}
		s.tableRoute(&t.seats[e.Peer].parts[index(rib.AddPath)], tableRoute{
			rib.Family, attrs, route.NLRI{Prefix: rib.Prefix, PathID: e.PathID}, e.Originated,
		})
	}
}

// tableDump takes a route of an older table.
func (s *Source) tableDump(d *TableDump) {
	t := &s.table
	s.tableTime(d.Time)
	attrs, err := s.attrs(&d.Header, form{d.Family, d.FourOctetAS}, d.Attributes, d.NextHop)
	if err != nil {
		s.skipEntry(&d.Header, fmt.Errorf("attributes of %v: %w", d.Prefix, err))
		return
	}
	at := t.byPeer[d.Peer]
	if at == nil {
		if len(t.byPeer) >= maxPeers {
			s.skipEntry(&d.Header, errManyPeers)
			return
		}
		if t.byPeer == nil {
			t.byPeer = make(map[Peer]*seat)
		}
		at = newSeat(d.Peer, 0)
		t.byPeer[d.Peer] = at
	}
	s.tableRoute(&at.parts[0], tableRoute{d.Family, attrs, route.NLRI{Prefix: d.Prefix}, d.Originated})
}

// tableTime begins new batches when the time of the records goes on, so that
// batches are in order of time.
func (s *Source) tableTime(at time.Time) {
	if !at.Equal(s.table.at) {
		s.flushTable()
		s.table.at = at
	}
}

// attrs decodes attributes unless they are remembered.
func (s *Source) attrs(h *Header, f form, raw, nextHop []byte) (route.Attrs, error) {
	t := &s.table
	if nextHop != nil { // outside the octets that are remembered; rare
		attrs, report, err := t.decoder.attrs(f, raw, nextHop)
		s.discarded(h, &report)
		return attrs, err
	}
	attrs, hash, ok := t.memo.find(f, raw)
	if ok {
		return attrs, nil
	}
	var report wire.Report
	attrs, report, err := t.decoder.attrs(f, raw, nil)
	s.discarded(h, &report)
	if err != nil {
		return nil, err
	}
	t.memo.remember(hash, f, raw, attrs)
	return attrs, nil
}

// tableRoute puts a route into the batch of its peer.
func (s *Source) tableRoute(p *part, r tableRoute) {
	t := &s.table
	if p.peer == nil {
		if p.peer = s.peers.ofTable(p.seat.entry, p.seat.nth, p.addPath); p.peer == nil {
			s.skip(SkippedPeer, errManyPeers)
			return
		}
	}
	t.families[r.family], p.peer.routes = true, true
	if s.options.ReplacesTable && !p.begun[r.family] {
		s.refresh(p, r.family)
	}
	if p.batch == nil {
		p.batch = s.batch(p.peer, t.at)
		t.open = append(t.open, p)
	}
	b := p.batch
	m := b.memory
	before := m.builder.Bytes()
	m.builder.Announce(r.family, r.attrs, r.nlri)
	m.originated = append(m.originated, uint32(r.originated.Unix()))
	t.routes++
	t.octets += m.builder.Bytes() - before
	switch {
	case m.isFull():
		t.routes -= m.builder.Len()
		t.octets -= m.builder.Bytes()
		s.handOn(b)
		p.batch = s.batch(p.peer, t.at)
	case t.routes >= pendingRoutes || t.octets >= pendingOctets:
		s.flushTable()
	}
}

// flushTable hands on what is under construction.
func (s *Source) flushTable() {
	t := &s.table
	for _, p := range t.open {
		s.handOn(p.batch)
		p.batch = nil
	}
	clear(t.open)
	t.open, t.routes, t.octets = t.open[:0], 0, 0
}

func (s *Source) skipEntry(h *Header, err error) {
	s.skipKind(SkippedEntry, h, err)
}

func (s *Source) skipKind(kind Skipped, h *Header, err error) { s.skip(kind, s.located(h, err)) }

// discarded reports attributes of a table entry that were left out. An entry that is
// malformed otherwise is skipped.
func (s *Source) discarded(h *Header, r *wire.Report) {
	s.unspecified(r)
	s.malformed(h, "a table entry", &wire.Report{Discarded: r.Discarded}, nil)
}
