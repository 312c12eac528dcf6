package mrt

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Reader reads records from a stream. Make one with [NewReader]; it is not
// copied and not for concurrent use.
type Reader struct {
	r      *bufio.Reader
	closer func()
	err    error // sticky, after a Final error or io.EOF

	number     int
	lengthened int       // records that are longer than they say
	last       time.Time // of the last header
	offset     int64     // of the next record
	head       [headerLen]byte
	body       []byte
	cursor     cursor
	index      *PeerIndex // the last one; nil before it

	rib     RIB
	dump    TableDump
	message Message
	whole   []byte // a message whose record lacks the header
	change  StateChange
	other   Other
}

// NewReader returns a Reader of r, which may be compressed by gzip, bzip2 or
// zstd: the first octets tell. It fails only when those are damaged or r does.
func NewReader(r io.Reader) (*Reader, error) {
	plain, closer, err := decompress(bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("open MRT: %w", err)
	}
	return &Reader{r: plain, closer: closer}, nil
}

// Close gives the decompressor's memory back. It does not close the stream.
func (r *Reader) Close() error {
	r.closer()
	return nil
}

func decompress(r *bufio.Reader) (*bufio.Reader, func(), error) {
	const longest = 4
	magic, err := r.Peek(longest)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	closer := func() {}
	var plain io.Reader
	switch m := string(magic); {
	case strings.HasPrefix(m, "\x1f\x8b"):
		plain, err = gzip.NewReader(r)
	case strings.HasPrefix(m, "BZh"):
		plain, err = bzip2.NewReader(r), nil
	case m == "\x28\xb5\x2f\xfd":
		var z *zstd.Decoder
		// One goroutine, the caller's; and a window that no real file exceeds.
		z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err == nil {
			plain, closer = z, z.Close
		}
	default:
		return r, closer, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return bufio.NewReaderSize(plain, 256<<10), closer, nil
}

// Next returns the next record, and io.EOF after the last one. Other errors are
// an [*Error].
func (r *Reader) Next() (Record, error) {
	if r.err != nil {
		return nil, r.err
	}
	r.number++
	if n := r.orphans(); n > 0 {
		err := &Error{Number: r.number, Offset: r.offset, Err: fmt.Errorf("%d octets that belong to no record", n), orphans: true}
		r.number--
		_, _ = r.r.Discard(n) // they were peeked at
		r.offset += int64(n)
		return nil, err
	}
	h, length, err := r.header()
	switch {
	case errors.Is(err, io.EOF):
		r.err = io.EOF
		return nil, io.EOF
	case err == nil:
		err = r.fill(length)
	}
	if err != nil {
		r.err = &Error{Number: r.number, Offset: h.Offset, Type: h.Type, Final: true, Err: err}
		return nil, r.err
	}
	record, err := r.parse(h)
	if errors.Is(err, errShort) && r.lengthen(h) {
		record, err = r.parse(h)
	}
	if err != nil {
		return nil, &Error{Number: r.number, Offset: h.Offset, Type: h.Type, Err: err}
	}
	return record, nil
}

// header reads the common header (RFC 6396 section 2). The error is io.EOF
// itself only at the end of a whole record.
func (r *Reader) header() (Header, int, error) {
	h := Header{Offset: r.offset}
	b := &r.head
	if n, err := io.ReadFull(r.r, b[:]); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return h, 0, io.EOF
		}
		return h, 0, fmt.Errorf("header: %w", unexpected(err))
	}
	h.Time = time.Unix(int64(binary.BigEndian.Uint32(b[:])), 0).UTC()
	h.Type = Type{binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])}
	r.last = h.Time
	length := binary.BigEndian.Uint32(b[8:])
	if length > MaxRecord {
		return h, 0, fmt.Errorf("length %d, at most %d", length, MaxRecord)
	}
	r.offset += int64(len(b)) + int64(length)
	return h, int(length), nil
}

// fill reads the body in steps, so that a length that lies costs no more
// memory than twice what is there.
func (r *Reader) fill(length int) error {
	const step = 64 << 10
	r.body = r.body[:0]
	for len(r.body) < length {
		n := min(length-len(r.body), max(step, len(r.body)))
		start := len(r.body)
		r.body = append(r.body, make([]byte, n)...)
		if got, err := io.ReadFull(r.r, r.body[start:]); err != nil {
			return fmt.Errorf("body: %d of %d octets: %w", start+got, length, unexpected(err))
		}
	}
	return nil
}

// unexpected makes of io.EOF an error that does not look like a clean end.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parse reads the body of a record by its type.
func (r *Reader) parse(h Header) (Record, error) {
	r.cursor = cursor{rest: r.body}
	b := &r.cursor
	switch h.Type.Type {
	case typeBGP:
		return r.bgp(h, b)
	case typeTableDump:
		return r.tableDump(h, b)
	case typeTableDumpV2:
		return r.tableDumpV2(h, b)
	case typeBGP4MPET:
		micros := b.uint32()
		if b.short {
			return nil, errShort
		}
		if micros > 999_999 {
			return nil, fmt.Errorf("%d microseconds", micros)
		}
		h.Time = h.Time.Add(time.Duration(micros) * time.Microsecond)
		return r.bgp4mp(h, b)
	case typeBGP4MP:
		return r.bgp4mp(h, b)
	}
	return r.unread(h, b), nil
}

func (r *Reader) unread(h Header, b *cursor) Record {
	r.other = Other{h, b.rest}
	return &r.other
}
