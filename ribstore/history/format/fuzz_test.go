package format

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// flipBit returns octets of which one has another bit.
func flipBit(v []byte, at int) []byte {
	v = slices.Clone(v)
	v[at] ^= 4
	return v
}

// examples are as many values as a generator draws in as many tries.
const examples = 8

// seed adds what a generator draws, and the same damaged.
func seed(f *testing.F, draw func(*rapid.T) []byte) {
	f.Helper()
	r := rand.New(rand.NewPCG(3, 3))
	f.Add([]byte{})
	g := rapid.Custom(draw)
	for i := range examples {
		v := g.Example(i)
		f.Add(v)
		if len(v) > 0 {
			f.Add(flipBit(v, r.IntN(len(v))))
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
	seed(f, func(t *rapid.T) []byte { return NewChunkWriter().Encode(drawChunk(t, drawFamily(t))) })
	f.Add(NewChunkWriter().Encode(withdrawal()))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d, again ChunkReader
		c, err := d.decode(b)
		if refused(t, err) {
			return
		}
		if len(c.Routes) > len(b) || len(c.Prefixes) > len(b) || len(c.Sets) > len(b) {
			t.Fatalf("%d octets made %d prefixes, %d routes, %d sets", len(b), len(c.Prefixes), len(c.Routes), len(c.Sets))
		}
		if !slices.IsSortedFunc(c.Prefixes, comparePrefixes) {
			t.Fatal("prefixes are out of order")
		}
		for i := range c.Prefixes {
			if !slices.IsSortedFunc(c.of(i), CompareEntries) {
				return // such a chunk was not written by us, and nothing breaks
			}
		}
		want := listed(c, nil)
		got, err := again.decode(NewChunkWriter().Encode(c))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, listed(got, nil)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// withdrawal is a difference of one withdrawn route. Read as a base, it is a chunk
// that has an entry, and no attribute set.
func withdrawal() *Chunk {
	c := &Chunk{Family: route.IPv4Unicast, Routes: []Entry{{Peer: 1, Class: gone}}}
	c.Finish(netip.MustParsePrefix("192.0.2.0/24"))
	return c
}

func TestAWithdrawnEntryOfADamagedBaseIsNoRoute(t *testing.T) {
	if got := listed(withdrawal(), nil); got != nil {
		t.Fatalf("it became %v", got)
	}
}

// FuzzDifference applies any chunk as a difference to another one.
func FuzzDifference(f *testing.F) {
	g := rapid.Custom(func(t *rapid.T) [2][]byte {
		base := drawChunk(t, drawFamily(t))
		var changes Chunk
		Difference(&changes, base, drawLike(t, base))
		return [2][]byte{NewChunkWriter().Encode(base), NewChunkWriter().Encode(&changes)}
	})
	for i := range examples {
		pair := g.Example(i)
		f.Add(pair[0], pair[1])
		f.Add(pair[1], pair[0])
	}
	f.Fuzz(func(t *testing.T, base, changes []byte) {
		var one, two ChunkReader
		c, err := one.decode(base)
		if refused(t, err) {
			return
		}
		d, err := two.decode(changes)
		if refused(t, err) || c.Family != d.Family {
			return
		}
		if n := len(listed(c, d)); n > len(c.Routes)+len(d.Routes) {
			t.Fatalf("%d routes out of %d and %d", n, len(c.Routes), len(d.Routes))
		}
	})
}

func FuzzBlock(f *testing.F) {
	seed(f, func(t *rapid.T) []byte {
		family := drawFamily(t)
		return NewBlockWriter().Encode(family, drawChanges(t, family))
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		var d BlockReader
		err := d.decode(b, func(c Change) {
			if n++; n > len(b) {
				t.Fatalf("more than %d changes out of as many octets", len(b))
			}
			if !c.Prefix.IsValid() || c.Prefix.Addr().BitLen() != c.Family.Bits() || c.Prefix != c.Prefix.Masked() {
				t.Fatalf("prefix %v of family %v", c.Prefix, c.Family)
			}
		})
		refused(t, err)
	})
}

func FuzzGroup(f *testing.F) {
	seed(f, func(t *rapid.T) []byte {
		var w GroupWriter
		drawGroup(t, &w)
		return w.Octets
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		var d GroupReader
		tab := table.New()
		n := 0
		err := d.Decode(b, func(rec *Record) error {
			if n += rec.Weight(); n > 2*len(b) {
				t.Fatalf("%d records out of %d octets", n, len(b))
			}
			if rec.OfPeer() {
				name := fmt.Sprint("peer", rec.Peer%5)
				if rec.Batch.Peer == nil {
					rec.Batch.Peer = new(route.Peer)
				}
				rec.Batch.Peer.Name = name
			}
			rec.Apply(tab)
			return nil
		})
		refused(t, err)
	})
}

func FuzzManifest(f *testing.F) {
	seed(f, func(t *rapid.T) []byte { m := drawManifest(t, Snapshot{}); return m.Encode() })
	keys := [][]byte{(&Snapshot{}).Key(), (&Snapshot{Run: 1, Begun: 1, End: 2}).Key()}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, key := range keys {
			m, err := decodeManifest(key, b)
			if refused(t, err) {
				continue
			}
			if len(m.States) > len(b) || len(m.Ranges) > len(b) {
				t.Fatalf("%d states, %d ranges out of %d octets", len(m.States), len(m.Ranges), len(b))
			}
			table.Restore(m.States).Finish()
			if again, err := decodeManifest(key, m.Encode()); err != nil || !bytes.Equal(again.Encode(), m.Encode()) {
				t.Fatalf("another manifest comes back (%v)", err)
			}
		}
	})
}

func FuzzSegment(f *testing.F) {
	keys := [][]byte{(&Piece{}).Key(), (&Piece{Level: 1, Run: 1, From: 1, To: 2}).Key()}
	seed(f, func(t *rapid.T) []byte { s := drawSegment(t); return s.Encode(keys[0]) })
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, key := range keys {
			s, err := decodeSegment(key, b)
			if refused(t, err) {
				continue
			}
			if len(s.Blocks) > len(b) || !slices.IsSortedFunc(s.Blocks, func(a, b BlockInfo) int { return a.First.Compare(b.First) }) {
				t.Fatalf("%d blocks out of %d octets, or out of order", len(s.Blocks), len(b))
			}
		}
	})
}

func FuzzKeysAndSmallValues(f *testing.F) {
	seed(f, func(t *rapid.T) []byte {
		p := Piece{Run: rapid.Uint32().Draw(t, "run"), From: 1, To: 2}
		s := Snapshot{Run: p.Run, End: 3}
		return rapid.SampledFrom([][]byte{p.Key(), s.Key()}).Draw(t, "key")
	})
	c, err := NewCodec()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(c.Close)
	f.Add(EncodePeerName(c, 1, "edge1"))
	f.Add((&Run{ID: 1, Reason: "x"}).Encode(c))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParsePiece(b); !refused(t, err) && !bytes.Equal(p.Key(), b) {
			t.Fatal("another key of a piece")
		}
		if s, err := ParseSnapshot(b); !refused(t, err) && !bytes.Equal(s.Key(), b) {
			t.Fatal("another key of a snapshot")
		}
		_, err := DecodeRun(c, be32(nil, 1), b)
		refused(t, err)
		_, _, err = DecodePeerName(c, PeerKey(1), b)
		refused(t, err)
		_, err = c.open(nil, b)
		refused(t, err)
	})
}
