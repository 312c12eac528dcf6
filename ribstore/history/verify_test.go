package history

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/check"
	"ribglass/ribstore/history/format"
)

// plant changes a file behind the back of a history.
func plant(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err == nil {
		err = errors.Join(db.Update(change), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// nth returns the nth key of a bucket that is as wanted.
func nth(tx *bbolt.Tx, bucket []byte, n int, wanted func(k []byte) bool) (*bbolt.Bucket, []byte, []byte) {
	b := tx.Bucket(bucket)
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if wanted != nil && !wanted(k) {
			continue
		}
		if n--; n < 0 {
			return b, slices.Clone(k), slices.Clone(v)
		}
	}
	return b, nil, nil
}

func flipped(v []byte, at int) []byte {
	v = slices.Clone(v)
	v[at] ^= 4
	return v
}

func group(k []byte) bool    { p, err := format.ParsePiece(k); return err == nil && p.Level == 0 }
func segment1(k []byte) bool { p, err := format.ParsePiece(k); return err == nil && p.Level > 0 }

func TestVerifyFindsWhatIsPlanted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	recorded(t, path, 437)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	change := func(bucket []byte, n int, wanted func([]byte) bool, to func(v []byte) []byte) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			b, k, v := nth(tx, bucket, n, wanted)
			if k == nil {
				return errors.New("there is no such key")
			}
			if to == nil {
				return b.Delete(k)
			}
			return b.Put(k, to(v))
		}
	}
	flip := func(v []byte) []byte { return flipped(v, len(v)/2) }
	rows := []struct {
		name  string
		plant func(*bbolt.Tx) error
		want  []string // in What and Means
	}{
		{"nothing", nil, nil},
		{"a flipped bit in a chunk", change(format.BucketChunks, 3, nil, flip), []string{"of its chunks", "not those that were written", "instead"}},
		{"a chunk is missing", change(format.BucketChunks, 0, nil, nil), []string{"it is not there", "instead"}},
		{"a manifest is damaged", change(format.BucketSnapshots, 1, nil, flip), []string{"cannot be used", "the snapshot of 2026-03-01T00:00:54Z", "are used instead"}},
		{"a manifest is filed as another", func(tx *bbolt.Tx) error {
			b, k, _ := nth(tx, format.BucketSnapshots, 0, nil)
			_, _, v := nth(tx, format.BucketSnapshots, 1, nil)
			return b.Put(k, v)
		}, []string{"filed as another one", "the journal is used instead"}},
		{"the key of a snapshot is damaged", func(tx *bbolt.Tx) error {
			b, k, v := nth(tx, format.BucketSnapshots, 1, nil)
			return errors.Join(b.Delete(k), b.Put(flipped(k, 9), v))
		}, []string{"a key of a snapshot"}},
		{"a group is damaged", change(format.BucketJournal, 0, group, flip), []string{"group of", "is not known"}},
		{"a group is missing", change(format.BucketJournal, 2, group, nil), []string{"a hole from"}},
		{"the last group is missing", func(tx *bbolt.Tx) error {
			b := tx.Bucket(format.BucketJournal)
			k, _ := b.Cursor().Last()
			return b.Delete(slices.Clone(k))
		}, []string{"the end of the journal"}},
		{"the key of a group is damaged", func(tx *bbolt.Tx) error {
			b, k, v := nth(tx, format.BucketJournal, 2, group)
			return errors.Join(b.Delete(k), b.Put(flipped(k, 30), v))
		}, []string{"a key of the journal", "a hole from"}},
		{"a group is another one", func(tx *bbolt.Tx) error {
			b, k, _ := nth(tx, format.BucketJournal, 1, group)
			_, _, v := nth(tx, format.BucketJournal, 2, group)
			return b.Put(k, v)
		}, []string{"group of", "filed as another one"}},
		{"a segment is damaged", change(format.BucketJournal, 0, segment1, flip), []string{"segment of", "is not known"}},
		{"a block is damaged", change(format.BucketBlocks, 4, nil, flip), []string{"block", "is not known"}},
		{"a block is missing", change(format.BucketBlocks, 4, nil, nil), []string{"block", "it is not there"}},
		{"a block is another one", func(tx *bbolt.Tx) error {
			b, k, _ := nth(tx, format.BucketBlocks, 4, nil)
			_, _, v := nth(tx, format.BucketBlocks, 9, nil)
			return b.Put(k, v)
		}, []string{"block 4", "filed as another one"}},
		{"a run is damaged", change(format.BucketRuns, 0, nil, flip), []string{"run 00000001", "run 1 is missing"}},
		{"the name of a peer is damaged", change(format.BucketPeers, 2, nil, flip), []string{"the name of peer 2 is missing"}},
		{"the name of the last peer is missing", change(format.BucketPeers, 4, nil, nil), []string{"the name of peer 4 is missing"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "planted.db")
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if row.plant != nil {
				plant(t, path, row.plant)
			}
			r := verified(t, path)
			text := ""
			for _, p := range r.Problems {
				text += p.What + ": " + p.Means + "\n"
			}
			if (len(row.want) == 0) != (text == "") {
				t.Errorf("problems: %s", text)
			}
			for _, want := range row.want {
				if !strings.Contains(text, want) {
					t.Errorf("problems do not tell %q:\n%s", want, text)
				}
			}
		})
	}
}

