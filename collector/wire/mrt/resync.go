package mrt

import (
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// How a record is found again behind octets that belong to none.
const (
	resyncWindow  = 60 << 10 // octets that are searched
	resyncTime    = 7 * 24 * time.Hour
	resyncLongest = 1 << 20
)

// looksLike reports whether b begins with the header of a record that may follow
// the last one, and how long the record is.
func (r *Reader) looksLike(b []byte) (length int, ok bool) {
	if len(b) < headerLen {
		return 0, false
	}
	at := time.Unix(int64(binary.BigEndian.Uint32(b)), 0)
	kind, subtype := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	length = int(binary.BigEndian.Uint32(b[8:]))
	known := false
	for _, one := range []uint16{typeBGP, 11, typeTableDump, typeTableDumpV2, typeBGP4MP, typeBGP4MPET, 32, 33, 48, 49} {
		known = known || kind == one
	}
	near := r.last.IsZero() || at.Sub(r.last).Abs() <= resyncTime
	return headerLen + length, known && near && subtype <= 20 && length <= resyncLongest
}

// orphans returns how many octets belong to no record: what is next does not look
// like one, nor leads to one, and a header that does is found behind them. It is
// zero when there is none within reach: then the octets are read as a record.
func (r *Reader) orphans() int {
	head, _ := r.r.Peek(headerLen)
	if _, ok := r.looksLike(head); ok || len(head) < headerLen || r.last.IsZero() {
		return 0
	}
	window, err := r.r.Peek(resyncWindow)
	end := errors.Is(err, io.EOF) // the window ends with the stream
	follows := func(at int) bool {
		if at == len(window) {
			return end
		}
		if at+headerLen > len(window) {
			return !end
		}
		_, ok := r.looksLike(window[at:])
		return ok
	}
	if length := binary.BigEndian.Uint32(head[8:]); length <= MaxRecord && follows(headerLen+int(length)) {
		return 0 // of a type that is not known
	}
	for i := 1; i+headerLen <= len(window); i++ {
		if length, ok := r.looksLike(window[i:]); ok && follows(i+length) {
			return i
		}
	}
	return 0
}

// lengthen makes a record of a TABLE_DUMP four octets longer than it says, when the
// next record begins there and not where it should.
func (r *Reader) lengthen(h Header) bool {
	const missing = 4
	if h.Type.Type != typeTableDump {
		return false
	}
	next, _ := r.r.Peek(missing + headerLen)
	_, here := r.looksLike(next)
	_, there := r.looksLike(next[min(missing, len(next)):])
	if here || !there && len(next) != missing {
		return false
	}
	r.body = append(r.body, next[:missing]...)
	_, _ = r.r.Discard(missing)
	r.offset += missing
	r.lengthened++
	return true
}
