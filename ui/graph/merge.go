package graph

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	"ribglass/ribstore/route"
)

// key tells nodes apart. A member AS of a confederation is not the AS of the same
// number outside.
type key struct {
	kind Kind
	asn  route.ASN
	text string // the name of a peer, the members of a set
}

// step is a node on the way of a walk, by its number in merged.keys.
type step struct {
	node, times int
	hidden      bool // the path is too long to be drawn whole
}

// walk is a distinct path of a peer, before folding.
type walk struct {
	peer    string
	peerASN route.ASN
	path    route.ASPath
	routes  int
	best    bool
	steps   []step
}

// merged are the paths of an input, each once.
type merged struct {
	walks                 []walk
	keys                  []key
	hidden                []bool // nodes that are not to be drawn
	sets                  map[string][]route.ASN
	routes                int
	leftPaths, leftRoutes int
}

// merge makes one walk of equal paths and keeps the best and most used of them.
func merge(in Input, most int) *merged {
	type same struct {
		peer string
		asn  route.ASN
		path string
	}
	m := &merged{sets: map[string][]route.ASN{}}
	index := map[same]int{}
	for i := range in.Paths {
		p := &in.Paths[i]
		n := max(p.Routes, 1)
		m.routes += n
		id := same{p.Peer, p.PeerASN, string(p.AS)}
		at, ok := index[id]
		if !ok {
			at = len(m.walks)
			index[id] = at
			m.walks = append(m.walks, walk{peer: p.Peer, peerASN: p.PeerASN, path: bytes.Clone(p.AS)})
		}
		m.walks[at].routes += n
		m.walks[at].best = m.walks[at].best || p.Best
	}
	slices.SortFunc(m.walks, compareWalks)
	if len(m.walks) > most {
		for _, w := range m.walks[most:] {
			m.leftPaths++
			m.leftRoutes += w.routes
		}
		m.walks = m.walks[:most]
	}
	m.number()
	m.hidden = make([]bool, len(m.keys))
	return m
}

func compareWalks(a, b walk) int {
	if a.best != b.best {
		if a.best {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(b.routes, a.routes), cmp.Compare(len(a.path), len(b.path)), strings.Compare(a.peer, b.peer),
		cmp.Compare(a.peerASN, b.peerASN), bytes.Compare(a.path, b.path))
}

// number gives every node a number, in the order of the walks.
func (m *merged) number() {
	numbers := map[key]int{}
	for i := range m.walks {
		w := &m.walks[i]
		for _, k := range m.visited(w) {
			n, ok := numbers[k]
			if !ok {
				n = len(m.keys)
				numbers[k] = n
				m.keys = append(m.keys, k)
			}
			if last := len(w.steps) - 1; last >= 0 && w.steps[last].node == n {
				w.steps[last].times++
				continue
			}
			w.steps = append(w.steps, step{node: n, times: 1})
		}
		for at := maxHops / 2; at < len(w.steps)-maxHops/2; at++ {
			w.steps[at].hidden = true
		}
	}
}

// visited returns the nodes of a path, the peer first. A path without an AS is
// of a route that the peer's own AS originates.
func (m *merged) visited(w *walk) []key {
	list := []key{{kind: Peer, asn: w.peerASN, text: w.peer}}
	for s := range w.path.Segments() {
		switch s.Type {
		case route.ASSequence, route.ASConfedSequence:
			kind := AS
			if s.Type == route.ASConfedSequence {
				kind = ConfedAS
			}
			for i := range s.Len() {
				list = append(list, key{kind: kind, asn: s.At(i)})
			}
		case route.ASSet, route.ASConfedSet:
			if s.Len() > 0 {
				list = append(list, m.set(s))
			}
		}
	}
	if len(list) == 1 {
		list = append(list, key{kind: AS, asn: w.peerASN})
	}
	return list
}

// set returns the node of a set. The order of its members says nothing.
func (m *merged) set(s route.Segment) key {
	asns := make([]route.ASN, s.Len())
	for i := range asns {
		asns[i] = s.At(i)
	}
	slices.Sort(asns)
	asns = slices.Compact(asns)
	text := route.ASPath(nil).AppendSegment(s.Type, asns...).String()
	m.sets[text] = asns
	if s.Type == route.ASConfedSet {
		return key{kind: ConfedSet, text: text}
	}
	return key{kind: Set, text: text}
}

func sortedTimes(counts map[int]int) []Times {
	var list []Times
	for _, n := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, Times{n, counts[n]})
	}
	return list
}
