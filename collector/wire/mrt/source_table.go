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
	peer  *peer // nil before the first route
	batch *Batch
	begun [route.NumFamilies]bool // RefreshBegin was sent
}

func newTable() table { return table{decoder: NewDecoder(), memo: newMemo()} }

// beginTable takes the peers of a PEER_INDEX_TABLE.
func (s *Source) beginTable(index *PeerIndex) {
	t := &s.table
	t.seats, t.byPeer, t.damaged = make([]*seat, len(index.Peers)), nil, false
	same := make(map[Peer]int)
	for i, p := range index.Peers {
		t.seats[i] = &seat{entry: p, nth: same[p]}
		same[p]++
	}
}

// rib takes the routes of one prefix.
func (s *Source) rib(rib *RIB) {
	t := &s.table
	s.tableTime(rib.Time)
	f := form{rib.Family, true}
	for i := range rib.Entries {
		e := &rib.Entries[i]
		attrs, err := s.attrs(f, e.Attributes, nil)
		if err != nil {
			s.skipEntry(&rib.Header, fmt.Errorf("attributes of %v: %w", rib.Prefix, err))
			continue
		}
		n := route.NLRI{Prefix: rib.Prefix, PathID: e.PathID}
		s.tableRoute(t.seats[e.Peer], index(rib.AddPath), rib.Family, attrs, n, e.Originated)
	}
}

// tableDump takes a route of an older table.
func (s *Source) tableDump(d *TableDump) {
	t := &s.table
	s.tableTime(d.Time)
	attrs, err := s.attrs(form{d.Family, d.FourOctetAS}, d.Attributes, d.NextHop)
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
		at = &seat{entry: d.Peer}
		t.byPeer[d.Peer] = at
	}
	s.tableRoute(at, 0, d.Family, attrs, route.NLRI{Prefix: d.Prefix}, d.Originated)
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
func (s *Source) attrs(f form, raw, nextHop []byte) (route.Attrs, error) {
	t := &s.table
	if nextHop != nil { // outside the octets that are remembered; rare
		attrs, report, err := t.decoder.attrs(f, raw, nextHop)
		s.report.Discarded += len(report.Discarded)
		return attrs, err
	}
	attrs, hash, ok := t.memo.find(f, raw)
	if ok {
		return attrs, nil
	}
	var report wire.Report
	attrs, report, err := t.decoder.attrs(f, raw, nil)
	s.report.Discarded += len(report.Discarded)
	if err != nil {
		return nil, err
	}
	t.memo.remember(hash, f, raw, attrs)
	return attrs, nil
}

// tableRoute puts a route into the batch of its peer.
func (s *Source) tableRoute(at *seat, which int, f route.Family, attrs route.Attrs, n route.NLRI, originated time.Time) {
	t, p := &s.table, &at.parts[which]
	if p.peer == nil {
		if p.peer = s.peers.ofTable(at.entry, at.nth, which == 1); p.peer == nil {
			s.skip(SkippedPeer, errManyPeers)
			return
		}
	}
	t.families[f] = true
	if s.options.ReplacesTable && !p.begun[f] {
		s.refresh(p, f)
	}
	b := p.batch
	if b == nil {
		b = s.batch(p.peer, t.at)
		p.batch = b
		t.open = append(t.open, p)
	}
	before := b.builder.Bytes()
	b.builder.Announce(f, attrs, n)
	b.Originated = append(b.Originated, uint32(originated.Unix()))
	t.routes++
	t.octets += b.builder.Bytes() - before
	switch {
	case b.builder.Len() >= batchRoutes || b.builder.Bytes() >= batchOctets:
		t.routes -= b.builder.Len()
		t.octets -= b.builder.Bytes()
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
	s.skip(SkippedEntry, fmt.Errorf("record at offset %d: %w", h.Offset, err))
}
