package history

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
)

func openForeign(path string) (*History, error) {
	return openSmall(path, smallConfig(), newScenario(1).clockFor(0).deps(slog.DiscardHandler))
}

// bolt makes a bbolt file.
func bolt(t *testing.T, path string, fill func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err == nil {
		err = errors.Join(db.Update(fill), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func putAll(value string, names ...[]byte) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		for _, name := range names {
			b, err := tx.CreateBucket(name)
			if err != nil {
				return err
			}
			for _, key := range []string{"format", "\x00\x00\x00\x01", strings.Repeat("k", len((&format.Piece{}).Key())), strings.Repeat("s", len((&format.Snapshot{}).Key()))} {
				if err := b.Put([]byte(key), []byte(value)); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func TestOtherFilesAreLeftAlone(t *testing.T) {
	rows := []struct {
		name string
		fill func(*bbolt.Tx) error
		says string
	}{
		{"a bbolt file of another program", putAll("x", []byte("widgets")), ""},
		{"our names with another format", putAll("something else", format.Buckets()...), ""},
		{"a format too old", putAll("ribglass history 2", format.Buckets()...), `the format "ribglass history 2", this version reads "ribglass history 3" and "ribglass history 4"`},
		{"a later format", putAll("ribglass history 5", format.Buckets()...), `the format "ribglass history 5", this version reads "ribglass history 3" and "ribglass history 4"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "h.db")
			bolt(t, path, row.fill)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := openForeign(path); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), row.says) {
				t.Fatalf("Open = %v, want ErrForeign with %q", err, row.says)
			}
			if _, err := OpenReadOnly(path, newScenario(1).clockFor(0).deps(slog.DiscardHandler)); !errors.Is(err, ErrForeign) {
				t.Fatalf("OpenReadOnly = %v, want ErrForeign", err)
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func TestWhatIsNoHistoryIsSetAside(t *testing.T) {
	rows := []struct {
		name   string
		octets []byte
	}{
		{"text", bytes.Repeat([]byte("to be or not to be\n"), 2000)},
		{"another database", append([]byte("SQLite format 3\x00\x10\x00\x01\x01\x00\x40\x20\x20"), make([]byte, 8192)...)},
		{"one octet", []byte{1}},
		{"zeros", make([]byte, 64<<10)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "h.db")
			if err := os.WriteFile(path, row.octets, 0o600); err != nil {
				t.Fatal(err)
			}
			h, err := openForeign(path)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			if _, err := h.Resume(t.Context()); err != nil {
				t.Error(err)
			}
			aside, err := filepath.Glob(path + ".damaged-*")
			if err != nil || len(aside) != 1 {
				t.Fatalf("set aside: %v, %v", aside, err)
			}
			if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, row.octets) {
				t.Errorf("what was set aside is not what was there (%v)", err)
			}
		})
	}
}

func TestAnEmptyFileAndOurFormatWithGarbageAreUsed(t *testing.T) {
	dir := t.TempDir()
	empty, garbage := filepath.Join(dir, "empty.db"), filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bolt(t, garbage, func(tx *bbolt.Tx) error {
		if err := putAll("garbage", format.Buckets()...)(tx); err != nil {
			return err
		}
		return tx.Bucket(format.BucketMeta).Put(format.KeyFormat, []byte(format.Name))
	})
	for _, path := range []string{empty, garbage} {
		h, err := openForeign(path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		tab, err := h.Resume(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		s := newScenario(1)
		r := recorder{scenario: s, history: h, table: tab, clock: s.clockFor(1), next: 1}
		r.begin()
		r.step()
		if _, err := h.Snapshot(t.Context(), directly(tab)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		past, err := h.At(t.Context(), s.at(2), netip.Prefix{})
		if err != nil || dump(past.Table, netip.Prefix{}) != dump(tab, netip.Prefix{}) {
			t.Errorf("%s: At = %+v, %v", path, past, err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOnlyRegularFilesAreOpened(t *testing.T) {
	dir := t.TempDir()
	victim, link := filepath.Join(dir, "victim"), filepath.Join(dir, "link.db")
	fifo, sub := filepath.Join(dir, "fifo.db"), filepath.Join(dir, "dir.db")
	for _, err := range []error{
		os.WriteFile(victim, []byte("precious"), 0o600), os.Symlink(victim, link), syscall.Mkfifo(fifo, 0o600), os.Mkdir(sub, 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{link, fifo, sub} {
		if h, err := openForeign(path); err == nil {
			t.Errorf("%s was opened", path)
			_ = h.Close()
		}
		if h, err := OpenReadOnly(path, newScenario(1).clockFor(0).deps(slog.DiscardHandler)); err == nil {
			t.Errorf("%s was opened to be read", path)
			_ = h.Close()
		}
		if info, err := os.Lstat(path); err != nil || info.Mode().IsRegular() {
			t.Errorf("%s was replaced: %v, %v", path, info, err)
		}
	}
	if b, err := os.ReadFile(victim); err != nil || string(b) != "precious" {
		t.Errorf("behind the link: %q, %v", b, err)
	}
}

func TestTheFileIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "h.db")
	for range 2 {
		h, err := openForeign(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("mode %v, %v", info.Mode(), err)
		}
		if err := os.Chmod(path, 0o644); err != nil { // for the second time
			t.Fatal(err)
		}
	}
}

func TestAFileIsOpenedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	h, err := openForeign(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openForeign(path); !errors.Is(err, ErrLocked) {
		t.Errorf("a second time here: %v, want ErrLocked", err)
	}
	cmd := reexec(t, "open", path)
	cmd.Stderr = nil
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != exitLocked {
		t.Errorf("by another process: %v, want exit status %d", err, exitLocked)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	hold := reexec(t, "hold", path)
	out, err := hold.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := hold.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := hold.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := openForeign(path); !errors.Is(err, ErrLocked) {
		t.Errorf("while another process has it: %v, want ErrLocked", err)
	}
	if err := errors.Join(in.Close(), hold.Wait()); err != nil {
		t.Error(err)
	}
}

// hold opens a file, says so, and closes it when its input ends.
func hold(path string) error {
	h, err := openForeign(path)
	if errors.Is(err, ErrLocked) {
		os.Exit(exitLocked)
	}
	if err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString("x"); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return h.Close()
}

const exitLocked = 9

func TestAReadOnlyPlace(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a read-only mount needs root")
	}
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip("there is no unshare")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "h.db")
	_, moments := recorded(t, path, 60)
	script := `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2"`
	cmd := exec.Command("unshare", "--mount", "sh", "-c", script, "sh", dir, os.Args[0])
	cmd.Env = append(os.Environ(), envChild+"=readonly", envPath+"="+path)
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "permission denied") && !strings.Contains(string(out), "history:") {
		t.Skipf("mounts cannot be made here: %s", out)
	}
	if err != nil || !strings.HasSuffix(string(out), "ok\n") {
		t.Fatalf("%v: %s", err, out)
	}
	_ = moments
}
