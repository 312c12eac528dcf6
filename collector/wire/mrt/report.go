package mrt

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Skipped is a kind of what a Source could not read.
type Skipped string

// The kinds.
const (
	SkippedRecord  Skipped = "damaged record"
	SkippedType    Skipped = "record of a type that is not read"
	SkippedEntry   Skipped = "table entry with bad attributes"
	SkippedMessage Skipped = "damaged message"
	SkippedPeer    Skipped = "record of one peer too many"
	SkippedRest    Skipped = "rest of the stream"
	SkippedOrphans Skipped = "octets between records"
	SkippedSeat    Skipped = "table entry of a peer that the file does not name"
)

// Report says what a Source read, and what it could not.
type Report struct {
	Records           int // read
	Announcements     int // routes
	Withdrawals       int
	Discarded         int             // attributes left out (RFC 7606 "attribute discard")
	TreatedAsWithdraw int             // UPDATEs whose announcements became withdrawals
	Skipped           map[Skipped]int // how many of each kind
	Errors            []error         // the first of them

	// Malformed counts the UPDATEs and table entries that were treated as a
	// withdrawal or lost attributes, by what became of them and by what was
	// malformed: "treat-as-withdraw AS_PATH". MalformedFirst are the first of each.
	Malformed      map[string]int
	MalformedFirst []Malformed

	SkippedOctets int64 // that were passed over to find the next record

	// UnspecifiedNextHops counts the UPDATEs and attribute sets of tables whose next hop
	// is 0.0.0.0 or ::. Their routes are kept.
	UnspecifiedNextHops int

	PathIDs    int // UPDATEs with path identifiers in records that say there are none; they are read
	Lengthened int // records that are four octets longer than they say; they are read
}

// Malformed is an UPDATE that broke the rules.
type Malformed struct {
	route.Malformed

	Number int   // of the record, from 1
	Offset int64 // of the record in the decompressed stream
	Peer   string
}

// String returns what happened in a line.
func (m *Malformed) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "record %d at offset %d: %s: %s: %s", m.Number, m.Offset, m.Peer, m.Kind, m.Error)
	for i, n := range m.Prefixes {
		fmt.Fprintf(&b, "%s%v", map[bool]string{true: "; prefixes ", false: " "}[i == 0], n.Prefix)
	}
	if n := m.Total - len(m.Prefixes); n > 0 {
		fmt.Fprintf(&b, " and %d more", n)
	}
	return b.String()
}

// How many prefixes of a malformed UPDATE are told.
const malformedPrefixes = 5

var errManyPeers = errors.New("too many peers")

func (r *Report) clone() Report {
	c := *r
	c.Malformed, c.MalformedFirst = maps.Clone(r.Malformed), slices.Clone(r.MalformedFirst)
	c.Skipped, c.Errors = maps.Clone(r.Skipped), slices.Clone(r.Errors)
	return c
}

// located says where an error is.
func (s *Source) located(h *Header, err error) error {
	return fmt.Errorf("record %d at offset %d: %w", s.reader.number, h.Offset, err)
}

// malformed counts what is wrong with an UPDATE of a peer, and keeps the first of
// each kind. The updates are those that it became.
func (s *Source) malformed(h *Header, peer string, r *wire.Report, updates []route.Update) {
	s.report.Discarded += len(r.Discarded)
	kind, err := route.AttributesDiscarded, r.TreatedAsWithdraw
	switch {
	case err != nil:
		kind = route.TreatedAsWithdraw
		s.report.TreatedAsWithdraw++
	case len(r.Discarded) == 0:
		return
	default:
		err = r.Discarded[0]
	}
	if n := s.countMalformed(kind, err); n > s.options.Errors || len(s.report.MalformedFirst) >= s.options.Errors*10 {
		return
	}
	m := Malformed{Number: s.reader.number, Offset: h.Offset, Peer: peer}
	m.At, m.Kind, m.Error, m.RFC = h.Time, kind, err.Error(), wire.RuleOf(err)
	for i := range updates {
		if u := &updates[i]; len(u.Attrs) > 0 {
			m.Total += len(u.NLRI)
			m.Prefixes = append(m.Prefixes, u.NLRI[:min(len(u.NLRI), malformedPrefixes-len(m.Prefixes))]...)
		}
	}
	s.report.MalformedFirst = append(s.report.MalformedFirst, m)
}

// countMalformed counts an error and returns how many of its kind there were.
func (s *Source) countMalformed(kind route.MalformedKind, err error) int {
	if s.report.Malformed == nil {
		s.report.Malformed = make(map[string]int)
	}
	f, _ := wire.FaultOf(err)
	name := string(kind) + " " + f.Subject()
	s.report.Malformed[name]++
	return s.report.Malformed[name]
}

// unspecified counts a next hop that is none.
func (s *Source) unspecified(r *wire.Report) {
	s.report.UnspecifiedNextHops += index(r.UnspecifiedNextHop)
}

func (s *Source) skip(kind Skipped, err error) {
	if s.report.Skipped == nil {
		s.report.Skipped = make(map[Skipped]int)
	}
	s.report.Skipped[kind]++
	if len(s.report.Errors) < s.options.Errors {
		s.report.Errors = append(s.report.Errors, err)
	}
}
