package table

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"ribglass/ribstore/route"
)

// refusedHalf bounds the prefixes that are remembered of a peer because their last
// announcement was malformed: the newest of them, at least so many and at most
// twice. One takes about 150 octets, so a peer takes 150 KiB at most.
const refusedHalf = 512

// refusals are these prefixes by peer. The writer changes them, readers look things
// up. A peer that announces nothing malformed has none and costs nothing.
type refusals struct {
	mu    sync.RWMutex
	peers []*peer // those that have some
}

// refusedKey is a route of a peer.
type refusedKey struct {
	family route.Family
	nlri   route.NLRI
}

type refusal struct {
	at    time.Time
	fault route.Fault
}

// peerRefusals are the refusals of one peer. When young is full it becomes old, and what
// was old is forgotten.
type peerRefusals struct {
	young, old map[refusedKey]refusal
}

// refuseUpdate remembers the prefixes of a withdrawal that has a fault. Those of
// another withdrawal, or of an announcement, are forgotten.
func (t *Table) refuseUpdate(p *peer, u *route.Update, at time.Time) {
	fault, malformed := u.Fault()
	if !malformed && p.refused == nil {
		return
	}
	t.refusals.mu.Lock()
	defer t.refusals.mu.Unlock()
	if p.refused == nil {
		p.refused = &peerRefusals{young: make(map[refusedKey]refusal)}
		t.refusals.peers = append(t.refusals.peers, p)
	}
	r := p.refused
	for _, n := range u.NLRI {
		k := refusedKey{u.Family, n}
		delete(r.young, k)
		delete(r.old, k)
		if !malformed {
			continue
		}
		if len(r.young) >= refusedHalf {
			r.young, r.old = make(map[refusedKey]refusal, refusedHalf), r.young
		}
		r.young[k] = refusal{at, fault}
	}
	if len(r.young)+len(r.old) == 0 {
		t.forgetRefusedLocked(p)
	}
}

// forgetRefused forgets what a peer announced in malformed messages: it will
// announce everything anew, or nothing any more.
func (t *Table) forgetRefused(p *peer) {
	if p.refused == nil {
		return
	}
	t.refusals.mu.Lock()
	defer t.refusals.mu.Unlock()
	t.forgetRefusedLocked(p)
}

func (t *Table) forgetRefusedLocked(p *peer) {
	p.refused = nil
	t.refusals.peers = slices.DeleteFunc(t.refusals.peers, func(other *peer) bool { return other == p })
}

// Refused returns the peers of the view that announced a prefix last in a malformed
// UPDATE, so that there is no route, by name. With an address the prefixes
// count that cover it and have at least so many bits.
func (v *View) Refused(f route.Family, p netip.Prefix, longest bool, bits int) []route.Refused {
	t := v.table
	t.refusals.mu.RLock()
	defer t.refusals.mu.RUnlock()
	var list []route.Refused
	for _, peer := range t.refusals.peers {
		if !v.visible.Has(peer.index) {
			continue
		}
		for _, half := range []map[refusedKey]refusal{peer.refused.young, peer.refused.old} {
			for k, r := range half {
				same := k.nlri.Prefix == p
				if longest {
					same = k.nlri.Prefix.Contains(p.Addr()) && k.nlri.Prefix.Bits() >= bits
				}
				if k.family == f && same {
					list = append(list, route.Refused{Family: f, NLRI: k.nlri, Peer: peer.info.Load(), At: r.at, Fault: r.fault})
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b route.Refused) int {
		return cmp.Or(b.Prefix.Bits()-a.Prefix.Bits(), strings.Compare(a.Peer.Name, b.Peer.Name), cmp.Compare(a.PathID, b.PathID))
	})
	return list
}

// AllRefused returns what Refused tells of all prefixes, in the order of time. Only
// the writer calls it.
func (t *Table) AllRefused() []route.Refused {
	var list []route.Refused
	for _, peer := range t.refusals.peers {
		for _, half := range []map[refusedKey]refusal{peer.refused.young, peer.refused.old} {
			for k, r := range half {
				list = append(list, route.Refused{Family: k.family, NLRI: k.nlri, Peer: peer.info.Load(), At: r.at, Fault: r.fault})
			}
		}
	}
	slices.SortFunc(list, func(a, b route.Refused) int { return a.At.Compare(b.At) })
	return list
}
