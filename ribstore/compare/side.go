package compare

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"ribglass/ribstore/query"
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

// side is one side of a comparison under way: what confines it, and the
// routes of the prefix at hand.
type side struct {
	*query.Prepared

	view   *table.View
	only   table.Select // the peers that count; nil: all
	names  []string
	places []int // by index of a peer: 1 + the place of its name
	infos  map[string]table.PeerInfo

	dest    table.Dest
	entries []entry
	enter   func(table.Found) // appends to entries
	decided []route.Route     // all routes of dest, when a condition needs them
	moas    bool
}

func newSide(v *table.View, s Side, q query.Query, names []string) *side {
	d := &side{Prepared: query.Prepare(v, q, s.At), view: v, names: names, infos: map[string]table.PeerInfo{}}
	if s.Peer != "" {
		d.only = v.Select(func(p *route.Peer) bool { return p.Name == s.Peer })
	}
	for _, info := range v.Peers() {
		d.infos[info.Peer.Name] = info
	}
	d.enter = func(f table.Found) { d.entries = append(d.entries, entry{f, d.place(f)}) }
	return d
}

// place returns the place of the name of a route's peer.
func (s *side) place(f table.Found) int {
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
func (s *side) has(name string, f route.Family) bool { return s.infos[name].Routes[f] > 0 }

// load makes the routes of a destination those at hand; nil: there are none.
func (s *side) load(d *table.Dest) {
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
func (s *side) sortBySet() {
	slices.SortFunc(s.entries, func(x, y entry) int {
		if x.Set == y.Set {
			return compareEntries(x, y)
		}
		return cmp.Or(cmp.Compare(string(s.view.Set(x.Set)), string(s.view.Set(y.Set))), compareEntries(x, y))
	})
}

func (s *side) route(e *entry) *route.Route {
	r := s.view.Route(e.Found)
	return &r
}

// isStale reports whether no session confirms the route. Few peers have stale
// routes at all.
func (s *side) isStale(e *entry) bool {
	return s.infos[s.names[e.peer]].Stale[e.Family] > 0 && !s.route(e).StaleSince.IsZero()
}

// meets reports whether the route meets the query.
func (s *side) meets(e *entry) bool {
	switch {
	case s.MetByAll():
		return true
	case !s.NeedsPrefix():
		return s.Meets(s.route(e), false)
	}
	if len(s.decided) == 0 {
		s.decided = s.view.Routes(s.decided, s.dest, nil)
		s.moas = query.SeveralOrigins(s.decided)
	}
	for i := range s.decided {
		if r := &s.decided[i]; r.PathID == e.PathID && r.Peer.Name == s.names[e.peer] {
			return s.Meets(r, s.moas)
		}
	}
	return false
}

// prepareSame makes conditions ready for routes that do not differ, which are
// many: those on attributes are decided once for each set.
func (s *side) prepareSame(ctx context.Context) error {
	if s.few() || s.NeedsPrefix() {
		return nil
	}
	return s.DecideSets(ctx)
}

// few reports whether one descent of the trie finds the prefixes.
func (s *side) few() bool {
	m := s.In().Match
	return m == query.Longest || m == query.Exact || m == query.OrShorter
}

// meetsSame is meets for routes that do not differ.
func (s *side) meetsSame(e *entry) bool {
	switch {
	case s.MetByAll():
		return true
	case s.few() || s.NeedsPrefix():
		return s.meets(e)
	}
	return s.MeetsFound(e.Found)
}

// destBlock is how many prefixes are taken of a trie at a time.
const destBlock = 1 << 10

// destinations are the prefixes of one family of one side, in order, taken of
// the trie in blocks.
type destinations struct {
	side   *side
	family route.Family
	behind netip.Prefix
	block  []table.Dest
	at     int
	done   bool
}

// destinations returns the prefixes behind one, or all when it is invalid.
func (s *side) destinations(f route.Family, behind netip.Prefix) *destinations {
	d := &destinations{side: s, family: f, behind: behind}
	if s.few() {
		d.done = true
		d.block = s.view.Covering(f, s.In().Prefix)
		d.block = slices.DeleteFunc(d.block, func(x table.Dest) bool {
			return s.In().Match == query.Exact && x.Prefix != s.In().Prefix || behind.IsValid() && x.Prefix.Bits() <= behind.Bits()
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
	for x := range d.side.view.Within(d.family, d.side.In().Prefix, d.behind) {
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
