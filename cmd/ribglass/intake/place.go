package intake

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
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
