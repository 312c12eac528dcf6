package table

import (
	"math/bits"
	"sync/atomic"
)

// walker yields the slots of prefixes in order, address first, then length.
type walker struct {
	trie   *trie
	within key
	after  key
	yield  func(slot uint32) bool
}

// ascend yields the slots of the prefixes that within covers, itself included,
// in order, until yield returns false; when resume is set, only those behind
// after.
func (t *trie) ascend(within, after key, resume bool, yield func(slot uint32) bool) {
	w := walker{t, within, after, yield}
	if resume && !within.covers(after) {
		if !after.before(within) {
			return
		}
		resume = false
	}
	if within.bits >= rootBits {
		w.below(t.child(within.hi>>(64-rootBits)), rootBits, true, resume)
		return
	}
	w.top(resume)
}

// top walks the prefixes shorter than the root's index and what is below the root.
func (w *walker) top(resume bool) bool {
	start := w.within.hi >> (64 - rootBits)
	end := start + 1<<(rootBits-w.within.bits)
	firstShort := uint(w.within.bits)
	if resume {
		start = w.after.hi >> (64 - rootBits)
		firstShort = min(uint(w.after.bits)+1, rootBits)
		resume = w.after.bits >= rootBits
	}
	for at := start; at < end; at++ {
		if !w.shorts(at, firstShort) {
			return false
		}
		firstShort = uint(w.within.bits)
		word := w.trie.child(at)
		if word != 0 && !w.below(word, rootBits, false, resume) {
			return false
		}
		resume = false
	}
	return true
}

// shorts yields the prefixes of first to 12 bits whose address is that of the
// root's index.
func (w *walker) shorts(index uint64, first uint) bool {
	first = max(first, rootBits-min(uint(bits.TrailingZeros64(index)), rootBits))
	for lengths := w.trie.lengths.Load() >> first << first; lengths != 0; lengths &= lengths - 1 {
		length := uint(bits.TrailingZeros32(lengths))
		place := 1<<length | index>>(rootBits-length)
		if s := w.trie.shortAt(place); s != 0 && !w.yield(s-1) {
			return false
		}
	}
	return true
}

// below walks what a child word refers to. It is bounded while within may lie
// below it, and resumes while after may.
func (w *walker) below(word uint32, depth uint, bounded, resume bool) bool {
	if word == 0 {
		return true
	}
	if word&leafFlag != 0 {
		return w.leaf(word&^leafFlag, bounded, resume)
	}
	first, last := uint(0), uint(127) // ranks, last excluded
	deeper := false                   // within lies below the one child in range
	if bounded {
		rank, child := w.within.rankAt(depth)
		first, last, deeper = uint(rank), uint(rank)+1, child
		if !child {
			last = first + uint(layout.size[uint(w.within.bits)-depth])
		}
	}
	resumed := uint(128) // rank of the child that after lies below
	if resume {
		rank, child := w.after.rankAt(depth)
		if child {
			first, resumed = max(first, uint(rank)), uint(rank)
		} else {
			first = max(first, uint(rank)+1)
		}
	}
	n := node(w.trie.arena.from(word))
	for rank, at := n.next(first); rank < last; rank, at = n.next(rank + 1) {
		entry := atomic.LoadUint32(&n[at])
		if layout.place[rank] < 64 {
			if !w.yield(entry) {
				return false
			}
		} else if !w.below(entry, depth+stride, deeper, rank == resumed) {
			return false
		}
	}
	return true
}

func (w *walker) leaf(slot uint32, bounded, resume bool) bool {
	if bounded || resume {
		k := w.trie.slots.key(slot)
		if bounded && !w.within.covers(k) || resume && !w.after.before(k) {
			return true
		}
	}
	return w.yield(slot)
}

// next returns the first occupied place from rank on and where its entry is;
// rank 128 when there is none.
func (n node) next(rank uint) (uint, int) {
	lo, hi := n.bitmap()
	if rank < 64 {
		if rest := lo >> rank << rank; rest != 0 {
			rank = uint(bits.TrailingZeros64(rest))
			return rank, header + bits.OnesCount64(lo&(1<<rank-1))
		}
		rank = 64
	}
	if rest := hi >> (rank - 64) << (rank - 64); rest != 0 {
		bit := uint(bits.TrailingZeros64(rest))
		return bit + 64, header + bits.OnesCount64(lo) + bits.OnesCount64(hi&(1<<bit-1))
	}
	return 128, 0
}

// covering appends the slots of the prefixes that cover k, itself included,
// the shortest first.
func (t *trie) covering(dst []uint32, k key) []uint32 {
	for lengths := t.lengths.Load(); lengths != 0; lengths &= lengths - 1 {
		length := uint(bits.TrailingZeros32(lengths))
		if length > uint(k.bits) {
			return dst
		}
		if s := t.shortAt(shortIndex(k, length)); s != 0 {
			dst = append(dst, s-1)
		}
	}
	if k.bits < rootBits {
		return dst
	}
	word := t.child(k.hi >> (64 - rootBits))
	for depth := uint(rootBits); word != 0; depth += stride {
		if word&leafFlag != 0 {
			if leaf := word &^ leafFlag; t.slots.key(leaf).covers(k) {
				dst = append(dst, leaf)
			}
			return dst
		}
		n := node(t.arena.from(word))
		dst = n.covering(dst, k, depth)
		if uint(k.bits) < depth+stride {
			return dst
		}
		at := n.find(layout.rank[64|k.six(depth)])
		if at == 0 {
			return dst
		}
		word = atomic.LoadUint32(&n[at])
	}
	return dst
}

func (n node) covering(dst []uint32, k key, depth uint) []uint32 {
	v := k.six(depth)
	for length := uint(0); length < stride && depth+length <= uint(k.bits); length++ {
		if at := n.find(layout.rank[1<<length|v>>(stride-length)]); at != 0 {
			dst = append(dst, n[at])
		}
	}
	return dst
}
