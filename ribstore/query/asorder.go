package query

import "ribglass/ribstore/route"

func anyIn(s route.Segment, asns ASNs) bool {
	for i := range s.Len() {
		if asns.has(s.At(i)) {
			return true
		}
	}
	return false
}

// viaTest makes the test whether the AS numbers stand next to each other.
func viaTest(want Via) setTest {
	if len(want) > 1 {
		return func(a route.Attrs) bool { return adjacentIn(a.ASPath(), want) }
	}
	first, last := want[0].First, want[0].Last
	return func(a route.Attrs) bool { return a.ASPath().HasWithin(first, last) }
}

// adjacentIn reports whether the AS numbers stand next to each other in sequences of the
// path, an AS that repeats itself counting once. Sequences in a row are one: a long path
// is written so.
func adjacentIn(p route.ASPath, want Via) bool {
	if !p.HasWithin(want[0].First, want[0].Last) {
		return false // most paths end here
	}
	if s, ok := p.Sequence(); ok {
		return adjacentAt(s.At, s.Len(), want)
	}
	var run []route.ASN
	kind := route.ASSet
	for s := range p.Segments() {
		if s.Type != kind || s.Type == route.ASSet || s.Type == route.ASConfedSet {
			if adjacentAt(func(i int) route.ASN { return run[i] }, len(run), want) {
				return true
			}
			run, kind = run[:0], s.Type
		}
		for i := range s.Len() {
			if kind == route.ASSequence || kind == route.ASConfedSequence {
				run = append(run, s.At(i))
			}
		}
	}
	return adjacentAt(func(i int) route.ASN { return run[i] }, len(run), want)
}

func adjacentAt(at func(int) route.ASN, n int, want Via) bool {
	for i := range n {
		if want[0].has(at(i)) && follows(at, n, i, want[1:]) {
			return true
		}
	}
	return false
}

// follows reports whether the AS numbers wanted stand behind i. An AS that repeats itself
// is passed over, unless it is what is wanted next.
func follows(at func(int) route.ASN, n, i int, want Via) bool {
	if len(want) == 0 {
		return true
	}
	for last := at(i); i+1 < n; i++ {
		if want[0].has(at(i+1)) && follows(at, n, i+1, want[1:]) {
			return true
		}
		if at(i+1) != last {
			return false
		}
	}
	return false
}

// hops returns the length of the path with repetitions counting once.
func hops(p route.ASPath) int {
	n := 0
	var last route.ASN
	follows := false // last stands right before
	for s := range p.Segments() {
		switch s.Type {
		case route.ASSequence:
			for i := range s.Len() {
				if as := s.At(i); !follows || as != last {
					n, last, follows = n+1, as, true
				}
			}
		case route.ASSet:
			n++
			follows = false
		case route.ASConfedSequence, route.ASConfedSet:
			follows = false
		}
	}
	return n
}

func isPrepended(p route.ASPath) bool { return p.Len() > hops(p) }
