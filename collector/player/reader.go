package player

import (
	"bufio"
	"fmt"
	"io"
	"net"

	"ribglass/collector/wire"
)

// reader cuts the byte stream of a connection into messages.
type reader struct {
	r    *bufio.Reader
	body []byte // of the last message; reused
}

func newReader(conn net.Conn) *reader {
	return &reader{r: bufio.NewReaderSize(conn, wire.MaxLen)}
}

// next returns the next message of at most limit octets. The body is valid
// until the next call.
func (r *reader) next(limit int) (wire.Type, []byte, error) {
	var header [wire.HeaderLen]byte
	if _, err := io.ReadFull(r.r, header[:]); err != nil {
		return 0, nil, err
	}
	t, length, err := wire.ParseHeader(header[:], limit)
	if err != nil {
		return 0, nil, err
	}
	if need := length - wire.HeaderLen; cap(r.body) < need {
		r.body = make([]byte, need)
	}
	r.body = r.body[:length-wire.HeaderLen]
	if _, err := io.ReadFull(r.r, r.body); err != nil {
		return 0, nil, fmt.Errorf("message of %d octets: %w", length, err)
	}
	return t, r.body, nil
}
