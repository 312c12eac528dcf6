package mrt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// maxRow is the size above which the routes of a prefix go into one more
// record. Readers other than ours hold a record whole, too.
const maxRow = 1 << 20

// Writer writes records, each with one call of the stream's Write and nothing
// kept but the memory for one. Make one with [NewWriter]; it is not for
// concurrent use. A record that MRT cannot express gives an error and leaves the
// stream as it was; an error of the stream leaves it cut short.
type Writer struct {
	w        io.Writer
	b        []byte // the record under construction
	entry    []byte // attributes of one route
	messages []byte
	peers    int // of the last PeerIndex
	sequence uint32
}

// NewWriter returns a Writer to w, which the caller buffers and compresses.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Row is one prefix of a table with the routes of all peers.
type Row struct {
	Time   time.Time // of the dump
	Family route.Family
	Prefix netip.Prefix
	Routes []Route
}

// Route is one route of a Row.
type Route struct {
	Peer       int // index into the peers of the PEER_INDEX_TABLE
	Originated time.Time
	AddPath    bool // PathID means something
	PathID     uint32
	Attrs      route.Attrs
}

var errNoPeers = errors.New("peer is not in the PEER_INDEX_TABLE")

// PeerIndex writes a PEER_INDEX_TABLE: the peers that the Rows after it speak of,
// at most 65,535 of them. A view's name has at most 65,535 octets. Addresses that
// are not known are written as 0.0.0.0.
func (w *Writer) PeerIndex(collector netip.Addr, view string, peers []Peer, at time.Time) error {
	if len(peers) > math.MaxUint16 || len(view) > math.MaxUint16 {
		return fmt.Errorf("write PEER_INDEX_TABLE: %d peers, view of %d octets: at most %d", len(peers), len(view), math.MaxUint16)
	}
	w.begin(Type{typeTableDumpV2, peerIndexTable})
	w.addr4(collector)
	w.uint16(len(view))
	w.b = append(w.b, view...)
	w.uint16(len(peers))
	for _, p := range peers {
		const ipv6, fourOctetAS = 1, 2
		kind := byte(fourOctetAS)
		address := p.Address.Unmap()
		if address.Is6() {
			kind |= ipv6
		}
		w.b = append(w.b, kind)
		w.addr4(p.RouterID)
		w.addr(address)
		w.uint32(uint32(p.ASN))
	}
	if err := w.end(at); err != nil {
		return fmt.Errorf("write PEER_INDEX_TABLE: %w", err)
	}
	w.peers, w.sequence = len(peers), 0
	return nil
}

// RIB writes the routes of a prefix: those without path identifiers into one
// record, those with them into another (RFC 8050), into several where one would
// be large. A row without routes writes nothing. When the row cannot be expressed,
// none of it is written.
func (w *Writer) RIB(row *Row) error {
	if err := w.check(row); err != nil {
		return fmt.Errorf("write routes of %v: %w", row.Prefix, err)
	}
	for _, addPath := range []bool{false, true} {
		if err := w.rows(row, addPath); err != nil {
			return fmt.Errorf("write routes of %v: %w", row.Prefix, err)
		}
	}
	return nil
}

func (w *Writer) check(row *Row) error {
	if row.Prefix.Addr().Is4() == row.Family.IsIPv6() || !row.Prefix.IsValid() {
		return fmt.Errorf("not a prefix of %v", row.Family)
	}
	if err := checkTime(row.Time); err != nil {
		return err
	}
	for i := range row.Routes {
		r := &row.Routes[i]
		if r.Peer < 0 || r.Peer >= w.peers {
			return fmt.Errorf("index %d of %d: %w", r.Peer, w.peers, errNoPeers)
		}
		if err := checkTime(r.Originated); err != nil {
			return err
		}
		// A set is never longer than its wire form by more than a length octet
		// an attribute, so a short one need not be encoded to be measured.
		if len(r.Attrs) < math.MaxUint16/2 {
			continue
		}
		w.entry = wire.AppendTableAttributes(w.entry[:0], row.Family, r.Attrs)
		if len(w.entry) > math.MaxUint16 {
			return fmt.Errorf("attributes of %d octets, at most %d", len(w.entry), math.MaxUint16)
		}
	}
	return nil
}

