package ribstore

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// A page of the changes of all prefixes tells of a session that came or went where there
// is no room for a whole table too: only the prefixes that change on it are loaded. What
// the event did to each route is told when one prefix is asked about, and in a stream.
func TestAPageWithASessionThatWentLoadsOnlyItsOwnPrefixes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		r.up(edge1, 0)
		r.up(edge2, 0)
		const routes = littleEffort + 1000
		b := route.Batch{Peer: edge1, At: time.Now(), Updates: announce(edge1, "10.0.0.0/32").Updates}
		b.Updates[0].NLRI = nil
		for i := range routes {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
			b.Updates[0].NLRI = append(b.Updates[0].NLRI, route.NLRI{Prefix: p})
		}
		r.send(b)
		r.send(announce(edge2, "192.0.2.0/24", "198.51.100.0/24"))
		r.wait(2 * time.Minute) // a snapshot was taken
		began := time.Now()
		r.send(announce(edge1, "203.0.113.0/24"))
		r.wait(time.Second)
		r.send(route.Batch{Peer: edge2, Event: route.PeerDown, Reason: "hold timer expired"})
		r.wait(time.Second)
		gone := announce(edge1, "203.0.113.0/24")
		gone.Updates[0].Attrs = nil
		r.send(gone)
		r.wait(4 * time.Second)

		shortOfMemory(r.Store, 1<<20, 0)
		ask := func(text string) (list []string, notices string) {
			q := parse(t, text)
			q.Between = query.Span{From: at(began)}
			page, err := r.Changes(t.Context(), q, changes.Page{Oldest: true})
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			for _, c := range page.Changes {
				list = append(list, fmt.Sprint(c.Kind, " ", c.Peer.Name))
			}
			return list, strings.Join(page.Notices, "; ")
		}
		got, notices := ask("")
		want := []string{"announce edge1", "peer-down edge2", "withdraw edge1"}
		if diff := gocmp.Diff(want, got); diff != "" || !strings.Contains(notices, "sessions came or went") {
			t.Errorf("notices %q (-want +got):\n%s", notices, diff)
		}
		got, _ = ask("192.0.2.0/24")
		if want := []string{"peer-down edge2", "drop edge2"}; !slices.Equal(got, want) {
			t.Errorf("of the prefix: %q, want %q", got, want)
		}
		r.Budget().Memory().SetLimit(0)
		var all []string
		q := parse(t, "")
		q.Between = query.Span{From: at(began)}
		err := r.StreamNewestChanges(t.Context(), q, nil, func(list []changes.Change) error {
			for _, c := range list {
				all = append(all, fmt.Sprint(c.Kind, " ", c.Peer.Name))
			}
			return nil
		})
		if want := []string{"withdraw edge1", "drop edge2", "drop edge2", "peer-down edge2", "announce edge1"}; err != nil || !slices.Equal(all, want) {
			t.Errorf("stream: %q, %v, want %q", all, err, want)
		}
	})
}

// The end of a route refresh lists the routes that were not sent again, however many
// the peer has, and its begin lists none.
func TestTheEndOfARefreshListsWhatWasSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		r.up(edge1, 0)
		b := announce(edge1, "192.0.2.0/24")
		for i := range fewRoutes + 100 {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32)
			b.Updates[0].NLRI = append(b.Updates[0].NLRI, route.NLRI{Prefix: p})
		}
		again := b
		again.Updates = slices.Clone(b.Updates)
		again.Updates[0].NLRI = b.Updates[0].NLRI[1:]
		r.send(b)
		r.wait(time.Second)
		began := time.Now()
		r.send(route.Batch{Peer: edge1, Event: route.RefreshBegin})
		r.send(again)
		r.send(route.Batch{Peer: edge1, Event: route.RefreshEnd})
		r.wait(4 * time.Second)
		q := parse(t, "")
		q.Between = query.Span{From: at(began)}
		page, err := r.Changes(t.Context(), q, changes.Page{Oldest: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range page.Changes {
			got = append(got, fmt.Sprint(c.Kind, " ", c.Prefix))
		}
		want := []string{"refresh-begin invalid Prefix", "refresh-end invalid Prefix", "sweep 192.0.2.0/24"}
		if diff := gocmp.Diff(want, got); diff != "" || len(page.Notices) > 0 {
			t.Errorf("notices %q (-want +got):\n%s", page.Notices, diff)
		}
	})
}
