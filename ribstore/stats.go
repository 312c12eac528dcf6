package ribstore

import (
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
}
