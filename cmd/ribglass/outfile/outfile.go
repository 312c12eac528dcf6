// Package outfile writes what a command was told to write: a file that is whole or
// not there, and into pipes and devices as they are. It keeps nothing and starts no
// goroutine that outlives a call.
package outfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Write has write write the file called name.
//
// A regular file is written under another name beside it, which takes the place of
// the file when it is complete and on the disk; when writing fails, the file is as it
// was. A file that is there keeps its mode and its owner, and a new file has the mode
// that any new file has. A symbolic link stays, and the file that it leads to is
// written. Pipes, devices, sockets that can be opened, and names below /dev and /proc
// (such as /dev/stdout) are written as they are. Waiting for the reader of a pipe ends
// with ctx. A directory is an error.
func Write(ctx context.Context, name string, write func(io.Writer) error) error {
	target, err := follow(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return replace(target, nil, write)
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory: name a file in it", name)
	case !info.Mode().IsRegular() || isOfProcess(target):
		return through(ctx, target, write)
	}
	return replace(target, info, write)
}

// isOfProcess reports whether a name is the business of the kernel: what a process
// has open, or a device.
func isOfProcess(name string) bool {
	return strings.HasPrefix(name, "/dev/") || strings.HasPrefix(name, "/proc/")
}

// follow returns the name that symbolic links lead to, which need not exist. Links
// below /dev and /proc are not followed: /dev/stdout leads to what is no name.
func follow(name string) (string, error) {
	const most = 40 // as the kernel
	for range most {
		if absolute, err := filepath.Abs(name); err == nil && isOfProcess(absolute) {
			return absolute, nil
		}
		next, err := os.Readlink(name)
		if err != nil {
			return name, nil //nolint:nilerr // no link, or nothing there
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(filepath.Dir(name), next)
		}
		name = next
	}
	return "", &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
}

// replace writes a file under another name and gives it the name of the target, whose
// mode and owner info has; nil: there is no such file.
func replace(target string, info fs.FileInfo, write func(io.Writer) error) (err error) {
	f, err := createBeside(target)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	keeps := true
	if info != nil {
		keeps = keep(f, info)
	}
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if !keeps {
		// Someone else's file may be written, but not made.
		return errors.Join(copyInto(target, f.Name()), os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), target)
}

// createBeside makes a file with an unused name in the directory of the target. The
// umask decides its mode, as for any new file.
func createBeside(target string) (*os.File, error) {
	dir, base := filepath.Split(target)
	for i := uint64(time.Now().UnixNano()); ; i++ {
		name := filepath.Join(dir, "."+base+"."+strconv.FormatUint(i, 36))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the user names it
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// keep gives a file the owner and the mode of another one, and reports whether it
// could. The owner comes first: a change of owner takes the set-id bits away.
func keep(f *os.File, info fs.FileInfo) bool {
	was, ok := info.Sys().(*syscall.Stat_t)
	if !ok || was.Nlink > 1 {
		return false
	}
	return f.Chown(int(was.Uid), int(was.Gid)) == nil && f.Chmod(info.Mode()) == nil
}

// copyInto writes the content of one file into another one, which stays the file that
// it is.
func copyInto(target, source string) error {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// through writes what is no regular file. Nothing is cut off or made anew: behind
// /dev/stdout may be a file that others append to.
func through(ctx context.Context, name string, write func(io.Writer) error) error {
	f, err := openForReader(ctx, name)
	if err != nil {
		return err
	}
	// Where the kernel cannot say when there is room, a write cannot be interrupted.
	stop := context.AfterFunc(ctx, func() { _ = f.SetWriteDeadline(time.Now()) })
	defer stop()
	err = errors.Join(write(f), f.Close())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// openForReader opens a file for writing, and waits for the reader of a pipe.
func openForReader(ctx context.Context, name string) (*os.File, error) {
	const again = 20 * time.Millisecond
	for {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
		if !errors.Is(err, syscall.ENXIO) {
			return f, err
		}
		info, statErr := os.Stat(name)
		if statErr != nil || info.Mode()&fs.ModeNamedPipe == 0 {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(again):
		}
	}
}
