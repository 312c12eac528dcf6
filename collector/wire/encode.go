package wire

import "ribglass/ribstore/route"

// AppendUpdate appends u as whole UPDATE messages of at most limit octets each,
// as many as it takes, for a session s from the view of the sender.
func AppendUpdate(b []byte, s Session, u route.Update, limit int) []byte {
	return b
}

// AppendEndOfRIB appends the End-of-RIB marker of f (RFC 4724 section 2).
func AppendEndOfRIB(b []byte, f route.Family) []byte {
	return b
}
