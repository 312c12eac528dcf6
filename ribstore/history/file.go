package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"ribglass/ribstore/history/check"
	"ribglass/ribstore/history/format"
)

// Errors of opening a file.
var (
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("another process has the history open")
	// ErrForeign: the file is not a history, or one of another version. It is left
	// alone.
	ErrForeign = format.ErrForeign
)

// lockWait is how long opening waits for another process to close the file: long
// enough for a process that is about to end.
const lockWait = time.Second

// file is the bbolt file. All access goes through view and update. bbolt trusts
// the mapped pages of a damaged file, so it may panic or touch memory that is not
// there; view and update return that as an error.
type file struct {
	db       *bbolt.DB
	path     string
	pageSize int
	readOnly bool
}

// firstFit is up to what size the pages of a file are taken from the first place
// where they fit. In small files, in which a value is a good part of everything, free
// pages stand together then. It takes a look at many pages, too long in large files.
const firstFit = 1 << 30

// openFile opens or, unless readOnly, creates a file that will have a size at most.
func openFile(path string, readOnly bool, most int64) (*file, error) {
	f := &file{path: path, readOnly: readOnly}
	freelist := bbolt.FreelistMapType
	if most <= firstFit {
		freelist = bbolt.FreelistArrayType
	}
	options := bbolt.Options{
		Timeout: lockWait, ReadOnly: true, FreelistType: freelist, OpenFile: openRegular,
		// The list of free pages would be written every second, and may be longer than all
		// else. It is made again when the file is opened.
		NoFreelistSync: true,
	}
	var err error
	if info, missing := os.Lstat(path); readOnly || missing == nil && info.Size() > 0 { //nolint:gosec // the operator names it
		if err = f.open(options, path); err == nil {
			// To be written, bbolt walks the pages at once. So they are checked first.
			err = f.checkPages()
		}
	}
	if options.ReadOnly = readOnly; err == nil && !readOnly {
		err = f.open(options, path)
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	case err != nil && tooShort(path):
		return nil, fmt.Errorf("%s: %w: %w", path, format.ErrDamaged, err)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrChecksum):
		return nil, fmt.Errorf("%s: %w: %w", path, format.ErrDamaged, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.pageSize = f.db.Info().PageSize
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, f.close()))
	}
	return f, nil
}

func (f *file) open(options bbolt.Options, path string) error {
	return guard(func() (err error) {
		f.db, err = bbolt.Open(path, 0o600, &options)
		return err
	})
}

// checkPages checks the pages of the file, which is open to be read, and closes it when
// it is to be written.
func (f *file) checkPages() error {
	err := check.Structure(f.path, f.readOnly)
	if err != nil || !f.readOnly {
		err = errors.Join(err, f.close())
	}
	return err
}

// tooShort reports whether a file is shorter than any that was written.
func tooShort(path string) bool {
	info, err := os.Lstat(path) //nolint:gosec // the operator names it
	return err == nil && info.Mode().IsRegular() && info.Size() < int64(4*os.Getpagesize())
}

// openRegular opens a regular file, waits for no writer of a pipe, and follows no
// symbolic link, so that nobody who may write to the directory can have another
// file overwritten.
func openRegular(name string, flag int, mode fs.FileMode) (*os.File, error) {
	f, err := os.OpenFile(name, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, mode) //nolint:gosec // the configured file
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	if err == nil && info.Mode().Perm()&0o077 != 0 && flag&os.O_RDWR != 0 {
		err = f.Chmod(0o600)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// check makes sure that the file is a history and whole, and makes it one when
// it is new.
func (f *file) check() error {
	fresh, older := false, false
	err := f.view(func(tx *bbolt.Tx) error {
		if info, err := os.Stat(f.path); err != nil {
			return err
		} else if info.Size() < tx.Size() {
			return format.Damagedf("the file is cut off: it has %d of %d bytes", info.Size(), tx.Size())
		}
		meta := tx.Bucket(format.BucketMeta)
		if meta == nil {
			if k, _ := tx.Cursor().First(); k != nil {
				return format.ErrForeign
			}
			fresh = true
			return nil
		}
		if err := format.CheckFormat(meta.Get(format.KeyFormat)); err != nil {
			return err
		}
		older = format.IsFormer(meta.Get(format.KeyFormat))
		for _, name := range format.Buckets() {
			if tx.Bucket(name) != nil {
				continue
			}
			if older = format.Later(name); !older {
				return format.Damagedf("the bucket %s is missing", name)
			}
		}
		return nil
	})
	switch {
	case err != nil, !fresh && !older, older && f.readOnly:
		return err
	case f.readOnly:
		return format.ErrForeign
	}
	return f.update(func(tx *bbolt.Tx) error {
		for _, name := range format.Buckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(format.BucketMeta).Put(format.KeyFormat, []byte(format.Name))
	})
}

func (f *file) view(read func(*bbolt.Tx) error) error {
	return guard(func() error { return f.db.View(read) })
}

func (f *file) update(write func(*bbolt.Tx) error) error {
	if f.readOnly {
		return fmt.Errorf("%s: %w", f.path, fs.ErrPermission)
	}
	return guard(func() error { return f.db.Update(write) })
}

// transaction gives the values of a bbolt transaction.
type transaction struct{ tx *bbolt.Tx }

func (t transaction) Get(bucket, key []byte) []byte { return t.tx.Bucket(bucket).Get(key) }

func (t transaction) Each(bucket []byte, visit func(key, value []byte) error) error {
	b := t.tx.Bucket(bucket)
	if b == nil { // of a file of before
		return nil
	}
	return b.ForEach(visit)
}

func (f *file) close() error { return guard(f.db.Close) }

// size returns the size of the file, and how much of it is free for new values.
func (f *file) size() (total, free int64) {
	stats := f.db.Stats()
	if info, err := os.Stat(f.path); err == nil { //nolint:gosec // the operator names it
		total = info.Size()
	}
	return total, int64(stats.FreePageN+stats.PendingPageN) * int64(f.pageSize)
}

// used returns how many octets of pages the data has.
func (f *file) used() int64 {
	var end int64
	_ = f.view(func(tx *bbolt.Tx) error {
		end = tx.Size()
		return nil
	})
	stats := f.db.Stats()
	return end - int64(stats.FreePageN+stats.PendingPageN)*int64(f.pageSize)
}

// guard runs what reads or writes the file and returns a panic, and a fault of
// the mapped memory, as an error.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			err = format.Damagedf("%v", v)
		}
	}()
	return f()
}
