package table

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// TestWorkOfASweepDoesNotGrowWithOtherPeers has more and more peers with the same prefixes,
// ends the session of one, and counts the entries of rows that a piece of work visits.
func TestWorkOfASweepDoesNotGrowWithOtherPeers(t *testing.T) {
	const prefixes = 256
	at := time.Unix(1000, 0)
	for _, peers := range []int{10, 100, 1000} {
		tab := New()
		var list []route.NLRI
		for i := range prefixes {
			list = append(list, route.NLRI{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i)}), 24)})
		}
		var last *route.Peer
		for i := range peers {
			last = &route.Peer{Name: fmt.Sprintf("peer%d", i)}
			tab.Apply(&route.Batch{Peer: last, At: at, Event: route.PeerUp})
			tab.Apply(&route.Batch{Peer: last, At: at, Updates: []route.Update{{Attrs: attrsOf(i), NLRI: list}}})
		}
		tab.Apply(&route.Batch{Peer: last, At: at, Event: route.PeerDown})
		f := tab.families[route.IPv4Unicast].Load()
		pieces, most := 0, 0
		for more := true; more; pieces++ {
			from := f.sweepAt
			more = tab.Work()
			if f.sweepAt > from {
				most = max(most, int(f.sweepAt-from)*peers)
			}
		}
		if most > sweepEntries+peers {
			t.Errorf("a piece of work visits %d entries with %d peers, want at most %d", most, peers, sweepEntries+peers)
		}
		if n := tab.Counts().Routes[route.IPv4Unicast]; n != prefixes*(peers-1) || pieces > 2+prefixes*peers/sweepEntries+2 {
			t.Errorf("%d routes are left of %d peers after %d pieces", n, peers, pieces)
		}
	}
}
