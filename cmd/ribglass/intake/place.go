package intake

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"ribglass/ribstore"
)

// copyFile copies a file to a new one of its owner's only.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// publish puts a complete file into the place of a collection. It is given to
// whom the data directory belongs: root imports for the server, which must read
// it.
func publish(temporary, path, dataDir string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dataDir)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		err := errors.Join(os.Chown(temporary, int(owner.Uid), int(owner.Gid)), os.Chown(dir, int(owner.Uid), int(owner.Gid)))
		if err != nil {
			return err
		}
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// maxSources bounds the list of files of a collection.
const maxSources = 10_000

// noteSources adds the names of the files that were imported to the list beside the
// collection: pages tell where it is from.
func noteSources(path, dataDir string, reports []Report) error {
	list := ribstore.SourcesPath(path)
	before, err := os.ReadFile(list)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	names := strings.Fields(string(before))
	for i := range reports {
		if r := &reports[i]; r.Announcements+r.Withdrawals > 0 {
			name := strings.Join(strings.Fields(filepath.Base(r.Path)), "_")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	names = names[:min(len(names), maxSources)]
	temporary := list + ".importing"
	if err := os.WriteFile(temporary, []byte(strings.Join(names, "\n")+"\n"), 0o600); err != nil { //nolint:gosec // beside the collection
		return err
	}
	return publish(temporary, list, dataDir)
}

// Delete removes a collection. A server that answers from it goes on until it is
// asked for the next time.
func Delete(dataDir, name string) error {
	path, err := ribstore.CollectionPath(dataDir, name)
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.Remove(path); err != nil {
		return err
	}
	return removeIfThere(ribstore.SourcesPath(path))
}

// Rename gives a collection another name. An error is that a collection has it.
func Rename(dataDir, name, to string) error {
	from, err := ribstore.CollectionPath(dataDir, name)
	if err != nil {
		return err
	}
	path, err := ribstore.CollectionPath(dataDir, to)
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("there is a collection %s already: delete it first", to))
	}
	if err := removeIfThere(ribstore.SourcesPath(path)); err != nil {
		return err
	}
	if err := os.Rename(ribstore.SourcesPath(from), ribstore.SourcesPath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(from, path)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
