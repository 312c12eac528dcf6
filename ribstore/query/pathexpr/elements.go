package pathexpr

import (
	"slices"

	"ribglass/ribstore/route"
)

// elements is the syntax tree of an expression of Junos or BIRD, which speak of the
// elements of a path: AS numbers and sets. It is never modified.
type elements struct {
	op       op // opSet: one element, opConcat, opAlternate, opRepeat
	asns     []asnRange
	subs     []*elements
	min, max int  // of opRepeat
	sets     bool // of opSet: any element, also a set, whatever the dialect
}

// asnRange is a range of AS numbers, both ends in it.
type asnRange struct{ first, last route.ASN }

// anyOf is one AS number out of ranges; without any, whichever it is.
func anyOf(asns ...asnRange) *elements {
	if asns == nil {
		asns = []asnRange{{0, 1<<32 - 1}}
	}
	return &elements{op: opSet, asns: asns}
}

// anyElements is any sequence of elements, of least at the least.
func anyElements(least int) *elements {
	return repeated(&elements{op: opSet, sets: true}, least, unlimited)
}

func inOrder(subs ...*elements) *elements { return &elements{op: opConcat, subs: subs} }

func either(subs ...*elements) *elements {
	if len(subs) == 1 {
		return subs[0]
	}
	return &elements{op: opAlternate, subs: subs}
}

func repeated(n *elements, lo, hi int) *elements {
	return &elements{op: opRepeat, subs: []*elements{n}, min: lo, max: hi}
}

// isSequence reports whether the tree is [anyElements].
func (e *elements) isSequence() bool { return e.op == opRepeat && e.max == unlimited && e.subs[0].sets }

// tree returns the tree over characters that means the same on a path without sets and
// confederations.
func (e *elements) tree() *node { return wholePath(e.terms()) }

func (e *elements) terms() *node {
	switch {
	case e.op == opSet:
		return term(e.numbers())
	case e.isSequence() && e.min == 0:
		return anySequence()
	case e.isSequence() && e.min == 1:
		return someSequence()
	}
	subs := make([]*node, len(e.subs))
	for i, sub := range e.subs {
		subs[i] = sub.terms()
	}
	switch e.op {
	case opRepeat:
		return repeat(subs[0], e.min, e.max)
	case opAlternate:
		return eitherTerm(subs...)
	default:
		return concat(subs...)
	}
}

// numbers is the text of one AS number.
func (e *elements) numbers() *node {
	var subs []*node
	for _, r := range e.asns {
		switch {
		case r.first == 0 && r.last == 1<<32-1:
			return repeat(set(digits), 1, unlimited)
		case r.first == r.last:
			subs = append(subs, number(r.first))
		default:
			subs = append(subs, numbers(r.first, r.last))
		}
	}
	return alternate(subs...)
}

// maxElementNodes bounds the automaton over elements, and with it what an element of a
// path can cost.
const maxElementNodes = 1024

// elementNode is a node of the automaton over elements: one element that leads to
// out, or a split.
type elementNode struct {
	element  *elements // nil: a split, to out and alt
	out, alt int32
}

// elementNFA matches paths that have sets or confederations, of which the automaton
// over characters knows too little. Node 0 is the match. It is immutable.
type elementNFA struct {
	nodes []elementNode
	start int32
	bird  bool // sets are met as BIRD has it
}

func newElementNFA(e *elements, d Dialect) (*elementNFA, error) {
	a := &elementNFA{nodes: []elementNode{{}}, bird: d == BIRD}
	a.start = a.build(e, 0)
	if len(a.nodes) >= maxElementNodes {
		return nil, tooComplex()
	}
	return a, nil
}

func (a *elementNFA) add(n elementNode) int32 {
	if len(a.nodes) >= maxElementNodes {
		return 0
	}
	a.nodes = append(a.nodes, n)
	return int32(len(a.nodes) - 1)
}

