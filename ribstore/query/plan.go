package query

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Method is the way a query is answered.
type Method string

// The methods.
const (
	LongestMatch Method = "longest-match" // one descent of the trie
	ExactMatch   Method = "exact"         // idem
	Covering     Method = "or-shorter"    // idem
	Walk         Method = "walk"          // the prefixes of a range, in order
	Scan         Method = "scan"          // every route, after a look at every attribute set
)

// Plan tells how a query is answered and what that costs.
type Plan struct {
	Method Method
	// Sets, when not empty, are the conditions decided once for each distinct
	// attribute set; Routes those decided for each route that is left.
	Sets, Routes string
	// View tells which views of routers are asked, "" when the table has only
	// sessions of the collector.
	View string
	// Cost is the estimate of what is touched: attribute sets plus routes.
	Cost int
}

// String returns the plan in one line.
func (p Plan) String() string {
	s := string(p.Method)
	if p.Sets != "" {
		s += "; by attribute set: " + p.Sets
	}
	if p.Routes != "" {
		s += "; by route: " + p.Routes
	}
	if p.View != "" {
		s += "; view: " + p.View
	}
	return s
}

// walkMost is how many prefixes a range may have to be walked: from there on a
// scan is cheaper.
const walkMost = 20_000

// execution is a query made ready for one view.
type execution struct {
	view     *table.View
	query    Query
	now      time.Time
	families []route.Family
	in       In   // confines the prefixes; Any: nothing does
	sets     Expr // conditions of level ofSet, nil: none
	rest     Expr // the others but in, nil: none
	level    level
	asked    []Is           // words of level ofAll among the conditions
	ranges   []netip.Prefix // that a walk visits instead of in; nil: in
	plan     Plan

	// What a scan confines itself to, its attribute sets once looked is set.
	wanted  table.Wanted
	looked  bool
	ranks   []table.Rank // by attribute set, when the best are asked for
	origins []uint64     // by attribute set, when MOAS is asked for
}

// Explain tells how a query would be answered from what is known.
func Explain(k Known, q Query) (plan Plan) {
	_ = k.ViewFor(q, func(v *table.View) error {
		plan = prepare(v, q, k.At).plan
		return nil
	})
	return plan
}

func prepare(v *table.View, q Query, now time.Time) *execution {
	x := confine(v, q, now)
	x.choosePlan()
	return x
}

// confine is prepare without a plan: for who knows already what to look at.
func confine(v *table.View, q Query, now time.Time) *execution {
	x := &execution{view: v, query: q, now: now}
	var at int
	x.in, at = confinement(q.Expr)
	var sets, rest And
	for i, part := range conjuncts(q.Expr) {
		switch {
		case i == at:
		case levelOf(part) == ofSet:
			sets = append(sets, part)
		default:
			rest = append(rest, part)
		}
	}
	x.sets, x.rest = join(sets), join(rest)
	x.level = levelOf(rest)
	if x.level == ofAll {
		x.asked = decidedWords(x.rest)
	}
	x.choosePeers(rest)
	x.chooseWords(rest)
	x.chooseFamilies(rest)
	return x
}

func join(parts And) Expr {
	switch len(parts) {
	case 0:
		return nil
	case 1:
		return parts[0]
	}
	return parts
}

// choosePeers leaves out the peers that a condition on labels rules out.
func (x *execution) choosePeers(rest And) {
	var labels []Expr
	for _, part := range rest {
		if isLabels(part) {
			labels = append(labels, part)
		}
	}
	if len(labels) == 0 {
		return
	}
	meets := compile(And(labels), x.now)
	x.wanted.Peers = x.view.Select(func(p *route.Peer) bool { return meets(&subject{route: &route.Route{Peer: p}}) })
}

// chooseWords confines a scan by the conditions that the word of a route decides.
func (x *execution) chooseWords(rest And) {
	for _, part := range rest {
		switch part := part.(type) {
		case Age:
			if s, ok := part.second(x.now); !ok {
				continue
			} else if part.Older {
				if x.wanted.Before == 0 || s < x.wanted.Before {
					x.wanted.Before = s
				}
			} else {
				x.wanted.From = max(x.wanted.From, s)
			}
		case Is:
			x.wanted.Stale = x.wanted.Stale || part == Stale
		case Not:
			x.wanted.Fresh = x.wanted.Fresh || part.Of == Stale
		}
	}
	if x.wanted.Stale {
		x.wanted.Peers = x.wanted.Peers.And(x.view.WithStale())
	}
}

// second returns the first second of receipt that is not before the moment of the age,
// when routes can have it.
func (e Age) second(now time.Time) (uint32, bool) {
	limit := e.limit(now)
	s := limit.Unix()
	if limit.Nanosecond() > 0 {
		s++
	}
	return uint32(s), s > 0 && s <= math.MaxUint32
}

// isOfWord reports whether a scan is confined by the condition, see chooseWords.
func (x *execution) isOfWord(e Expr) bool {
	switch e := e.(type) {
	case Age:
		_, ok := e.second(x.now)
		return ok
	case Is:
		return e == Stale
	case Not:
		return e.Of == Stale
	}
	return false
}

// wants reports whether the query asks for the best routes, or for MOAS.
func (x *execution) wants(word Is) bool { return slices.Contains(x.asked, word) }

