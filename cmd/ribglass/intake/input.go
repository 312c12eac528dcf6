package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Stdin is the name of standard input among files.
const Stdin = "-"

// input is where the octets of a file come from. What is no regular file, such as a
// pipe, is read once: what was read to look at it waits in a file without a name.
type input struct {
	path  string
	size  int64 // zero: not known
	once  bool  // it can be read only once
	found bool  // in a directory, not named

	opened *os.File // nil: not open
	head   *os.File // what was looked at of what can be read only once; nil: nothing
	stop   func() bool
}

// inputs returns the files that are named: of a directory all files in it and below,
// but for those whose names begin with a dot, in the order of their names.
func inputs(paths []string) ([]input, error) {
	var list []input
	for _, path := range paths {
		if path == Stdin {
			list = append(list, input{path: path})
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			list = append(list, input{path: path})
			continue
		}
		below, err := inputsBelow(path)
		if err != nil {
			return nil, err
		}
		if len(below) == 0 {
			return nil, fmt.Errorf("%s: there is no file in it", path)
		}
		list = append(list, below...)
	}
	return list, nil
}

func inputsBelow(dir string) (list []input, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(e.Name(), ".") && path != dir {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := os.Stat(path) // of what a link leads to
		if err == nil && info.Mode().IsRegular() {
			list = append(list, input{path: path, found: true})
		}
		return nil // a link may lead nowhere
	})
	return list, err
}

// name is what the input is called.
func (in *input) name() string {
	if in.path == Stdin {
		return "standard input"
	}
	return in.path
}

// open opens the input, and has reads end with ctx where they may wait.
func (in *input) open(ctx context.Context) (io.Reader, error) {
	if in.opened != nil { // it was looked at
		return in.behindHead()
	}
	f, err := in.openFile(ctx)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory", in.path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	in.opened = f
	if info.Mode().IsRegular() && in.path != Stdin {
		in.size = info.Size()
		return f, nil
	}
	in.once = true
	in.stop = context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Now()) })
	if in.head, err = os.CreateTemp("", "ribglass-import-*"); err != nil {
		return nil, errors.Join(err, in.close())
	}
	if err := os.Remove(in.head.Name()); err != nil {
		return nil, errors.Join(err, in.close())
	}
	return io.TeeReader(f, in.head), nil
}

// openFile opens the file, and gives up waiting for the writer of a pipe when ctx ends.
func (in *input) openFile(ctx context.Context) (*os.File, error) {
	if in.path == Stdin {
		// Anew, where that can be: a read of what was given to us cannot be interrupted.
		if info, err := os.Stdin.Stat(); err == nil && !info.Mode().IsRegular() {
			if f, err := os.OpenFile("/proc/self/fd/0", os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
				return f, nil
			}
		}
		return os.Stdin, nil
	}
	stop := context.AfterFunc(ctx, func() {
		if f, err := os.OpenFile(in.path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = f.Close()
		}
	})
	defer stop()
	f, err := os.Open(in.path)
	if err == nil && ctx.Err() != nil {
		return nil, errors.Join(ctx.Err(), f.Close())
	}
	return f, err
}

// behindHead returns everything: what was looked at, and then the rest.
func (in *input) behindHead() (io.Reader, error) {
	if _, err := in.head.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.MultiReader(in.head, in.opened), nil
}

// close closes the input. What can be read only once stays open after a look.
func (in *input) close() error {
	if in.stop != nil {
		in.stop()
	}
	var errs []error
	for _, f := range []*os.File{in.opened, in.head} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	in.opened, in.head, in.stop = nil, nil, nil
	return errors.Join(errs...)
}
