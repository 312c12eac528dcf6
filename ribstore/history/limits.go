package history

import (
	"time"

	"ribglass/ribstore/history/format"
)

// workBudget is what a merge, a replay, a snapshot or a check takes of memory at
// most, beside the table: the limits below are chosen for it. TestMemoryIsBounded
// measures what they take.
const workBudget = 128 << 20

// limits are the sizes at which things are cut, merged and given up. They cannot be
// configured; tests make them small.
type limits struct {
	groupRecords int // a group is written when it has so many records,
	groupOctets  int // or so many octets, or is as old as groupEvery
	maxPending   int // octets; when more wait to be written, they are given up; a quarter of them may be of one peer
	maxTail      int // octets that are recorded while a snapshot is taken; a quarter of them may be of one peer
	maxTouched   int // octets of what is remembered of the routes of a peer that are not recorded

	blockChanges int // a block with so many changes ends with its region,
	maxBlock     int // and a block with so many ends anywhere
	levels       []merging
	// maxLoads is how many groups of loads are not merged: by default those of eight full
	// tables. The oldest of more are merged once, straight to the last level.
	maxLoads int

	// A chunk is cut where a region ends once it has enough prefixes, and
	// anywhere when it has too many prefixes or routes.
	chunkPrefixes    int
	maxChunkPrefixes int
	maxChunkRoutes   int
	maxOctets        int // of the attribute sets of a chunk

	maxBlockOctets int // of the attribute sets of a block, each as often as a change has it
	wide           int // octets of the blocks that a merge reads at one time
	window         int // octets of changes that a replay of a segment puts in order at one time

	walkSlice  int   // prefixes read in one view of the table
	writeAhead int   // octets of chunks or blocks collected for one transaction
	worthBytes int64 // free in the file, for it to be compacted
	// compactEvery is how long the file is not compacted after it was, or after
	// something was dropped for want of room: what is free then is used soon.
	compactEvery time.Duration
}

// merging says how many pieces of a level, or how many records or octets in them,
// make one piece of the next level. A question looks into as many pieces as the sum
// of pieces over all levels, and into a piece of the last level for every few hours.
// Every level writes a record once. A question about the whole table reads pieces
// whole, so a piece is small enough to be read in a second.
//
// Groups are merged in memory, so the octets of the first level are what a merge
// takes. Segments are merged block by block.
type merging struct{ pieces, records, octets int }

func defaultLimits() limits {
	const chunkPrefixes = 16384
	return limits{
		groupRecords: 10_000, groupOctets: 4 << 20, maxPending: 64 << 20, maxTail: format.MaxValue / 2, maxTouched: 16 << 20,
		blockChanges: 4096, maxBlock: 16384,
		levels:        []merging{{64, 250_000, 24 << 20}, {24, 1_000_000, 96 << 20}, {16, 2_500_000, 96 << 20}},
		maxLoads:      1024,
		chunkPrefixes: chunkPrefixes, maxChunkPrefixes: 2 * chunkPrefixes, maxChunkRoutes: 1 << 18, maxOctets: 8 << 20,
		maxBlockOctets: 1 << 20, wide: 16 << 20, window: 32 << 20,
		walkSlice: 2048, writeAhead: 4 << 20, worthBytes: 64 << 20, compactEvery: time.Hour,
	}
}

// within makes limits small against the size of a file, most of all those of single
// values.
func (l limits) within(size int64) limits {
	most := func(n *int, part int64) { *n = min(*n, int(max(size/part, 64<<10))) }
	most(&l.groupOctets, 128)
	most(&l.maxOctets, 128)
	most(&l.maxBlockOctets, 128)
	most(&l.writeAhead, 128)
	most(&l.maxPending, 4)
	l.worthBytes = min(l.worthBytes, size/8)
	return l
}

const (
	groupEvery  = time.Second      // a group is written when it is so old,
	fewOctets   = 32 << 10         // but one of a few changes
	littleEvery = 3 * time.Second  // only when it is so old
	maxStep     = 10 * time.Second // the journal waits for a clock that was set back by less
	maxForward  = time.Hour        // a clock that goes on by more was set, since a record is made every minute
)
