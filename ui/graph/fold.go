package graph

import (
	"cmp"
	"slices"
)

// folded is the outcome of folding: the nodes to draw, and the hops of every walk
// over them.
type folded struct {
	nodes       []Node
	hops        [][]Hop
	ases, peers int // that are not drawn
}

// group is a run of hidden nodes of walks that lead to the same node or, at the
// end of a path, that come from the same node. One node is drawn for it.
type group struct {
	before, after int // a node or -1: one of them says where the group is
}

// folding hides nodes that walks seldom visit.
type folding struct {
	m       *merged
	drawn   []bool
	members map[group]map[int]bool
	homes   []map[group]bool // of a hidden node, in which groups it is
	numbers map[any]int      // of a node or a group, its number in out
	out     folded
}

// fold chooses what is drawn, and puts one node in place of each branch that is
// not.
func (m *merged) fold(o Options) folded {
	f := &folding{
		m: m, drawn: m.choose(o), members: map[group]map[int]bool{}, homes: make([]map[group]bool, len(m.keys)), numbers: map[any]int{},
	}
	for i := range m.walks {
		f.runs(m.walks[i].steps, func(step) {}, f.collect)
	}
	for i := range m.walks {
		var hops []Hop
		f.runs(m.walks[i].steps,
			func(s step) { hops = append(hops, Hop{f.node(s.node), s.times}) },
			func(run []step, g group) { hops = append(hops, f.stand(run, g)) })
		f.out.hops = append(f.out.hops, hops)
	}
	f.count()
	return f.out
}

// choose returns which nodes are drawn: those of best routes first, then the most
// used ones. Of equals those of the first walks are drawn, so that whole ways are.
func (m *merged) choose(o Options) []bool {
	type use struct {
		node, routes int
		best         bool
	}
	uses := make([]use, len(m.keys))
	for i := range m.walks {
		w := &m.walks[i]
		for _, s := range w.steps {
			uses[s.node].routes += w.routes
			uses[s.node].best = uses[s.node].best || w.best
		}
	}
	for i := range uses {
		uses[i].node = i
	}
	slices.SortFunc(uses, func(a, b use) int {
		if a.best != b.best {
			if a.best {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.routes, a.routes), cmp.Compare(a.node, b.node))
	})
	drawn := make([]bool, len(m.keys))
	ases, peers := o.ASes, o.Peers
	for _, u := range uses {
		left := &ases
		if m.keys[u.node].kind == Peer {
			left = &peers
		}
		if *left > 0 { // what is hidden makes no room for what is used less
			*left--
			drawn[u.node] = !m.hidden[u.node]
		}
	}
	return drawn
}

// runs goes through the steps of a walk: shown is called for a step that is
// drawn, hidden for a run of such that are not.
func (f *folding) runs(steps []step, shown func(step), hidden func([]step, group)) {
	before := -1
	for i := 0; i < len(steps); {
		if f.isDrawn(steps[i]) {
			shown(steps[i])
			before = steps[i].node
			i++
			continue
		}
		end := i + 1
		for end < len(steps) && !f.isDrawn(steps[end]) {
			end++
		}
		g := group{before, -1}
		if end < len(steps) {
			g = group{-1, steps[end].node}
		}
		hidden(steps[i:end], g)
		i = end
	}
}

func (f *folding) isDrawn(s step) bool { return f.drawn[s.node] && !s.hidden }

func (f *folding) collect(run []step, g group) {
	if f.members[g] == nil {
		f.members[g] = map[int]bool{}
	}
	for _, s := range run {
		f.members[g][s.node] = true
		if f.homes[s.node] == nil {
			f.homes[s.node] = map[group]bool{}
		}
		f.homes[s.node][g] = true
	}
}

// stand returns the hop that stands for a run. A node that is alone in its group
// and in no other takes no more room than the node for the group: it is drawn.
func (f *folding) stand(run []step, g group) Hop {
	if one := run[0]; len(f.members[g]) == 1 && len(f.homes[one.node]) == 1 && !f.drawn[one.node] {
		return Hop{f.node(one.node), one.times}
	}
	at, ok := f.numbers[g]
	if !ok {
		n := Node{Kind: Fold}
		for member := range f.members[g] {
			if f.m.keys[member].kind == Peer {
				n.FoldedPeers++
			} else {
				n.FoldedASes++
			}
		}
		at = f.add(g, n)
	}
	return Hop{at, 1}
}

// node returns the number of a node that is drawn.
func (f *folding) node(number int) int {
	if at, ok := f.numbers[number]; ok {
		return at
	}
	k := f.m.keys[number]
	n := Node{Kind: k.kind, ASN: k.asn, key: number}
	switch k.kind {
	case Peer:
		n.Peer = k.text
	case Set, ConfedSet:
		n.ASNs = f.m.sets[k.text]
	case AS, ConfedAS, Fold, numOfKinds:
	}
	return f.add(number, n)
}

func (f *folding) add(id any, n Node) int {
	f.numbers[id] = len(f.out.nodes)
	f.out.nodes = append(f.out.nodes, n)
	return f.numbers[id]
}

// count counts the nodes that are nowhere drawn.
func (f *folding) count() {
	for i, k := range f.m.keys {
		switch _, shown := f.numbers[i]; {
		case shown:
		case k.kind == Peer:
			f.out.peers++
		default:
			f.out.ases++
		}
	}
}
