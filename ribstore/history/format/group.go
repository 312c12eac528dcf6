package format

import (
	"encoding/binary"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// A group has what was recorded in about a second, in the order in which it
// happened: batches as the table applied them, expiries and waits. It is written
// whole or not at all.

// Kind is the kind of a record of a group.
type Kind uint8

const (
	kindExpire Kind = 0
	// KindRoutes is a batch of routes that were announced or withdrawn.
	KindRoutes Kind = Kind(route.Routes) + 1
	kindBatch  Kind = Kind(route.RefreshEnd) + 1 // the last of them
	kindWait   Kind = kindBatch + 1

	kindChanged Kind = kindWait + 1 // a batch that says that a peer changed

	// kindWhen is no record: it says where in its moment the next record is, and when
	// it happened, where neither is plain.
	kindWhen Kind = kindChanged + 1
)

// kindOf returns the kind of a batch.
func kindOf(e route.Event) Kind {
	if e == route.PeerChanged {
		return kindChanged
	}
	return Kind(e) + 1
}

// event is the inverse of kindOf.
func (k Kind) event() route.Event {
	if k == kindChanged {
		return route.PeerChanged
	}
	return route.Event(k - 1)
}

// GroupWriter writes a group. Peers go by their numbers in the file.
type GroupWriter struct {
	Octets  []byte
	Records int   // changes and events
	First   int64 // milliseconds; of the first record
	Last    int64
	Events  int     // of Records
	Places  *Places // of the changes; nil: they are not collected
	set     []byte  // of the announcement before
	next    When    // of a record of the same moment
}

// Reset begins a group. It may go on in the moment in which the group before ended.
func (w *GroupWriter) Reset() {
	w.Octets, w.Records, w.Events, w.First, w.Last, w.set = w.Octets[:0], 0, 0, 0, 0, w.set[:0]
	if w.Places != nil {
		w.Places.Reset()
	}
}

// Expire records that everything that was due at a time expired.
func (w *GroupWriter) Expire(at When) {
	w.begin(kindExpire, at, 1)
	w.Records++
	w.Events++
}

// Wait records that unconfirmed routes are kept for a while longer.
func (w *GroupWriter) Wait(at When, d time.Duration) {
	w.begin(kindWait, at, 1)
	w.Octets = binary.AppendUvarint(w.Octets, uint64(d))
	w.Records++
	w.Events++
}

// Batch records a batch of a peer. Its moment is not before the moment of the record
// before. Its number is the next one of the moment, or a higher one when it says so.
func (w *GroupWriter) Batch(peer uint32, b *route.Batch, at When) {
	w.begin(kindOf(b.Event), at, max(1, len(b.Updates)))
	if b.Event != route.Routes {
		w.Events++
	}
	w.Octets = binary.AppendUvarint(w.Octets, uint64(peer))
	switch b.Event {
	case route.Routes:
		w.Octets = binary.AppendUvarint(w.Octets, uint64(len(b.Updates)))
		for i := range b.Updates {
			w.update(&b.Updates[i])
			w.Records += len(b.Updates[i].NLRI)
		}
	case route.PeerUp:
		w.Octets = appendPeer(w.Octets, b.Peer)
		w.retention(b)
	case route.PeerDown:
		w.retention(b)
		w.Octets = appendText(w.Octets, b.Reason)
	case route.PeerChanged:
		w.Octets = appendPeer(w.Octets, b.Peer)
	case route.EndOfRIB, route.RefreshBegin, route.RefreshEnd:
		w.Octets = append(w.Octets, byte(b.Family))
	case route.PeerRemoved:
	}
	w.Records++
}

func (w *GroupWriter) retention(b *route.Batch) {
	for _, keep := range b.Retention {
		w.Octets = binary.AppendUvarint(w.Octets, uint64(max(0, keep.Stale)))
		long := uint64(max(0, keep.LongLived))
		if keep.Graceful {
			long |= keptGraceful
		}
		if keep.AsFresh {
			long |= keptAsFresh
		}
		w.Octets = binary.AppendUvarint(w.Octets, long)
	}
}

// The high bits of a long-lived time, which is shorter, say how routes are kept.
const (
	keptGraceful = 1 << 62
	keptAsFresh  = 1 << 63
	keptTime     = 1<<62 - 1
)

// The low bits of an update's head are its family, the others tell what follows.
const (
	updateFamily  = 3
	updateSet     = 4 // an attribute set follows; else the set before counts
	updateGone    = 8 // the prefixes are withdrawn: a set that follows is the mark of a route.Fault
	updatePathIDs = 16
)

func (w *GroupWriter) update(u *route.Update) {
	head := byte(u.Family)
	switch {
	case u.Attrs.IsFault():
		head |= updateGone | updateSet
		w.set = append(w.set[:0], u.Attrs...)
	case u.Withdraw():
		head |= updateGone
	case string(u.Attrs) != string(w.set):
		head |= updateSet
		w.set = append(w.set[:0], u.Attrs...)
	}
	for i := range u.NLRI {
		if u.NLRI[i].PathID != 0 {
			head |= updatePathIDs
			break
		}
	}
	w.Octets = append(w.Octets, head)
	if head&updateSet != 0 {
		w.Octets = appendPart(w.Octets, u.Attrs)
	}
	w.Octets = binary.AppendUvarint(w.Octets, uint64(len(u.NLRI)))
	for i := range u.NLRI {
		n := &u.NLRI[i]
		w.Octets = appendPrefix(w.Octets, n.Prefix)
		if head&updatePathIDs != 0 {
			w.Octets = binary.AppendUvarint(w.Octets, uint64(n.PathID))
		}
		if w.Places != nil {
			w.Places.add(n.Prefix)
		}
	}
}

// appendPrefix appends a prefix as BGP does (RFC 4271, 4.3): its length and the
// octets that the length reaches.
func appendPrefix(b []byte, p netip.Prefix) []byte {
	bits := p.Bits()
	b = append(b, byte(bits))
	if p.Addr().Is4() {
		a := p.Addr().As4()
		return append(b, a[:(bits+7)/8]...)
	}
	a := p.Addr().As16()
	return append(b, a[:(bits+7)/8]...)
}

func (r *reader) nlriPrefix(f route.Family) netip.Prefix {
	bits := int(r.octet())
	if bits > f.Bits() {
		r.fail("a prefix is too long")
		return netip.Prefix{}
	}
	var octets [16]byte
	copy(octets[:], r.take((bits+7)/8))
	addr := netip.AddrFrom16(octets)
	if !f.IsIPv6() {
		addr = netip.AddrFrom4([4]byte(octets[:4]))
	}
	p := netip.PrefixFrom(addr, bits)
	if p != p.Masked() {
		r.fail("a prefix has host bits")
	}
	return p
}

// Record is one record of a group: a batch of a peer, an expiry, or a wait.
type Record struct {
	When

	Kind  Kind
	Peer  uint32
	Batch route.Batch   // without Peer, unless it is PeerUp or PeerChanged
	wait  time.Duration // of kindWait
}

// OfPeer reports whether the record is a batch of a peer.
func (r *Record) OfPeer() bool { return r.Kind != kindExpire && r.Kind != kindWait }

// CopyTo writes an event to another group. It is not for changes of routes.
func (r *Record) CopyTo(w *GroupWriter) {
	switch r.Kind {
	case kindExpire:
		w.Expire(r.When)
	case kindWait:
		w.Wait(r.When, r.wait)
	default:
		w.Batch(r.Peer, &r.Batch, r.When)
	}
}

// Apply does to a table what the record says.
func (r *Record) Apply(t *table.Table) {
	at := time.UnixMilli(r.At).UTC()
	switch r.Kind {
	case kindExpire:
		t.Expire(at)
	case kindWait:
		t.Postpone(at.Add(r.wait))
	default:
		t.Apply(&r.Batch)
	}
}

// GroupReader reads groups. It keeps its memory from one group to the next.
type GroupReader struct {
	record  Record
	updates []route.Update
	nlri    []route.NLRI
	octets  []byte
	all     []Record
}

// DecodeAll returns the records of a group, which are valid until the reader is used
// again.
func (d *GroupReader) DecodeAll(b []byte) ([]Record, error) {
	d.updates, d.nlri, d.all = d.updates[:0], d.nlri[:0], d.all[:0]
	err := d.decode(b, func(rec *Record) error {
		d.all = append(d.all, *rec)
		return nil
	})
	return d.all, err
}

// Decode calls found with the records of a group in order, and ends with its first
// error. A record is valid until the next. No octets are a group without records.
func (d *GroupReader) Decode(b []byte, found func(*Record) error) error {
	return d.decode(b, func(rec *Record) error {
		d.updates, d.nlri = d.updates[:0], d.nlri[:0]
		return found(rec)
	})
}

func (d *GroupReader) decode(b []byte, found func(*Record) error) error {
	if len(b) == 0 {
		return nil
	}
	r := reader{b: b}
	next := When{At: r.varint()}
	var set route.Attrs
	for len(r.b) > 0 {
		k, when := r.begin(next)
		rec := &d.record
		*rec = Record{Kind: k, When: when}
		switch {
		case k == kindExpire:
		case k == kindWait:
			rec.wait = time.Duration(r.below(1<<62, "a time"))
		case k > kindBatch && k != kindChanged:
			r.fail("a record is of an unknown kind")
		default:
			rec.Peer = uint32(r.below(1<<32, "a peer"))
			rec.Batch.Event, rec.Batch.At = k.event(), when.Exact()
			d.body(&r, &rec.Batch, &set)
		}
		next = When{At: when.At, Number: when.Number + uint32(max(1, len(rec.Batch.Updates)))}
		if r.err != nil {
			return r.err
		}
		if err := found(rec); err != nil {
			return err
		}
	}
	return r.err
}

func (d *GroupReader) body(r *reader, b *route.Batch, set *route.Attrs) {
	switch b.Event {
	case route.Routes:
		first, before := len(d.updates), len(d.nlri)
		for range r.bounded(maxOfUpdates, "a count of updates") {
			d.update(r, set, before)
		}
		b.Updates = d.updates[first:len(d.updates):len(d.updates)]
	case route.PeerUp:
		b.Peer = r.peer()
		r.retention(b)
	case route.PeerDown:
		r.retention(b)
		b.Reason = r.text()
	case route.PeerChanged:
		b.Peer = r.peer()
	case route.EndOfRIB, route.RefreshBegin, route.RefreshEnd:
		b.Family = route.Family(r.below(route.NumFamilies, "a family"))
	case route.PeerRemoved:
	}
}

func (r *reader) retention(b *route.Batch) {
	for i := range b.Retention {
		b.Retention[i].Stale = time.Duration(r.below(1<<62, "a time"))
		long := r.uvarint()
		b.Retention[i].LongLived = time.Duration(long & keptTime)
		b.Retention[i].Graceful, b.Retention[i].AsFresh = long&keptGraceful != 0, long&keptAsFresh != 0
	}
}

// update reads an update of a batch, of which the first prefix has a number.
func (d *GroupReader) update(r *reader, set *route.Attrs, first int) {
	head := r.octet()
	u := route.Update{Family: route.Family(head & updateFamily)}
	if head&updateSet != 0 {
		*set = r.take(r.count())
	}
	if gone := head&updateGone != 0; !gone || head&updateSet != 0 {
		u.Attrs = *set
		if len(u.Attrs) == 0 || u.Attrs.IsFault() != gone {
			r.fail("the attributes are not of an announcement")
		}
	}
	start := len(d.nlri)
	for range r.bounded(maxPrefixes-(start-first), "a count of prefixes") {
		n := route.NLRI{Prefix: r.nlriPrefix(u.Family)}
		if head&updatePathIDs != 0 {
			n.PathID = uint32(r.below(1<<32, "a path identifier"))
		}
		if r.err != nil {
			return
		}
		d.nlri = append(d.nlri, n)
	}
	u.NLRI = d.nlri[start:len(d.nlri):len(d.nlri)]
	d.updates = append(d.updates, u)
}

// Weight returns how many records a record counts for.
func (r *Record) Weight() int {
	n := 1
	for i := range r.Batch.Updates {
		n += len(r.Batch.Updates[i].NLRI)
	}
	return n
}
