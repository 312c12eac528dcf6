package graph

import (
	"cmp"
	"slices"
)

// straighten takes the small steps out of long edges: bends that follow each
// other get one height where the room between their neighbours allows it.
func (l *layout) straighten() {
	chains := make([][]int, len(l.g.Edges))
	for s := range l.spots {
		if e := l.spots[s].edge; e >= 0 {
			chains[e] = append(chains[e], s)
		}
	}
	slices.SortStableFunc(chains, func(a, b []int) int { return cmp.Compare(len(b), len(a)) })
	for _, chain := range chains {
		for len(chain) > 1 {
			chain = chain[l.level(chain):]
		}
	}
}

// level gives as many of the first bends of a chain as it can one height, and
// returns how many.
func (l *layout) level(chain []int) int {
	low, high := l.room(chain[0])
	sum, n := l.spots[chain[0]].y, 1
	for _, s := range chain[1:] {
		a, b := l.room(s)
		if max(a, low) > min(b, high) {
			break
		}
		low, high = max(a, low), min(b, high)
		sum += l.spots[s].y
		n++
	}
	for _, s := range chain[:n] {
		l.spots[s].y = min(max(sum/float64(n), low), high)
	}
	return n
}

// room returns between which heights a spot can be without a move of others. Far
// away is as good as without end.
func (l *layout) room(s int) (low, high float64) {
	const far = 1e6
	row, at := l.rows[l.spots[s].layer], l.spots[s].row
	low, high = l.spots[s].y-far, l.spots[s].y+far
	if at > 0 {
		low = l.spots[row[at-1]].y + l.apart(row[at-1], s)
	}
	if at+1 < len(row) {
		high = l.spots[row[at+1]].y - l.apart(s, row[at+1])
	}
	// Pooling leaves distances that are less than they should be by a rounding.
	return min(low, l.spots[s].y), max(high, l.spots[s].y)
}
