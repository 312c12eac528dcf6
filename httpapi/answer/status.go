package answer

import (
	"time"

	"ribglass/ribstore/route"
)

// Status is the answer of GET /api/v1/status.
type Status struct {
	Version       string       `json:"version"`
	StartedAt     time.Time    `json:"started_at"`
	Now           time.Time    `json:"now"`
	ASN           route.ASN    `json:"asn"`
	RouterID      string       `json:"router_id"`
	Routes        FamilyCounts `json:"routes"`
	Stale         FamilyCounts `json:"stale"` // of routes
	Prefixes      FamilyCounts `json:"prefixes"`
	AttributeSets int          `json:"attribute_sets"` // distinct sets of path attributes
	Peers         PeerTotals   `json:"peers"`
	Memory        Memory       `json:"memory"`

	Attention []Attention `json:"attention"` // what an operator should know, what was seen last first

	History *History `json:"history,omitempty"` // without snapshots; absent when the past is not kept
}

// Attention is a notice and what it is about.
type Attention struct {
	Peer string `json:"peer,omitempty"` // absent: the program
	Notice
}

// FamilyCounts hold a count for each address family.
type FamilyCounts struct {
	IPv4Unicast   int `json:"ipv4_unicast"`
	IPv6Unicast   int `json:"ipv6_unicast"`
	IPv4Multicast int `json:"ipv4_multicast"`
	IPv6Multicast int `json:"ipv6_multicast"`
}

// PeerTotals count peers.
type PeerTotals struct {
	Configured  int `json:"configured"` // made by rules for dynamic neighbors included
	Established int `json:"established"`
}

// Memory says how much memory the server uses.
type Memory struct {
	TableBytes uint64 `json:"table_bytes"` // prefixes, routes and attribute sets
	HeapBytes  uint64 `json:"heap_bytes"`
	RSSBytes   uint64 `json:"rss_bytes,omitempty"`   // absent where the system does not say
	UsedBytes  uint64 `json:"used_bytes"`            // garbage left out, as it is compared with the limit
	LimitBytes uint64 `json:"limit_bytes,omitempty"` // memory.limit; absent: none
}

// History is the answer of GET /api/v1/history, and without snapshots a part of
// [Status]. Where the file lies, and why it cannot be written, are the
// operator's business.
type History struct {
	Begins        time.Time  `json:"begins,omitzero"`        // the first moment that can be asked for
	Ends          time.Time  `json:"ends,omitzero"`          // of what is recorded
	Recording     bool       `json:"recording"`              // changes are being written; false is an alarm
	LastSnapshot  time.Time  `json:"last_snapshot,omitzero"` // absent before the first
	SnapshotCount int        `json:"snapshot_count"`
	FileBytes     int64      `json:"file_bytes"`
	FreeBytes     int64      `json:"free_bytes"`          // of the file
	MaxBytes      int64      `json:"max_bytes,omitempty"` // the bound of the file; absent: no bound
	PendingBytes  int64      `json:"pending_bytes"`       // recorded and not yet written
	Snapshots     []Snapshot `json:"snapshots,omitempty"` // the newest of them, the oldest first
}

// Snapshot describes a snapshot. All but the moment is known only when it is
// taken, and absent later. It is the answer of POST /-/snapshot too.
type Snapshot struct {
	At     time.Time `json:"at"`
	Routes int       `json:"routes,omitempty"`
	Chunks int       `json:"chunks,omitempty"` // parts that were not stored before
	Bytes  int64     `json:"bytes,omitempty"`  // of these parts
	Took   float64   `json:"took_seconds,omitempty"`
}

// Collections is the answer of GET /api/v1/collections.
type Collections struct {
	Collections []Collection `json:"collections"` // by name
}

// Collection describes a collection. A collection that cannot be opened has
// nothing but its name.
type Collection struct {
	Name      string    `json:"name"`
	Begins    time.Time `json:"begins,omitzero"`
	Ends      time.Time `json:"ends,omitzero"`
	FileBytes int64     `json:"file_bytes,omitempty"`
	Broken    bool      `json:"broken,omitempty"` // it cannot be opened
	Reason    string    `json:"reason,omitempty"` // why not
}

// Rate says how many prefixes were announced and withdrawn in the last hour, or
// since the program started.
type Rate struct {
	From    time.Time `json:"from"`        // the first minute begins
	Last    int       `json:"last_minute"` // of the last minute that is over
	Peak    int       `json:"peak_minute"` // of the busiest minute
	Total   int       `json:"total"`
	Minutes []int     `json:"minutes"` // of each minute; the last is not over
}

// Busiest is the answer of GET /api/v1/busiest: what changed most in the last
// hour.
type Busiest struct {
	At       time.Time       `json:"at"`
	Rate     Rate            `json:"rate"`     // of all peers
	Peers    []PeerChanges   `json:"peers"`    // the busiest first
	From     time.Time       `json:"from"`     // changes of prefixes are counted since then
	Missed   int             `json:"missed"`   // by how much the count of a prefix may be too low
	Prefixes []PrefixChanges `json:"prefixes"` // the busiest first
}

// PeerChanges count the changes of a peer.
type PeerChanges struct {
	Name    string `json:"name"`
	Changes int    `json:"changes"`
}

// PrefixChanges count the changes of a prefix by all peers.
type PrefixChanges struct {
	Prefix  string `json:"prefix"`
	Family  string `json:"family"`
	Changes int    `json:"changes"`
}

// Growth is the answer of GET /api/v1/growth: how large the table was, the oldest
// first.
type Growth struct {
	At        time.Time  `json:"at"`
	Snapshots []Snapshot `json:"snapshots"` // older than the samples; they count routes alone
	Samples   []Sample   `json:"samples"`   // since the program started
}

// Sample says how large the table was at a moment.
type Sample struct {
	At       time.Time    `json:"at"`
	Routes   FamilyCounts `json:"routes"`
	Prefixes FamilyCounts `json:"prefixes"`
}
