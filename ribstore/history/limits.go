package history

import "time"

// limits are the sizes at which things are cut, merged and given up. They are no
// configuration: tests make them small.
type limits struct {
	groupRecords int // a group is written when it has as many,
	groupOctets  int // or takes as much; time closes it too, see groupEvery
	maxPending   int // octets; beyond, the disk does not keep up and they are given up

	blockChanges int // a block ends with the region once it has as many,
	maxBlock     int // and at the latest with this many
	levels       []merging

	// A chunk is cut where a region ends once it has enough prefixes, and
	// anywhere when it has too many prefixes or routes.
	chunkPrefixes    int
	maxChunkPrefixes int
	maxChunkRoutes   int
	maxOctets        int // of the attribute sets of a chunk, or of the changes of a block

	walkSlice  int   // prefixes read in one view of the table
	writeAhead int   // octets of chunks or blocks collected for one transaction
	worthBytes int64 // free in the file, for it to be compacted
}

// merging says how many pieces of a level, or pieces with how many records, make
// one of the next level. The number of pieces that a question must look into is
// the sum of the first column, and of the last level one for every few hours; a
// record is written once a level. A question about the whole table reads a piece
// whole, so that none is made of more than a second takes to read.
type merging struct{ pieces, records int }

func defaultLimits() limits {
	const chunkPrefixes = 16384
	return limits{
		groupRecords: 10_000, groupOctets: 4 << 20, maxPending: 64 << 20,
		blockChanges: 4096, maxBlock: 16384,
		levels:        []merging{{64, 250_000}, {24, 1_000_000}, {16, 2_500_000}},
		chunkPrefixes: chunkPrefixes, maxChunkPrefixes: 2 * chunkPrefixes, maxChunkRoutes: 1 << 18, maxOctets: 16 << 20,
		walkSlice: 2048, writeAhead: 4 << 20, worthBytes: 64 << 20,
	}
}

const (
	groupEvery = time.Second      // a group is written when it is as old
	maxStep    = 10 * time.Second // a clock that was set back by less is waited for
)
