package mrt

import (
	"errors"
	"io"
)

// windowSize is how many octets of a stream are held at least.
const windowSize = 256 << 10

// window is the stretch of a stream that is looked at. It grows with the octets that
// are there, so a length that lies costs no more memory than twice what follows it.
type window struct {
	r      io.Reader
	b      []byte
	lo, hi int   // what was read and not discarded is b[lo:hi]
	err    error // of the stream, after b[:hi]
}

func newWindow(r io.Reader) window { return window{r: r, b: make([]byte, windowSize)} }

// peek returns the next n octets, fewer when the stream ends before. They are valid
// until the next call.
func (w *window) peek(n int) []byte {
	for w.hi-w.lo < n && w.err == nil {
		w.fill(n)
	}
	return w.b[w.lo:min(w.hi, w.lo+n)]
}

// fill reads once, with room for n octets when so many come.
func (w *window) fill(n int) {
	if w.lo+n > len(w.b) && w.lo > 0 {
		copy(w.b, w.b[w.lo:w.hi])
		w.lo, w.hi = 0, w.hi-w.lo
	}
	if w.hi == len(w.b) {
		w.b = append(w.b, make([]byte, min(len(w.b), n))...)
	}
	for range 100 { // readers may return nothing for a while, but not for ever
		got, err := w.r.Read(w.b[w.hi:])
		w.hi += got
		w.err = err
		if got > 0 || err != nil {
			return
		}
	}
	w.err = io.ErrNoProgress
}

// discard drops octets that were peeked at.
func (w *window) discard(n int) { w.lo += n }

// ended returns why there is nothing after the octets that were peeked at: io.EOF at
// the end of the stream.
func (w *window) ended() error {
	if w.err == nil || errors.Is(w.err, io.EOF) {
		return io.EOF
	}
	return w.err
}
