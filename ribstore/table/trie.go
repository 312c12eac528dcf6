package table

import (
	"math/bits"
	"sync/atomic"
)

// trie maps prefixes to slots. It is a multibit trie: a root indexed by the
// first 13 bits, then nodes of six bits each, so that the lengths a node holds
// end at 18, 24, 30, … 48: the usual ones are the last of a node and need no
// node of their own. A subtree with one prefix is no node but a leaf word,
// whose prefix is compared with that of its slot.
//
// One writer changes it; readers walk it meanwhile. A node is a block of the
// arena that never changes but for its child words; a change builds a new block
// and stores its index in the one word that referred to the old one. So a
// reader sees a node before or after a change, never in between. Old blocks are
// retired to the grace.
//
// A node is four words of bitmap and one word an entry. The 127 places of a
// node (63 prefixes of six lengths, 64 children) are numbered in preorder, so
// that entries stand in the order of prefixes, the places below a prefix are a
// contiguous range, and of the places that cover an address the last one is the
// longest match.
type trie struct {
	arena *arena[uint32]
	slots *slots
	grace *grace

	// short holds the slots (plus one, so that zero means none) of prefixes of
	// 0 to 12 bits, at 1<<length | bits. lengths has a bit for each length used.
	// short and root are made when the first prefix needs them: many tables are
	// small, and most have no multicast.
	short   atomic.Pointer[index]
	lengths atomic.Uint32
	root    atomic.Pointer[index] // child words
	counts  [rootBits]int         // prefixes of each short length
}

const (
	rootBits = 13
	stride   = 6
	header   = 4       // words of bitmap
	leafFlag = 1 << 31 // in a child word: the rest is a slot, not a node
)

// index is an array that the first bits of a prefix lead into.
type index [1 << rootBits]uint32

// made returns the index behind p, a new one when there is none.
func made(p *atomic.Pointer[index]) *index {
	if p.Load() == nil {
		p.Store(new(index))
	}
	return p.Load()
}

// child returns the child word of the root at the place.
func (t *trie) child(at uint64) uint32 {
	if root := t.root.Load(); root != nil {
		return atomic.LoadUint32(&root[at])
	}
	return 0
}

// shortAt returns what short has at the place, zero for none.
func (t *trie) shortAt(at uint64) uint32 {
	if short := t.short.Load(); short != nil {
		return atomic.LoadUint32(&short[at])
	}
	return 0
}

// places tells where the places of a node stand in preorder.
type places struct {
	rank  [128]uint8    // of the place 1<<length|bits, length 0 to 6
	place [128]uint8    // inverse of rank
	size  [7]uint8      // places at and below one of each length
	cover [64][2]uint64 // ranks of the prefixes that cover a child
}

var layout = newPlaces() //nolint:gochecknoglobals // constant: computed once, never changed

func newPlaces() *places {
	p := new(places)
	next := uint8(0)
	var visit func(place int)
	visit = func(place int) {
		p.rank[place], p.place[next] = next, uint8(place)
		next++
		if place < 64 {
			visit(2 * place)
			visit(2*place + 1)
		}
	}
	visit(1)
	for length := range p.size {
		p.size[length] = uint8(1<<(7-length) - 1)
	}
	for child := range p.cover {
		for length := range stride {
			rank := p.rank[1<<length|child>>(stride-length)]
			p.cover[child][rank>>6] |= 1 << (rank & 63)
		}
	}
	return p
}

// node is a node's words, to the end of its chunk.
type node []uint32

func (n node) bitmap() (lo, hi uint64) {
	return uint64(n[0]) | uint64(n[1])<<32, uint64(n[2]) | uint64(n[3])<<32
}

// find returns where the entry of the place with the rank is, or 0 when there is none.
func (n node) find(rank uint8) int {
	lo, hi := n.bitmap()
	if rank < 64 {
		if lo>>rank&1 == 0 {
			return 0
		}
		return header + bits.OnesCount64(lo&(1<<rank-1))
	}
	if hi>>(rank&63)&1 == 0 {
		return 0
	}
	return header + bits.OnesCount64(lo) + bits.OnesCount64(hi&(1<<(rank&63)-1))
}

// longest returns the entry of the longest prefix that covers the child, or 0.
func (n node) longest(child uint) int {
	lo, hi := n.bitmap()
	cover := &layout.cover[child]
	if m := hi & cover[1]; m != 0 {
		rank := uint(63 - bits.LeadingZeros64(m))
		return header + bits.OnesCount64(lo) + bits.OnesCount64(hi&(1<<rank-1))
	}
	if m := lo & cover[0]; m != 0 {
		rank := uint(63 - bits.LeadingZeros64(m))
		return header + bits.OnesCount64(lo&(1<<rank-1))
	}
	return 0
}

