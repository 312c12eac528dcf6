// Package format is the bytes of a history: the keys and values that package
// history stores, as docs/history.md describes them. It turns them into Go
// values and back. It knows the names of the buckets, but not the file: a
// [Source] reads through a function that its user gives it.
//
// # Errors
//
// Everything that is read may be damaged, or made by somebody who means harm. So
// counts are compared with the octets that follow them, references with what
// there is, and order is checked. An error wraps [ErrDamaged]. Compressed values
// carry a checksum, keys with numbers end with one, and chunks are stored under
// their hash; the other values begin with their key, so that none is taken for
// another.
//
// # Memory
//
// Readers and writers ([ChunkReader], [BlockReader], [GroupReader],
// [RangeReader], [ChunkWriter], [BlockWriter], [GroupWriter]) keep their memory
// for the next use. What a reader returns is valid until it reads again. A reader
// or writer is for one goroutine.
package format