// build adds the nodes of e, after which matching goes on at next, and returns the
// first. It ends early when there are too many.
func (a *elementNFA) build(e *elements, next int32) int32 {
	if len(a.nodes) >= maxElementNodes {
		return 0
	}
	switch e.op {
	case opSet:
		return a.add(elementNode{element: e, out: next})
	case opAlternate:
		first := a.build(e.subs[0], next)
		for _, sub := range e.subs[1:] {
			first = a.add(elementNode{out: first, alt: a.build(sub, next)})
		}
		return first
	case opRepeat:
		return a.repeat(e, next)
	default:
		for _, sub := range slices.Backward(e.subs) {
			next = a.build(sub, next)
		}
		return a.add(elementNode{out: next, alt: next})
	}
}

func (a *elementNFA) repeat(e *elements, next int32) int32 {
	sub, end := e.subs[0], next
	if e.max == unlimited {
		loop := a.add(elementNode{alt: next})
		if body := a.build(sub, loop); loop > 0 {
			a.nodes[loop].out = body
		}
		next = loop
	}
	for i := e.min; i < e.max && len(a.nodes) < maxElementNodes; i++ {
		next = a.add(elementNode{out: a.build(sub, next), alt: end})
	}
	for i := 0; i < e.min && len(a.nodes) < maxElementNodes; i++ {
		next = a.build(sub, next)
	}
	return next
}

// nodeSet is a set of nodes with element, or the match.
type nodeSet [maxElementNodes / 64]uint64

func (s *nodeSet) has(n int32) bool { return s[n/64]&(1<<(n%64)) != 0 }

// enter adds the nodes that are reached from n without an element.
func (a *elementNFA) enter(s, seen *nodeSet, n int32) {
	if seen.has(n) {
		return
	}
	seen[n/64] |= 1 << (n % 64)
	node := &a.nodes[n]
	if n == 0 || node.element != nil {
		s[n/64] |= 1 << (n % 64)
		return
	}
	a.enter(s, seen, node.out)
	a.enter(s, seen, node.alt)
}

// match reports whether the whole path matches.
func (a *elementNFA) match(path route.ASPath) bool {
	var at, seen nodeSet
	a.enter(&at, &seen, a.start)
	behindSet := false
	for s := range path.Segments() {
		isSet := s.Type == route.ASSet || s.Type == route.ASConfedSet
		switch {
		case isSet && a.bird:
			a.stepSet(&at, s, behindSet)
		case isSet:
			at = a.step(&at, s, 0, 0)
		default:
			for i := range s.Len() {
				at = a.step(&at, s, i, i+1)
			}
		}
		behindSet = isSet
	}
	return at.has(0)
}

// stepSet meets a set as BIRD 2 does: each of one or more items in a row is met by any of
// its members, and a set right behind a set may be passed over.
func (a *elementNFA) stepSet(at *nodeSet, s route.Segment, mayPass bool) {
	all := a.step(at, s, 0, s.Len())
	for {
		more := a.step(&all, s, 0, s.Len())
		for i := range more {
			more[i] |= all[i]
		}
		if more == all {
			break
		}
		all = more
	}
	if mayPass {
		for i := range all {
			all[i] |= at[i]
		}
	}
	*at = all
}

// step moves over one element, which is met by any of the members from i up to end, and
// by an element that takes whatever there is.
func (a *elementNFA) step(at *nodeSet, s route.Segment, i, end int) (next nodeSet) {
	var seen nodeSet
	for n := range members(at[:]) {
		e := a.nodes[n].element
		if e != nil && (e.sets || e.metBy(s, i, end)) {
			a.enter(&next, &seen, a.nodes[n].out)
		}
	}
	return next
}

func (e *elements) metBy(s route.Segment, i, end int) bool {
	for ; i < end; i++ {
		for _, r := range e.asns {
			if n := s.At(i); r.first <= n && n <= r.last {
				return true
			}
		}
	}
	return false
}
