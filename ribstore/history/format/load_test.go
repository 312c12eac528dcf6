package format

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"ribglass/ribstore/route"
)

// randomPrefix draws a prefix of a crowded part of the address space, so that many
// cover each other.
func randomPrefix(random *rand.Rand, six bool) netip.Prefix {
	if six {
		a := [16]byte{0x20, 1, byte(random.IntN(3)), byte(random.IntN(4)), byte(random.IntN(4)), byte(random.IntN(256)), byte(random.IntN(2))}
		return netip.PrefixFrom(netip.AddrFrom16(a), random.IntN(129)).Masked()
	}
	a := [4]byte{byte(random.IntN(256)), byte(random.IntN(4) * 64), byte(random.IntN(256)), byte(random.IntN(256))}
	return netip.PrefixFrom(netip.AddrFrom4(a), random.IntN(33)).Masked()
}

// TestPlacesFindWhatOverlaps asks the index of random prefixes about others: whatever
// overlaps is found, and little else of what is far away.
func TestPlacesFindWhatOverlaps(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		six := random.IntN(2) == 0
		var places Places
		var list []netip.Prefix
		for range random.IntN(200) {
			p := randomPrefix(random, six)
			list = append(list, p)
			places.add(p)
		}
		index := new(placeSorter).append(nil, &places)
		for range 100 {
			asked := randomPrefix(random, six)
			got, err := placesTouch(index, asked)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range list {
				if p.Overlaps(asked) && !got {
					t.Fatalf("the index of %v does not have %v, which overlaps %v", list, p, asked)
				}
			}
		}
	}
}

// TestAQuestionPassesOverMostGroups counts how many of the groups of a table have
// something of a /24, by their index and in truth.
func TestAQuestionPassesOverMostGroups(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	const groups, records = 20, 10_000
	var indexes [groups][]byte
	var has [groups]map[netip.Prefix]bool
	octets := 0
	for g := range groups {
		var places Places
		has[g] = make(map[netip.Prefix]bool)
		for range records {
			a := random.Uint32() >> 8 << 8
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8)}), 24)
			places.add(p)
			has[g][p] = true
		}
		indexes[g] = new(placeSorter).append(nil, &places)
		octets += len(indexes[g])
	}
	if perRecord := float64(8*octets) / groups / records; perRecord > 14 {
		t.Errorf("%.1f bits a record, want 14 at most", perRecord)
	}
	opened := 0
	for range 500 {
		a := random.Uint32() >> 8 << 8
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8)}), 24)
		for g := range groups {
			got, err := placesTouch(indexes[g], p)
			if err != nil || has[g][p] && !got {
				t.Fatalf("%v in group %d: %v, %v", p, g, got, err)
			}
			if got {
				opened++
			}
		}
	}
	// Few have it; some have another one where a prefix that covers it would begin.
	if opened > 100 {
		t.Errorf("%d of 10,000 looks into a group, want 100 at most", opened)
	}
}

// TestALoadIsReadAsItWasWritten writes a load, and reads it; every octet that is not
// the one written is found, and so is a value under the key of another.
func TestALoadIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	w := GroupWriter{Places: new(Places)}
	set := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0})
	for i := range 50 {
		p := randomPrefix(random, false)
		w.Batch(1, &route.Batch{Updates: []route.Update{{Attrs: set, NLRI: []route.NLRI{{Prefix: p}}}}}, When{At: int64(1000 + i)})
	}
	piece := Piece{Level: LevelLoad, Run: 1, From: 1, To: 1, First: 1000, Last: 1049}
	stored := new(LoadWriter).Append([]byte("before"), piece.Key(), w.Octets, w.Places, w.Events > 0)[len("before"):]
	got, err := openLoad(nil, piece.Key(), stored)
	if err != nil || string(got) != string(w.Octets) {
		t.Fatalf("read %d octets, %v, want %d", len(got), err, len(w.Octets))
	}
	if n := LoadSize(stored); n != len(w.Octets) {
		t.Errorf("LoadSize = %d, want %d", n, len(w.Octets))
	}
	other := piece
	other.From, other.To = 2, 2
	if _, err := openLoad(nil, other.Key(), stored); err == nil {
		t.Error("a load passes for that of another key")
	}
	for i := range stored {
		stored[i] ^= 0x10
		if _, err := openLoad(nil, piece.Key(), stored); err == nil {
			t.Errorf("octet %d is not what was written, and nothing says so", i)
		}
		stored[i] ^= 0x10
	}
	for name, bad := range map[string][]byte{"nothing": nil, "an index that is cut": stored[:3], "a count beyond the end": {0xff, 0xff, 0x03, 1}} {
		if n := LoadSize(bad); n != 0 {
			t.Errorf("LoadSize of %s = %d, want 0", name, n)
		}
	}
	for n := range stored {
		if _, err := openLoad(nil, piece.Key(), stored[:n]); err == nil {
			t.Errorf("a load that ends after %d octets is read", n)
		}
	}
}
