package history

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// stored returns what a recorded file has in a bucket, decompressed, with keys.
func stored(f *testing.F, bucket []byte) (keys, values [][]byte) {
	f.Helper()
	path := filepath.Join(f.TempDir(), "history.db")
	recorded(f, path, 240)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	defer c.close()
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, v []byte) error {
			b, err := c.open(nil, v)
			b = bytes.TrimPrefix(b, k) // of those that are sealed
			keys, values = append(keys, slices.Clone(k)), append(values, b)
			return err
		})
	})
	if err != nil {
		f.Fatal(err)
	}
	return keys, values
}

// seed adds some of what is stored, and the same damaged.
func seed(f *testing.F, values [][]byte) {
	f.Helper()
	r := rand.New(rand.NewPCG(3, 3))
	f.Add([]byte{})
	for _, v := range values[:min(len(values), 6)] {
		f.Add(v)
		if len(v) > 0 {
			f.Add(flipped(v, r.IntN(len(v))))
			f.Add(v[:r.IntN(len(v))])
		}
	}
}

// refused makes sure that an error is that of damage.
func refused(t *testing.T, err error) bool {
	t.Helper()
	if err != nil && !errors.Is(err, ErrDamaged) {
		t.Fatalf("the error %v is not that of damage", err)
	}
	return err != nil
}

func FuzzChunk(f *testing.F) {
	_, values := stored(f, bucketChunks)
	seed(f, values)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d, again chunkReader
		c, err := d.decode(b)
		if refused(t, err) {
			return
		}
		if len(c.routes) > len(b) || len(c.prefixes) > len(b) || len(c.sets) > len(b) {
			t.Fatalf("%d octets made %d prefixes, %d routes, %d sets", len(b), len(c.prefixes), len(c.routes), len(c.sets))
		}
		if !slices.IsSortedFunc(c.prefixes, comparePrefixes) {
			t.Fatal("prefixes are out of order")
		}
		for i := range c.prefixes {
			if !slices.IsSortedFunc(c.of(i), compareEntries) {
				return // such a chunk was not written by us, and nothing breaks
			}
		}
		want := listed(c, nil)
		got, err := again.decode(newChunkWriter().encode(c))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, listed(got, nil)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzDifference applies any chunk as a difference to another one.
func FuzzDifference(f *testing.F) {
	_, values := stored(f, bucketChunks)
	for i := range min(len(values), 10) - 1 {
		f.Add(values[i], values[i+1])
	}
	f.Fuzz(func(t *testing.T, base, changes []byte) {
		var one, two chunkReader
		c, err := one.decode(base)
		if refused(t, err) {
			return
		}
		d, err := two.decode(changes)
		if refused(t, err) || c.family != d.family {
			return
		}
		if n := len(listed(c, d)); n > len(c.routes)+len(d.routes) {
			t.Fatalf("%d routes out of %d and %d", n, len(c.routes), len(d.routes))
		}
	})
}

func FuzzBlock(f *testing.F) {
	_, values := stored(f, bucketBlocks)
	seed(f, values)
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		var d blockReader
		err := d.decode(b, func(f route.Family, c change) {
			if n++; n > len(b) {
				t.Fatalf("more than %d changes out of as many octets", len(b))
			}
			if !c.prefix.IsValid() || c.prefix.Addr().BitLen() != f.Bits() || c.prefix != c.prefix.Masked() {
				t.Fatalf("prefix %v of family %v", c.prefix, f)
			}
		})
		refused(t, err)
	})
}

func FuzzGroup(f *testing.F) {
	_, values := stored(f, bucketJournal)
	seed(f, values)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d groupReader
		tab := table.New()
		who := peers{names: []string{"edge0", "edge1", "edge2", "edge3", "marker"}, known: map[uint32]*route.Peer{}}
		n := 0
		err := d.decode(b, func(rec *record) error {
			if n += rec.weight(); n > 2*len(b) {
				t.Fatalf("%d records out of %d octets", n, len(b))
			}
			if rec.ofPeer() {
				if err := who.resolve(rec); err != nil {
					return err
				}
			}
			rec.apply(tab)
			return nil
		})
		refused(t, err)
	})
}

func FuzzManifest(f *testing.F) {
	keys, values := stored(f, bucketSnapshots)
	seed(f, values)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, key := range keys {
			m, err := decodeManifest(key, b)
			if refused(t, err) {
				continue
			}
			if len(m.states) > len(b) || len(m.ranges) > len(b) {
				t.Fatalf("%d states, %d ranges out of %d octets", len(m.states), len(m.ranges), len(b))
			}
			table.Restore(m.states).Finish()
			if again, err := decodeManifest(key, m.encode()); err != nil || !bytes.Equal(again.encode(), m.encode()) {
				t.Fatalf("another manifest comes back (%v)", err)
			}
		}
	})
}

func FuzzSegment(f *testing.F) {
	keys, values := stored(f, bucketJournal)
	seed(f, values)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, key := range keys[:min(2, len(keys))] {
			s, err := decodeSegment(key, b)
			if refused(t, err) {
				continue
			}
			if len(s.blocks) > len(b) || !slices.IsSortedFunc(s.blocks, func(a, b blockInfo) int { return a.first.compare(b.first) }) {
				t.Fatalf("%d blocks out of %d octets, or out of order", len(s.blocks), len(b))
			}
		}
	})
}

func FuzzKeysAndSmallValues(f *testing.F) {
	keys, _ := stored(f, bucketJournal)
	seed(f, keys)
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(c.close)
	f.Add(encodeName(c, 1, "edge1"))
	f.Add((&run{id: 1, reason: "x"}).encode(c))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := parsePiece(b); !refused(t, err) && !bytes.Equal(p.key(), b) {
			t.Fatal("another key of a piece")
		}
		if s, err := parseSnapshot(b); !refused(t, err) && !bytes.Equal(s.key(), b) {
			t.Fatal("another key of a snapshot")
		}
		_, err := decodeRun(c, be32(nil, 1), b)
		refused(t, err)
		_, _, err = decodeName(c, b)
		refused(t, err)
		_, err = c.open(nil, b)
		refused(t, err)
	})
}

// FuzzPages walks the pages of any file.
func FuzzPages(f *testing.F) {
	path := filepath.Join(f.TempDir(), "history.db")
	recorded(f, path, 60)
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, 8192+10, byte(1))
	f.Add(b, 3*4096+10, byte(2))
	f.Add(b[:3*4096], 0, byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at int, x byte) {
		b = slices.Clone(b)
		if at >= 0 && at < len(b) {
			b[at] ^= x
		}
		p, err := openPages(bytes.NewReader(b), int64(len(b)))
		if refused(t, err) {
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
		refused(t, p.err())
	})
}
