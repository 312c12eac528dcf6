package check

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
)

// TestWhatIsSalvaged: values of the buckets of a history, each once, and neither the name
// of the format nor what another program put there.
func TestWhatIsSalvaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	if err := os.WriteFile(path, boltFile(t), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("x", salvageBatch) // so that there is more than one batch
	err = db.Update(func(tx *bbolt.Tx) error {
		other, err := tx.CreateBucket([]byte("of another program"))
		if err != nil {
			return err
		}
		return errors.Join(other.Put([]byte("key"), []byte("value")), tx.Bucket(format.BucketChunks).Put([]byte("large"), []byte(large)))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	want := []string{"long: 20000 octets", fmt.Sprintf("large: %d octets", len(large))}
	for i := range 400 {
		want = append(want, fmt.Sprintf("%s: %d octets", []byte{0, 0, byte(i >> 8), byte(i)}, 5*(i%40)))
	}
	codec, err := format.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	defer codec.Close()
	got, batches := map[string]bool{}, 0
	err = Salvage(codec, path, func(values []Value) error {
		batches++
		for _, v := range values {
			if string(v.Bucket) != string(format.BucketChunks) {
				t.Errorf("%q of bucket %q is salvaged", v.Key, v.Bucket)
			}
			line := fmt.Sprintf("%s: %d octets", v.Key, len(v.Stored))
			if got[line] {
				t.Errorf("%q is salvaged twice", line)
			}
			got[line] = true
		}
		return nil
	})
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); err != nil || diff != "" {
		t.Errorf("Salvage: %v (-want +got): %s", err, diff)
	}
	if batches != 2 {
		t.Errorf("%d batches, want 2", batches)
	}
	failed := errors.New("no room")
	if err := Salvage(codec, path, func([]Value) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("Salvage = %v, want the error of put", err)
	}
}
