package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// writeChunk is how many bytes of a stream are collected before they are
// written.
const writeChunk = 64 << 10

// eventTimeout is how long a client may take to receive one event.
const eventTimeout = 10 * time.Second

// ErrGone ends a stream whose client does not read on.
var ErrGone = errors.New("the client is gone")

// Stream writes a stream, a line for each of its rows. It is used by one
// request.
type Stream struct {
	File   string // the name under which a browser keeps it
	Header []byte // the first line

	x         *Exchange
	control   *http.ResponseController
	mediaType string
	begun     bool
	out       io.Writer // the client, or what packs for it; once begun
	packer    packer    // nil: it is not packed
	giveBack  func()    // gives the packer back
}

// Stream begins a stream as the answer.
func (x *Exchange) Stream(mediaType string) *Stream {
	return &Stream{x: x, control: http.NewResponseController(x.gin.Writer), mediaType: mediaType}
}

// Begin writes the header once.
func (w *Stream) Begin() {
	if w.begun {
		return
	}
	w.begun = true
	h := w.x.Header()
	h["Content-Type"] = w.x.edge.fixed.contentType(w.mediaType)
	if w.File != "" {
		h.Set("Content-Disposition", `attachment; filename="`+w.File+`"`)
	}
	w.out, w.giveBack = w.x.gin.Writer, func() {}
	if packable(w.mediaType) {
		varies(h)
	}
	if encoding := w.x.encoding(w.mediaType); encoding != "" {
		h.Set("Content-Encoding", encoding)
		if w.x.Request.Method != http.MethodHead {
			w.packer, w.giveBack = w.x.edge.packers.stream(encoding, w.x.gin.Writer)
			w.out = w.packer
		}
	}
	w.x.gin.Writer.WriteHeader(http.StatusOK)
	if w.Header != nil {
		_, _ = w.out.Write(w.Header) // a failure shows at the next write
	}
}

// end writes what the packer still holds.
func (w *Stream) end() {
	if w.packer == nil {
		return
	}
	w.x.extend(WriteTimeout)
	_ = w.packer.Close() // a client that is gone is nobody's error
	w.giveBack()
	w.packer = nil
}

// flush has sent what was written.
func (w *Stream) flush() error {
	if w.packer != nil {
		if err := w.packer.Flush(); err != nil {
			return fmt.Errorf("%w: %w", ErrGone, err)
		}
	}
	if err := w.control.Flush(); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}

// Pour has fill write the stream. What goes wrong before the first line is
// returned; afterwards the connection is cut, because half an answer must not
// look like a whole one.
func (w *Stream) Pour(fill func(context.Context) error) error {
	if w.x.Request.Method == http.MethodHead {
		w.Begin() // net/http would throw away all of the rest
		return nil
	}
	ctx := w.x.Request.Context()
	err := fill(ctx)
	switch {
	case errors.Is(err, ErrGone):
		w.end()
		return nil
	case err != nil && w.begun:
		if ctx.Err() == nil { // else the client went away
			w.x.edge.log.WarnContext(ctx, "stream broken off", "error", err)
		}
		panic(http.ErrAbortHandler)
	case err != nil:
		return err
	}
	w.Begin()
	w.end()
	return nil
}

// Last ends a stream of one page, which is not broken off by a client that is
// gone.
func (w *Stream) Last(err error) error {
	if err == nil || errors.Is(err, ErrGone) {
		w.Begin()
		w.end()
		return nil
	}
	return err
}

// Rows writes n rows and has them sent. Its error is ErrGone.
func (w *Stream) Rows(n int, row func(b []byte, i int) []byte) error {
	return w.Appended(n, func(b []byte, i int) ([]byte, error) { return row(b, i), nil })
}

// Appended is Rows for rows that may fail. Its error is ErrGone or that of row.
func (w *Stream) Appended(n int, row func(b []byte, i int) ([]byte, error)) error {
	w.Begin()
	buffer := w.x.edge.buffer()
	defer w.x.edge.release(buffer)
	for i := range n {
		var err error
		if *buffer, err = row(*buffer, i); err != nil {
			return err
		}
		if len(*buffer) < writeChunk && i < n-1 {
			continue
		}
		if err := w.Send(*buffer); err != nil {
			return err
		}
		*buffer = (*buffer)[:0]
	}
	return w.flush()
}

// Send writes a part of the stream, which has the time that a whole answer has
// otherwise.
func (w *Stream) Send(b []byte) error {
	w.x.extend(WriteTimeout)
	if _, err := w.out.Write(b); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}

// Event writes one event at once.
func (w *Stream) Event(text string) error {
	w.x.extend(eventTimeout)
	if _, err := w.x.gin.Writer.WriteString(text); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	if err := w.control.Flush(); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	// Until the next event nothing is written, which may take long.
	w.x.extend(0)
	return nil
}

// Write writes octets of a file: the header goes out with the first of them, so
// that what fails before is told as a problem. It makes a stream an [io.Writer].
func (w *Stream) Write(b []byte) (int, error) {
	w.Begin()
	if err := w.Send(b); err != nil {
		return 0, err
	}
	return len(b), nil
}
