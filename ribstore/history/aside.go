package history

import (
	"errors"
	"fmt"
	"math"
	"os"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/check"
)

// setAside renames a damaged file, and puts a new file in its place with all
// that can be read of it. When nothing can be read, it leaves no file.
func setAside(path string, why error, deps Deps) error {
	aside := fmt.Sprintf("%s.damaged-%s", path, deps.Now().UTC().Format("20060102T150405Z"))
	rescued := temporary(path)
	if err := os.Remove(rescued); err != nil && !errors.Is(err, os.ErrNotExist) { //nolint:gosec // beside the file that the operator names
		return err
	}
	n, err := rescue(path, rescued)
	if errors.Is(err, ErrForeign) {
		return errors.Join(fmt.Errorf("%s: %w", path, err), os.Remove(rescued)) //nolint:gosec // idem
	}
	if err != nil {
		deps.Logger.Error("nothing can be read of the damaged history", "error", err)
	}
	deps.Logger.Error("the history is damaged; it is set aside and goes on with what can be read", "error", why, "set_aside", aside, "values", n)
	if err := os.Rename(path, aside); err != nil { //nolint:gosec // the operator names it
		return err
	}
	if n > 0 {
		return os.Rename(rescued, path) //nolint:gosec // idem
	}
	if err := os.Remove(rescued); err != nil && !errors.Is(err, os.ErrNotExist) { //nolint:gosec // beside the file that the operator names
		return err
	}
	return nil
}

// rescue copies what can be read of a file to a new one, and returns how many
// values it copied.
func rescue(path, target string) (n int, err error) {
	to, err := openFile(target, false, math.MaxInt64)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	to.db.NoSync = true
	err = check.Salvage(path, func(list []check.Value) error {
		n += len(list)
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
		return 0, err
	}
	return n, nil
}
