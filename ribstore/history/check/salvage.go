package check

import (
	"errors"
	"slices"

	"ribglass/ribstore/history/format"
)

// Value is a value of a file, with its bucket and its key.
type Value struct{ Bucket, Key, Stored []byte }

// salvageBatch is how many octets are salvaged between two calls of put.
const salvageBatch = 4 << 20

// Salvage calls put with all values that can be read of a damaged history, some
// at a time. The value of the format is checked and left out. A value that could
// be read may be damaged all the same: whoever reads it later checks it. Of a file that
// is cut off, Salvage calls put with what the pages hold that are there. Errors
// are those of put, those of reading the file at all, and ErrForeign.
func Salvage(codec *format.Codec, path string, put func([]Value) error) error {
	var batch []Value
	octets := 0
	found := func(bucket, key, stored []byte) error {
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
	}
	_, err := walkPages(path, found)
	if _, cut := errors.AsType[*cutError](err); cut {
		err = salvageCut(codec, path, found)
	}
	if err != nil || len(batch) == 0 {
		return err
	}
	return put(batch)
}
