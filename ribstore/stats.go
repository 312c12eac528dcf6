package ribstore

import (
	"slices"
	"time"

	"ribglass/ribstore/activity"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Stats counts what the store holds at one moment.
type Stats struct {
	Routes, Stale, Prefixes [route.NumFamilies]int
	AttributeSets           int
	Peers                   int
	TableBytes              uint64 // memory of prefixes, routes and attribute sets
}

func (s *Stats) total() int {
	n := 0
	for _, routes := range s.Routes {
		n += routes
	}
	return n
}

// PeerStats counts what the store holds of one peer at one moment.
type PeerStats struct {
	Peer          *route.Peer
	Routes, Stale [route.NumFamilies]int
	Freshness     query.Freshness

	AttributeBytes uint64 // of the attribute sets that the peer is charged for
}

// sample is how large the table is, for the meter of its growth.
func (s *Store) sample() activity.Sample {
	c := s.table().Counts()
	return activity.Sample{Routes: c.Routes, Prefixes: c.Prefixes}
}

// Rate returns the changes of a peer in the last hour, minute by minute.
func (s *Store) Rate(peer string) activity.Rate { return s.meter().Rate(peer, s.deps.Now()) }

// RateOfAll returns the changes of all peers in the last hour, minute by minute.
func (s *Store) RateOfAll() activity.Rate { return s.meter().RateOfAll(s.deps.Now()) }

// Busiest returns the prefixes that changed most in about the last hour.
func (s *Store) Busiest() activity.Busiest { return s.meter().Busiest() }

// Growth returns how large the table was and is now, the oldest first: one sample
// in ten minutes since the first tables were complete, for a week at most.
func (s *Store) Growth() []activity.Sample {
	now := s.sample()
	now.At = s.deps.Now().UTC().Truncate(time.Second)
	return append(slices.Clone(s.meter().Growth()), now)
}
