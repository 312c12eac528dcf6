package history

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
)

// TestAFileOfTheFormatBefore reads a file that a version with the format before wrote,
// of the same scenario, and records on in it: then it has the format of now.
func TestAFileOfTheFormatBefore(t *testing.T) {
	t.Parallel()
	s, moments := recorded(t, filepath.Join(memoryDir(t), "now.db"), 120)
	path := filepath.Join(memoryDir(t), "h.db")
	unpack(t, "testdata/format3.db.gz", path)
	deps := s.clockFor(1000).deps(slog.DiscardHandler)
	h, err := OpenReadOnly(path, deps)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(knows(t, h, moments), h.Close()); err != nil {
		t.Fatal(err)
	}
	if h, err = openSmall(path, smallConfig(), deps); err != nil {
		t.Fatal(err)
	}
	if err := knows(t, h, moments); err != nil {
		t.Error(err)
	}
	if _, err := h.Resume(t.Context()); err != nil {
		t.Error(err)
	}
	if r, err := h.Verify(t.Context(), nil); err != nil || len(r.Problems) > 0 {
		t.Errorf("Verify = %+v, %v", r, err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	plant(t, path, func(tx *bbolt.Tx) error {
		if got := string(tx.Bucket(format.BucketMeta).Get(format.KeyFormat)); got != format.Name {
			t.Errorf("the file has the format %q, want %q", got, format.Name)
		}
		return nil
	})
}

// knows returns an error when a history does not know a moment as it was.
func knows(t *testing.T, h *History, moments []moment) error {
	t.Helper()
	for _, m := range moments {
		past, err := h.At(t.Context(), m.at, netip.Prefix{})
		if wrong, certain := m.agree(past, err, netip.Prefix{}, true); wrong != "" || !certain {
			return fmt.Errorf("%v: %q, certain %v", m.at, wrong, certain)
		}
	}
	return nil
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAFileOfBeforeThereWereMarks opens a file without the bucket of marks, only to
// read it and to record on.
func TestAFileOfBeforeThereWereMarks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(memoryDir(t), "h.db")
	s, moments := recorded(t, path, 120)
	plant(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket(format.BucketMarks) })
	ask := func(h *History, err error) *History {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := knows(t, h, moments); err != nil {
			t.Error(err)
		}
		return h
	}
	deps := s.clockFor(1000).deps(slog.DiscardHandler)
	if err := ask(OpenReadOnly(path, deps)).Close(); err != nil {
		t.Fatal(err)
	}
	h := ask(openSmall(path, smallConfig(), deps))
	if _, err := h.Resume(t.Context()); err != nil {
		t.Error(err)
	}
	if r, err := h.Verify(t.Context(), nil); err != nil || len(r.Problems) > 0 {
		t.Errorf("Verify = %+v, %v", r, err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
