package check

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
)

// boltFile returns the octets of a bbolt file with a bucket of a page, a bucket
// of many and a value of many pages.
func boltFile(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		small, err1 := tx.CreateBucket(format.BucketMeta)
		large, err2 := tx.CreateBucket(format.BucketChunks)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		for i := range 400 {
			if err := large.Put(binary.BigEndian.AppendUint32(nil, uint32(i)), []byte(strings.Repeat("chunk", i%40))); err != nil {
				return err
			}
		}
		return errors.Join(small.Put(format.KeyFormat, []byte(format.Name)), large.Put([]byte("long"), make([]byte, 20_000)))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	octets, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

// FuzzPages walks the pages of any file.
func FuzzPages(f *testing.F) {
	b := boltFile(f)
	f.Add(b, 8192+10, byte(1))
	f.Add(b, 3*4096+10, byte(2))
	f.Add(b[:3*4096], 0, byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at int, x byte) {
		b = slices.Clone(b)
		if at >= 0 && at < len(b) {
			b[at] ^= x
		}
		p, err := openPages(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, format.ErrDamaged) {
				t.Fatalf("the error %v does not say that the file is damaged", err)
			}
			return
		}
		octets := 0
		p.found = func(_, key, value []byte) error {
			if octets += len(key) + len(value); octets > 2*len(b) {
				t.Fatalf("more than %d octets out of %d", octets, len(b))
			}
			return nil
		}
		if err := p.walk(); err != nil {
			t.Fatal(err)
		}
		if err := p.err(); err != nil && !errors.Is(err, format.ErrDamaged) {
			t.Fatalf("the error %v does not say that the file is damaged", err)
		}
	})
}
