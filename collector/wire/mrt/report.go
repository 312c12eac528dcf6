package mrt

import (
	"errors"
	"maps"
	"slices"

	"ribglass/collector/wire"
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
}

var errManyPeers = errors.New("too many peers")

func (r *Report) clone() Report {
	c := *r
	c.Skipped, c.Errors = maps.Clone(r.Skipped), slices.Clone(r.Errors)
	return c
}

func (r *Report) update(u *wire.Report) {
	r.Discarded += len(u.Discarded)
	if u.TreatedAsWithdraw != nil {
		r.TreatedAsWithdraw++
	}
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
