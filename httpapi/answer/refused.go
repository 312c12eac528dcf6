package answer

import (
	"time"

	"ribglass/ribstore/route"
)

// RefusedConnections is the answer of GET /api/v1/refused.
type RefusedConnections struct {
	At       time.Time `json:"at"`
	Attempts []Attempt `json:"attempts"` // the last 200, the newest first
	TCPMD5   MD5Errors `json:"tcp_md5"`
}

// Attempt is a connection that got no session. Those from one address that failed for
// one reason are one.
type Attempt struct {
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Count   uint64    `json:"count"`
	Address string    `json:"address"`
	ASN     route.ASN `json:"asn,omitempty"`  // of its OPEN; absent: it sent none
	Peer    string    `json:"peer,omitempty"` // the neighbor with the address; absent: there is none
	Rule    string    `json:"rule,omitempty"` // the prefix of the rule of dynamic neighbors for the address
	Reason  string    `json:"reason"`         // such as "rate_limit"
	Text    string    `json:"text"`           // for people; it may hold what the peer wrote
}

// Forgotten is the answer of POST /-/forget of the admin listener.
type Forgotten struct {
	Peer    string `json:"peer"`
	Dynamic bool   `json:"dynamic"` // it is not in the list of peers any more
}

// MD5Errors count the TCP segments that the kernel dropped because of TCP-MD5, from
// whatever address, since the machine started.
type MD5Errors struct {
	Missing    uint64 `json:"missing"`    // without a signature where a key is configured
	Unexpected uint64 `json:"unexpected"` // with a signature where no key is
	Wrong      uint64 `json:"wrong"`      // with the signature of another key
}
