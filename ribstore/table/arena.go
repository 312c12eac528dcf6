package table

import (
	"math/bits"
	"slices"
	"sync/atomic"
)

// arena hands out blocks of words by index. Words are plain memory without
// pointers: nothing for the garbage collector to scan, and half the size of a
// pointer to refer to. Freed blocks are reused by size class.
//
// Index 0 is never handed out and means "none". One writer allocates and frees;
// readers may resolve an index that they found published. A block's words are
// written before its index is published and then left alone, except through
// the atomic operations of the structure that owns it.
type arena[W uint32 | uint64] struct {
	chunks atomic.Pointer[[][]W]
	next   uint32                 // first word never handed out
	free   [arenaClasses][]uint32 // freed blocks by class
	used   int                    // words in live blocks
}

const (
	arenaShift   = 14
	arenaWords   = 1 << arenaShift // in a chunk; the largest block must fit
	arenaFirst   = 1 << 8          // in the first chunk: many tables are small
	arenaClasses = 57
)

// arenaClass returns the size class that n words belong to, and its size:
// exact up to 16 words, then four steps to a doubling.
func arenaClass(n int) (class, size int) {
	if n <= 16 {
		return n, n
	}
	shift := bits.Len(uint(n-1)) - 3
	steps := (n + 1<<shift - 1) >> shift // 5 to 8 steps of 1<<shift
	return 16 + (shift-2)*4 + steps - 4, steps << shift
}

// alloc returns a block of n words, 1 to 12,288, with old contents.
func (a *arena[W]) alloc(n int) (uint32, []W) {
	class, size := arenaClass(n)
	a.used += size
	if list := a.free[class]; len(list) > 0 {
		index := list[len(list)-1]
		a.free[class] = list[:len(list)-1]
		return index, a.block(index, n)
	}
	index := a.extend(size)
	return index, a.block(index, n)
}

// extend cuts a block off the unused end, adding a chunk when it does not fit.
func (a *arena[W]) extend(size int) uint32 {
	var chunks [][]W
	if p := a.chunks.Load(); p != nil {
		chunks = *p
	}
	if left := a.left(chunks); uint32(size) > left {
		a.donate(left)
		a.next = uint32(len(chunks)) << arenaShift
		words := arenaWords
		if a.next == 0 {
			a.next = 1
			if size < arenaFirst {
				words = arenaFirst
			}
		}
		grown := append(slices.Clip(chunks), make([]W, words))
		a.chunks.Store(&grown)
	}
	index := a.next
	a.next += uint32(size)
	return index
}

// left returns how many words at the end of the last chunk were never handed out.
func (a *arena[W]) left(chunks [][]W) uint32 {
	if len(chunks) == 0 {
		return 0
	}
	last := len(chunks) - 1
	return uint32(last)<<arenaShift + uint32(len(chunks[last])) - a.next
}

// donate puts the rest of a chunk into the free lists of small blocks.
func (a *arena[W]) donate(left uint32) {
	for left > 0 {
		n := min(left, 16)
		a.free[n] = append(a.free[n], a.next)
		a.next += n
		left -= n
	}
}

// block returns n words at the index.
func (a *arena[W]) block(index uint32, n int) []W {
	c := (*a.chunks.Load())[index>>arenaShift]
	at := index & (arenaWords - 1)
	return c[at : at+uint32(n) : at+uint32(n)]
}

// from returns the words at the index to the end of its chunk.
func (a *arena[W]) from(index uint32) []W {
	return (*a.chunks.Load())[index>>arenaShift][index&(arenaWords-1):]
}

// release makes a block of n words available again. No reader may hold it.
func (a *arena[W]) release(index uint32, n int) {
	class, size := arenaClass(n)
	a.used -= size
	a.free[class] = append(a.free[class], index)
}

// bytes returns the memory held, free blocks included.
func (a *arena[W]) bytes() uint64 {
	p := a.chunks.Load()
	if p == nil {
		return 0
	}
	var w W
	size := uint64(4)
	if ^w > 1<<32-1 {
		size = 8
	}
	words := 0
	for _, c := range *p {
		words += len(c)
	}
	return uint64(words) * size
}
