package check

import (
	"slices"

	"ribglass/ribstore/history/format"
)

// Value is a value of a file, with its bucket and its key.
type Value struct{ Bucket, Key, Stored []byte }

// salvageBatch is how many octets are salvaged between two calls of put.
const salvageBatch = 4 << 20

// Salvage calls put with all values that can be read of a damaged history, some
// at a time. The value of the format is checked and left out. A value that could
// be read may be damaged all the same: whoever reads it later checks it. Errors
// are those of put, those of reading the file at all, and ErrForeign.
func Salvage(path string, put func([]Value) error) error {
	var batch []Value
	octets := 0
	_, err := walkPages(path, func(bucket, key, stored []byte) error {
		if string(bucket) == string(format.BucketMeta) && string(key) == string(format.KeyFormat) {
			return format.CheckFormat(stored)
		}
		if len(key) == 0 || !slices.ContainsFunc(format.Buckets(), func(name []byte) bool { return string(name) == string(bucket) }) {
			return nil
		}
		batch = append(batch, Value{slices.Clone(bucket), slices.Clone(key), slices.Clone(stored)})
		if octets += len(key) + len(stored); octets < salvageBatch {
			return nil
		}
		err := put(batch)
		batch, octets = batch[:0], 0
		return err
	})
	if err != nil || len(batch) == 0 {
		return err
	}
	return put(batch)
}
