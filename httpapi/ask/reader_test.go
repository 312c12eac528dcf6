package ask

import (
	"slices"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// oneHour is a store whose peers changed something in the last hour.
type oneHour struct {
	Store

	peers   map[string]*route.Peer
	changes map[string]int
}

func (s oneHour) Peer(name string) (PeerStats, bool) {
	p, ok := s.peers[name]
	return PeerStats{Peer: p}, ok
}

func (s oneHour) Rate(name string) Rate {
	return Rate{From: time.Unix(60, 0), Changes: []int{0, s.changes[name]}}
}

func (s oneHour) Sessions() []route.Session {
	return []route.Session{{Peer: &route.Peer{Name: "seen"}}, {Peer: &route.Peer{Name: "hidden"}}, {Peer: &route.Peer{Name: "new"}}}
}

func (s oneHour) Session(string) (route.Session, bool) { return route.Session{}, false }

func readerWithout(hidden ...string) *Reader {
	store := oneHour{changes: map[string]int{"seen": 2, "hidden": 7}, peers: map[string]*route.Peer{
		"seen": {Name: "seen"}, "hidden": {Name: "hidden"},
	}}
	now := time.Date(2026, 11, 22, 12, 0, 0, 500, time.UTC)
	return &Reader{
		Audience: route.Audience{Name: "public", Sees: func(p *route.Peer) bool { return !slices.Contains(hidden, p.Name) }},
		desk: &Desk{sources: Sources{
			Store: store, Sessions: store, Now: func() time.Time { return now },
		}},
	}
}

// The changes of a peer that may not be seen are none, in the form of those of any
// other peer, also of one that the table has not heard of yet and when there is
// nobody to be seen.
func TestRatesForAnAudienceAreWhole(t *testing.T) {
	r := readerWithout("hidden")
	for name, want := range map[string][]int{"seen": {0, 2}, "hidden": {0, 0}, "new": {0, 0}, "nobody": {0, 0}} {
		if got := r.Rate(name); !slices.Equal(got.Changes, want) || got.From.IsZero() {
			t.Errorf("%s changed %v from %v, want %v", name, got.Changes, got.From, want)
		}
	}
	if got := r.RateOfAll(); !slices.Equal(got.Changes, []int{0, 2}) || got.From.IsZero() {
		t.Errorf("all changed %v from %v, want those of the peer that is seen", got.Changes, got.From)
	}
	if got := readerWithout("seen", "hidden", "new").RateOfAll(); !slices.Equal(got.Changes, []int{0, 0}) || got.From.IsZero() {
		t.Errorf("nobody changed %v from %v", got.Changes, got.From)
	}
}
