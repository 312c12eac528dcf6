package bgp

import (
	"io"

	"ribglass/collector/wire"
)

// framer cuts a byte stream into messages. Its buffer grows while the stream
// fills it and shrinks when it does not, so that a full table is read with few
// system calls and an idle session holds little memory.
type framer struct {
	from       io.Reader
	buf        []byte
	start, end int    // of the octets buffered
	limit      int    // longest message allowed
	smallReads int    // reads in a row that would have fitted in the small buffer
	message    []byte // the last one, header included, or what is buffered where none can be found
}

const (
	smallBuffer = 1 << 10
	largeBuffer = 256 << 10
	shrinkAfter = 1
)

func newFramer(from io.Reader) *framer {
	return &framer{from: from, buf: make([]byte, smallBuffer), limit: wire.MaxLen}
}

// fill reads once. Messages returned before are invalid afterwards.
func (f *framer) fill() (n int, err error) {
	f.makeRoom()
	n, err = f.from.Read(f.buf[f.end:])
	f.end += n
	if n <= smallBuffer/2 {
		f.smallReads++
	} else {
		f.smallReads = 0
	}
	return n, err
}

// full reports whether the stream has filled the buffer, so that more octets are
// probably waiting.
func (f *framer) full() bool { return f.end == len(f.buf) }

func (f *framer) makeRoom() {
	held := f.buf[f.start:f.end]
	size := len(f.buf)
	switch {
	case f.full() && size < largeBuffer:
		size *= 16 // one message is at most 64 kB
	case f.smallReads >= shrinkAfter && size > smallBuffer:
		size = smallBuffer
	}
	// The next message must fit in the buffer.
	for size < largeBuffer && len(held) >= wire.HeaderLen && size < messageLen(held) {
		size *= 16
	}
	size = min(size, largeBuffer)
	if size < len(held)+wire.HeaderLen {
		size = len(f.buf)
	}
	if size != len(f.buf) {
		buf := make([]byte, size)
		copy(buf, held)
		f.buf = buf
	} else if f.start > 0 {
		copy(f.buf, held)
	}
	f.start, f.end = 0, len(held)
}

func messageLen(head []byte) int { return int(head[16])<<8 | int(head[17]) }

// next returns the next whole message that is buffered; ok is false when there
// is none. The error is a *wire.Notification. The body aliases the buffer.
func (f *framer) next() (t wire.Type, body []byte, ok bool, err error) {
	held := f.buf[f.start:f.end]
	if len(held) < wire.HeaderLen {
		return 0, nil, false, nil
	}
	t, length, err := wire.ParseHeader(held, f.limit)
	f.message = held
	if err != nil {
		return 0, nil, false, err
	}
	if len(held) < length {
		return 0, nil, false, nil
	}
	f.start += length
	f.message = held[:length]
	return t, held[wire.HeaderLen:length], true, nil
}
