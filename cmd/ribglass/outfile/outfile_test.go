package outfile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// says is a write of some text.
func says(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func wantFile(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s has %q, %v; want %q", name, got, err, want)
	}
}

func wantEntries(t *testing.T, dir string, want int) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != want {
		t.Errorf("the directory has %v, %v; want %d entries", entries, err, want)
	}
}

func put(t *testing.T, name, content string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(name, []byte(content), 0o600), os.Chmod(name, mode)); err != nil {
		t.Fatal(err)
	}
}

func TestAFileIsThereWhenItIsComplete(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "table.mrt")
	put(t, name, "before", 0o600)
	full := errors.New("the answer ends early")
	err := Write(t.Context(), name, func(w io.Writer) error { return errors.Join(says("half")(w), full) })
	if !errors.Is(err, full) {
		t.Errorf("Write = %v, want %v", err, full)
	}
	wantFile(t, name, "before")
	err = Write(t.Context(), name, func(w io.Writer) error {
		wantFile(t, name, "before")
		return says("after")(w)
	})
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, name, "after")
	wantEntries(t, dir, 1)
}

func TestAFileKeepsItsModeAndANewOneObeysTheUmask(t *testing.T) {
	dir := t.TempDir()
	for _, mode := range []fs.FileMode{0o640, 0o600, 0o664, 0o444} {
		name := filepath.Join(dir, "kept")
		put(t, name, "before", mode)
		if err := Write(t.Context(), name, says("after")); err != nil {
			t.Fatal(err)
		}
		wantFile(t, name, "after")
		wantMode(t, name, mode)
		_ = os.Remove(name)
	}
	before := syscall.Umask(0o027)
	defer syscall.Umask(before)
	name := filepath.Join(dir, "new")
	if err := Write(t.Context(), name, says("x")); err != nil {
		t.Fatal(err)
	}
	wantMode(t, name, 0o640)
}

func wantMode(t *testing.T, name string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
	}
}

func TestAFileKeepsItsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: only root gives files to others")
	}
	name := filepath.Join(t.TempDir(), "names.tsv")
	put(t, name, "before", 0o640)
	if err := os.Chown(name, 12345, 23456); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), name, says("after")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if owner.Uid != 12345 || owner.Gid != 23456 || info.Mode() != 0o640 {
		t.Errorf("owner %d:%d, mode %v; want 12345:23456, 0640", owner.Uid, owner.Gid, info.Mode())
	}
	wantFile(t, name, "after")
}

func TestAHardLinkStaysTheSameFile(t *testing.T) {
	dir := t.TempDir()
	name, other := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	put(t, name, "a longer text before", 0o600)
	if err := os.Link(name, other); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), name, says("after")); err != nil {
		t.Fatal(err)
	}
	wantFile(t, name, "after")
	wantFile(t, other, "after")
	wantEntries(t, dir, 2)
}

func TestASymbolicLinkStaysAndItsTargetIsWritten(t *testing.T) {
	dir := t.TempDir()
	below := filepath.Join(dir, "below")
	if err := os.Mkdir(below, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(below, "there"), "before", 0o640)
	links := map[string]string{"relative": "below/there", "chain": "relative", "dangling": filepath.Join(below, "new")}
	for link, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"relative": "there", "chain": "there", "dangling": "new"} {
		if err := Write(t.Context(), filepath.Join(dir, link), says("by "+link)); err != nil {
			t.Fatalf("%s: %v", link, err)
		}
		wantFile(t, filepath.Join(below, target), "by "+link)
		if to, err := os.Readlink(filepath.Join(dir, link)); err != nil || to != links[link] {
			t.Errorf("%s leads to %q, %v; want %q", link, to, err, links[link])
		}
	}
	wantMode(t, filepath.Join(below, "there"), 0o640)
	wantEntries(t, below, 2)
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), filepath.Join(dir, "loop"), says("x")); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a link to itself: %v, want %v", err, syscall.ELOOP)
	}
}

// pipe makes a named pipe.
func pipe(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAPipeIsWrittenAsItIs(t *testing.T) {
	name := pipe(t)
	link := name + ".link"
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("more than a pipe holds ", 10_000)
	written := make(chan error, 1)
	go func() { written <- Write(t.Context(), link, says(text)) }()
	wantFile(t, name, text)
	if err := <-written; err != nil {
		t.Error(err)
	}
	info, err := os.Lstat(name)
	if err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("the pipe is %v now, %v", info, err)
	}
	wantEntries(t, filepath.Dir(name), 2)
}

func TestWaitingForAPipeEnds(t *testing.T) {
	t.Run("that nobody reads", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		written := make(chan error, 1)
		go func() { written <- Write(ctx, pipe(t), says("x")) }()
		cancel()
		if err := <-written; !errors.Is(err, context.Canceled) {
			t.Errorf("Write = %v, want %v", err, context.Canceled)
		}
	})
	t.Run("whose reader stopped reading", func(t *testing.T) {
		name := pipe(t)
		reader, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		ctx, cancel := context.WithCancel(t.Context())
		started, written := make(chan struct{}), make(chan error, 1)
		go func() {
			written <- Write(ctx, name, func(w io.Writer) error {
				close(started)
				return says(strings.Repeat("x", 1<<20))(w)
			})
		}()
		<-started
		cancel()
		if err := <-written; !errors.Is(err, context.Canceled) {
			t.Errorf("Write = %v, want %v", err, context.Canceled)
		}
	})
}

func TestADirectoryIsAnError(t *testing.T) {
	dir := t.TempDir()
	err := Write(t.Context(), dir, says("x"))
	if err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("Write = %v", err)
	}
	wantEntries(t, dir, 0)
}
