package answer

import (
	"time"

	"ribglass/ribstore/route"
)

// Peers is the answer of GET /api/v1/peers for now.
type Peers struct {
	At    time.Time `json:"at"`
	Peers []Peer    `json:"peers"` // by name
}

// Peer is a peer as it is now: its session, and what the store holds of its
// routes. It is the answer of GET /api/v1/peers/{name}, which alone has the
// history.
type Peer struct {
	Name         string            `json:"name"`
	Address      string            `json:"address,omitempty"` // absent while it is not known
	ASN          route.ASN         `json:"asn"`
	LocalASN     route.ASN         `json:"local_asn"`
	RouterID     string            `json:"router_id,omitempty"` // the BGP identifier; absent before an OPEN was seen
	Router       string            `json:"router,omitempty"`    // the router that the session ends on
	View         string            `json:"view,omitempty"`      // the table of the router, such as "post-policy"; absent for a BGP session of the collector
	Group        string            `json:"group,omitempty"`
	Description  string            `json:"description,omitempty"`
	Dynamic      bool              `json:"dynamic"` // a rule for dynamic neighbors made it
	AdminDown    bool              `json:"admin_down"`
	ConnectTo    string            `json:"connect_to,omitempty"` // address and port that this server connects to; absent: it waits for the peer
	Role         string            `json:"role,omitempty"`       // of this server towards the peer (RFC 9234), such as "customer"; absent: none is configured
	State        route.State       `json:"state"`
	Since        time.Time         `json:"since,omitzero"` // of the state
	Families     []string          `json:"families"`
	AddPath      []string          `json:"add_path,omitempty"` // families whose routes have a path identifier
	HoldTime     float64           `json:"hold_time_seconds,omitempty"`
	MaxPrefixes  int               `json:"max_prefixes,omitempty"` // of each family; absent: no limit
	Attributes   PeerAttributes    `json:"attributes"`
	Routes       PeerRoutes        `json:"routes"`
	Rate         Rate              `json:"rate"`
	LastUpdate   time.Time         `json:"last_update,omitzero"` // absent before the first UPDATE
	StaleSince   time.Time         `json:"stale_since,omitzero"` // absent while the session is up
	EndOfRIB     map[string]string `json:"end_of_rib"`           // moments to the second, by family; a family is absent until its End-of-RIB was seen
	Capabilities []Capability      `json:"capabilities"`         // of the OPEN of the peer
	LastError    string            `json:"last_error,omitempty"` // why the last session ended or was refused
	Notices      []Notice          `json:"notices,omitempty"`    // limits that were hit, and faults that last
	Counters     Counters          `json:"counters"`
	History      []Transition      `json:"history,omitempty"` // the newest first
}

// PeerAttributes are the attribute sets of the routes of a peer.
type PeerAttributes struct {
	Bytes    uint64 `json:"bytes"`               // memory of the sets that the peer announced first
	MaxBytes uint64 `json:"max_bytes,omitempty"` // with more the session ends; absent: no limit
}

// Notice is something that an operator should know: a limit that was hit, or a fault
// that lasts.
type Notice struct {
	Kind  string    `json:"kind"`            // such as "max_attribute_bytes"
	Since time.Time `json:"since"`           // when it was seen first
	Last  time.Time `json:"last"`            // when it was seen last
	Count uint64    `json:"count,omitempty"` // how often; absent: it is not counted
	Text  string    `json:"text"`            // for people; it may hold what the peer wrote
}

// PeerRoutes count the routes of a peer.
type PeerRoutes struct {
	Received int                  `json:"received"`
	Accepted int                  `json:"accepted"`
	Filtered int                  `json:"filtered"`
	Stale    int                  `json:"stale"`    // of accepted
	Families map[string]RouteSums `json:"families"` // a family without routes is absent
}

// RouteSums count the routes of one family of a peer.
type RouteSums struct {
	Accepted int `json:"accepted"`
	Stale    int `json:"stale"` // of accepted
}

