package format

import (
	"encoding/binary"
	"time"
)

// When is the time of a record. The zero When is 1970.
type When struct {
	At     int64  // the moment, in milliseconds since 1970
	Number uint32 // of the record among those of its moment, in order; an update of a batch has a number of its own
	Micros int32  // from the moment to when it happened, as an import was told
}

// Exact returns when it happened, to the microsecond.
func (w When) Exact() time.Time {
	return time.UnixMilli(w.At).Add(time.Duration(w.Micros) * time.Microsecond).UTC()
}

// Before reports whether the record comes before another one in the journal.
func (w When) Before(o When) bool { return w.At < o.At || w.At == o.At && w.Number < o.Number }

// begin begins a record that takes so many numbers of its moment.
func (w *GroupWriter) begin(k Kind, at When, numbers int) {
	plain := uint32(0) // as a reader numbers it that is told nothing
	if w.next.At == at.At {
		at.Number = max(at.Number, w.next.Number)
		if w.Records > 0 {
			plain = w.next.Number
		}
	}
	if w.Records == 0 {
		w.First, w.Last = at.At, at.At
		w.Octets = appendZigzag(w.Octets, at.At)
	}
	if at.Number != plain || at.Micros != 0 {
		w.Octets = append(w.Octets, byte(kindWhen))
		w.Octets = binary.AppendUvarint(w.Octets, uint64(at.Number-plain))
		w.Octets = appendZigzag(w.Octets, int64(at.Micros))
	}
	w.Octets = append(w.Octets, byte(k))
	w.Octets = binary.AppendUvarint(w.Octets, uint64(at.At-w.Last))
	w.Last = at.At
	w.next = When{At: at.At, Number: at.Number + uint32(numbers)}
}

// begin reads what every record begins with. next is the time of a record of which
// nothing is said.
func (r *reader) begin(next When) (Kind, When) {
	k, ahead := Kind(r.octet()), uint32(0)
	if k == kindWhen {
		ahead = uint32(r.below(1<<31, "a number"))
		micros := r.varint()
		if next.Micros = int32(micros); int64(next.Micros) != micros {
			r.fail("a time is too far from its moment")
		}
		k = Kind(r.octet())
	}
	if step := int64(r.uvarint()); step != 0 {
		next.At, next.Number = next.At+step, 0
	}
	next.Number += ahead
	return k, next
}
