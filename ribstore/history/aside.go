package history

import (
	"errors"
	"fmt"
	"math"
	"os"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/check"
	"ribglass/ribstore/history/format"
)

// setAside renames a damaged file, and puts a new file in its place with all
// that can be read of it. When nothing can be read, it leaves no file.
func setAside(path string, why error, deps Deps) error {
	aside := fmt.Sprintf("%s.damaged-%s", path, deps.Now().UTC().Format("20060102T150405Z"))
	fresh := temporary(path)
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) { //nolint:gosec // beside the file that the operator names
		return err
	}
	n, err := rescue(path, fresh)
	if errors.Is(err, ErrForeign) {
		return errors.Join(fmt.Errorf("%s: %w", path, err), os.Remove(fresh)) //nolint:gosec // idem
	}
	if err != nil {
		deps.Logger.Error("nothing can be read of the damaged history", "error", err)
	}
	deps.Logger.Error("the history is damaged; it is set aside and goes on with what can be read", "error", why, "set_aside", aside, "values", n.values, "journal_pieces", n.pieces, "chunks", n.chunks)
	if err := os.Rename(path, aside); err != nil { //nolint:gosec // the operator names it
		return err
	}
	if n.values > 0 {
		return os.Rename(fresh, path) //nolint:gosec // idem
	}
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) { //nolint:gosec // beside the file that the operator names
		return err
	}
	return nil
}

// rescued is how much could be read of a damaged file.
type rescued struct{ values, pieces, chunks int }

func (r *rescued) add(list []check.Value) {
	r.values += len(list)
	for i := range list {
		switch string(list[i].Bucket) {
		case string(format.BucketJournal), string(format.BucketLoads):
			r.pieces++
		case string(format.BucketChunks):
			r.chunks++
		}
	}
}

// rescue copies what can be read of a file to a new one, and returns how much that is.
func rescue(path, target string) (n rescued, err error) {
	codec, err := format.NewCodec()
	if err != nil {
		return rescued{}, err
	}
	defer codec.Close()
	to, err := openFile(target, false, math.MaxInt64)
	if err != nil {
		return rescued{}, err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	to.db.NoSync = true
	err = check.Salvage(codec, path, func(list []check.Value) error {
		n.add(list)
		return to.update(func(tx *bbolt.Tx) error {
			for i := range list {
				v := &list[i]
				if len(v.Key) > bbolt.MaxKeySize {
					continue
				}
				if err := tx.Bucket(v.Bucket).Put(v.Key, v.Stored); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err == nil {
		err = to.db.Sync()
	}
	if err != nil {
		return rescued{}, err
	}
	return n, nil
}
