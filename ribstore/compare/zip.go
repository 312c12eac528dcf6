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

// zipper walks the tries of two views in step, matches the routes of each
// prefix, and takes differences to add and to the tally.
//
// Attribute sets are canonical, so two routes are equal when the octets of their
// sets are. Octets are compared once for a pair of ids: equal remembers which
// set of B is that of A.
type zipper struct {
	Comparison

	sideA    *side
	sideB    *side
	names    []string // of the peers of both sides, sorted; an entry has the place of its peer
	across   bool     // the names of peers do not count
	counting bool     // count all, also what is equal and what add does not want any more
	most     int      // prefixes to walk; 0: all

	// add takes the differences of one prefix and reports whether more are wanted;
	// nil: none are.
	add    func([]Difference) bool
	full   bool
	tally  tally
	equal  []uint32 // by id of a set of A: 1 + the id of the same set of B
	causes [1 << 10]causeOfPair

	pairs  []pair
	found  []Difference // of the prefix at hand
	walked int
	last   query.Cursor // the last prefix walked
	more   bool         // there may be prefixes behind it

	held      tally // of the longest match so far
	heldFound []Difference
}

// pair is a route on both sides, or on one: the other is nil then.
type pair struct{ a, b *entry }

// causeOfPair remembers how two sets differ.
type causeOfPair struct {
	pair    uint64 // id of A << 32 | id of B, plus one
	cause   Cause
	changed *codes
}

func (c Comparison) newZipper(a, b *table.View, add func([]Difference) bool) *zipper {
	z := &zipper{Comparison: c, add: add, full: add == nil, across: c.a.Peer != "" || c.b.Peer != ""}
	for _, v := range []*table.View{a, b} {
		v.Select(func(p *route.Peer) bool {
			z.names = append(z.names, p.Name)
			return false
		})
	}
	slices.Sort(z.names)
	z.names = slices.Compact(z.names)
	z.sideA, z.sideB = newSide(a, c.a, c.query, z.names), newSide(b, c.b, c.query, z.names)
	z.equal = make([]uint32, a.Sets())
	z.counting = z.in().Match == query.Longest
	return z
}

// run walks all prefixes behind one, or all when it is invalid.
func (z *zipper) run(ctx context.Context, after query.Cursor) error {
	if z.counting {
		for _, s := range []*side{z.sideA, z.sideB} {
			if err := s.prepareSame(ctx); err != nil {
				return err
			}
		}
	}
	for _, f := range z.sideB.Families() {
		if after.Prefix.IsValid() && f < after.Family {
			continue
		}
		var behind netip.Prefix
		if f == after.Family {
			behind = after.Prefix
		}
		if err := z.family(ctx, f, behind); err != nil || z.more {
			return err
		}
		z.release()
	}
	return nil
}

// in returns what confines the prefixes.
func (z *zipper) in() query.In { return z.sideB.In() }

// family walks the prefixes of a family behind one.
func (z *zipper) family(ctx context.Context, f route.Family, behind netip.Prefix) error {
	a, b := z.sideA.destinations(f, behind), z.sideB.destinations(f, behind)
	piece := func() bool {
		for range destBlock {
			if !z.step(f, a, b) {
				return false
			}
		}
		return ctx.Err() == nil
	}
	for z.sideB.view.Turn(piece) {
	}
	return ctx.Err()
}

// step compares the next prefix and reports whether to go on.
func (z *zipper) step(f route.Family, a, b *destinations) bool {
	da, db := a.peek(), b.peek()
	if da == nil && db == nil {
		return false
	}
	if z.full && !z.counting || z.most > 0 && z.walked == z.most {
		z.more = true
		return false
	}
	switch order := compareDests(da, db); {
	case order < 0:
		db = nil
	case order > 0:
		da = nil
	}
	z.sideA.load(da)
	z.sideB.load(db)
	if da != nil {
		z.last = query.Cursor{Family: f, Prefix: da.Prefix}
		a.at++
	}
	if db != nil {
		z.last = query.Cursor{Family: f, Prefix: db.Prefix}
		b.at++
	}
	z.walked++
	z.prefix()
	return true
}

