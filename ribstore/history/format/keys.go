package format

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"time"
)

// Numbers in keys are in network order, so that keys sort as the numbers do.

func be32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }
func be64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

// Origin says what the table held when a run began.
type Origin uint8

// The origins of runs.
const (
	OriginEmpty     Origin = iota // the table was empty
	OriginContinued               // the table was as the run before left it
	OriginUnknown                 // the table held what was not recorded; its first snapshot is the first known state
)

// Run is a stretch of the journal without a break and without a clock that was
// set back.
type Run struct {
	ID      uint32
	Origin  Origin
	Start   int64  // milliseconds since 1970; its first moment
	Resumed int64  // milliseconds since 1970; from start until here nothing was recorded
	First   uint64 // number of its first group
	Reason  string // why it began, for people
}

// Key returns the key of a run.
func (r *Run) Key() []byte { return be32(nil, r.ID) }

// Encode returns the stored value of a run.
func (r *Run) Encode(c *Codec) []byte {
	b := binary.AppendUvarint([]byte{byte(r.Origin)}, uint64(r.ID))
	b = appendZigzag(appendZigzag(b, r.Start), r.Resumed)
	b = binary.AppendUvarint(b, r.First)
	return c.fast.EncodeAll(appendText(b, r.Reason), nil)
}

// DecodeRun reads the run that is stored under a key.
func DecodeRun(c *Codec, key, stored []byte) (Run, error) {
	b, err := c.open(nil, stored)
	r := reader{b: b}
	u := Run{Origin: Origin(r.octet()), ID: uint32(r.uvarint()), Start: r.varint(), Resumed: r.varint(), First: r.uvarint(), Reason: r.text()}
	switch {
	case err != nil:
	case r.end() != nil:
		err = r.err
	case string(u.Key()) != string(key):
		err = Damagedf("it is filed as another one")
	case u.Origin > OriginUnknown:
		err = Damagedf("its origin is unknown")
	}
	if err != nil {
		return Run{}, fmt.Errorf("run %x: %w", key, err)
	}
	return u, nil
}

// PeerKey returns the key of the name of a peer.
func PeerKey(number uint32) []byte { return be32(nil, number) }

// EncodePeerName returns the stored value of the name of a peer.
func EncodePeerName(c *Codec, number uint32, name string) []byte {
	return c.fast.EncodeAll(append(be32(nil, number), name...), nil)
}

// DecodePeerName reads the name of a peer that is stored under a key.
func DecodePeerName(c *Codec, key, stored []byte) (number uint32, name string, err error) {
	b, err := c.open(nil, stored)
	if err != nil || len(b) < 4 {
		return 0, "", Damagedf("the name of a peer")
	}
	if string(b[:4]) != string(key) {
		return 0, "", Damagedf("a peer is filed as another one")
	}
	return binary.BigEndian.Uint32(b), string(b[4:]), nil
}

// Piece is a part of the journal: a group, or a segment that was made of many
// groups. The numbers of pieces follow each other without a hole.
type Piece struct {
	Level       uint8 // 0 for a group
	Run         uint32
	First, Last int64  // milliseconds since 1970; of the records in it
	From, To    uint64 // numbers of its first and last group
	Records     uint32
	Pending     []byte // the octets of a group that is not in the file yet
	Lost        bool   // it was found damaged
}

// pieceKeyLen is the length of the key of a piece.
const pieceKeyLen = 1 + 4 + 4*8 + 4 + sumSize

// Key returns the key of a piece. Keys sort by the number of the first group.
func (p *Piece) Key() []byte {
	b := be64(make([]byte, 0, pieceKeyLen), p.From)
	b = append(b, p.Level)
	b = be64(be32(b, p.Run), p.To)
	b = be64(be64(b, uint64(p.First)), uint64(p.Last))
	return appendSum(be32(b, p.Records))
}

