package query

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// entry is a route of one side, and the place of its peer among all names.
type entry struct {
	table.Found
	peer int
}

// compareEntries orders by name of peer and path identifier.
func compareEntries(a, b entry) int {
	if a.peer != b.peer {
		return cmp.Compare(a.peer, b.peer)
	}
	return cmp.Compare(a.PathID, b.PathID)
}

// diffSide is one side of a comparison under way: what confines it, and the
// routes of the prefix at hand.
type diffSide struct {
	*execution
	only   table.Select // the peers that count; nil: all
	names  []string
	places []int // by index of a peer: 1 + the place of its name
	infos  map[string]table.PeerInfo
	all    test
	same   test // for routes whose set meets its conditions; nil: none are left

	dest    table.Dest
	entries []entry
	enter   func(table.Found) // appends to entries
	decided []route.Route     // all routes of dest, when a condition needs them
	moas    bool
}

func newDiffSide(v *table.View, s Side, q Query, names []string) *diffSide {
	d := &diffSide{execution: confine(v, q, s.At), names: names, infos: map[string]table.PeerInfo{}}
	if s.Peer != "" {
		d.only = v.Select(func(p *route.Peer) bool { return p.Name == s.Peer })
	}
	for _, info := range v.Peers() {
		d.infos[info.Peer.Name] = info
	}
	if q.Expr != nil {
		d.all = compile(q.Expr, s.At)
	}
	d.enter = func(f table.Found) { d.entries = append(d.entries, entry{f, d.place(f)}) }
	return d
}

// place returns the place of the name of a route's peer.
func (s *diffSide) place(f table.Found) int {
	i := int(f.Index())
	if i < len(s.places) && s.places[i] != 0 {
		return s.places[i] - 1
	}
	s.places = grow(s.places, i+1)
	at, _ := slices.BinarySearch(s.names, f.Peer().Name)
	s.places[i] = at + 1
	return at
}

// has reports whether the side has routes of the peer.
func (s *diffSide) has(name string, f route.Family) bool { return s.infos[name].Routes[f] > 0 }

// load makes the routes of a destination those at hand; nil: there are none.
func (s *diffSide) load(d *table.Dest) {
	s.entries, s.decided = s.entries[:0], s.decided[:0]
	if d == nil {
		return
	}
	s.dest = *d
	s.view.Each(s.dest, s.only, s.enter)
	e := s.entries
	for i := 1; i < len(e); i++ { // they are nearly in order
		for j := i; j > 0 && compareEntries(e[j-1], e[j]) > 0; j-- {
			if j < i-8 { // they are not
				slices.SortFunc(e, compareEntries)
				return
			}
			e[j-1], e[j] = e[j], e[j-1]
		}
	}
}

// sortBySet orders the routes at hand by the octets of their attributes.
func (s *diffSide) sortBySet() {
	slices.SortFunc(s.entries, func(x, y entry) int {
		if x.Set == y.Set {
			return compareEntries(x, y)
		}
		return cmp.Or(cmp.Compare(string(s.view.Set(x.Set)), string(s.view.Set(y.Set))), compareEntries(x, y))
	})
}

func (s *diffSide) route(e *entry) *route.Route {
	r := s.view.Route(e.Found)
	return &r
}

// isStale reports whether no session confirms the route. Few peers have stale
// routes at all.
func (s *diffSide) isStale(e *entry) bool {
	return s.infos[s.names[e.peer]].Stale[e.Family] > 0 && !s.route(e).StaleSince.IsZero()
}

// meets reports whether the route meets the query.
func (s *diffSide) meets(e *entry) bool {
	if s.all == nil {
		return true
	}
	if s.level < ofAll {
		return s.all(&subject{route: s.route(e)})
	}
	if len(s.decided) == 0 {
		s.decided = s.view.Routes(s.decided, s.dest, nil)
		s.moas = severalOrigins(s.decided)
	}
	for i := range s.decided {
		if r := &s.decided[i]; r.PathID == e.PathID && r.Peer.Name == s.names[e.peer] {
			return s.all(&subject{route: r, moas: s.moas})
		}
	}
	return false
}

// prepareSame makes conditions ready for routes that do not differ, which are
// many: those on attributes are decided once for each set.
func (s *diffSide) prepareSame(ctx context.Context) error {
	if s.few() || s.level == ofAll {
		return nil
	}
	s.same = s.compileRest().rest
	return s.decideSets(ctx)
}

// few reports whether one descent of the trie finds the prefixes.
func (s *diffSide) few() bool {
	return s.in.Match == Longest || s.in.Match == Exact || s.in.Match == OrShorter
}

// meetsSame is meets for routes that do not differ.
func (s *diffSide) meetsSame(e *entry) bool {
	switch {
	case s.all == nil:
		return true
	case s.few() || s.level == ofAll:
		return s.meets(e)
	case s.mask != nil && !s.mask.Has(e.Set):
		return false
	}
	if !s.chosen.Has(e.Index()) {
		return false
	}
	return s.same == nil || s.same(&subject{route: s.route(e)})
}

// destBlock is how many prefixes are taken of a trie at a time.
const destBlock = 1 << 10

// destinations are the prefixes of one family of one side, in order, taken of
// the trie in blocks.
type destinations struct {
	side   *diffSide
	family route.Family
	behind netip.Prefix
	block  []table.Dest
	at     int
	done   bool
}

// destinations returns the prefixes behind one, or all when it is invalid.
func (s *diffSide) destinations(f route.Family, behind netip.Prefix) *destinations {
	d := &destinations{side: s, family: f, behind: behind}
	if s.few() {
		d.done = true
		d.block = s.view.Covering(f, s.in.Prefix)
		d.block = slices.DeleteFunc(d.block, func(x table.Dest) bool {
			return s.in.Match == Exact && x.Prefix != s.in.Prefix || behind.IsValid() && x.Prefix.Bits() <= behind.Bits()
		})
	}
	return d
}

// peek returns the next destination, nil behind the last.
func (d *destinations) peek() *table.Dest {
	if d.at == len(d.block) && !d.done {
		d.fill()
	}
	if d.at == len(d.block) {
		return nil
	}
	return &d.block[d.at]
}

func (d *destinations) fill() {
	d.block, d.at, d.done = d.block[:0], 0, true
	for x := range d.side.view.Within(d.family, d.side.in.Prefix, d.behind) {
		d.block = append(d.block, x)
		if len(d.block) == destBlock {
			d.done = false
			break
		}
	}
	if len(d.block) > 0 {
		d.behind = d.block[len(d.block)-1].Prefix
	}
}
