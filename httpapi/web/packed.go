package web

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// minPacked is the size from which an answer is worth packing: what fits into a packet
// or two does not come sooner for it.
const minPacked = 2 << 10

// The encodings of answers (RFC 9110 section 8.4.1, RFC 8878), the better one first.
const (
	zstandard = "zstd"
	gzipped   = "gzip"
)

// Levels and windows keep what a packer takes below a megabyte.
const (
	wholeLevel  = 2
	streamLevel = gzip.BestSpeed
	zstdWindow  = 128 << 10
)

// packers pack whole answers, at most as many at a time as there are processors: packing
// does nothing but compute, and its memory is bounded so.
type packers struct {
	gzip chan *gzip.Writer // nil until one is used
	zstd *zstd.Encoder     // for EncodeAll, which bounds itself

	streams sync.Pool // of *zstd.Encoder; there are as many as places for streams
	gzips   sync.Pool // of *gzip.Writer, for streams
}

func newPackers() *packers {
	n := runtime.GOMAXPROCS(0)
	p := &packers{gzip: make(chan *gzip.Writer, n), zstd: newZstd(n)}
	for range n {
		p.gzip <- nil
	}
	return p
}

func newZstd(concurrency int) *zstd.Encoder {
	// No option here can be refused, and nothing is written yet.
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(concurrency),
		zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
	return e
}

// pack returns the body in an encoding.
func (p *packers) pack(encoding string, body []byte) []byte {
	if encoding == zstandard {
		return p.zstd.EncodeAll(body, make([]byte, 0, len(body)/4))
	}
	w := <-p.gzip
	defer func() { p.gzip <- w }()
	var packed bytes.Buffer
	if w == nil {
		w, _ = gzip.NewWriterLevel(nil, wholeLevel) // the level is one
	}
	w.Reset(&packed)
	_, _ = w.Write(body) // a Buffer takes everything
	_ = w.Close()
	return packed.Bytes()
}

// packer packs a stream.
type packer interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// stream returns what packs a stream that is written to w; giveBack takes it back.
func (p *packers) stream(encoding string, w io.Writer) (of packer, giveBack func()) {
	pool := &p.gzips
	if encoding == zstandard {
		pool = &p.streams
	}
	of, _ = pool.Get().(packer)
	switch {
	case of != nil:
	case encoding == zstandard:
		of = newZstd(1)
	default:
		of, _ = gzip.NewWriterLevel(nil, streamLevel) // the level is one
	}
	of.Reset(w)
	return of, func() {
		of.Reset(nil)
		pool.Put(of)
	}
}

// packable reports whether answers of a media type become smaller by packing. A stream of
// events would wait in the packer, and a PNG is packed.
func packable(mediaType string) bool {
	switch mediaType {
	case TypePNG, TypeEvents:
		return false
	}
	return true
}

// encoding returns how an answer of a media type is packed for the client, "" for not at
// all. No answer holds a secret that its length could tell (BREACH).
func (x *Exchange) encoding(mediaType string) string {
	if !packable(mediaType) {
		return ""
	}
	return chooseEncoding(x.Request.Header.Get("Accept-Encoding"))
}

// chooseEncoding returns the encoding that an Accept-Encoding header prefers (RFC 9110
// section 12.5.3), of equals the better one.
func chooseEncoding(accept string) string {
	best, most := "", 0.0
	for _, name := range []string{zstandard, gzipped} {
		if q := encodingQuality(accept, name); q > most {
			best, most = name, q
		}
	}
	if encodingQuality(accept, "identity") > most {
		return ""
	}
	return best
}

// encodingQuality returns how much an Accept-Encoding header wants an encoding.
func encodingQuality(accept, encoding string) float64 {
	others := 0.0
	for one := range strings.SplitSeq(accept, ",") {
		name, rest, _ := strings.Cut(one, ";")
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, encoding):
			return weight(rest)
		case name == "*" && encoding != "identity":
			others = weight(rest)
		}
	}
	return others
}

// AcceptsGzip reports whether the client takes an answer packed with gzip.
func (x *Exchange) AcceptsGzip() bool {
	return encodingQuality(x.Request.Header.Get("Accept-Encoding"), gzipped) > 0
}

// varies adds the header that decides about the encoding of an answer to those that
// decide about it.
func varies(h http.Header) {
	const name = "Accept-Encoding"
	switch was := h.Get("Vary"); {
	case was == "":
		h.Set("Vary", name)
	case !strings.Contains(was, name):
		h.Set("Vary", was+", "+name)
	}
}
