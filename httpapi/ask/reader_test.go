package ask

import (
	"slices"
	"testing"
	"time"

	"ribglass/ribstore/history"
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
func (s oneHour) Malformed(string) []route.Malformed   { return nil }

func readerWithout(hidden ...string) *Reader {
	store := oneHour{changes: map[string]int{"seen": 2, "hidden": 7}, peers: map[string]*route.Peer{
		"seen": {Name: "seen"}, "hidden": {Name: "hidden"},
	}}
	now := time.Date(2026, 11, 22, 12, 0, 0, 500, time.UTC)
	return &Reader{
		Audience: route.Audience{Name: "public", Sees: func(p *route.Peer) bool { return !slices.Contains(hidden, p.Name) }},
		desk: &Desk{sources: Sources{
			Store: store, Sessions: store, Now: func() time.Time { return now },
			History: func() history.Stats {
				return history.Stats{Begins: now.Add(-time.Hour), Ends: now.Add(-7 * time.Second), FileBytes: 1, FreeBytes: 2, PendingBytes: 3, MaxBytes: 4}
			},
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

// When the last change was recorded, and how many octets changes take, tells of
// peers that may not be seen.
func TestHistoryForAnAudienceDoesNotTellWhatHiddenPeersDo(t *testing.T) {
	r := readerWithout("hidden")
	kept, err := r.History()
	if err != nil {
		t.Fatal(err)
	}
	want := Kept{Begins: r.Now().Add(-time.Hour), Ends: r.Now().Truncate(time.Second), MaxBytes: 4}
	if kept != want {
		t.Errorf("kept is %+v, want %+v", kept, want)
	}
	r.Audience = route.Audience{}
	if kept, err = r.History(); err != nil || kept.FileBytes != 1 || !kept.Ends.Equal(r.Now().Add(-7*time.Second)) {
		t.Errorf("for everybody: %+v, %v", kept, err)
	}
	stopped := keptOfStopped(r)
	if !stopped.Ends.Equal(time.Unix(1, 0)) {
		t.Errorf("a history that is not written ends at %v", stopped.Ends)
	}
}

func keptOfStopped(r *Reader) Kept {
	r.Audience = readerWithout().Audience
	return r.keptOf(Kept{Ends: time.Unix(1, 0), ReadOnly: true})
}
