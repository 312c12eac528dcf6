package mrt

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
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
	w      window
	closer func()
	err    error // sticky, after a Final error or io.EOF

	number     int
	lengthened int       // records that are longer than they say
	skipped    int64     // octets that were passed over to find the next record
	last       time.Time // of the last header
	offset     int64     // of the record at hand
	held       int       // octets of the record that was given away
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
	return &Reader{w: newWindow(plain), closer: closer}, nil
}

// Close gives the decompressor's memory back. It does not close the stream.
func (r *Reader) Close() error {
	r.closer()
	return nil
}

func decompress(r *bufio.Reader) (io.Reader, func(), error) {
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
	return plain, closer, nil
}

// Next returns the next record, and io.EOF after the last one. Other errors are
// an [*Error]. Where the framing is broken the next call goes on behind what it is
// broken by, when another record follows.
func (r *Reader) Next() (Record, error) {
	if r.err != nil {
		return nil, r.err
	}
	r.pass(r.held)
	r.held = 0
	head := r.w.peek(headerLen)
	if len(head) == 0 {
		if r.err = r.w.ended(); errors.Is(r.err, io.EOF) {
			return nil, io.EOF
		}
	}
	r.number++
	if len(head) < headerLen {
		return nil, r.lost(frame{}, fmt.Errorf("header: %w", unexpected(r.w.ended())))
	}
	f := readFrame(head)
	if !r.last.IsZero() && !f.isKnown() && !r.begins(0, r.last) {
		return nil, r.pastOrphans()
	}
	if err := r.broken(f); err != nil {
		return nil, r.lost(f, err)
	}
	return r.read(f)
}

// read reads the record at hand, whose octets are all there.
func (r *Reader) read(f frame) (Record, error) {
	h := Header{Offset: r.offset, Time: f.at, Type: f.kind}
	r.last = f.at
	r.body = r.w.peek(headerLen + int(f.length))[headerLen:]
	record, err := r.parse(h)
	if errors.Is(err, errShort) && f.kind.Type == typeTableDump && r.lengthen(f) {
		record, err = r.parse(h)
	}
	r.held = headerLen + len(r.body)
	if err != nil {
		return nil, &Error{Number: r.number, Offset: h.Offset, Type: h.Type, Err: err}
	}
	return record, nil
}

// lost passes over a record whose frame is broken, up to the next record.
func (r *Reader) lost(f frame, err error) error {
	e := &Error{Number: r.number, Offset: r.offset, Type: f.kind, Err: err}
	octets, found := r.skip()
	if e.Final = !found; e.Final {
		r.err = e
		return e
	}
	r.skipped += octets
	e.Err = fmt.Errorf("%w: %d octets are passed over", err, octets)
	return e
}

// pastOrphans passes over octets that belong to no record.
func (r *Reader) pastOrphans() error {
	e := &Error{Number: r.number, Offset: r.offset, orphans: true}
	octets, found := r.skip()
	r.number--
	r.skipped += octets
	e.Err = fmt.Errorf("%d octets that belong to no record", octets)
	if e.Final = !found; e.Final {
		r.err = e
	}
	return e
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
