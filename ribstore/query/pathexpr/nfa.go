package pathexpr

import "slices"

// maxNodes bounds the nondeterministic automaton, and with it what a nest of
// bounded repetitions can unfold to.
const maxNodes = 8192

type nodeKind uint8

const (
	kindMatch nodeKind = iota
	kindSet            // moves to out on a symbol of set
	kindSplit          // is in out and in alt at once
	kindBegin          // is in out at the start of the path
	kindEnd            // is in out at the end of the path
)

type nfaNode struct {
	kind     nodeKind
	set      symbols
	out, alt int32
}

// nfa is the automaton of Thompson's construction. Node 0 is the match.
type nfa struct {
	nodes    []nfaNode
	start    int32
	overflow bool
}

func buildNFA(tree *node) (*nfa, error) {
	a := &nfa{nodes: []nfaNode{{kind: kindMatch}}}
	a.start = a.build(tree, 0)
	if a.overflow {
		return nil, tooComplex()
	}
	return a, nil
}

func tooComplex() error {
	return &Error{1, "the expression is too complex; anchor it with ^ or $, or use fewer and smaller repetitions"}
}

func (a *nfa) add(n nfaNode) int32 {
	if len(a.nodes) >= maxNodes {
		a.overflow = true
		return 0
	}
	a.nodes = append(a.nodes, n)
	return int32(len(a.nodes) - 1)
}

// build adds the nodes of n, after which matching goes on at next, and returns
// the first. Every call adds one at least, so that the bound on
// nodes bounds the calls too.
func (a *nfa) build(n *node, next int32) int32 {
	if a.overflow {
		return 0
	}
	switch n.op {
	case opSet:
		return a.add(nfaNode{kind: kindSet, set: n.set, out: next})
	case opBegin:
		return a.add(nfaNode{kind: kindBegin, out: next})
	case opEnd:
		return a.add(nfaNode{kind: kindEnd, out: next})
	case opDelimiter:
		edge := a.add(nfaNode{kind: kindSplit, out: a.build(leaf(opBegin), next), alt: a.build(leaf(opEnd), next)})
		return a.add(nfaNode{kind: kindSplit, out: edge, alt: a.build(set(delimiters), next)})
	case opConcat:
		for _, sub := range slices.Backward(n.subs) {
			next = a.build(sub, next)
		}
		return next
	case opAlternate:
		first := a.build(n.subs[0], next)
		for _, sub := range n.subs[1:] {
			first = a.add(nfaNode{kind: kindSplit, out: first, alt: a.build(sub, next)})
		}
		return first
	case opRepeat:
		return a.repeat(n, next)
	case opEmpty:
	}
	return a.add(nfaNode{kind: kindSplit, out: next, alt: next})
}

func (a *nfa) repeat(n *node, next int32) int32 {
	sub := n.subs[0]
	if n.max == unlimited {
		loop := a.add(nfaNode{kind: kindSplit, alt: next})
		body := a.build(sub, loop)
		a.nodes[loop].out = body
		next = loop
	} else {
		end := next
		for i := n.min; i < n.max && !a.overflow; i++ {
			next = a.add(nfaNode{kind: kindSplit, out: a.build(sub, next), alt: end})
		}
	}
	for i := 0; i < n.min && !a.overflow; i++ {
		next = a.build(sub, next)
	}
	return next
}
