package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
)

// minPacked is the size from which an answer is worth packing.
const minPacked = 1 << 10

// AcceptsGzip reports whether the client takes an answer packed with gzip.
func (x *Exchange) AcceptsGzip() bool {
	for one := range strings.SplitSeq(x.Request.Header.Get("Accept-Encoding"), ",") {
		name, rest, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return weight(rest) > 0
		}
	}
	return false
}

// SendPacked is Send, packed where the client takes it packed. It is for answers
// that hold no secret which their length could tell (BREACH).
func (x *Exchange) SendPacked(status int, mediaType string, body []byte) {
	if len(body) < minPacked || !x.AcceptsGzip() {
		x.Send(status, mediaType, body)
		return
	}
	packer, ok := x.edge.packers.Get().(*gzip.Writer)
	if !ok { // the pool holds nothing else
		packer = gzip.NewWriter(nil)
	}
	defer x.edge.packers.Put(packer)
	var packed bytes.Buffer
	packer.Reset(&packed)
	_, err := packer.Write(body)
	if err == nil {
		err = packer.Close()
	}
	if err != nil { // a Buffer takes everything
		x.Send(status, mediaType, body)
		return
	}
	x.Header().Set("Content-Encoding", "gzip")
	x.Send(status, mediaType, packed.Bytes())
}

// Redirect sends the client to a URL that was made here out of parsed values.
func (x *Exchange) Redirect(to string) {
	x.Header().Set("Location", to)
	x.Send(http.StatusSeeOther, TypeText, []byte("See "+to+"\n"))
}
