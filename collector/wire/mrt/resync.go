package mrt

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// How a record is found again where the framing is broken.
const (
	resyncTime    = 7 * 24 * time.Hour // records that follow each other are this near
	resyncLongest = 1 << 20            // octets of a record that is looked for
	resyncFirst   = 1 << 20            // octets that are searched for the first record
	resyncStep    = 64 << 10           // octets that are searched at a time
)

// frame is what the first octets of a record say.
type frame struct {
	at     time.Time
	kind   Type
	length int64 // of the body
}

// readFrame reads the header of a record, of which there are headerLen octets.
func readFrame(b []byte) frame {
	return frame{
		time.Unix(int64(binary.BigEndian.Uint32(b)), 0).UTC(),
		Type{binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])},
		int64(binary.BigEndian.Uint32(b[8:])),
	}
}

// isLikely reports whether a header is one of those that are written.
func (f frame) isLikely() bool { return f.isKnown() && f.length <= MaxRecord }

// isKnown reports whether a record is of a type that is written.
func (f frame) isKnown() bool {
	switch f.kind.Type {
	case typeBGP, 11, typeTableDump, typeTableDumpV2, typeBGP4MP, typeBGP4MPET, 32, 33, 48, 49:
		return f.kind.Subtype <= 20
	}
	return false
}

// isNear reports whether a record of that time may stand beside one of the other.
func (f frame) isNear(at time.Time) bool { return at.IsZero() || f.at.Sub(at).Abs() <= resyncTime }

// begins reports whether a record begins so many octets on, after one of a time: a
// header is there that belongs there, or that leads to another one, or the stream
// ends there.
func (r *Reader) begins(on int, after time.Time) bool {
	b := r.w.peek(on + headerLen)
	if len(b) <= on || len(b) < on+headerLen {
		return len(b) == on
	}
	f := readFrame(b[on:])
	if f.isLikely() && f.length <= resyncLongest && f.isNear(after) {
		return true
	}
	return f.length <= MaxRecord && r.leads(on, f)
}

// leads reports whether a record with the header f, on octets from here, ends where
// another likely header begins, or at the end of the stream.
func (r *Reader) leads(on int, f frame) bool {
	next := on + headerLen + int(f.length)
	b := r.w.peek(next + headerLen)
	if len(b) < next+headerLen {
		return len(b) == next && f.isLikely()
	}
	g := readFrame(b[next:])
	return g.isLikely() && g.length <= resyncLongest && g.isNear(f.at)
}

// search returns how many octets from here the next record is, between from and to. Its
// header is near the last record in time, and its length leads to another header.
func (r *Reader) search(from, to int) (on int, found bool) {
	for on = from; on < to; on++ {
		b := r.w.peek(max(on+headerLen, min(to+headerLen, on+resyncStep)))
		if len(b) < on+headerLen {
			return min(on, len(b)), false
		}
		for ; on < to && on+headerLen <= len(b); on++ {
			f := readFrame(b[on:])
			if !f.isLikely() || f.length > resyncLongest || !f.isNear(r.last) {
				continue
			}
			if r.leads(on, f) {
				return on, true
			}
			b = r.w.peek(len(b)) // where the octets are now
		}
		on--
	}
	return to, false
}

// skip passes over what stands between here and the next record. It returns how many
// octets that is, and false when no record comes any more.
func (r *Reader) skip() (octets int64, found bool) {
	from := 1
	for {
		on, found := r.search(from, from+resyncStep)
		r.pass(on)
		octets += int64(on)
		if found {
			return octets, true
		}
		if len(r.w.peek(headerLen)) < headerLen || r.last.IsZero() && octets > resyncFirst {
			return octets, false
		}
		from = 0
	}
}

// pass goes on by octets that were peeked at.
func (r *Reader) pass(octets int) {
	r.w.discard(octets)
	r.offset += int64(octets)
}

// broken returns what is wrong with the framing of the next record, nil when it is
// whole and leads to the next one.
func (r *Reader) broken(f frame) error {
	if f.length > MaxRecord {
		return fmt.Errorf("length %d, at most %d", f.length, MaxRecord)
	}
	whole := headerLen + int(f.length)
	got := len(r.w.peek(whole))
	switch {
	case got < whole:
		return fmt.Errorf("body: %d of %d octets: %w", got-headerLen, f.length, unexpected(r.w.ended()))
	case r.begins(whole, f.at), r.isShortDump(f):
		return nil
	}
	if on, found := r.search(1, whole); found {
		return fmt.Errorf("length %d, but a record begins after %d octets", f.length, on)
	}
	return nil // octets follow that belong to no record
}

// missing is how many octets a record of a TABLE_DUMP may be longer than it says, as
// some collectors wrote them.
const missing = 4

// isShortDump reports whether the next record is a TABLE_DUMP that is longer than it
// says: the record after it begins there and not where it should.
func (r *Reader) isShortDump(f frame) bool {
	if f.kind.Type != typeTableDump {
		return false
	}
	whole := headerLen + int(f.length) + missing
	return len(r.w.peek(whole)) == whole && r.begins(whole, f.at)
}

// lengthen makes the record at hand, a TABLE_DUMP, as long as it is.
func (r *Reader) lengthen(f frame) bool {
	whole := headerLen + int(f.length)
	if r.begins(whole, f.at) || !r.isShortDump(f) {
		return false
	}
	r.body = r.w.peek(whole + missing)[headerLen:]
	r.lengthened++
	return true
}

// unexpected makes of io.EOF an error that does not look like a clean end.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // ours
		return io.ErrUnexpectedEOF
	}
	return err
}