// compareDests orders by prefix, as a trie is walked; nil comes last.
func compareDests(a, b *table.Dest) int {
	switch {
	case b == nil:
		return -1
	case a == nil:
		return 1
	}
	if c := a.Prefix.Addr().Compare(b.Prefix.Addr()); c != 0 {
		return c
	}
	return cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits())
}

// prefix compares the routes of the prefix that both sides have loaded.
func (z *zipper) prefix() {
	if z.in().Match == query.Longest {
		z.prefixOfLongest()
		return
	}
	z.found = z.found[:0]
	z.matchAll()
	if len(z.found) > 0 {
		z.full = !z.add(z.found)
	}
}

// prefixOfLongest is prefix when only the most specific one with a route that
// meets the query counts: what it finds is held until there is a better one.
func (z *zipper) prefixOfLongest() {
	before := z.tally
	z.tally, z.found = tally{}, nil
	z.matchAll()
	if !z.tally.empty() {
		z.held, z.heldFound = z.tally, z.found
	}
	z.tally = before
}

// release takes what is held of a family.
func (z *zipper) release() {
	z.tally.join(&z.held)
	if len(z.heldFound) > 0 && !z.full {
		z.full = !z.add(z.heldFound)
	}
	z.held, z.heldFound = tally{}, nil
}

func (z *zipper) matchAll() {
	if z.across {
		z.matchAcross()
	} else {
		z.match()
	}
}

// match matches the routes of a prefix by peer and path identifier.
func (z *zipper) match() {
	a, b := z.sideA.entries, z.sideB.entries
	for len(a) > 0 && len(b) > 0 {
		switch order := compareEntries(a[0], b[0]); {
		case order < 0:
			z.pair(&a[0], nil)
			a = a[1:]
		case order > 0:
			z.pair(nil, &b[0])
			b = b[1:]
		default:
			z.pair(&a[0], &b[0])
			a, b = a[1:], b[1:]
		}
	}
	for i := range a {
		z.pair(&a[i], nil)
	}
	for i := range b {
		z.pair(nil, &b[i])
	}
}

// pair takes a route on both sides, or on one.
func (z *zipper) pair(a, b *entry) {
	switch {
	case b == nil:
		if z.sideA.meets(a) {
			z.differs(Withdrawn, z.causeGone(a, z.sideB, CausePrefixGone, CausePeerGone, CauseRouteGone), nil, a, nil)
		}
	case a == nil:
		if z.sideB.meets(b) {
			z.differs(Added, z.causeGone(b, z.sideA, CauseNewPrefix, CauseNewPeer, CauseNewRoute), nil, nil, b)
		}
	case z.same(a, b) && (!z.stale || z.sideA.isStale(a) == z.sideB.isStale(b)):
		if z.counting && (z.sideB.meetsSame(b) || z.sideA.meetsSame(a)) {
			z.tally.peer(b.peer).Same++
		}
	case z.sideB.meets(b) || z.sideA.meets(a):
		known := z.causeOf(a, b)
		z.differs(Changed, cmp.Or(known.cause, CauseStale), known.changed, a, b)
	}
}

// same reports whether two routes have equal attributes.
func (z *zipper) same(a, b *entry) bool {
	z.equal = grow(z.equal, int(a.Set)+1)
	if z.equal[a.Set] == b.Set+1 {
		return true
	}
	if string(z.sideA.view.Set(a.Set)) != string(z.sideB.view.Set(b.Set)) {
		return false
	}
	z.equal[a.Set] = b.Set + 1
	return true
}

// causeGone returns the cause of a route that only one side has, of the causes
// for a prefix, a peer and a route that the other side lacks.
func (z *zipper) causeGone(e *entry, other *side, prefix, peer, alone Cause) Cause {
	switch {
	case len(other.entries) == 0:
		return prefix
	case !z.across && !other.has(z.names[e.peer], e.Family):
		return peer
	}
	return alone
}

