package query

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/query/pathexpr"
	"ribglass/ribstore/route"
)

// level is what a condition needs to be decided, from the cheapest on.
type level uint8

const (
	ofSet  level = iota // the attribute set alone: once for many routes
	ofDest              // the prefix, and what a route has of its own
	ofAll               // all routes of the prefix
)

func levelOf(e Expr) level {
	most := ofSet
	switch e := e.(type) {
	case And:
		for _, part := range e {
			most = max(most, levelOf(part))
		}
	case Or:
		for _, part := range e {
			most = max(most, levelOf(part))
		}
	case Not:
		most = levelOf(e.Of)
	case In, Named, InFamily, Age:
		most = ofDest
	case Compare:
		if e.Number == Length || e.Number == PathID {
			most = ofDest
		}
	case Is:
		switch e {
		case Best, MOAS:
			most = ofAll
		case Stale, Bogon:
			most = ofDest
		case Prepended, PrivateAS, HasOTC, NoOrigin, NoNeighbor:
		}
	}
	return most
}

// test decides a condition. It may keep scratch memory: one goroutine uses it.
type test func(*subject) bool

// compile makes the test of a condition. now is the moment ages count from.
func compile(e Expr, now time.Time) test {
	switch e := e.(type) {
	case nil:
		return func(*subject) bool { return true }
	case And:
		return compileAnd(e, now)
	case Or:
		return compileOr(e, now)
	case Not:
		of := compile(e.Of, now)
		return func(s *subject) bool { return !of(s) }
	case In:
		return func(s *subject) bool { return e.has(s.prefix()) }
	case Named:
		return func(s *subject) bool { return e.of(s.peer()) == e.Name }
	case InFamily:
		return func(s *subject) bool { return s.family() == e.Family }
	case Age:
		limit := e.limit(now)
		return func(s *subject) bool { return s.receivedBefore(limit) == e.Older }
	case Is:
		return compileIs(e)
	case Compare:
		return compileCompare(e)
	}
	of := compileSet(e)
	return func(s *subject) bool { return of(s.attrs()) }
}

// limit returns the moment that the age is about. Ages count from now.
func (e Age) limit(now time.Time) time.Time {
	if e.At.IsZero() {
		return now.Add(-e.Ago)
	}
	return e.At
}

func compileAnd(e And, now time.Time) test {
	tests := make([]test, len(e))
	for i, part := range e {
		tests[i] = compile(part, now)
	}
	return func(s *subject) bool {
		for _, t := range tests {
			if !t(s) {
				return false
			}
		}
		return true
	}
}

func compileOr(e Or, now time.Time) test {
	tests := make([]test, len(e))
	for i, part := range e {
		tests[i] = compile(part, now)
	}
	return func(s *subject) bool {
		for _, t := range tests {
			if t(s) {
				return true
			}
		}
		return false
	}
}

func compileCompare(e Compare) test {
	switch e.Number {
	case Length:
		return func(s *subject) bool { return e.Op.holds(uint64(s.bits()), e.Value) }
	case PathID:
		return func(s *subject) bool {
			return s.peer().AddPath[s.family()] && e.Op.holds(uint64(s.pathID()), e.Value)
		}
	case PathLength, PathHops, MED, LocalPref:
	}
	of := compileSet(e)
	return func(s *subject) bool { return of(s.attrs()) }
}

func compileIs(e Is) test {
	switch e {
	case Stale:
		return func(s *subject) bool { return s.stale() }
	case Best:
		return func(s *subject) bool { return s.best() }
	case MOAS:
		return func(s *subject) bool { return s.moas }
	case Bogon:
		return func(s *subject) bool { return isBogon(s.prefix()) }
	case Prepended, PrivateAS, HasOTC, NoOrigin, NoNeighbor:
	}
	of := compileSet(e)
	return func(s *subject) bool { return of(s.attrs()) }
}

// has reports whether the prefix is selected. Longest counts as covering: the
// plan sees to it that only the longest is asked.
func (e In) has(p netip.Prefix) bool {
	if p.Addr().BitLen() != e.Prefix.Addr().BitLen() {
		return false
	}
	if e.Ge > 0 && p.Bits() < int(e.Ge) || e.Le > 0 && p.Bits() > int(e.Le) {
		return false
	}
	switch e.Match {
	case Exact:
		return p == e.Prefix
	case OrLonger:
		return p.Bits() >= e.Prefix.Bits() && e.Prefix.Contains(p.Addr())
	case OrShorter, Longest:
		return p.Bits() <= e.Prefix.Bits() && p.Contains(e.Prefix.Addr())
	case Any:
	}
	return true
}

// Of reports whether the peer is called so.
func (e Named) Of(p *route.Peer) bool { return e.of(p) == e.Name }

func (e Named) of(p *route.Peer) string {
	switch e.Label {
	case Router:
		return p.RouterName()
	case Group:
		return p.Group
	case PeerAS:
		return p.ASN.String()
	case PeerAddress:
		return p.Address.String()
	case Peer:
	}
	return p.Name
}

// setTest decides a condition on an attribute set.
type setTest func(route.Attrs) bool

