package wire

import "ribglass/ribstore/route"

// Report says what an UPDATE was besides its routes.
type Report struct {
	IsEndOfRIB bool
	EndOfRIB   route.Family // when IsEndOfRIB

	// Discarded are the attributes that were left out (RFC 7606 "attribute
	// discard"), and the prefixes of families that were not negotiated.
	Discarded []error

	// TreatedAsWithdraw is why all prefixes of the UPDATE were withdrawn
	// (RFC 7606 "treat-as-withdraw"), or nil.
	TreatedAsWithdraw error
}

// Decoder decodes the UPDATEs of one session. One goroutine uses it at a time.
type Decoder struct {
	session Session
}

// NewDecoder returns a Decoder for what was negotiated.
func NewDecoder(s Session) *Decoder { return &Decoder{session: s} }

// Update decodes the body of an UPDATE and appends its routes to into, the
// withdrawn ones first (RFC 4271 section 4.3: a prefix that is both withdrawn
// and announced is announced). Nothing in into aliases body.
//
// The error is a *Notification: the session must be reset, and nothing was
// appended. It allocates nothing while the UPDATE is good and into has room.
func (d *Decoder) Update(body []byte, into *Builder) (Report, error) {
	return Report{}, nil
}
