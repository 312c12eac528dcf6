package pathexpr

import (
	"encoding/binary"
	"math/bits"
)

const (
	maxStates = 4096
	// maxSteps bounds the work of the subset construction, to some
	// milliseconds.
	maxSteps = 1 << 20
)

// MaxCost is the cost of the largest automaton, and of one that was given up: in states, or
// in steps of the work to find them when those are more.
const (
	MaxCost      = maxStates
	stepsOfState = maxSteps / maxStates
)

// A state is an index into the automaton. These three are always there.
const (
	dead   = 0 // nothing that follows can match
	accept = 1 // matched, whatever follows
	// nothing is where a path begins: before the separator that its first
	// segment, unlike all others, does not have. A space leads
	// from it to the start.
	nothing = 2
)

// stride is the length of a row of the transition table, a power of two.
const stride = 32

// dfa is a deterministic automaton over symbols: next[state*stride+symbol].
type dfa struct {
	next  []uint16
	final []bool // whether the path matches if it ends in the state
	steps int    // that it took to make it
}

func (d *dfa) states() int { return len(d.final) }

func compile(tree *node) (*dfa, error) {
	a, err := buildNFA(tree)
	if err != nil {
		return nil, err
	}
	s := newSubsets(a)
	if err := s.run(); err != nil {
		return nil, err
	}
	s.d.prune()
	s.d.steps = s.steps
	return s.d, nil
}

// subsets is the subset construction under way. A state stands for a set of
// nodes, without those that only lead on; a bit set in words.
type subsets struct {
	*nfa
	d       *dfa
	states  map[string]uint16 // by the bytes of the set
	sets    [][]uint64        // by state
	classes []symbols         // symbols that no node tells apart
	seen    []uint32          // by node, the walk that last saw it
	walk    uint32
	stack   []int32
	steps   int
}

func newSubsets(a *nfa) *subsets {
	s := &subsets{nfa: a, d: &dfa{}, states: map[string]uint16{}, seen: make([]uint32, len(a.nodes))}
	s.classes = []symbols{anySymbol}
	for _, n := range a.nodes {
		if n.kind == kindSet {
			s.classes = refine(s.classes, n.set)
		}
	}
	return s
}

// refine splits the classes that by cuts through.
func refine(classes []symbols, by symbols) []symbols {
	for i, c := range classes {
		if in := c & by; in != 0 && in != c {
			classes[i] = in
			classes = append(classes, c&^by)
		}
	}
	return classes
}

func (s *subsets) run() error {
	for range 3 {
		s.newState(nil)
	}
	for symbol := range stride {
		s.d.next[accept*stride+symbol] = accept
	}
	s.d.final[accept] = true

	begin := make([]uint64, (len(s.nodes)+63)/64)
	s.newWalk()
	s.close(begin, s.start, true, false)
	start := s.startState(begin)
	s.d.next[nothing*stride+space] = start
	s.d.final[nothing] = s.d.final[start]

	for state := 3; state < s.d.states(); state++ {
		for _, class := range s.classes {
			next := s.step(s.sets[state], class)
			if s.steps > maxSteps || s.d.states() > maxStates {
				return tooComplex()
			}
			for rest := class; rest != 0; rest &= rest - 1 {
				s.d.next[state*stride+bits.TrailingZeros32(uint32(rest))] = next
			}
		}
	}
	return nil
}

// startState is not shared with a later place of the same set: only there the start of
// the path still holds when its end does.
func (s *subsets) startState(set []uint64) uint16 {
	if set[0]&1 != 0 {
		return accept
	}
	return s.addState(set, true)
}

// step returns the state after one symbol of class. As an expression may begin
// to match anywhere, its start is in every set.
func (s *subsets) step(from []uint64, class symbols) uint16 {
	to := make([]uint64, len(from))
	s.newWalk()
	s.close(to, s.start, false, false)
	for i := range members(from) {
		s.steps++
		if n := &s.nodes[i]; n.kind == kindSet && n.set&class != 0 {
			s.close(to, n.out, false, false)
		}
	}
	if to[0]&1 != 0 {
		return accept
	}
	key := make([]byte, 0, 8*len(to))
	for _, w := range to {
		key = binary.LittleEndian.AppendUint64(key, w)
	}
	s.steps += len(to)
	state, ok := s.states[string(key)]
	if !ok {
		state = s.addState(to, false)
		s.states[string(key)] = state
	}
	return state
}

func (s *subsets) addState(set []uint64, begin bool) uint16 {
	state := s.newState(set)
	ended := make([]uint64, len(set))
	s.newWalk()
	for i := range members(set) {
		if s.nodes[i].kind == kindEnd {
			s.close(ended, int32(i), begin, true)
		}
	}
	s.d.final[state] = ended[0]&1 != 0
	return state
}

func (s *subsets) newState(set []uint64) uint16 {
	s.sets = append(s.sets, set)
	s.d.final = append(s.d.final, false)
	s.d.next = append(s.d.next, make([]uint16, stride)...)
	return uint16(len(s.sets) - 1)
}

// newWalk forgets which nodes close has seen.
func (s *subsets) newWalk() { s.walk++ }

// close adds to set the nodes that are reached from node i without a symbol.
func (s *subsets) close(set []uint64, i int32, begin, end bool) {
	s.stack = append(s.stack[:0], i)
	for len(s.stack) > 0 {
		i := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if s.seen[i] == s.walk {
			continue
		}
		s.seen[i] = s.walk
		s.steps++
		n := &s.nodes[i]
		switch {
		case n.kind == kindSplit:
			s.stack = append(s.stack, n.alt, n.out)
		case n.kind == kindBegin && begin, n.kind == kindEnd && end:
			s.stack = append(s.stack, n.out)
		case n.kind != kindBegin:
			set[i/64] |= 1 << (i % 64)
		}
	}
}

// members yields the indices of the bits of a set.
func members(set []uint64) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for w, word := range set {
			for ; word != 0; word &= word - 1 {
				if !yield(64*w + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}

// prune leads every way into a state that decides the match already to dead or
// accept, so that a match stops there.
func (d *dfa) prune() {
	canMatch := d.reaches(func(s int) bool { return d.final[s] })
	canFail := d.reaches(func(s int) bool { return !d.final[s] })
	for i, s := range d.next {
		switch {
		case i%stride >= len(alphabet), i/stride == nothing && i%stride != space:
			d.next[i] = dead // no path takes this way
		case !canMatch[s]:
			d.next[i] = dead
		case !canFail[s]:
			d.next[i] = accept
		}
	}
}

// matchesNothing reports whether no path at all matches.
func (d *dfa) matchesNothing() bool { return !d.final[nothing] && d.next[nothing*stride+space] == dead }

// reaches returns, by state, whether some text leads from it to a state of the
// goal. The rows are walked against their direction.
func (d *dfa) reaches(goal func(state int) bool) []bool {
	before := make([][]uint16, d.states())
	for s := range d.states() {
		for symbol := range len(alphabet) {
			to := d.next[s*stride+symbol]
			if into := before[to]; len(into) == 0 || into[len(into)-1] != uint16(s) {
				before[to] = append(into, uint16(s))
			}
		}
	}
	found := make([]bool, d.states())
	var queue []uint16
	for s := range d.states() {
		if goal(s) {
			found[s] = true
			queue = append(queue, uint16(s))
		}
	}
	for len(queue) > 0 {
		s := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, from := range before[s] {
			if !found[from] {
				found[from] = true
				queue = append(queue, from)
			}
		}
	}
	return found
}