// rows writes the routes that have path identifiers, or those that have none.
func (w *Writer) rows(row *Row, addPath bool) error {
	count, countAt := 0, 0
	flush := func() error {
		if count == 0 {
			return nil
		}
		binary.BigEndian.PutUint16(w.b[countAt:], uint16(count))
		count = 0
		w.sequence++
		return w.end(row.Time)
	}
	for i := range row.Routes {
		r := &row.Routes[i]
		if r.AddPath != addPath {
			continue
		}
		if count == 0 {
			countAt = w.beginRow(row, addPath)
		}
		w.route(row.Family, r)
		if count++; count == math.MaxUint16 || len(w.b) > maxRow {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// beginRow begins a record and returns where the count of its entries goes.
func (w *Writer) beginRow(row *Row, addPath bool) (countAt int) {
	subtype := [route.NumFamilies]uint16{
		route.IPv4Unicast: ribIPv4Unicast, route.IPv6Unicast: ribIPv6Unicast,
		route.IPv4Multicast: ribIPv4Multicast, route.IPv6Multicast: ribIPv6Multicast,
	}[row.Family]
	if addPath {
		subtype += addPathSubtypes
	}
	w.begin(Type{typeTableDumpV2, subtype})
	w.uint32(w.sequence)
	w.b = appendPrefix(w.b, row.Prefix.Masked())
	w.uint16(0)
	return len(w.b) - 2
}

func (w *Writer) route(f route.Family, r *Route) {
	w.uint16(r.Peer)
	w.uint32(seconds(r.Originated))
	if r.AddPath {
		w.uint32(r.PathID)
	}
	w.uint16(0)
	start := len(w.b)
	w.b = wire.AppendTableAttributes(w.b, f, r.Attrs)
	binary.BigEndian.PutUint16(w.b[start-2:], uint16(len(w.b)-start))
}

// begin begins a record, whose time and length end fills in.
func (w *Writer) begin(t Type) {
	w.b = append(w.b[:0], 0, 0, 0, 0)
	w.uint16(int(t.Type))
	w.uint16(int(t.Subtype))
	w.uint32(0)
}

func (w *Writer) end(at time.Time) error {
	if err := checkTime(at); err != nil {
		return err
	}
	length := len(w.b) - headerLen
	if length > MaxRecord {
		return fmt.Errorf("%d octets, at most %d", length, MaxRecord)
	}
	binary.BigEndian.PutUint32(w.b, seconds(at))
	binary.BigEndian.PutUint32(w.b[8:], uint32(length))
	_, err := w.w.Write(w.b)
	return err
}

// checkTime refuses what 32 bits of seconds cannot say, but for the zero Time.
func checkTime(t time.Time) error {
	if s := t.Unix(); !t.IsZero() && (s < 0 || s > math.MaxUint32) {
		return fmt.Errorf("time %v is outside 1970 to 2106", t)
	}
	return nil
}

// seconds returns a time as MRT has it, 0 when it is not known.
func seconds(t time.Time) uint32 {
	if t.IsZero() {
		return 0
	}
	return uint32(t.Unix())
}

func (w *Writer) uint16(n int)    { w.b = binary.BigEndian.AppendUint16(w.b, uint16(n)) }
func (w *Writer) uint32(n uint32) { w.b = binary.BigEndian.AppendUint32(w.b, n) }

func (w *Writer) addr4(a netip.Addr) {
	if !a.Is4() {
		a = netip.IPv4Unspecified()
	}
	w.addr(a)
}

func (w *Writer) addr(a netip.Addr) {
	if !a.IsValid() {
		a = netip.IPv4Unspecified()
	}
	w.b = append(w.b, a.AsSlice()...)
}

func (w *Writer) addr16(a netip.Addr) {
	if !a.Is6() {
		a = netip.IPv6Unspecified()
	}
	w.addr(a)
}
