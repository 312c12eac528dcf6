package mrt

import "ribglass/ribstore/route"

// refresh begins to replace the routes of a peer.
func (s *Source) refresh(p *part, f route.Family) {
	if p.begun == [route.NumFamilies]bool{} {
		s.table.begun = append(s.table.begun, p)
	}
	p.begun[f] = true
	s.comeUp(p.peer, s.table.at)
	s.event(p.peer, s.table.at, route.RefreshBegin).Family = f
}

// endTable ends the table, if one is being read. Whole tells that the file did not
// break off in it.
func (s *Source) endTable(whole bool) {
	t := &s.table
	s.flushTable()
	if whole && !t.damaged {
		s.refreshAbsent()
		for _, p := range t.begun {
			for _, f := range route.Families() {
				if p.begun[f] {
					s.event(p.peer, t.at, route.RefreshEnd).Family = f
				}
			}
		}
	}
	for _, p := range t.begun {
		p.begun = [route.NumFamilies]bool{}
	}
	clear(t.begun)
	t.begun, t.families, t.damaged = t.begun[:0], [route.NumFamilies]bool{}, false
}

// refreshAbsent begins to replace the routes of the peers that the table lists
// without any route of a family that it has: they have none.
func (s *Source) refreshAbsent() {
	t := &s.table
	if !s.options.ReplacesTable {
		return
	}
	for _, seat := range t.seats {
		for which := range seat.parts {
			p := &seat.parts[which]
			if p.peer == nil {
				p.peer = s.peers.known(seat.entry, seat.nth, p.addPath)
			}
			if p.peer == nil {
				continue
			}
			for _, f := range route.Families() {
				if t.families[f] && !p.begun[f] {
					s.refresh(p, f)
				}
			}
		}
	}
}