func (n node) entries() int {
	lo, hi := n.bitmap()
	return bits.OnesCount64(lo) + bits.OnesCount64(hi)
}

// rankAt returns the rank of the place that the key takes in a node at depth,
// and whether it is a child (the key is longer than the node's prefixes).
func (k key) rankAt(depth uint) (rank uint8, child bool) {
	v := k.six(depth)
	if uint(k.bits) >= depth+stride {
		return layout.rank[64|v], true
	}
	length := uint(k.bits) - depth
	return layout.rank[1<<length|v>>(stride-length)], false
}

// longest returns the slot of the longest prefix that covers the address.
func (t *trie) longest(addr key) (slot uint32, ok bool) {
	word := t.child(addr.hi >> (64 - rootBits))
	for depth := uint(rootBits); word != 0; depth += stride {
		if word&leafFlag != 0 {
			if leaf := word &^ leafFlag; t.slots.key(leaf).covers(addr) {
				return leaf, true
			}
			break
		}
		n := node(t.arena.from(word))
		v := addr.six(depth)
		if at := n.longest(v); at != 0 {
			slot, ok = n[at], true
		}
		at := n.find(layout.rank[64|v])
		if at == 0 {
			break
		}
		word = atomic.LoadUint32(&n[at])
	}
	if ok {
		return slot, true
	}
	return t.longestShort(addr)
}

func (t *trie) longestShort(addr key) (slot uint32, ok bool) {
	for lengths := t.lengths.Load(); lengths != 0; {
		length := uint(bits.Len32(lengths) - 1)
		lengths &^= 1 << length
		if s := t.shortAt(shortIndex(addr, length)); s != 0 {
			return s - 1, true
		}
	}
	return 0, false
}

func shortIndex(k key, length uint) uint64 { return 1<<length | k.hi>>1>>(63-length) }

// exact returns the slot of the prefix.
func (t *trie) exact(k key) (slot uint32, ok bool) {
	if k.bits < rootBits {
		s := t.shortAt(shortIndex(k, uint(k.bits)))
		return s - 1, s != 0
	}
	word := t.child(k.hi >> (64 - rootBits))
	for depth := uint(rootBits); word != 0; depth += stride {
		if word&leafFlag != 0 {
			slot = word &^ leafFlag
			return slot, t.slots.key(slot) == k
		}
		n := node(t.arena.from(word))
		rank, child := k.rankAt(depth)
		at := n.find(rank)
		if at == 0 {
			return 0, false
		}
		if !child {
			return n[at], true
		}
		word = atomic.LoadUint32(&n[at])
	}
	return 0, false
}

// insert returns the slot of the prefix, a new one when it is not there yet.
func (t *trie) insert(k key) (slot uint32, added bool) {
	if k.bits < rootBits {
		return t.insertShort(k)
	}
	ref := &made(&t.root)[k.hi>>(64-rootBits)]
	for depth := uint(rootBits); ; depth += stride {
		word := *ref
		if word == 0 {
			slot = t.slots.take(k)
			atomic.StoreUint32(ref, slot|leafFlag)
			return slot, true
		}
		if word&leafFlag != 0 {
			leaf := word &^ leafFlag
			other := t.slots.key(leaf)
			if other == k {
				return leaf, false
			}
			slot = t.slots.take(k)
			atomic.StoreUint32(ref, t.split(depth, k, slot, other, leaf))
			return slot, true
		}
		n := node(t.arena.from(word))
		rank, child := k.rankAt(depth)
		at := n.find(rank)
		if at != 0 {
			if !child {
				return n[at], false
			}
			ref = &n[at]
			continue
		}
		slot = t.slots.take(k)
		entry := slot
		if child {
			entry |= leafFlag
		}
		t.replace(ref, word, n, rank, entry)
		return slot, true
	}
}

func (t *trie) insertShort(k key) (slot uint32, added bool) {
	length := uint(k.bits)
	ref := &made(&t.short)[shortIndex(k, length)]
	if *ref != 0 {
		return *ref - 1, false
	}
	slot = t.slots.take(k)
	atomic.StoreUint32(ref, slot+1)
	if t.counts[length]++; t.counts[length] == 1 {
		t.lengths.Store(t.lengths.Load() | 1<<length)
	}
	return slot, true
}

