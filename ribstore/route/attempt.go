package route

import (
	"net/netip"
	"time"
)

// MD5Errors count the TCP segments that the kernel dropped because of TCP-MD5 (RFC
// 2385), from whatever address, since the machine started.
type MD5Errors struct {
	Missing    uint64 // without a signature where a key is configured
	Unexpected uint64 // with a signature where no key is
	Wrong      uint64 // with the signature of another key
}

// Attempt is a connection to the collector that got no session. Attempts from one
// address that failed for one reason are counted together.
type Attempt struct {
	First, Last time.Time
	Count       uint64
	Address     netip.Addr
	ASN         ASN          // of its OPEN; zero: it sent none
	Peer        string       // the neighbor with the address; empty: there is none
	Rule        netip.Prefix // the rule of dynamic neighbors for the address; zero: there is none
	Reason      string       // a constant of the program, as in the metric: "rate_limit"
	Text        string       // for people; it may hold what the peer wrote
}
