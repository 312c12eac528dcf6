package history

import (
	"encoding/binary"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// A group is what was journalled in about a second, in the order in which it
// happened: batches as the table took them, and expiries. It is written whole or
// not at all.

// kind is the kind of a record of a group. Those of batches are one more than
// their route.Event.
type kind uint8

const (
	kindExpire kind = 0
	kindRoutes kind = kind(route.Routes) + 1
	kindBatch  kind = kind(route.RefreshEnd) + 1 // the last of them
	kindWait   kind = kindBatch + 1
)

// groupWriter collects a group. Peers are known by numbers that the file keeps.
type groupWriter struct {
	octets  []byte
	records int   // changes and events
	first   int64 // milliseconds; of the first record
	last    int64
	set     []byte // of the announcement before
}

// reset begins a group.
func (w *groupWriter) reset() {
	w.octets, w.records, w.first, w.last, w.set = w.octets[:0], 0, 0, 0, w.set[:0]
}

func (w *groupWriter) begin(k kind, at int64) {
	if w.records == 0 {
		w.first, w.last = at, at
		w.octets = appendZigzag(w.octets, at)
	}
	w.octets = append(w.octets, byte(k))
	w.octets = binary.AppendUvarint(w.octets, uint64(at-w.last))
	w.last = at
}

// expire records that what was due at the time expired.
func (w *groupWriter) expire(at int64) {
	w.begin(kindExpire, at)
	w.records++
}

// wait records that unconfirmed routes are kept for a while more.
func (w *groupWriter) wait(at int64, d time.Duration) {
	w.begin(kindWait, at)
	w.octets = binary.AppendUvarint(w.octets, uint64(d))
	w.records++
}

// batch records what a peer said at the time, which is not before the one before.
func (w *groupWriter) batch(peer uint32, b *route.Batch, at int64) {
	w.begin(kind(b.Event)+1, at)
	w.octets = binary.AppendUvarint(w.octets, uint64(peer))
	switch b.Event {
	case route.Routes:
		w.octets = binary.AppendUvarint(w.octets, uint64(len(b.Updates)))
		for i := range b.Updates {
			w.update(&b.Updates[i])
			w.records += len(b.Updates[i].NLRI)
		}
	case route.PeerUp:
		w.octets = appendPeer(w.octets, b.Peer)
		w.retention(b)
	case route.PeerDown:
		w.retention(b)
		w.octets = appendText(w.octets, b.Reason)
	case route.EndOfRIB, route.RefreshBegin, route.RefreshEnd:
		w.octets = append(w.octets, byte(b.Family))
	case route.PeerRemoved:
	}
	w.records++
}

func (w *groupWriter) retention(b *route.Batch) {
	for _, keep := range b.Retention {
		w.octets = binary.AppendUvarint(w.octets, uint64(max(0, keep.Stale)))
		w.octets = binary.AppendUvarint(w.octets, uint64(max(0, keep.LongLived)))
	}
}

// The low bits of an update's head are its family, the others tell what follows.
const (
	updateFamily  = 3
	updateSet     = 4 // a set; else the one before
	updateGone    = 8 // withdrawn: no set
	updatePathIDs = 16
)

func (w *groupWriter) update(u *route.Update) {
	head := byte(u.Family)
	switch {
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
	w.octets = append(w.octets, head)
	if head&updateSet != 0 {
		w.octets = appendPart(w.octets, u.Attrs)
	}
	w.octets = binary.AppendUvarint(w.octets, uint64(len(u.NLRI)))
	for i := range u.NLRI {
		n := &u.NLRI[i]
		w.octets = appendPrefix(w.octets, n.Prefix)
		if head&updatePathIDs != 0 {
			w.octets = binary.AppendUvarint(w.octets, uint64(n.PathID))
		}
	}
}

// appendPrefix appends a prefix as BGP does: its length and the octets that
// matter.
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

// record is one record of a group: a batch of a peer, an expiry, or a wait.
type record struct {
	kind  kind
	at    int64 // milliseconds
	peer  uint32
	batch route.Batch   // without Peer, unless it is PeerUp
	wait  time.Duration // of kindWait
}

// ofPeer reports whether it is a batch.
func (r *record) ofPeer() bool { return r.kind != kindExpire && r.kind != kindWait }

// copyTo writes an event, not changes, to another group.
func (r *record) copyTo(w *groupWriter) {
	switch r.kind {
	case kindExpire:
		w.expire(r.at)
	case kindWait:
		w.wait(r.at, r.wait)
	default:
		w.batch(r.peer, &r.batch, r.at)
	}
}

// apply does to a table what the record says was done.
func (r *record) apply(t *table.Table) {
	at := time.UnixMilli(r.at).UTC()
	switch r.kind {
	case kindExpire:
		t.Expire(at)
	case kindWait:
		t.Postpone(at.Add(r.wait))
	default:
		t.Apply(&r.batch)
	}
}

// groupReader reads groups. What it gives out is valid until the next record.
type groupReader struct {
	record  record
	updates []route.Update
	nlri    []route.NLRI
}

// decode calls found with the records of a group in order. No octets are a group
// without records.
func (d *groupReader) decode(b []byte, found func(*record) error) error {
	if len(b) == 0 {
		return nil
	}
	r := reader{b: b}
	at := r.varint()
	var set route.Attrs
	for len(r.b) > 0 {
		k := kind(r.octet())
		at += int64(r.uvarint())
		rec := &d.record
		*rec = record{kind: k, at: at}
		switch {
		case k == kindExpire:
		case k == kindWait:
			rec.wait = time.Duration(r.below(1<<62, "a time"))
		case k > kindBatch:
			r.fail("a record is of an unknown kind")
		default:
			rec.peer = uint32(r.below(1<<32, "a peer"))
			rec.batch.Event, rec.batch.At = route.Event(k-1), time.UnixMilli(at).UTC()
			d.body(&r, &rec.batch, &set)
		}
		if r.err != nil {
			return r.err
		}
		if err := found(rec); err != nil {
			return err
		}
	}
	return r.err
}

func (d *groupReader) body(r *reader, b *route.Batch, set *route.Attrs) {
	switch b.Event {
	case route.Routes:
		d.updates, d.nlri = d.updates[:0], d.nlri[:0]
		for range r.count() {
			d.update(r, set)
		}
		b.Updates = d.updates
	case route.PeerUp:
		b.Peer = r.peer()
		r.retention(b)
	case route.PeerDown:
		r.retention(b)
		b.Reason = r.text()
	case route.EndOfRIB, route.RefreshBegin, route.RefreshEnd:
		b.Family = route.Family(r.below(route.NumFamilies, "a family"))
	case route.PeerRemoved:
	}
}

func (r *reader) retention(b *route.Batch) {
	for i := range b.Retention {
		b.Retention[i].Stale = time.Duration(r.below(1<<62, "a time"))
		b.Retention[i].LongLived = time.Duration(r.below(1<<62, "a time"))
	}
}

func (d *groupReader) update(r *reader, set *route.Attrs) {
	head := r.octet()
	u := route.Update{Family: route.Family(head & updateFamily)}
	if head&updateSet != 0 {
		*set = r.take(r.count())
	}
	if head&updateGone == 0 {
		u.Attrs = *set
		if len(u.Attrs) == 0 {
			r.fail("an announcement has no attributes")
		}
	}
	start := len(d.nlri)
	for range r.count() {
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
