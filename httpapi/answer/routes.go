package answer

import (
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// Moment says which moment an answer is true for. An answer about the past may
// be true for an earlier moment than the one asked for, when nothing later is
// known.
type Moment struct {
	At        time.Time `json:"at"`
	Requested time.Time `json:"requested_at,omitzero"` // the moment asked for; absent when it is at
	Notices   []string  `json:"notices,omitempty"`     // for people, such as that a part of the past is not recorded
}

// Routes is a page of the answer of GET /api/v1/routes.
type Routes struct {
	Query Query `json:"query"`

	Moment

	Freshness  []Freshness `json:"freshness"`             // of the peers behind the answer
	Total      int         `json:"total"`                 // routes of all pages
	Routes     []Route     `json:"routes"`                // of this page
	Refused    []Refused   `json:"refused,omitempty"`     // of an address or a prefix, on the first page: why a peer has no route
	Facets     *Facets     `json:"facets,omitempty"`      // absent unless asked for
	Names      *Names      `json:"names,omitempty"`       // absent unless asked for
	NextCursor string      `json:"next_cursor,omitempty"` // absent on the last page
}

// Refused is a route that a peer announced last in a malformed UPDATE, which was
// treated as its withdrawal (RFC 7606).
type Refused struct {
	Prefix netip.Prefix `json:"prefix"`
	Family string       `json:"family"`
	Peer   string       `json:"peer"`
	PathID *uint32      `json:"path_id,omitempty"` // absent without ADD-PATH (RFC 7911)
	At     time.Time    `json:"at"`                // of the UPDATE
	Reason string       `json:"reason"`            // such as "attribute 2 (AS_PATH): AS 0"
}

// Explanation is the answer of GET /api/v1/routes with explain=true.
type Explanation struct {
	Query Query `json:"query"`
}

// Query says how a query was understood and how it is answered.
type Query struct {
	Canonical string `json:"canonical"` // the query in full words
	Plan      Plan   `json:"plan"`
	Notes     []Note `json:"notes,omitempty"` // absent when no word could be read otherwise
}

// Asked says how a query was understood, where its plan tells nothing.
type Asked struct {
	Canonical string `json:"canonical"` // the query in full words
}

// Plan says how a query is answered.
type Plan struct {
	Method string `json:"method"`                     // "longest-match", "exact", "or-shorter", "walk" or "scan"
	Sets   string `json:"by_attribute_set,omitempty"` // the conditions that are decided once for each attribute set
	Routes string `json:"by_route,omitempty"`         // the conditions that are decided for each route
	Cost   int    `json:"cost"`                       // an estimate of the attribute sets and routes that are touched
}

// Note says how a word without a keyword was understood.
type Note struct {
	Column     int    `json:"column"` // of the word, in bytes from 1
	Understood string `json:"understood"`
	Other      string `json:"other,omitempty"` // another reading, as a query; absent when there is none
}

// Freshness says how far the routes of a peer can be relied on.
type Freshness struct {
	Peer       string               `json:"peer"`
	Up         bool                 `json:"up"`
	LastUpdate time.Time            `json:"last_update,omitzero"` // absent before the first UPDATE
	StaleSince time.Time            `json:"stale_since,omitzero"` // absent while the session is up
	EndOfRIB   map[string]time.Time `json:"end_of_rib"`           // by family; a family is absent until its End-of-RIB was seen
}

// Facets are the most frequent values of a whole answer, and how many there are.
type Facets struct {
	Origins         []Facet `json:"origins"`
	NeighborASes    []Facet `json:"neighbor_ases"` // the first AS of the path
	Peers           []Facet `json:"peers"`
	Communities     []Facet `json:"communities"` // standard and large
	Lengths         []Facet `json:"lengths"`     // of prefixes, such as "/24"
	NextHops        []Facet `json:"next_hops"`
	OriginCount     int     `json:"origin_count"` // values that there are, listed or not; so are the other counts
	NeighborASCount int     `json:"neighbor_as_count"`
	PeerCount       int     `json:"peer_count"`
	CommunityCount  int     `json:"community_count"`
	LengthCount     int     `json:"length_count"`
	NextHopCount    int     `json:"next_hop_count"`
}

// Facet is a value and how many routes, changes or differences have it.
type Facet struct {
	Value string `json:"value"` // as the query language writes it
	Count int    `json:"count"`
}

// Names say what the numbers of an answer mean. A number whose meaning is not
// known is absent.
type Names struct {
	ASes        map[string]string `json:"as"`          // by AS number
	Communities map[string]string `json:"communities"` // by community, as a route has it
}

// Lookup is a line of the answer of POST /api/v1/lookup: what was found for one
// question. It has either the routes or the error.
type Lookup struct {
	Query     string       `json:"query"`                 // the question as it was asked
	Error     *LookupError `json:"error,omitempty"`       // absent when the question was understood
	At        time.Time    `json:"at,omitzero"`           // absent when no moment was asked for
	Requested time.Time    `json:"requested_at,omitzero"` // the moment asked for; absent when it is at
	Notices   []string     `json:"notices,omitempty"`
	Prefix    netip.Prefix `json:"prefix,omitzero"` // the prefix found; absent when there is none
	Routes    []Route      `json:"routes,omitzero"` // absent beside an error
}

// LookupError says what is wrong with one question of a bulk lookup.
type LookupError struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// AS is the JSON form of the page of an AS. It stands for the whole table of the
// moment.
type AS struct {
	Moment

	ASN        route.ASN `json:"asn"`
	Prefixes   int       `json:"prefixes"`          // that the AS originates
	Originated int       `json:"originated_routes"` // routes to these prefixes
	Routes     int       `json:"routes"`            // routes with the AS in their path
	MOAS       int       `json:"moas_routes"`       // routes to prefixes that other ASes originate too
	First      []string  `json:"first_prefixes"`    // the first prefixes that the AS originates
	MOASFirst  []string  `json:"moas_prefixes"`     // the first prefixes that other ASes originate too
	Upstream   []Facet   `json:"upstream"`          // the AS before it in paths
	Downstream []Facet   `json:"downstream"`        // the AS behind it in paths
	Paths      []Facet   `json:"paths"`             // the most frequent paths

	UpstreamCount   int `json:"upstream_count"` // values that there are, listed or not; so are the other counts
	DownstreamCount int `json:"downstream_count"`
	PathCount       int `json:"path_count"`
}