// split builds the node at depth that holds two prefixes, and returns its
// index. Where both go the same way it builds the chain down to where they part.
func (t *trie) split(depth uint, a key, slotA uint32, b key, slotB uint32) uint32 {
	rankA, childA := a.rankAt(depth)
	rankB, childB := b.rankAt(depth)
	if rankA == rankB {
		below := t.split(depth+stride, a, slotA, b, slotB)
		index, block := t.arena.alloc(header + 1)
		n := node(block)
		n.clear()
		n.mark(rankA)
		n[header] = below
		return index
	}
	if childA {
		slotA |= leafFlag
	}
	if childB {
		slotB |= leafFlag
	}
	if rankA > rankB {
		slotA, slotB = slotB, slotA
	}
	index, block := t.arena.alloc(header + 2)
	n := node(block)
	n.clear()
	n.mark(rankA)
	n.mark(rankB)
	n[header], n[header+1] = slotA, slotB
	return index
}

func (n node) clear() { n[0], n[1], n[2], n[3] = 0, 0, 0, 0 }

func (n node) mark(rank uint8)   { n[rank>>5] |= 1 << (rank & 31) }
func (n node) unmark(rank uint8) { n[rank>>5] &^= 1 << (rank & 31) }

// replace publishes a copy of n with one more entry where ref refers to n.
func (t *trie) replace(ref *uint32, index uint32, n node, rank uint8, entry uint32) {
	count := n.entries()
	grownIndex, block := t.arena.alloc(header + count + 1)
	grown := node(block)
	copy(grown, n[:header])
	grown.mark(rank)
	at := grown.find(rank)
	copy(grown[header:at], n[header:at])
	grown[at] = entry
	copy(grown[at+1:], n[at:header+count])
	atomic.StoreUint32(ref, grownIndex)
	t.retire(index, header+count)
}

func (t *trie) retire(index uint32, words int) {
	t.grace.retire(retired{t.arena, index, words})
}

// remove takes the prefix out. Its slot is the caller's to retire.
func (t *trie) remove(k key) (slot uint32, ok bool) {
	if k.bits < rootBits {
		return t.removeShort(k)
	}
	at := k.hi >> (64 - rootBits)
	word, slot, ok := t.removeBelow(t.child(at), rootBits, k)
	if ok {
		atomic.StoreUint32(&t.root.Load()[at], word)
	}
	return slot, ok
}

func (t *trie) removeShort(k key) (slot uint32, ok bool) {
	length := uint(k.bits)
	at := shortIndex(k, length)
	slot = t.shortAt(at)
	if slot == 0 {
		return 0, false
	}
	atomic.StoreUint32(&t.short.Load()[at], 0)
	if t.counts[length]--; t.counts[length] == 0 {
		t.lengths.Store(t.lengths.Load() &^ (1 << length))
	}
	return slot - 1, true
}

// removeBelow takes k out of what word refers to and returns the word that
// refers to the rest: 0 when nothing is left, a leaf when one prefix is.
func (t *trie) removeBelow(word uint32, depth uint, k key) (rest, slot uint32, ok bool) {
	if word == 0 {
		return 0, 0, false
	}
	if word&leafFlag != 0 {
		slot = word &^ leafFlag
		return 0, slot, t.slots.key(slot) == k
	}
	n := node(t.arena.from(word))
	rank, child := k.rankAt(depth)
	at := n.find(rank)
	if at == 0 {
		return 0, 0, false
	}
	if !child {
		return t.without(word, n, rank, at), n[at], true
	}
	below, slot, ok := t.removeBelow(n[at], depth+stride, k)
	if !ok {
		return 0, 0, false
	}
	if below == 0 {
		return t.without(word, n, rank, at), slot, true
	}
	if below&leafFlag != 0 && n.entries() == 1 {
		t.retire(word, header+1)
		return below, slot, true
	}
	if below != n[at] {
		atomic.StoreUint32(&n[at], below)
	}
	return word, slot, true
}

// without returns the word for n less the entry at, which has the rank.
func (t *trie) without(index uint32, n node, rank uint8, at int) uint32 {
	count := n.entries()
	t.retire(index, header+count)
	switch count {
	case 1:
		return 0
	case 2:
		other := header + header + 1 - at
		last := n[other]
		if n.isPrefix(other) {
			return last | leafFlag
		}
		if last&leafFlag != 0 {
			return last
		}
	}
	shrunkIndex, block := t.arena.alloc(header + count - 1)
	shrunk := node(block)
	copy(shrunk, n[:header])
	shrunk.unmark(rank)
	copy(shrunk[header:], n[header:at])
	copy(shrunk[at:], n[at+1:header+count])
	return shrunkIndex
}

// isPrefix reports whether the entry at is a prefix, not a child.
func (n node) isPrefix(at int) bool {
	lo, hi := n.bitmap()
	for skip := at - header; skip > 0; skip-- {
		if lo != 0 {
			lo &= lo - 1
		} else {
			hi &= hi - 1
		}
	}
	rank := bits.TrailingZeros64(lo)
	if lo == 0 {
		rank = 64 + bits.TrailingZeros64(hi)
	}
	return layout.place[rank] < 64
}