// ParsePiece returns the piece that a key describes.
func ParsePiece(key []byte) (Piece, error) {
	if len(key) != pieceKeyLen || !hasSum(key) {
		return Piece{}, Damagedf("a key of the journal is none")
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(key[at:]) }
	p := Piece{
		From: u64(0), Level: key[8], Run: binary.BigEndian.Uint32(key[9:]), To: u64(13),
		First: int64(u64(21)), Last: int64(u64(29)), Records: binary.BigEndian.Uint32(key[37:]),
	}
	if p.To < p.From || p.Last < p.First {
		return Piece{}, Damagedf("a key of the journal contradicts itself")
	}
	return p, nil
}

// BlockKey returns the key of a block of the segment with a key.
func BlockKey(segment []byte, number int) []byte {
	return be32(append(make([]byte, 0, len(segment)+4), segment...), uint32(number))
}

// SegmentOfBlock returns the key of the segment that the key of a block names.
func SegmentOfBlock(key []byte) (segment []byte, ok bool) {
	if len(key) != pieceKeyLen+4 {
		return nil, false
	}
	return key[:pieceKeyLen], true
}

// Snapshot is what the key of a snapshot tells.
type Snapshot struct {
	Run        uint32
	Begun, End int64  // milliseconds since 1970; the table was read from begun to end, and the snapshot is true from end on
	Next       uint64 // number of the first group after it
	Routes     uint32
}

// snapshotKeyLen is the length of the key of a snapshot.
const snapshotKeyLen = 4 + 3*8 + 4 + sumSize

// Key returns the key of a snapshot. Keys sort by run and end.
func (s *Snapshot) Key() []byte {
	b := be32(make([]byte, 0, snapshotKeyLen), s.Run)
	b = be64(be64(b, uint64(s.End)), uint64(s.Begun))
	return appendSum(be32(be64(b, s.Next), s.Routes))
}

// ParseSnapshot returns the snapshot that a key describes.
func ParseSnapshot(key []byte) (Snapshot, error) {
	if len(key) != snapshotKeyLen || !hasSum(key) {
		return Snapshot{}, Damagedf("a key of a snapshot is none")
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(key[at:]) }
	return Snapshot{
		Run: binary.BigEndian.Uint32(key), End: int64(u64(4)), Begun: int64(u64(12)),
		Next: u64(20), Routes: binary.BigEndian.Uint32(key[28:]),
	}, nil
}

// End says how far the file reaches, so that a missing end is noticed.
type End struct {
	Next  uint64 // number of the next group
	Run   uint32 // the newest
	Peers uint32 // how many peers have a number
}

// Encode returns the stored value of an end.
func (e *End) Encode() []byte { return appendSum(be32(be32(be64(nil, e.Next), e.Run), e.Peers)) }

// DecodeEnd returns the zero End for a value that is missing or damaged.
func DecodeEnd(stored []byte) End {
	if len(stored) != 8+4+4+sumSize || !hasSum(stored) {
		return End{}
	}
	return End{binary.BigEndian.Uint64(stored), binary.BigEndian.Uint32(stored[8:]), binary.BigEndian.Uint32(stored[12:])}
}

// Stamp prints milliseconds since 1970 for people.
func Stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// Contents lists what is stored: what there is, not what is in it.
type Contents struct {
	Runs      []Run      // by id
	Snapshots []Snapshot // in order
	Pieces    []Piece    // in order
	Marks     []Mark     // by run and begin
	Next      uint64     // number of the next group
}

// LastOf returns the last moment recorded in a run, in milliseconds since 1970.
func (c *Contents) LastOf(id uint32) int64 {
	last := int64(0)
	for i := range c.Runs {
		if c.Runs[i].ID == id {
			last = c.Runs[i].Start
		}
	}
	for i := range c.Pieces {
		if c.Pieces[i].Run == id {
			last = max(last, c.Pieces[i].Last)
		}
	}
	for i := range c.Snapshots {
		if c.Snapshots[i].Run == id {
			last = max(last, c.Snapshots[i].End)
		}
	}
	return last
}

// CompareSnapshots orders snapshots by run, then by the moment that they are
// true for.
func CompareSnapshots(a, b Snapshot) int {
	return cmp.Or(cmp.Compare(a.Run, b.Run), cmp.Compare(a.End, b.End))
}