// decidedWords lists the words of level ofAll in an expression.
func decidedWords(e Expr) (words []Is) {
	switch e := e.(type) {
	case And:
		for _, part := range e {
			words = append(words, decidedWords(part)...)
		}
	case Or:
		for _, part := range e {
			words = append(words, decidedWords(part)...)
		}
	case Not:
		words = decidedWords(e.Of)
	case Is:
		if levelOf(e) == ofAll {
			words = []Is{e}
		}
	}
	return words
}

// isLabels reports whether a condition chooses peers.
func isLabels(e Expr) bool {
	return slices.ContainsFunc([]Label{Peer, Router, Group, PeerAS, PeerAddress}, func(l Label) bool {
		_, ok := alternatives(e, l)
		return ok
	})
}

// isFamilies reports whether a condition chooses families.
func isFamilies(e Expr) bool {
	_, ok := familyAlternatives(e)
	return ok
}

func (x *execution) chooseFamilies(rest And) {
	for _, f := range route.Families() {
		if x.in.Match != Any && x.in.Prefix.Addr().BitLen() != f.Bits() {
			continue
		}
		if familyPossible(rest, f) {
			x.families = append(x.families, f)
		}
	}
}

// familyPossible reports whether no conjunct rules the family out.
func familyPossible(rest And, f route.Family) bool {
	for _, part := range rest {
		if only, ok := familyAlternatives(part); ok && !slices.Contains(only, f) {
			return false
		}
	}
	return true
}

func (x *execution) choosePlan() {
	x.plan = Plan{Method: Scan, View: x.query.Scope.String()}
	if x.plan.View == "" && !x.view.Only(route.AdjRIBIn) {
		x.plan.View = "the first of each router"
	}
	if x.sets != nil {
		x.plan.Sets = string(x.sets.appendText(nil))
	}
	if x.rest != nil {
		x.plan.Routes = string(x.rest.appendText(nil))
	}
	switch x.in.Match {
	case Longest:
		x.plan.Method = LongestMatch
	case Exact:
		x.plan.Method = ExactMatch
	case OrShorter:
		x.plan.Method = Covering
	case OrLonger, Any:
		x.chooseWalkOrScan()
		return
	}
	x.plan.Cost = len(x.view.Covering(x.families0(), x.in.Prefix))
}

// families0 is the first family left, for queries that have a prefix.
func (x *execution) families0() route.Family {
	if len(x.families) == 0 {
		return route.IPv4Unicast
	}
	return x.families[0]
}

func (x *execution) chooseWalkOrScan() {
	if x.in.Match == Any && slices.Contains(conjuncts(x.rest), Expr(Bogon)) {
		x.ranges = bogonRanges
	}
	prefixes, routes := 0, 0
	for _, f := range x.families {
		prefixes += x.walkCount(f)
		routes += x.view.Total(f, x.wanted.Peers)
	}
	if prefixes < walkMost || x.simple() {
		x.plan.Method, x.plan.Cost = Walk, prefixes
		return
	}
	x.plan.Cost = routes
	if x.sets != nil {
		x.plan.Cost += x.countSets()
	}
}

// simple reports whether the total is known without looking at routes: then
// only a page of them is ever touched.
func (x *execution) simple() bool {
	return x.sets == nil && x.rest == nil &&
		(x.in.Match == Any || x.in.Match == OrLonger && x.in.Prefix.Bits() == 0 && x.in.Ge == 0 && x.in.Le == 0)
}

// walkCount counts the prefixes of the range, up to walkMost.
func (x *execution) walkCount(f route.Family) int {
	switch {
	case x.ranges != nil, x.in.Match != Any && x.in.Prefix.Bits() > 0:
	case x.view.Confined(): // how many prefixes the others have is not told
		return x.view.Total(f, nil)
	default:
		return x.view.Slots(f)
	}
	n := 0
	for range x.walk(f) {
		if n++; n >= walkMost {
			break
		}
	}
	return n
}

// countSets estimates how many attribute sets there are. How many the peers have
// that are not seen is not told, also not by a plan: there are no more sets than
// routes.
func (x *execution) countSets() int {
	if !x.view.Confined() {
		return x.view.Sets()
	}
	n := 0
	for _, f := range route.Families() {
		n += x.view.Total(f, nil)
	}
	return n
}

// tests are the conditions made for one goroutine, and its scratch memory.
type tests struct {
	all     test           // of a route, the prefix included
	rest    test           // what a scan leaves for routes; nil: none
	contest *table.Contest // nil: the best are not asked for
	subject subject
	met     []table.Found
}

// compile makes the conditions on whole routes.
func (x *execution) compile() tests {
	t := x.newTests()
	t.all = compile(x.query.Expr, x.now)
	return t
}

func (x *execution) newTests() tests {
	t := tests{subject: subject{view: x.view}}
	if x.wants(Best) {
		t.contest = x.view.NewContest(x.ranks)
	}
	return t
}

// compileRest makes the conditions that are left for routes whose set meets its own, of
// peers that are chosen; of a scan less, which looks at words too.
func (x *execution) compileRest(scan bool) tests {
	t := x.newTests()
	var confined And
	for _, part := range conjuncts(x.rest) {
		if isLabels(part) || isFamilies(part) { // whom a scan asks is chosen already
			continue
		}
		// A scan for prefixes meets the routes beside a wanted one too.
		if !scan || x.level == ofAll || !x.isOfWord(part) {
			confined = append(confined, part)
		}
	}
	if x.in.Match == OrLonger {
		confined = append(confined, x.in)
	}
	if len(confined) > 0 {
		t.rest = compile(join(confined), x.now)
	}
	return t
}