// causeOf returns how the sets of two routes differ.
func (z *zipper) causeOf(a, b *entry) *causeOfPair {
	ids := uint64(a.Set)<<32 | uint64(b.Set)
	known := &z.causes[ids*0x9e3779b97f4a7c15>>54]
	if known.pair != ids+1 {
		before, after := z.sideA.view.Set(a.Set), z.sideB.view.Set(b.Set)
		changed := differing(before, after)
		*known = causeOfPair{ids + 1, changed.cause(before, after), changed}
	}
	return known
}

// differs takes a difference: changed is set for a route on both sides.
func (z *zipper) differs(kind Kind, cause Cause, changed *codes, a, b *entry) {
	e := cmp.Or(b, a)
	stale := kind == Changed && z.stale && z.sideA.isStale(a) != z.sideB.isStale(b)
	if z.counting {
		z.tally.add(kind, cause, e.peer)
		if kind == Changed {
			z.tally.change(changed, stale)
		}
	}
	if z.full {
		return
	}
	d := Difference{Family: e.Family, Kind: kind, Cause: cause}
	if a != nil {
		d.Old = z.sideA.route(a)
		d.Prefix = d.Old.Prefix
	}
	if b != nil {
		d.New = z.sideB.route(b)
		d.Prefix = d.New.Prefix
	}
	if kind == Changed {
		d.Attributes = changed.names()
	}
	if stale {
		d.Attributes = append(d.Attributes, string(query.Stale))
	}
	z.found = append(z.found, d)
}

// matchAcross matches the routes of a prefix whatever peer they are of: equal
// ones first, then those with the same path identifier, then the rest in order.
func (z *zipper) matchAcross() {
	a, b := z.sideA.entries, z.sideB.entries
	z.pairs = z.pairs[:0]
	if len(a) > 1 || len(b) > 1 {
		z.sideA.sortBySet()
		z.sideB.sortBySet()
		a, b = z.pairUp(a, b, func(x, y *entry) int {
			return cmp.Compare(string(z.sideA.view.Set(x.Set)), string(z.sideB.view.Set(y.Set)))
		})
		byPath := func(x, y entry) int { return cmp.Or(cmp.Compare(x.PathID, y.PathID), compareEntries(x, y)) }
		slices.SortFunc(a, byPath)
		slices.SortFunc(b, byPath)
		a, b = z.pairUp(a, b, func(x, y *entry) int { return cmp.Compare(x.PathID, y.PathID) })
		slices.SortFunc(a, compareEntries)
		slices.SortFunc(b, compareEntries)
	}
	for i := range max(len(a), len(b)) {
		var p pair
		if i < len(a) {
			p.a = &a[i]
		}
		if i < len(b) {
			p.b = &b[i]
		}
		z.pairs = append(z.pairs, p)
	}
	slices.SortStableFunc(z.pairs, func(x, y pair) int { return compareEntries(*cmp.Or(x.b, x.a), *cmp.Or(y.b, y.a)) })
	for _, p := range z.pairs {
		z.pair(p.a, p.b)
	}
}

// pairUp pairs what compares equal of two sorted lists and returns the rest of
// each.
func (z *zipper) pairUp(a, b []entry, compare func(x, y *entry) int) (restA, restB []entry) {
	restA, restB = make([]entry, 0, len(a)), make([]entry, 0, len(b))
	for len(a) > 0 && len(b) > 0 {
		switch order := compare(&a[0], &b[0]); {
		case order < 0:
			restA, a = append(restA, a[0]), a[1:]
		case order > 0:
			restB, b = append(restB, b[0]), b[1:]
		default:
			z.pairs = append(z.pairs, pair{&a[0], &b[0]})
			a, b = a[1:], b[1:]
		}
	}
	return append(restA, a...), append(restB, b...)
}
