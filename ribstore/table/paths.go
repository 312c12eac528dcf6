package table

// With ADD-PATH a session tells several paths of a prefix. How many prefixes it has is
// counted as its routes less the paths beyond the first of each prefix.

// onePathMore counts a path that was just stored in a slot where the peer had none by its
// identifier.
func (f *family) onePathMore(p *peer, slot uint32) {
	if p.info.Load().AddPath[f.id] && f.pathsOf(p, slot) > 1 {
		p.families[f.id].more++
	}
}

// fewerPaths counts n paths of the peer that were just taken out of the row of a slot.
func (f *family) fewerPaths(p *peer, slot uint32, n int) {
	pf := &p.families[f.id]
	if pf.more == 0 {
		return
	}
	if f.pathsOf(p, slot) == 0 {
		n-- // the first one
	}
	pf.more -= n
}

// pathsOf returns how many paths of a peer are in the row of a slot.
func (f *family) pathsOf(p *peer, slot uint32) int {
	n := 0
	for r, i := f.rows.load(f.slots.row(slot)), 0; i < r.len(); i++ {
		if r.at(i).peer() == p.index {
			n++
		}
	}
	return n
}

func occurrences(list []*peer, p *peer) int {
	n := 0
	for _, other := range list {
		if other == p {
			n++
		}
	}
	return n
}
