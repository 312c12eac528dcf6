package table

import (
	"time"

	"ribglass/ribstore/route"
)

// PeerInfo is what the table knows of a peer.
type PeerInfo struct {
	Peer          *route.Peer
	Up            bool
	StaleSince    time.Time // zero while up
	LastUpdate    time.Time // zero: none yet
	EndOfRIB      [route.NumFamilies]time.Time
	Routes, Stale [route.NumFamilies]int
	Prefixes      [route.NumFamilies]int // fewer than Routes with ADD-PATH only
}

// Peers returns what is known of every peer, in no order. Anyone may call it.
func (t *Table) Peers() []PeerInfo { return t.peerInfos(nil) }

// Peers returns what is known of every peer that the view shows, in no order.
func (v *View) Peers() []PeerInfo { return v.table.peerInfos(v.visible) }

// peerInfos returns what is known of the chosen peers.
func (t *Table) peerInfos(chosen Select) []PeerInfo {
	var infos []PeerInfo
	for _, p := range t.peers.present() {
		if chosen.Has(p.index) {
			infos = append(infos, p.describe())
		}
	}
	return infos
}

// Peer returns what is known of the peer that goes by the name. Anyone may call it.
func (t *Table) Peer(name string) (PeerInfo, bool) { return t.describeNamed(name, nil) }

// Peer returns what is known of the peer that goes by the name, when the view
// shows it.
func (v *View) Peer(name string) (PeerInfo, bool) { return v.table.describeNamed(name, v.visible) }

func (t *Table) describeNamed(name string, chosen Select) (PeerInfo, bool) {
	p := t.peers.named(name)
	if p == nil || p.removed.Load() || !chosen.Has(p.index) {
		return PeerInfo{}, false
	}
	return p.describe(), true
}

func (p *peer) describe() PeerInfo {
	info := PeerInfo{
		Peer:       p.info.Load(),
		Up:         p.up.Load(),
		StaleSince: instant(p.staleSince.Load()),
		LastUpdate: instant(p.lastUpdate.Load()),
	}
	for i := range p.families {
		info.EndOfRIB[i] = instant(p.families[i].endOfRIB.Load())
		info.Routes[i] = int(p.families[i].routes.Load())
		info.Stale[i] = int(p.families[i].stale.Load())
		info.Prefixes[i] = int(p.families[i].prefixes.Load())
	}
	return info
}

// instant converts seconds, of which 0 is the zero Time.
func instant(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