// verified verifies a file that is open to be read, and makes sure that it is not
// written to.
func verified(t *testing.T, path string) *check.Report {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := OpenReadOnly(path, newScenario(7).clockFor(1000).deps(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var last, total int64
	r, err := h.Verify(t.Context(), func(done, all int64) {
		if done < last || done > all {
			t.Errorf("progress went from %d to %d of %d", last, done, all)
		}
		last, total = done, all
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != total || total == 0 {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was written to (%v)", err)
	}
	return r
}

func TestVerifyCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	recorded(t, path, 437)
	r := verified(t, path)
	if r.Runs != 1 || r.Peers != 5 || r.Snapshots.Count != 4 || r.Chunks.Count < 10 || r.Orphans.Count != 0 ||
		r.Journal[0].Count == 0 || r.Journal[1].Count == 0 || r.Journal[2].Count == 0 || r.Blocks.Count < 10 || r.Records < 1000 || r.FreeBytes == 0 {
		t.Errorf("%+v", r)
	}
	plant(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket(format.BucketChunks).Put(make([]byte, 16), []byte("orphan"))
	})
	if r := verified(t, path); r.Orphans != (check.Amount{Count: 1, Bytes: 6}) || len(r.Problems) != 0 {
		t.Errorf("orphans %+v, problems %+v", r.Orphans, r.Problems)
	}
}

func TestWhatAKilledProcessLeftIsSwept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	recorded(t, path, 437)
	before := verified(t, path)
	plant(t, path, func(tx *bbolt.Tx) error {
		left := format.Piece{Level: 1, Run: 1, First: 1, Last: 2, From: 1, To: 2, Records: 3}
		return errors.Join(tx.Bucket(format.BucketChunks).Put([]byte("0123456789abcdef"), []byte("a chunk")),
			tx.Bucket(format.BucketBlocks).Put(format.BlockKey(left.Key(), 0), []byte("a block")))
	})
	h, err := openSmall(path, smallConfig(), newScenario(7).clockFor(437).deps(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.tidy(t.Context()), h.Close()); err != nil {
		t.Fatal(err)
	}
	after := verified(t, path)
	plant(t, path, func(tx *bbolt.Tx) error {
		if n := tx.Bucket(format.BucketBlocks).Stats().KeyN; n != before.Blocks.Count || after.Orphans.Count != 0 {
			t.Errorf("%d blocks, want %d; %d orphans", n, before.Blocks.Count, after.Orphans.Count)
		}
		return nil
	})
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	recorded(t, path, 60)
	h, err := OpenReadOnly(path, newScenario(7).clockFor(1000).deps(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	ctx, stop := context.WithCancel(t.Context())
	if _, err := h.Verify(ctx, func(done, _ int64) {
		if done > 0 {
			stop()
		}
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify = %v, want context.Canceled", err)
	}
	stop()
}
