package route

import (
	"time"
)

// State is a state of the BGP finite state machine (RFC 4271 section 8.2.2),
// in lower case as OpenBGPD and others print it: "idle", "connect", "active",
// "opensent", "openconfirm", "established".
type State string

// The states.
const (
	StateIdle        State = "idle"
	StateConnect     State = "connect"
	StateActive      State = "active"
	StateOpenSent    State = "opensent"
	StateOpenConfirm State = "openconfirm"
	StateEstablished State = "established"
)

// Session is what the collector knows of one neighbour at one moment: a copy,
// free to keep.
type Session struct {
	Peer         *Peer
	Dynamic      bool // made by a dynamic_neighbors rule
	State        State
	Since        time.Time // of State
	AdminDown    bool
	ConnectTo    string   // address and port that the collector connects to; empty: it only waits
	Role         string   // of the collector towards the peer (RFC 9234), such as "customer"; empty: none
	Families     []Family // negotiated while established, configured otherwise
	Capabilities []Capability
	HoldTime     time.Duration // negotiated; zero: none
	LastError    string        // why the last session ended, or was refused
	LastUpdate   time.Time     // of the last UPDATE
	EndOfRIB     [NumFamilies]time.Time
	MaxPrefixes  int // per family; zero: no limit

	MaxAttributeBytes uint64 // of all attribute sets; zero: no limit
	Counters          SessionCounters
	History           []Transition // newest first
	Notices           []Notice     // limits that the peer hit, and faults that last, by kind
}

// Unusable reports whether the session is Established without an address family, so
// that no route can come over it.
func (s *Session) Unusable() bool { return s.State == StateEstablished && len(s.Families) == 0 }

// Capability is a capability of the peer's OPEN (RFC 5492). Ours reports
// whether the collector announced it too.
type Capability struct {
	Code  uint8
	Name  string // "route-refresh"; "capability-99" when unknown
	Value string // for people, such as "ipv4-unicast, ipv6-unicast"; may hold what the peer wrote
	Ours  bool
}

// SessionCounters count messages since the collector started.
type SessionCounters struct {
	MessagesIn, MessagesOut           uint64
	BytesIn, BytesOut                 uint64
	UpdatesIn                         uint64
	PrefixesAnnounced                 uint64
	PrefixesWithdrawn                 uint64
	AttributesDiscarded               uint64 // RFC 7606 "attribute discard"
	TreatedAsWithdraw                 uint64 // RFC 7606 "treat-as-withdraw", UPDATEs
	NotificationsIn, NotificationsOut uint64
	RefusedConnections                uint64
	SessionsEstablished               uint64
}

// Transition is one step of a session's history.
type Transition struct {
	At       time.Time
	From, To State
	Reason   string // may hold what the peer wrote
}
