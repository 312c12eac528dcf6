package pathexpr

import (
	"math/bits"
	"strconv"
	"strings"
)

// alphabet is every character of a printed path; a symbol is an index into it.
// The digits come first, so that a digit is its own symbol.
const alphabet = "0123456789 {},()[]"

// The symbols that are not digits.
const (
	space = iota + 10
	symbolOpenBrace
	symbolCloseBrace
	symbolComma
	symbolOpenParenthesis
	symbolCloseParenthesis
	symbolOpenBracket
	symbolCloseBracket
)

// symbols is a set of symbols.
type symbols uint32

const (
	anySymbol  symbols = 1<<len(alphabet) - 1
	digits     symbols = 1<<10 - 1
	delimiters symbols = anySymbol &^ digits
)

// symbolOf returns the symbol of c, and false when no path contains c.
func symbolOf(c byte) (int, bool) {
	i := strings.IndexByte(alphabet, c)
	return i, i >= 0
}

type op uint8

const (
	opEmpty     op = iota // the empty text
	opSet                 // one symbol of set
	opBegin               // ^
	opEnd                 // $
	opDelimiter           // _
	opConcat
	opAlternate
	opRepeat
)

// unlimited is the max of a repetition without one.
const unlimited = -1

// node is a syntax tree. The functions below build it so that trees which print
// alike are alike, and parse(print(t)) is t again. Nodes are never modified.
type node struct {
	op       op
	set      symbols
	subs     []*node // of opConcat and opAlternate; opRepeat has one
	min, max int     // of opRepeat
}

func set(s symbols) *node { return &node{op: opSet, set: s} }

func leaf(o op) *node { return &node{op: o} }

func concat(subs ...*node) *node {
	var flat []*node
	for _, n := range subs {
		switch n.op {
		case opEmpty:
		case opConcat:
			flat = append(flat, n.subs...)
		default:
			flat = append(flat, n)
		}
	}
	switch len(flat) {
	case 0:
		return leaf(opEmpty)
	case 1:
		return flat[0]
	}
	return &node{op: opConcat, subs: flat}
}

func alternate(subs ...*node) *node {
	if len(subs) == 1 {
		return subs[0]
	}
	var flat []*node
	for _, n := range subs {
		if n.op == opAlternate {
			flat = append(flat, n.subs...)
		} else {
			flat = append(flat, n)
		}
	}
	return &node{op: opAlternate, subs: flat}
}

func repeat(n *node, lo, hi int) *node {
	switch {
	case hi == 0:
		return leaf(opEmpty)
	case lo == 1 && hi == 1:
		return n
	}
	return &node{op: opRepeat, subs: []*node{n}, min: lo, max: hi}
}

// String returns the tree in our form.
func (n *node) String() string {
	if n.op == opEmpty {
		return "()"
	}
	var b strings.Builder
	n.print(&b)
	return b.String()
}

func (n *node) print(b *strings.Builder) {
	switch n.op {
	case opEmpty:
	case opSet:
		b.WriteString(n.set.String())
	case opBegin:
		b.WriteByte('^')
	case opEnd:
		b.WriteByte('$')
	case opDelimiter:
		b.WriteByte('_')
	case opConcat:
		for _, sub := range n.subs {
			sub.printGrouped(b, sub.op == opAlternate)
		}
	case opAlternate:
		for i, sub := range n.subs {
			if i > 0 {
				b.WriteByte('|')
			}
			sub.print(b)
		}
	case opRepeat:
		sub := n.subs[0]
		sub.printGrouped(b, sub.op == opConcat || sub.op == opAlternate || sub.op == opRepeat || sub.op == opEmpty)
		b.WriteString(quantifier(n.min, n.max))
	}
}

func (n *node) printGrouped(b *strings.Builder, group bool) {
	if group {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	n.print(b)
}

func quantifier(lo, hi int) string {
	switch {
	case lo == 0 && hi == unlimited:
		return "*"
	case lo == 1 && hi == unlimited:
		return "+"
	case lo == 0 && hi == 1:
		return "?"
	case lo == hi:
		return "{" + strconv.Itoa(lo) + "}"
	case hi == unlimited:
		return "{" + strconv.Itoa(lo) + ",}"
	}
	return "{" + strconv.Itoa(lo) + "," + strconv.Itoa(hi) + "}"
}

// String returns the set as one atom of our form.
func (s symbols) String() string {
	switch {
	case s == anySymbol:
		return "."
	case bits.OnesCount32(uint32(s)) == 1:
		c := alphabet[bits.TrailingZeros32(uint32(s))]
		if strings.IndexByte("{}()[]", c) >= 0 {
			return `\` + string(c)
		}
		return string(c)
	case bits.OnesCount32(uint32(s)) > len(alphabet)/2 && s&delimiters != 0:
		return "[^" + (anySymbol &^ s).members() + "]"
	}
	return "[" + s.members() + "]"
}

// members lists a set as inside of brackets: a closing bracket comes first,
// where it needs no escape, and runs of three or more digits are ranges.
func (s symbols) members() string {
	var b strings.Builder
	if s&(1<<symbolCloseBracket) != 0 {
		b.WriteByte(']')
		s &^= 1 << symbolCloseBracket
	}
	for i := 0; i < len(alphabet); i++ {
		if s&(1<<i) == 0 {
			continue
		}
		b.WriteByte(alphabet[i])
		last := i
		for last < 9 && s&(1<<(last+1)) != 0 {
			last++
		}
		if last > i+1 {
			b.WriteByte('-')
			b.WriteByte(alphabet[last])
			i = last
		}
	}
	return b.String()
}