// compileSet makes the test of a condition of level ofSet.
func compileSet(e Expr) setTest {
	switch e := e.(type) {
	case And:
		return allSets(e)
	case Or:
		return anySet(e)
	case Not:
		of := compileSet(e.Of)
		return func(a route.Attrs) bool { return !of(a) }
	case Origin, NeighborAS, Via, Path:
		return compilePath(e)
	case Compare:
		return compareTest(e)
	case Community:
		return e.test()
	case LargeCommunity:
		return e.in
	case ExtCommunity:
		return e.in
	case NextHop:
		return func(a route.Attrs) bool { return e.Prefix.Contains(a.NextHop()) }
	case OTC:
		return func(a route.Attrs) bool { n, ok := a.OTC(); return ok && e.has(n) }
	case OriginCode:
		return func(a route.Attrs) bool { return a.Origin() == e.Origin }
	case Is:
		return compileSetIs(e)
	}
	return func(route.Attrs) bool { return false }
}

// compilePath makes the test of a condition on the AS path.
func compilePath(e Expr) setTest {
	switch e := e.(type) {
	case Origin:
		return func(a route.Attrs) bool { return anyIn(a.ASPath().Origins(), e.ASNs) }
	case NeighborAS:
		return func(a route.Attrs) bool { return anyIn(a.ASPath().Neighbors(), e.ASNs) }
	case Via:
		return viaTest(e)
	case Path:
		return pathTest(e.Pattern)
	}
	return nil
}

func compileSetIs(e Is) setTest {
	switch e {
	case Prepended:
		return func(a route.Attrs) bool { return isPrepended(a.ASPath()) }
	case PrivateAS:
		return func(a route.Attrs) bool { return hasPrivate(a.ASPath()) }
	case HasOTC:
		return func(a route.Attrs) bool { _, ok := a.OTC(); return ok }
	case NoOrigin, NoNeighbor:
		return func(a route.Attrs) bool { return a.ASPath().Len() == 0 }
	case Stale, Best, MOAS, Bogon:
	}
	return func(route.Attrs) bool { return false }
}

func allSets(e And) setTest {
	// The cheapest decides first: it often decides alone.
	parts := slices.SortedStableFunc(slices.Values(e), func(a, b Expr) int { return cmp.Compare(effort(a), effort(b)) })
	tests := make([]setTest, len(e))
	for i, part := range parts {
		tests[i] = compileSet(part)
	}
	return func(a route.Attrs) bool {
		for _, t := range tests {
			if !t(a) {
				return false
			}
		}
		return true
	}
}

// effort ranks conditions on attribute sets by what it takes to decide them.
func effort(e Expr) int {
	most := 0
	switch e := e.(type) {
	case And:
		for _, part := range e {
			most = max(most, effort(part))
		}
	case Or:
		for _, part := range e {
			most = max(most, effort(part)+1)
		}
	case Not:
		return effort(e.Of)
	case Via:
		return 1
	case Path:
		return 2
	case Community, LargeCommunity:
		return 3
	case ExtCommunity:
		return 4
	}
	return most
}

func anySet(e Or) setTest {
	tests := make([]setTest, len(e))
	for i, part := range e {
		tests[i] = compileSet(part)
	}
	return func(a route.Attrs) bool {
		for _, t := range tests {
			if t(a) {
				return true
			}
		}
		return false
	}
}

func pathTest(p *pathexpr.Pattern) setTest {
	m := p.Matcher()
	return func(a route.Attrs) bool { return m.Match(a.ASPath()) }
}

func compareTest(e Compare) setTest {
	return func(a route.Attrs) bool {
		switch e.Number {
		case PathLength:
			return e.Op.holds(uint64(a.ASPath().Len()), e.Value)
		case PathHops:
			return e.Op.holds(uint64(hops(a.ASPath())), e.Value)
		case MED:
			n, ok := a.MED()
			return ok && e.Op.holds(uint64(n), e.Value)
		case LocalPref:
			n, ok := a.LocalPref()
			return ok && e.Op.holds(uint64(n), e.Value)
		case Length, PathID:
		}
		return false
	}
}

func hasPrivate(p route.ASPath) bool {
	for n := range p.All() {
		if n >= 64512 && n <= 65534 || n >= 4200000000 && n <= 4294967294 {
			return true
		}
	}
	return false
}

// bogons are the blocks that no route of the Internet lies in: the
// special-purpose registries of RFC 6890 as of 2026 that are not globally
// reachable, multicast, and space that is reserved.
var bogons = func() []netip.Prefix { //nolint:gochecknoglobals // constant: a slice cannot be one
	var list []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
		"::/8", "100::/64", "2001:2::/48", "2001:10::/28", "2001:db8::/32", "3fff::/20", "5f00::/16",
		"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// bogonRanges are the ranges that a walk visits to meet all bogons: their blocks and the
// default routes.
var bogonRanges = append([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}, bogons...) //nolint:gochecknoglobals // constant: a slice cannot be one

// bogonOctets are the first octets of addresses in a block, of IPv4 and IPv6.
var bogonOctets = func() (octets [2][256]bool) { //nolint:gochecknoglobals // constant: an array cannot be one
	for _, b := range bogons {
		first, family := b.Addr().AsSlice()[0], b.Addr().BitLen()/128
		for n := range 1 << max(0, 8-b.Bits()) {
			octets[family][int(first)+n] = true
		}
	}
	return octets
}()

func isBogon(p netip.Prefix) bool {
	if p.Bits() == 0 {
		return true
	}
	// An IPv4 address is the last four of its sixteen octets.
	octets, family := p.Addr().As16(), p.Addr().BitLen()/128
	if first := octets[12*(1-family)]; !bogonOctets[family][first] {
		return false
	}
	for _, b := range bogons {
		if b.Addr().Is4() == p.Addr().Is4() && b.Overlaps(p) && b.Bits() <= p.Bits() {
			return true
		}
	}
	return false
}
