package route

import (
	"net/netip"
	"time"
)

// Peer describes one session's two ends. It is immutable: a session that comes
// up with other values (a router id, say) comes with a new Peer. Name is the
// identity: it is unique among the peers of a collector and stable over
// restarts.
type Peer struct {
	Name        string
	Router      string // the router the session ends on; several sessions may share it
	Group       string
	Description string
	View        View       // which table of the router the routes come from
	Address     netip.Addr // without IPv4-in-IPv6 mapping
	ASN         ASN
	LocalASN    ASN
	RouterID    netip.Addr        // BGP identifier out of the OPEN; the zero Addr before the first
	AddPath     [NumFamilies]bool // routes carry a path identifier (RFC 7911)

	// Confederation says that the peer is in another member AS of the collector\'s
	// confederation (RFC 5065).
	Confederation bool
}

// IBGP reports whether the peer is in the collector's own AS.
func (p *Peer) IBGP() bool { return p.ASN == p.LocalASN }

// Internal reports whether the peer is in the collector's own AS or confederation.
func (p *Peer) Internal() bool { return p.IBGP() || p.Confederation }

// RouterName returns the name of the router the session ends on: that of the peer
// when nothing else is said.
func (p *Peer) RouterName() string {
	if p.Router == "" {
		return p.Name
	}
	return p.Router
}

// Event says what a [Batch] reports.
type Event uint8

// The events.
const (
	// Routes: Updates were received.
	Routes Event = iota
	// PeerUp: the session is Established. Retention of every family says
	// whether stale routes are kept until End-of-RIB (Stale > 0) or removed at
	// once (RFC 4724 section 4.2).
	PeerUp
	// PeerDown: the session ended. Its routes are stale from now on, for as
	// long as Retention says.
	PeerDown
	// PeerRemoved: the neighbour was taken out of the configuration. Its routes
	// are removed and it is forgotten.
	PeerRemoved
	// EndOfRIB: the initial routes of Family are complete (RFC 4724 section 2);
	// what is still stale was not sent again and is removed.
	EndOfRIB
	// RefreshBegin and RefreshEnd enclose a route refresh of Family (RFC 7313):
	// what was not sent between them is removed.
	RefreshBegin
	RefreshEnd
	// PeerChanged: description, group or router of the peer changed. Its session and
	// its routes stay as they are.
	PeerChanged
)

// Retention says how long routes of a family stay when they are not confirmed.
// Zero means removed at once. LongLived begins when Stale has passed, for routes
// without the community NO_LLGR (RFC 9494).
type Retention struct {
	Stale     time.Duration
	LongLived time.Duration

	// Graceful, of PeerDown, says that Stale is the restart time that the peer
	// announced. Routes that were stale before are removed at once then (RFC 4724
	// section 4.2).
	Graceful bool
	// AsFresh, of PeerDown, says that the decision process compares the routes as if
	// they were fresh for as long as Stale says.
	AsFresh bool
}

// NLRI is a prefix as announced or withdrawn. PathID is zero without ADD-PATH.
// The prefix is masked: its host bits are zero.
type NLRI struct {
	Prefix netip.Prefix
	PathID uint32
}

// Update is a run of prefixes of one family that share a fate: announced with
// Attrs, or withdrawn when Attrs is empty or the mark of a [Fault].
type Update struct {
	Family Family
	Attrs  Attrs
	NLRI   []NLRI
}

// Withdraw reports whether the prefixes are withdrawn.
func (u Update) Withdraw() bool { return len(u.Attrs) == 0 || u.Attrs.IsFault() }

// Batch is what one session had to say at one time. The sender gives it away;
// the receiver reads it, copies what it keeps, and calls Release.
type Batch struct {
	Peer      *Peer
	At        time.Time // of receipt
	Event     Event
	Family    Family                 // of EndOfRIB, RefreshBegin, RefreshEnd
	Retention [NumFamilies]Retention // of PeerUp, PeerDown
	Reason    string                 // of PeerDown, for people
	Updates   []Update               // of Routes, in the order received

	// Received says of the routes of a recorded table when the peer announced them, in
	// seconds since 1970, one for each prefix of Updates in order. Zero is not known,
	// and nil: all at At. It is of the memory of Updates.
	Received []uint32

	// Recycle, when set, takes the memory of Updates back.
	Recycle func()
}

// Release tells the sender that the batch is no longer read. Updates and all
// they point to are invalid afterwards.
func (b *Batch) Release() {
	if b.Recycle != nil {
		b.Recycle()
	}
	b.Updates, b.Received, b.Recycle = nil, nil, nil
}

// Route is one route as an answer gives it. Attrs and Peer are shared and
// read-only.
type Route struct {
	Prefix     netip.Prefix
	Family     Family
	Peer       *Peer
	PathID     uint32 // meaningful when Peer.AddPath[Family]
	Attrs      Attrs
	ReceivedAt time.Time
	StaleSince time.Time // zero while the session confirms the route
	LongLived  bool      // stale in the long-lived phase (RFC 9494)
	AsFresh    bool      // stale, but compared as if fresh while its peer restarts (RFC 4724)
	// Best tells that the decision process prefers the route among those of its
	// prefix that it is compared with: all that came over BGP, or those of the same
	// view of the same router.
	Best bool
	// Decision is the step of the decision process that settled this route
	// against the best one; for the best route, against the runner-up.
	Decision string
}
