package pathexpr

import (
	"strings"

	"ribglass/ribstore/route"
)

// Junos and BIRD speak of AS numbers where our form speaks of characters. Their
// terms translate to texts that begin with a delimiter, which at the start of
// the path has no width: the term 64500 is _64500. So terms can stand in any order and
// number, and a number can only be matched whole, as after it comes
// the delimiter of the next term or the end.

// term is one AS number that n matches.
func term(n *node) *node { return concat(leaf(opDelimiter), n) }

// anySequence is any count of AS numbers.
func anySequence() *node {
	return repeat(concat(leaf(opDelimiter), repeat(set(anySymbol), 0, unlimited)), 0, 1)
}

// someSequence is anySequence but not nothing.
func someSequence() *node {
	return concat(leaf(opDelimiter), repeat(set(anySymbol), 1, unlimited))
}

func isAny(n *node) bool {
	if n.op != opRepeat || n.min != 0 || n.max != 1 || n.subs[0].op != opConcat {
		return false
	}
	pair := n.subs[0].subs
	return len(pair) == 2 && pair[0].op == opDelimiter && pair[1].op == opRepeat &&
		pair[1].min == 0 && pair[1].max == unlimited && pair[1].subs[0].set == anySymbol
}

// eitherTerm is alternate, with the delimiter in front when every
// alternative is one term: _(64500|64501).
func eitherTerm(subs ...*node) *node {
	numbers := make([]*node, 0, len(subs))
	for _, n := range subs {
		if n.op != opConcat || n.subs[0].op != opDelimiter {
			return alternate(subs...)
		}
		numbers = append(numbers, concat(n.subs[1:]...))
	}
	return term(alternate(numbers...))
}

// wholePath anchors a sequence of terms and spares the reader what means
// nothing: any sequence at an end is no anchor there.
func wholePath(terms *node) *node {
	items := sequence(terms)
	if len(items) == 1 && isAny(items[0]) {
		return repeat(set(anySymbol), 0, unlimited)
	}
	var begin, end *node
	if len(items) > 0 && isAny(items[0]) {
		begin, items = leaf(opEmpty), items[1:]
	} else {
		begin, items = leaf(opBegin), unled(items)
	}
	if len(items) > 0 && isAny(items[len(items)-1]) {
		end, items = leaf(opDelimiter), items[:len(items)-1]
	} else {
		end = leaf(opEnd)
	}
	return concat(begin, concat(items...), end)
}

// sequence returns the items of a concatenation, with any sequence after any
// sequence left out.
func sequence(n *node) []*node {
	all := []*node{n}
	switch n.op {
	case opEmpty:
		return nil
	case opConcat:
		all = n.subs
	default:
	}
	var items []*node
	for _, item := range all {
		if len(items) > 0 && isAny(item) && isAny(items[len(items)-1]) {
			continue
		}
		items = append(items, item)
	}
	return items
}

// unled takes the delimiter from the front of a path: ^_64500 is ^64500, and
// ^(_64500)+ is ^64500(_64500)*.
func unled(items []*node) []*node {
	if len(items) == 0 {
		return items
	}
	first := items[0]
	if first.op == opDelimiter {
		return items[1:]
	}
	if first.op == opRepeat && first.min == 1 && first.max == unlimited {
		if sub := first.subs[0]; sub.op == opConcat && sub.subs[0].op == opDelimiter {
			again := repeat(sub, 0, unlimited)
			return append(append(append([]*node{}, sub.subs[1:]...), again), items[1:]...)
		}
	}
	return items
}

// number is the text of an AS number.
func number(n route.ASN) *node { return literal(n.String()) }

func literal(text string) *node {
	subs := make([]*node, len(text))
	for i := range text {
		subs[i] = set(1 << (text[i] - '0'))
	}
	return concat(subs...)
}

// numbers is the texts of all AS numbers from lo to hi, by count of digits.
func numbers(lo, hi route.ASN) *node {
	from, to := lo.String(), hi.String()
	var subs []*node
	for len(from) < len(to) {
		subs = append(subs, sameLength("", from, strings.Repeat("9", len(from)))...)
		from = "1" + strings.Repeat("0", len(from))
	}
	return alternate(append(subs, sameLength("", from, to)...)...)
}

// sameLength is the alternatives for the numbers from lo to hi, texts of equal
// length after a prefix: those that share lo's first digit, the full decades
// between, and those that share hi's. They are not nested, as people write them.
func sameLength(prefix, lo, hi string) []*node {
	if lo == hi {
		return []*node{literal(prefix + lo)}
	}
	if lo[0] == hi[0] {
		return sameLength(prefix+lo[:1], lo[1:], hi[1:])
	}
	rest := len(lo) - 1
	zeros, nines := strings.Repeat("0", rest), strings.Repeat("9", rest)
	first, last := lo[0]-'0', hi[0]-'0'
	var below, above []*node
	if lo[1:] != zeros {
		below = sameLength(prefix+lo[:1], lo[1:], nines)
		first++
	}
	if hi[1:] != nines {
		above = sameLength(prefix+hi[:1], zeros, hi[1:])
		last--
	}
	if first <= last {
		decades := set(1<<(last+1) - 1<<first)
		below = append(below, concat(literal(prefix), decades, repeat(set(digits), rest, rest)))
	}
	return append(below, above...)
}
