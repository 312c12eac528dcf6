package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
)

// ErrDamaged is returned for octets in the file that are not those that were
// written.
var ErrDamaged = errors.New("damaged")

// Damagedf returns an error that says what is damaged.
func Damagedf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// MaxValue bounds what one stored value may grow to when it is decompressed.
// The largest that are written have a few megabytes.
const MaxValue = 64 << 20

// The most that one value has. What is written has far less; a value that has more
// would take more memory than all that reads the past may.
const (
	maxSetCount   = 1 << 20 // attribute sets, and values of one attribute
	maxWords      = 1 << 22
	maxPrefixes   = 1 << 20 // of a chunk, or of one batch
	maxRoutes     = 1 << 22 // of a chunk
	maxPeers      = 1 << 16
	maxRanges     = 1 << 18
	maxSince      = 1 << 8
	maxOfUpdates  = 1 << 18
	maxBlockCount = 1 << 20
)

// Codec compresses and checks what is stored. zstd carries a checksum of the
// content, so that a flipped bit never passes as data. A codec may be used by
// many goroutines.
type Codec struct {
	fast, small *zstd.Encoder
	decoder     *zstd.Decoder
}

// NewCodec returns a codec. It has to be closed.
func NewCodec() (*Codec, error) {
	fast, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	small, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxValue), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return &Codec{fast, small, decoder}, nil
}

// Close ends what the codec runs.
func (c *Codec) Close() { c.decoder.Close() }

// open returns the content of a stored value, appended to dst.
func (c *Codec) open(dst, value []byte) ([]byte, error) {
	b, err := c.decoder.DecodeAll(value, dst)
	if err != nil {
		return nil, Damagedf("%v", err)
	}
	return b, nil
}

// ContentSize returns how many octets a stored value holds, as it says itself: no
// more than MaxValue are ever read of it. It returns zero for what is no value.
func ContentSize(stored []byte) int {
	var header zstd.Header
	if err := header.Decode(stored); err != nil {
		return 0
	}
	if !header.HasFCS { // as the codec leaves it out of the smallest values
		return max(256, len(stored))
	}
	return int(min(header.FrameContentSize, MaxValue))
}

// Compress returns the stored value of octets.
func (c *Codec) Compress(octets []byte) []byte { return c.small.EncodeAll(octets, nil) }

// Seal returns the stored value of octets that are stored under a key, which they
// begin with.
func (c *Codec) Seal(key, octets []byte) []byte { return c.Compress(sealed(key, octets)) }

// AppendFast is like Seal, but takes less time, makes more octets, and appends them.
func (c *Codec) AppendFast(dst, key, octets []byte) []byte {
	return c.fast.EncodeAll(sealed(key, octets), dst)
}

// sealed returns octets that begin with the key they are stored under, so that no
// value passes for the value of another key.
func sealed(key, octets []byte) []byte { return append(slices.Clone(key), octets...) }

// unsealed returns the octets that were sealed for a key.
func unsealed(key, b []byte) ([]byte, error) {
	if !bytes.HasPrefix(b, key) {
		return nil, Damagedf("it is filed as another one")
	}
	return b[len(key):], nil
}

// castagnoli is the table of the sum of keys. The numbers in keys decide what is
// read at all.
var castagnoli = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // constant

const sumSize = 4

// appendSum appends the sum of all octets.
func appendSum(b []byte) []byte { return be32(b, crc32.Checksum(b, castagnoli)) }

// hasSum reports whether octets end with the sum of the octets before it.
func hasSum(b []byte) bool {
	n := len(b) - sumSize
	return n >= 0 && binary.BigEndian.Uint32(b[n:]) == crc32.Checksum(b[:n], castagnoli)
}

// reader takes values off the front of octets, which may be anything. After the
// first value that is missing or wrong it returns zeros, and err says why.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = Damagedf("%s", what)
	}
	r.b = nil
}

func (r *reader) uvarint() uint64 {
	b := r.b
	switch { // most numbers have one octet or two
	case len(b) > 0 && b[0] < 0x80:
		r.b = b[1:]
		return uint64(b[0])
	case len(b) > 1 && b[1] < 0x80:
		r.b = b[2:]
		return uint64(b[0]&0x7F) | uint64(b[1])<<7
	}
	return r.longUvarint()
}

func (r *reader) longUvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail("a number is cut off")
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// count reads a count of things that take an octet or more each of what follows.
// So a hostile count never makes anybody allocate memory for it.
func (r *reader) count() int {
	v := r.uvarint()
	if v > uint64(len(r.b)) {
		r.fail("a count exceeds what follows")
		return 0
	}
	return int(v)
}

// bounded reads a count like count, of which there are only so many in what is
// written: what takes few octets in the file may take many in memory.
func (r *reader) bounded(most int, what string) int {
	n := r.count()
	if n > most {
		r.fail(what + " out of range")
		return 0
	}
	return n
}

// below reads a number that must be below the limit.
func (r *reader) below(limit uint64, what string) uint64 {
	v := r.uvarint()
	if v >= limit {
		r.fail(what + " out of range")
		return 0
	}
	return v
}

func (r *reader) octet() byte {
	if len(r.b) == 0 {
		r.fail("the data ends early")
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// take returns the next n octets.
func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail("the data ends early")
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// part reads a length, and returns a reader of as many octets.
func (r *reader) part() reader { return reader{b: r.take(r.count()), err: r.err} }

func (r *reader) text() string { return string(r.take(r.count())) }

func (r *reader) addr() netip.Addr {
	b := r.take(int(r.octet()))
	if len(b) == 0 {
		return netip.Addr{}
	}
	zone := ""
	if len(b) > 16 {
		b, zone = b[:16], string(b[16:])
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		r.fail("an address has a wrong length")
	}
	return a.WithZone(zone)
}

// instant reads milliseconds since 1970. Zero is the zero Time.
func (r *reader) instant() time.Time { return FromMillis(r.varint()) }

// end returns the error of the reader, or an error when octets are left.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("something follows the end")
	}
	return r.err
}

func appendZigzag(b []byte, v int64) []byte {
	return binary.AppendUvarint(b, uint64(v)<<1^uint64(v>>63))
}

// appendPart appends octets with their length.
func appendPart(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendAddr(b []byte, a netip.Addr) []byte {
	octets := append(a.AsSlice(), a.Zone()...)
	return append(append(b, byte(len(octets))), octets...)
}

func appendInstant(b []byte, t time.Time) []byte { return appendZigzag(b, millis(t)) }

// millis returns milliseconds since 1970, and zero for the zero Time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// FromMillis returns the time of milliseconds since 1970, and the zero Time for
// zero.
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
