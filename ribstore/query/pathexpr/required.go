package pathexpr

import (
	"slices"
	"strconv"

	"ribglass/ribstore/route"
)

// maxRequiredWork bounds the search for required AS numbers, in pairs of a state and a place
// in a number.
const maxRequiredWork = 1 << 15

// required returns the AS numbers that every match contains whole. Numbers
// spelled out in the tree are candidates; one is required if the automaton
// can no longer match once texts with that number are taken away. That is
// asked of the automaton, so alternatives, repetitions and anchors need no cases of
// their own.
func required(tree *node, d *dfa) []route.ASN {
	candidates := map[route.ASN]bool{}
	spelled(tree, candidates)
	ascending := make([]route.ASN, 0, len(candidates))
	for n := range candidates {
		ascending = append(ascending, n)
	}
	slices.Sort(ascending)
	work := 0
	var found []route.ASN
	for _, n := range ascending {
		text := n.String()
		work += d.states() * (len(text) + 2)
		if work > maxRequiredWork {
			break
		}
		if !d.matchesWithout(text) {
			found = append(found, n)
		}
	}
	return found
}

// spelled collects the runs of digits in the tree that are AS numbers as
// they are printed.
func spelled(n *node, into map[route.ASN]bool) {
	var run []byte
	flush := func() {
		v, err := strconv.ParseUint(string(run), 10, 32)
		if err == nil && route.ASN(v).String() == string(run) {
			into[route.ASN(v)] = true
		}
		run = run[:0]
	}
	for _, sub := range sequence(n) {
		if digit, ok := digitOf(sub); ok {
			run = append(run, digit)
			continue
		}
		flush()
		if sub.op != opConcat {
			for _, deeper := range sub.subs {
				spelled(deeper, into)
			}
		}
	}
	flush()
}

func digitOf(n *node) (byte, bool) {
	if n.op != opSet {
		return 0, false
	}
	for i := range byte(10) {
		if n.set == 1<<i {
			return '0' + i, true
		}
	}
	return 0, false
}

// matchesWithout reports whether some text matches that does not contain the
// number whole. It walks pairs of a state and a place: how many digits of
// the number the last digits are, or len(number)+1 for a number that is another.
func (d *dfa) matchesWithout(number string) bool {
	type pair struct{ state, place int }
	other := len(number) + 1
	start := pair{int(d.next[nothing*stride+space]), 0}
	seen := make([]bool, d.states()*(other+1))
	stack := []pair{start}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if p.state == accept || d.final[p.state] && p.place != len(number) {
			return true
		}
		for symbol := range len(alphabet) {
			next := pair{int(d.next[p.state*stride+symbol]), place(number, p.place, symbol)}
			if next.place < 0 || next.state == dead || seen[next.state*(other+1)+next.place] {
				continue
			}
			seen[next.state*(other+1)+next.place] = true
			stack = append(stack, next)
		}
	}
	return false
}

// place returns the place after a symbol, or -1 when the number stood whole
// before it.
func place(number string, at, symbol int) int {
	switch {
	case symbol >= 10 && at == len(number):
		return -1
	case symbol >= 10:
		return 0
	case at < len(number) && number[at] == '0'+byte(symbol):
		return at + 1
	}
	return len(number) + 1
}
