package ribstore

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// What happens to sessions is a change of a prefix only when the peer has it or had it:
// also before the span, and also when it lost it meanwhile.
func TestSessionsAreChangesOfPrefixesOfTheirPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		before, during, never := &route.Peer{Name: "before"}, &route.Peer{Name: "during"}, &route.Peer{Name: "never"}
		r.up(before, 0)
		r.send(announce(before, "192.0.2.0/24"))
		r.up(during, 0)
		r.up(never, 0)
		r.send(announce(never, "198.51.100.0/24", "192.0.0.0/16"))
		r.wait(time.Minute)
		began := time.Now()
		down := func(p *route.Peer) { r.send(route.Batch{Peer: p, Event: route.PeerDown}); r.wait(time.Second) }
		for _, p := range []*route.Peer{before, during, never} {
			down(p)
		}
		r.up(during, 0)
		r.send(announce(during, "192.0.2.0/24"))
		r.wait(time.Second)
		down(during)
		r.up(before, 0)
		r.wait(time.Second)
		for text, want := range map[string][]string{
			"192.0.2.0/24": {"peer-down before", "drop before", "announce during", "peer-down during", "drop during", "peer-up before"},
			"203.0.113.7":  nil,
		} {
			q := parse(t, text)
			q.Between = query.Span{From: at(began)}
			list, err := r.Changes(t.Context(), q, changes.Page{Oldest: true})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range list.Changes {
				got = append(got, fmt.Sprint(c.Kind, " ", c.Peer.Name))
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", text, diff)
			}
		}
	})
}
