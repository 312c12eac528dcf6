package history

import (
	"errors"
	"fmt"
	"math"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
)

// OtherFormatError is returned for a history of another version of the format.
type OtherFormatError = format.OtherError

// Migrate makes a file of the former format one of this version, in one transaction, and
// returns the format that it had: [Format] when there was nothing to do. What it has is
// not written anew, and stays as it is on an error. Errors are [ErrLocked], [ErrForeign]
// and those of reading and writing the file; a damaged file is left alone.
func Migrate(path string) (before string, err error) {
	f, err := openFile(path, true, math.MaxInt64)
	if err != nil {
		return "", err
	}
	err = f.view(func(tx *bbolt.Tx) error {
		if meta := tx.Bucket(format.BucketMeta); meta != nil {
			before = string(meta.Get(format.KeyFormat))
			return nil
		}
		return fmt.Errorf("%s: %w", path, ErrForeign)
	})
	if err = errors.Join(err, f.close()); err != nil || before == Format {
		return before, err
	}
	if f, err = openFile(path, false, math.MaxInt64); err != nil {
		return before, err
	}
	return before, f.close()
}

// Format is the format that this version writes, such as "ribglass history 4".
const Format = format.Name
