package history

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
)

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
		for _, m := range moments {
			past, err := h.At(t.Context(), m.at, netip.Prefix{})
			if wrong, certain := m.agree(past, err, netip.Prefix{}, true); wrong != "" || !certain {
				t.Errorf("%q, certain %v", wrong, certain)
			}
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