// Capability is a capability of the peer's OPEN (RFC 5492).
type Capability struct {
	Code  uint8  `json:"code"`
	Name  string `json:"name"`
	Value string `json:"value,omitempty"` // for people; it may hold what the peer wrote
	Ours  bool   `json:"ours"`            // the collector announced it too
}

// Counters count the messages of a peer since the collector started.
type Counters struct {
	MessagesIn          uint64 `json:"messages_in"`
	MessagesOut         uint64 `json:"messages_out"`
	BytesIn             uint64 `json:"bytes_in"`
	BytesOut            uint64 `json:"bytes_out"`
	UpdatesIn           uint64 `json:"updates_in"`
	PrefixesAnnounced   uint64 `json:"prefixes_announced"`
	PrefixesWithdrawn   uint64 `json:"prefixes_withdrawn"`
	AttributesDiscarded uint64 `json:"attributes_discarded"`
	TreatedAsWithdraw   uint64 `json:"treated_as_withdraw"`
	NotificationsIn     uint64 `json:"notifications_in"`
	NotificationsOut    uint64 `json:"notifications_out"`
	RefusedConnections  uint64 `json:"refused_connections"`
	SessionsEstablished uint64 `json:"sessions_established"`
}

// Transition is a step from one state of a session to another.
type Transition struct {
	At     time.Time   `json:"at"`
	From   route.State `json:"from"`
	To     route.State `json:"to"`
	Reason string      `json:"reason,omitempty"` // it may hold what the peer wrote
}

// Malformed is the answer of GET /api/v1/peers/{name}/malformed: the last messages
// of the peer that broke the rules, at most 50.
type Malformed struct {
	At       time.Time          `json:"at"`
	Peer     string             `json:"peer"`
	Messages []MalformedMessage `json:"messages"` // the newest first
}

// MalformedMessage is a message that broke the rules.
type MalformedMessage struct {
	At          time.Time `json:"at"`
	Kind        string    `json:"kind"`                  // what became of it: "treat-as-withdraw", "attribute-discard" or "session-reset"
	Error       string    `json:"error"`                 // the first
	More        []string  `json:"more_errors,omitempty"` // a few
	RFC         string    `json:"rfc,omitempty"`         // the rule, such as "RFC 7606 section 7.2"; absent where it is not known
	Prefixes    []string  `json:"prefixes"`              // the first of those that it announced, as far as they could be read
	PrefixCount int       `json:"prefix_count"`          // all of them
	Message     string    `json:"message"`               // as hexadecimal digits, header included; the first 2,048 octets
	Length      int       `json:"message_length"`        // of the whole message, in octets
}

// PastPeers is the answer of GET /api/v1/peers for a moment of the past or for a
// collection.
type PastPeers struct {
	Moment

	Peers []PastPeer `json:"peers"`
}

// OnePastPeer is the answer of GET /api/v1/peers/{name} for a moment of the past
// or for a collection.
type OnePastPeer struct {
	Moment

	Peer PastPeer `json:"peer"`
}

// PastPeer is what the history knows of a peer: its routes and whether its
// session was up, not how the session came to be.
type PastPeer struct {
	Name        string            `json:"name"`
	Address     string            `json:"address,omitempty"`
	ASN         route.ASN         `json:"asn"`
	LocalASN    route.ASN         `json:"local_asn"`
	RouterID    string            `json:"router_id,omitempty"`
	Router      string            `json:"router,omitempty"`
	View        string            `json:"view,omitempty"` // the table of the router, such as "post-policy"; absent for a BGP session of the collector
	Group       string            `json:"group,omitempty"`
	Description string            `json:"description,omitempty"`
	AddPath     []string          `json:"add_path,omitempty"` // families whose routes have a path identifier
	Up          bool              `json:"up"`
	Routes      PeerRoutes        `json:"routes"`
	LastUpdate  time.Time         `json:"last_update,omitzero"` // absent when no UPDATE is known
	StaleSince  time.Time         `json:"stale_since,omitzero"` // absent while the session was up
	EndOfRIB    map[string]string `json:"end_of_rib"`           // as in [Peer]
}
