package history

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
)

// TestCompactionCopiesEveryValue has more in a bucket than goes in one transaction, and
// records while it is copied.
func TestCompactionCopiesEveryValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.happens(0, route.PeerUp)
	set := make([]byte, 60_000)
	for i := range 3 * copyBatch / len(set) {
		for k := range set {
			set[k] = byte(w.rand.Uint32()) // nothing packs it
		}
		w.now = w.now.Add(time.Second)
		w.say(0, i, i, set)
		w.history.writeOrAlarm()
	}
	if err := w.history.Flush(); err != nil {
		t.Fatal(err)
	}
	before := w.values()
	if octets, _ := w.history.file.Load().size(); octets < 2*copyBatch {
		t.Fatalf("%d octets go in one transaction", octets)
	}
	w.history.keeping.Lock()
	err := w.history.compact(t.Context())
	w.history.keeping.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(before, w.values()); diff != "" {
		t.Errorf("values (-before +compacted): %s", diff)
	}
	w.wantPresent()
}

// values returns a hash of each value of the file by bucket and key.
func (w *world) values() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	err := w.history.file.Load().view(func(tx *bbolt.Tx) error {
		for _, bucket := range format.Buckets() {
			err := tx.Bucket(bucket).ForEach(func(k, v []byte) error {
				all[fmt.Sprintf("%s %x", bucket, k)] = fmt.Sprintf("%x", sha256.Sum256(v))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}
