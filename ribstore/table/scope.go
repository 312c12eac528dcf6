package table

import (
	"maps"

	"ribglass/ribstore/route"
)

// viewOrder is the order in which the views of a router are looked for by
// [View.FirstViews].
var viewOrder = [route.NumViews]route.View{route.AdjRIBIn, route.PostPolicy, route.PrePolicy, route.LocRIB, route.AdjRIBOut} //nolint:gochecknoglobals // constant: an array cannot be one

// viewSet is a set of views: bit 1<<v stands for view v.
type viewSet uint32

// hiding is the set of no view, in a [View] that hides peers.
const hiding viewSet = 1 << route.NumViews

// first returns the set of the first view of s.
func (s viewSet) first() viewSet {
	for _, view := range viewOrder {
		if s>>view&1 != 0 {
			return 1 << view
		}
	}
	return 0
}

// describe stores a new description of a peer. Readers learn of its view before
// they can meet a route of it.
func (t *Table) describe(p *peer, info *route.Peer) {
	t.seenViews.Or(1 << info.View)
	p.info.Store(info)
	t.peerChanged()
}

// peerChanged is called by the writer when a peer has come, has gone, or has been
// described anew.
func (t *Table) peerChanged() { t.peerChanges.Add(1) }

// Only reports whether the table never had a peer of another view. Peers that the
// view hides do not count.
func (v *View) Only(view route.View) bool {
	seen := v.views &^ hiding
	if v.views == 0 {
		seen = viewSet(v.table.seenViews.Load())
	}
	return seen&^(1<<view) == 0
}

// firstViews is a choice that View.FirstViews made, and what it is true for.
type firstViews struct {
	chosen  Select
	changes uint64 // the table's peerChanges when it was made
}

// OfView returns the choice of the peers whose routes come from a view. It is nil
// when the table has no other peers.
func (v *View) OfView(view route.View) Select {
	if v.Only(view) {
		return nil
	}
	return v.Select(func(p *route.Peer) bool { return p.View == view })
}

// FirstViews returns a choice of peers by which each route of a router counts
// once: of each router the peers of the first view that it has in the order
// adj-rib-in, post-policy, pre-policy, loc-rib, adj-rib-out. A router of which
// peers are named is asked by the views of those instead. The choice is nil when
// the table has no other peers than sessions of the collector.
func (v *View) FirstViews(named []string) Select {
	if v.Only(route.AdjRIBIn) {
		return nil
	}
	if len(named) > 0 || v.visible != nil {
		return v.chooseFirstViews(named)
	}
	kept := v.table.firstViews.Load()
	if kept == nil || kept.changes != v.changes {
		kept = &firstViews{v.chooseFirstViews(nil), v.changes}
		v.table.firstViews.Store(kept)
	}
	return kept.chosen
}

func (v *View) chooseFirstViews(named []string) Select {
	views := make(map[string]viewSet) // by router
	for p := range v.peers.all() {
		if p.removed.Load() || !v.visible.Has(p.index) {
			continue
		}
		info := p.info.Load()
		views[info.RouterName()] |= 1 << info.View
	}
	for router, set := range views {
		views[router] = set.first()
	}
	asked := make(map[string]viewSet)
	for _, name := range named {
		if p, ok := v.Peer(name); ok {
			asked[p.Peer.RouterName()] |= 1 << p.Peer.View
		}
	}
	maps.Copy(views, asked)
	return v.Select(func(p *route.Peer) bool { return views[p.RouterName()]>>p.View&1 != 0 })
}
