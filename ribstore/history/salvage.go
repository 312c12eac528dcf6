package history

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"go.etcd.io/bbolt"
)

// setAside renames a damaged file and puts in its place what can be read of it.
// When that is nothing, there is no file then.
func setAside(path string, why error, deps Deps) error {
	aside := fmt.Sprintf("%s.damaged-%s", path, deps.Now().UTC().Format("20060102T150405Z"))
	rescued := temporary(path)
	if err := os.Remove(rescued); err != nil && !errors.Is(err, os.ErrNotExist) { //nolint:gosec // beside the file that the operator names
		return err
	}
	n, err := salvage(path, rescued)
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

// walkPages walks the pages of a file, see pages.
func walkPages(path string, found func(bucket, key, value []byte) error) (*pages, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p, err := openPages(f, info.Size())
	if err != nil {
		return nil, err
	}
	p.found = found
	return p, p.walk()
}

// salvage copies what can be read of a file to a new one, and returns how many
// values that were. None are right because they could be read: who reads them
// believes nothing.
func salvage(path, target string) (n int, err error) {
	to, err := openFile(target, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	to.db.NoSync = true
	var batch []salvaged
	octets := 0
	put := func() error {
		err := to.update(func(tx *bbolt.Tx) error { return putSalvaged(tx, batch) })
		n += len(batch)
		batch, octets = batch[:0], 0
		return err
	}
	_, err = walkPages(path, func(bucket, key, value []byte) error {
		switch {
		case string(key) == string(keyFormat) && string(value) != string(formatName):
			return ErrForeign
		case len(key) == 0 || len(key) > bbolt.MaxKeySize || string(key) == string(keyFormat):
			return nil
		}
		batch = append(batch, salvaged{slices.Clone(bucket), keyValue{slices.Clone(key), slices.Clone(value)}})
		if octets += len(key) + len(value); octets < copyBatch {
			return nil
		}
		return put()
	})
	if err == nil {
		err = put()
	}
	if err == nil {
		err = to.db.Sync()
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}

type salvaged struct {
	bucket []byte
	keyValue
}

// putSalvaged writes what was found, of buckets that belong to a history.
func putSalvaged(tx *bbolt.Tx, list []salvaged) error {
	for i := range list {
		b := tx.Bucket(list[i].bucket)
		if b == nil || !slices.ContainsFunc(buckets(), func(name []byte) bool { return string(name) == string(list[i].bucket) }) {
			continue
		}
		if err := b.Put(list[i].key, list[i].value); err != nil {
			return err
		}
	}
	return nil
}
