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

// What a session did to each of its routes is listed while the table has few
// prefixes. How many a hidden peer has, and that it comes and goes, is told to
// nobody: not by what is listed, nor by a notice.
func TestChangesForAnAudienceDoNotDependOnHiddenPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen, hidden := &route.Peer{Name: "seen"}, &route.Peer{Name: "hidden"}
		var many []string
		for i := range fewRoutes + 1 {
			many = append(many, fmt.Sprintf("10.%d.%d.0/24", i/256, i%256))
		}
		var answers [][]string
		for _, sends := range [][]string{nil, {"10.0.0.0/24"}, many} {
			r := record(t)
			began := time.Now()
			r.up(seen, time.Hour)
			r.send(announce(seen, "10.0.0.0/24", "192.0.2.0/24"))
			r.wait(time.Second)
			if sends != nil {
				r.up(hidden, time.Hour)
				r.send(announce(hidden, sends...))
				r.send(route.Batch{Peer: hidden, Event: route.PeerDown})
				r.up(hidden, time.Hour)
				r.send(announce(hidden, sends...))
			}
			r.wait(time.Second)
			down := route.Batch{Peer: seen, Event: route.PeerDown}
			for f := range down.Retention {
				down.Retention[f].Stale = time.Hour
			}
			r.send(down)
			r.wait(time.Second)
			to := r.For(route.Audience{Name: "public", Sees: func(p *route.Peer) bool { return p.Name != hidden.Name }})
			var q query.Query
			q.Between.From.Ago = time.Hour
			list, err := to.Changes(t.Context(), q, changes.Page{})
			if err != nil {
				t.Fatal(err)
			}
			text := list.Notices
			for _, c := range list.Changes {
				text = append(text, fmt.Sprint(c.At.Sub(began).Round(time.Second), " ", c.Kind, " ", c.Peer.Name, " ", c.Prefix))
			}
			answers = append(answers, text)
		}
		if len(answers[0]) != 6 { // up, two announced, down, two stale
			t.Errorf("without the hidden peer: %q", answers[0])
		}
		for i, got := range answers[1:] {
			if diff := gocmp.Diff(answers[0], got); diff != "" {
				t.Errorf("%d (-without the hidden peer +with it): %s", i, diff)
			}
		}
	})
}
