package route

import (
	"fmt"
	"time"
)

// Fault is why the announcement of a prefix was treated as its withdrawal (RFC 7606
// section 2): the first error of its UPDATE. Its zero value says nothing.
type Fault struct {
	Code   AttrCode // the malformed attribute; 0: no attribute in particular
	Reason string   // for people, such as "AS 0"
}

// String returns "attribute 2 (AS_PATH): AS 0".
func (f Fault) String() string {
	if f.Code == 0 {
		return f.Reason
	}
	if name := f.Code.Name(); name != "" {
		return fmt.Sprintf("attribute %d (%s): %s", f.Code, name, f.Reason)
	}
	return fmt.Sprintf("attribute %d: %s", f.Code, f.Reason)
}

// Subject names what is malformed: "AS_PATH", "attribute 99" or "UPDATE".
func (f Fault) Subject() string {
	switch name := f.Code.Name(); {
	case f.Code == 0:
		return "UPDATE"
	case name != "":
		return name
	}
	return fmt.Sprintf("attribute %d", f.Code)
}

// A withdrawal that has a Fault carries it in place of a set, as the value of an
// attribute of code 0. No attribute of a router is taken for it: the first octet of
// the value would be its flags, in which the decoder keeps none of the bits of
// faultMark.
const (
	faultMark   = 0x01
	faultHeader = 4 // code 0, length, mark, code of the attribute
	maxFault    = 200
)

// AppendFault appends the set that a withdrawal with a Fault carries. A long reason
// is cut.
func AppendFault(b Attrs, f Fault) Attrs {
	reason := f.Reason[:min(len(f.Reason), maxFault)]
	return append(append(b, 0, byte(len(reason)+2), faultMark, byte(f.Code)), reason...)
}

// IsFault reports whether the set is the mark of a withdrawal, see [AppendFault].
func (a Attrs) IsFault() bool {
	return len(a) >= faultHeader && a[0] == 0 && a[1] < 255 && a[2] == faultMark
}

// Fault returns why the update withdraws its prefixes, and false when the peer
// withdrew or announced them itself.
func (u Update) Fault() (Fault, bool) {
	if !u.Attrs.IsFault() {
		return Fault{}, false
	}
	return Fault{AttrCode(u.Attrs[3]), string(u.Attrs[faultHeader:])}, true
}

// Refused is a prefix that a peer announced last in a malformed UPDATE, so that
// there is no route.
type Refused struct {
	Family Family
	NLRI
	Peer  *Peer
	At    time.Time
	Fault Fault
}

// Malformed is a message that broke the rules: a copy, free to keep.
type Malformed struct {
	At       time.Time
	Kind     MalformedKind
	Error    string   // the first error; for people
	More     []string // further errors, a few
	RFC      string   // the rule, such as "RFC 7606 section 7.2"; "": not known
	Prefixes []NLRI   // the first of those that it announced, as far as they could be read
	Total    int      // all of these
	Message  []byte   // with its header; its first octets when it is long
	Length   int      // of the whole message, in octets
}

// MalformedKind is what became of a malformed message.
type MalformedKind string

// What becomes of malformed messages (RFC 7606 section 2).
const (
	TreatedAsWithdraw   MalformedKind = "treat-as-withdraw"
	AttributesDiscarded MalformedKind = "attribute-discard"
	SessionReset        MalformedKind = "session-reset"
)
