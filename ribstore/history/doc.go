// Package history keeps the past of a table: snapshots of it and a journal of
// every change between them, in one bbolt file that it alone opens.
//
// A [History] is told by the table's writer what the writer is about to do
// ([History.Record]) and gives back the time it happens at. Records gather in
// groups, which are written once a second, or every three when they are
// small. A snapshot is a walk over the table
// while it goes on changing; what was recorded during the walk is stored with it
// and makes it exact. [History.At] turns both back into a table: the state at a
// moment is the newest snapshot before it with the journal since then replayed
// through the same code that the live table runs. So the law of the package
// holds by construction: the table at a moment is the fold of the events up to
// it.
//
// # Storage
//
// docs/history.md has the format. Package format turns it into Go values and back,
// package check finds damage in a file. Everything stored is compressed by zstd
// with its checksum, or is addressed by its hash, and is checked when it is read.
// Snapshots are cut into chunks in the order of prefixes, and a chunk that
// changed little is stored as its difference. The journal is merged into
// segments, ordered by prefix, so that the past of one prefix is read without the
// past of all others. Retention thins snapshots out in tiers, and a file with
// much free space is copied to a smaller one.
//
// # Error handling
//
// Damage is found by checksum, logged, counted, and passed over: an older
// snapshot and more of the journal take the place of a damaged one, and where the
// journal has a hole the answer is the state before it and says so. A disk that
// takes nothing stops recording, not the program: what cannot be written waits,
// up to a bound, and what is lost is known to be lost.
package history
