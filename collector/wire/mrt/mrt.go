// Package mrt reads and writes MRT, the format in which routing information is
// stored in files (RFC 6396, ADD-PATH by RFC 8050): tables as TABLE_DUMP_V2 and
// its elders, and the messages and state changes of BGP4MP.
//
// A [Reader] goes through a stream record by record and holds one record at a
// time. [Reader.Next] returns a [Record]: a [*PeerIndex], then a [*RIB] for each
// prefix, each with an [Entry] for every peer that has a route; a [*TableDump],
// which is a prefix and one peer; [*Message] and [*StateChange]; or [*Other] for
// what this package frames and does not read. [Decoder] turns the attributes of
// an Entry into canonical [route.Attrs], by way of package wire, which is strict.
//
// A [Source] puts these together: out of a file come batches of routes and events
// as a collector hears them, of peers that [Peers] knows again in the next file.
// [Writer] is the way back.
//
// # Error handling
//
// Every error names the record's number and its offset in the (decompressed)
// stream. Damage within a record leaves the framing whole: after an [*Error]
// that is not Final the next call reads the next record. A Source goes on by
// itself and counts. No input makes this package panic, none makes a Reader hold
// more than one record of [MaxRecord] octets, and none a Source more than some
// tens of megabytes beside it.
package mrt

import (
	"fmt"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// MaxRecord is the largest record that is read, in octets without its header.
// The largest real ones, a prefix with hundreds of peers, are well below 1 MiB.
const MaxRecord = 32 << 20

const headerLen = 12

// Type is the type of a record, with its subtype.
type Type struct{ Type, Subtype uint16 }

// The types of RFC 6396 section 4 that are read.
const (
	typeBGP         = 5 // deprecated, RFC 6396 appendix B.2
	typeTableDump   = 12
	typeTableDumpV2 = 13
	typeBGP4MP      = 16
	typeBGP4MPET    = 17
)

// String returns "TABLE_DUMP_V2/2" and the like.
func (t Type) String() string {
	switch t.Type {
	case typeBGP:
		return fmt.Sprintf("BGP/%d", t.Subtype)
	case typeTableDump:
		return fmt.Sprintf("TABLE_DUMP/%d", t.Subtype)
	case typeTableDumpV2:
		return fmt.Sprintf("TABLE_DUMP_V2/%d", t.Subtype)
	case typeBGP4MP:
		return fmt.Sprintf("BGP4MP/%d", t.Subtype)
	case typeBGP4MPET:
		return fmt.Sprintf("BGP4MP_ET/%d", t.Subtype)
	}
	return fmt.Sprintf("%d/%d", t.Type, t.Subtype)
}

// Header is what every record begins with.
type Header struct {
	Offset int64 // of the record in the decompressed stream
	Time   time.Time
	Type   Type
}

// Record is one of [*PeerIndex], [*RIB], [*TableDump], [*Message],
// [*StateChange] and [*Other]. All but a PeerIndex belong to the Reader and are valid until its
// next call.
type Record interface{ record() }

// PeerIndex is a PEER_INDEX_TABLE (RFC 6396 section 4.3.1): the peers that the
// RIB records after it speak of. It is the caller's to keep.
type PeerIndex struct {
	Header
	Collector netip.Addr // its BGP identifier
	View      string
	Peers     []Peer
}

// Peer is a peer of the collector that wrote the file.
type Peer struct {
	RouterID netip.Addr
	Address  netip.Addr
	ASN      route.ASN
}

// RIB is one prefix of a table (RFC 6396 section 4.3.2).
type RIB struct {
	Header
	Family   route.Family
	Sequence uint32
	Prefix   netip.Prefix // masked
	AddPath  bool         // entries have a path identifier
	Entries  []Entry

	Strangers int // entries whose peer the PEER_INDEX_TABLE does not have; they are left out
}

// Entry is one peer's route of a RIB record.
type Entry struct {
	Peer       int // index into PeerIndex.Peers, checked
	Originated time.Time
	PathID     uint32
	Attributes []byte // as in the file; see Decoder
}

// TableDump is one peer's route of one prefix: a record of the older tables,
// TABLE_DUMP (RFC 6396 section 4.2) and BGP4MP_ENTRY (appendix B.3).
type TableDump struct {
	Header
	Family      route.Family
	Prefix      netip.Prefix // masked
	Peer        Peer         // without RouterID, which is not told
	Originated  time.Time
	FourOctetAS bool
	NextHop     []byte // when it is outside the attributes, else nil
	Attributes  []byte // as in the file; see Decoder
}

// Session is the two ends of a BGP4MP record.
type Session struct {
	PeerASN, LocalASN         route.ASN
	Interface                 uint16
	PeerAddress, LocalAddress netip.Addr
}

// Message is a BGP message (RFC 6396 sections 4.4.2 and 4.4.3).
type Message struct {
	Header
	Session
	FourOctetAS bool // AS_PATH of an UPDATE has four-octet AS numbers
	AddPath     bool // NLRI have path identifiers (RFC 8050)
	Sent        bool // by the collector (the subtypes with LOCAL)
	Bytes       []byte
}

// StateChange is a step of a session's state machine (RFC 6396 section 4.4.1),
// in the numbers of the file: 1 Idle … 6 Established; Quagga also writes 7 and 8.
type StateChange struct {
	Header
	Session
	Old, New uint16
}

// Other is a record of a type that is not read.
type Other struct {
	Header
	Bytes []byte
}

func (*PeerIndex) record()   {}
func (*RIB) record()         {}
func (*TableDump) record()   {}
func (*Message) record()     {}
func (*StateChange) record() {}
func (*Other) record()       {}

// Error says which record could not be read, and why.
type Error struct {
	Number int   // of the record, from 1
	Offset int64 // of the record in the decompressed stream
	Type   Type  // zero when the header was not read
	Final  bool  // the framing is lost; the Reader reads no further
	Err    error

	orphans bool // it is about octets before the record
}

// Error returns the record and the reason.
func (e *Error) Error() string {
	return fmt.Sprintf("MRT record %d at offset %d (%v): %v", e.Number, e.Offset, e.Type, e.Err)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }
