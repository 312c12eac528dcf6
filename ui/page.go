package ui

import (
	"net/netip"
	"strings"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ui/catalogue"
)

// Page is a page that a Renderer can write: one of the types of this package.
type Page interface {
	frame() *Frame
	template() string
	text(w *textWriter)
}

// Frame is what every page has.
type Frame struct {
	Title   catalogue.Text
	Search  string // stands in the search box
	Text    string // URL of the page as text; "" when it has none
	JSON    string // URL of the page as JSON
	Host    string // as the client wrote it, for examples
	Version string
	Now     time.Time // what ages count to: the moment shown
	Live    Live
	Moment  Moment
	// Language is what the HTML form is written in. KeepLanguage puts it to all links
	// to other pages: the reader chose it by a link.
	Language     *catalogue.Language
	KeepLanguage bool
	InLanguage   string // where the page is in another language, but for its tag: "?q=…&lang="
	Activity     string // URL of the counts of changes that the strip shows; "" when it has none
	Events       string // URL of the events that tell of changes of the page; "" when it is not followed
	Look         *Look  // the renderer fills it in
}

func (f *Frame) frame() *Frame { return f }

// Live says how current what is shown is.
type Live struct {
	At             time.Time // the moment shown
	Up, Configured int       // peers
	LastUpdate     time.Time // of the most recent UPDATE; zero: none
	Stale          []StalePeer
}

// Moment says which moment a page shows when it is not live, and leads to others.
type Moment struct {
	Kept       bool      // the past is kept, so there are pages about it
	Past       bool      // what is shown is not what is now
	Collection string    // what is shown is of this collection; "": of the peers
	From, To   time.Time // what the collection spans
	Sources    []string  // the files that the collection was imported from, the first of them
	MoreFiles  int       // how many are left out
	In         string    // stands behind links to pages that have moments of their own: "?collection=…"
	Asked      time.Time // when the page was made
	Requested  time.Time // the moment asked for, when another is shown
	Notices    []string
	Keep       string  // stands behind links to other pages, so that they show the same moment: "?at=…"
	Live       string  // URL of the page as it is now
	Action     string  // where the form for another moment leads; "": there is none
	Fields     []Field // parameters of the page that the form keeps
	Value      string  // stands in the form, and is kept by the search box
}

// Field is a parameter that a form carries along.
type Field struct{ Name, Value string }

// StalePeer is a peer that is down and whose routes are still shown.
type StalePeer struct {
	Name  string
	Since time.Time
}

// Home is the first page.
type Home struct {
	Frame
	ASN           route.ASN
	RouterID      netip.Addr
	StartedAt     time.Time
	Families      []FamilyTotal
	AttributeSets int
	Neighbours    []Neighbour // the first of them
	More          int         // how many are left out
	Examples      []Example
	Rate          Rate // of all peers
	BusyPrefixes  []Busy
	BusyPeers     []Busy
	BusyMissed    int       // how many changes the count of a prefix may lack
	Growth        *Growth   // nil: not known
	GrowthSince   time.Time // what the differences of Families are from; zero: they are not known
	Attention     []Attention
	MoreAttention int // how many are left out
	Collections   []Collection
}

// Attention is something that an operator should know.
type Attention struct {
	Peer, URL string // "" when it is about the program
	route.Notice
}

// FamilyTotal counts what the table holds of a family.
type FamilyTotal struct {
	Family                   route.Family
	Routes, Prefixes, Stale  int
	RoutesURL, StaleURL      string // of searches for them; "" when there is none
	MoreRoutes, MorePrefixes int    // than a while ago
}

// Example is a lookup to try.
type Example struct{ Query, URL, About string }

// Neighbour is a session with what the table holds of it.
type Neighbour struct {
	route.Session
	Routes, Stale [route.NumFamilies]int
	StaleSince    time.Time
	URL           string
	Then          bool // of the past: State says up or not, and no more is known of the session
	Rate          Rate

	// RoutesURLs and StaleURLs are of searches for the routes of a family; ""
	// where it has none.
	RoutesURLs, StaleURLs [route.NumFamilies]string
}

// Total returns the count of routes of all families.
func (n Neighbour) Total() int {
	sum := 0
	for _, c := range n.Routes {
		sum += c
	}
	return sum
}

// Lookup is the answer to a query.
type Lookup struct {
	Frame
	Canonical string
	About     catalogue.Text // the query in words
	Meaning   string         // of the community asked about, "" when that is not known
	Groups    []Group
	Total     int // routes in the whole answer
	Shown     int
	First     string // URL of the first page, when this is not it
	Next      string // URL of the next page; "" on the last
	Related   []Link // lookups near this one
	Past      []Link // what became of the answer
	Notes     []Note
	Refused   []Refused // why peers have no route
	Plan      string    // how it was answered; "" when that tells nothing
	Facets    []Facets
	Picture   string // URL of the paths as a picture; "" when there are none
	Columns   []Column
	View      View     // how the routes are written; "" as a table
	Views     []Choice // the ways to write them
	Choices   []Choice // columns to add and to leave out
	Downloads []Link   // the whole answer in other forms
}

// Refused is a route that a peer announced last in a malformed UPDATE.
type Refused struct {
	route.Refused

	PeerURL string // where the message is
	AddPath bool   // the route has a path identifier
}

// Note says how a part of a query was understood, and the other reading with
// its URL.
type Note struct{ Understood, Other, URL string }

// Facets are the values that the routes of an answer have of one kind.
type Facets struct {
	Kind   string // such as "origin"
	Values []Facet
	More   int // values that are not listed
}

// Facet is a value, how many routes have it, and the URL that confines the
// answer to them; "" when there is none.
type Facet struct {
	Text  string
	Name  string // what it is called, "" when that is not known
	About string // what it means, "" when that is not known
	Count int
	URL   string
}

// AS is all about one autonomous system.
type AS struct {
	Frame
	ASN               route.ASN
	Name              string  // "" when it is not known
	Prefixes          int     // that it originates
	Groups            []Group // the first of them
	Total, Shown      int     // routes of them
	Transit           int     // routes with it in their path
	MOASTotal         int     // routes of prefixes with several origins
	MOASPrefixes      []Link  // the first of them
	Facets            []Facets
	Paths             []Facet
	Origin, Via, MOAS Link   // searches for all of them
	Picture           string // URL of the paths as a picture; "" when there are none
}

// Heading returns the AS number and the name behind it.
func (p *AS) Heading() string { return strings.TrimSpace("AS" + p.ASN.String() + " " + p.Name) }

// Link is a link.
type Link struct{ Text, URL string }

// Group is the routes of one prefix, the best first.
type Group struct {
	Prefix netip.Prefix
	Family route.Family
	URL    string
	Routes []Route
}

// Route is a route, the page of its peer, and the query that finds this route and
// no other.
type Route struct {
	route.Route
	PeerURL string
	Query   string
}

// Peers is a page of the list of peers.
type Peers struct {
	Frame
	Neighbours         []Neighbour
	All, Total         int // peers there are, and those that the list is confined to
	Find, Group, State string
	Groups             []string // that there are
	Fields             []Field
	Orders             []Choice
	Previous, Next     string // URLs; "" when there is none
	Attention          []Attention
	MoreAttention      int    // how many are left out
	RefusedURL         string // of the connections that got no session; "" about the past
}

// RefusedConnections is the page of the last connections that got no session.
type RefusedConnections struct {
	Frame
	Attempts []RefusedAttempt // the newest first
	MD5      route.MD5Errors  // of the kernel
}

// RefusedAttempt is a connection that got no session.
type RefusedAttempt struct {
	route.Attempt
	PeerURL string // "" when there is no such peer
}

// Peer is all about one peer.
type Peer struct {
	Frame
	Neighbour
	RoutesURL  string
	ChangesURL string            // "" where the past is not kept
	Counts     *PeerCounts       // nil: not counted
	CountsURL  string            // of the page with Counts; "" when there is nothing to count
	Refused    bool              // Counts were asked for, and there was no place for it
	Malformed  []route.Malformed // the last messages that broke the rules, the newest first

	AttributeBytes int64 // memory of the attribute sets that the peer announced first
}

// PeerCounts are what the routes of a peer have: how many ASes and communities
// in all, and those that most have.
type PeerCounts struct {
	Origins, Neighbors, Communities int
	TopOrigins, TopCommunities      []Facet
}

// Ref returns the neighbour itself, for templates.
func (p *Peer) Ref() *Neighbour { return &p.Neighbour }

// Problem is what went wrong, as a page.
type Problem struct {
	Frame
	Status int
	Detail string
	Query  string // the part of the query to show; "" when it is not about a query
	Before int    // characters of Query before the one that is wrong
}

// Column returns where Query is wrong, in characters from 1.
func (p *Problem) Column() int { return p.Before + 1 }

// Pad returns the spaces that put a mark under that character.
func (p *Problem) Pad() string { return strings.Repeat(" ", p.Before) }
