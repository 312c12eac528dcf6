package table

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/gaissmai/bart"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func newTrie(ipv6 bool) *trie {
	g := new(grace)
	return &trie{arena: new(arena[uint32]), slots: &slots{ipv6: ipv6}, grace: g}
}

// drop removes a prefix as the table does: out of the trie, then its slot.
func (t *trie) drop(k key) bool {
	slot, ok := t.remove(k)
	if ok {
		t.grace.retire(retired{t.slots, slot, 1})
		t.slots.used.Add(-1)
	}
	t.grace.poll()
	return ok
}

// golden is the stupid twin of a trie: a sorted list.
type golden []key

func (g *golden) insert(k key) {
	if !slices.Contains(*g, k) {
		*g = append(*g, k)
		slices.SortFunc(*g, compareKeys)
	}
}

func (g *golden) remove(k key) bool {
	i := slices.Index(*g, k)
	if i < 0 {
		return false
	}
	*g = slices.Delete(*g, i, i+1)
	return true
}

func (g golden) covering(k key) (found []key) {
	for _, p := range g {
		if p.covers(k) {
			found = append(found, p)
		}
	}
	return found
}

func (g golden) ascend(within, after key, resume bool) (found []key) {
	for _, p := range g {
		if within.covers(p) && (!resume || after.before(p)) {
			found = append(found, p)
		}
	}
	return found
}

func compareKeys(a, b key) int {
	switch {
	case a.before(b):
		return -1
	case b.before(a):
		return 1
	}
	return 0
}

// genPrefix draws prefixes that nest, collide and part late: few distinct
// bytes, every length.
func genPrefix(ipv6 bool) *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		size := 4
		if ipv6 {
			size = 16
		}
		b := make([]byte, size)
		for i := range b {
			b[i] = rapid.SampledFrom([]byte{0, 0, 0, 1, 127, 128, 255}).Draw(t, "octet")
		}
		addr, _ := netip.AddrFromSlice(b)
		return netip.PrefixFrom(addr, rapid.IntRange(0, 8*size).Draw(t, "length")).Masked()
	})
}

func TestTrieEqualsSortedList(t *testing.T) {
	for _, ipv6 := range []bool{false, true} {
		rapid.Check(t, func(t *rapid.T) {
			trie, twin := newTrie(ipv6), golden(nil)
			prefixes := genPrefix(ipv6)
			pool := rapid.SliceOfN(prefixes, 1, 40).Draw(t, "pool")
			for range rapid.IntRange(1, 80).Draw(t, "steps") {
				k := keyOf(rapid.SampledFrom(pool).Draw(t, "prefix"))
				if rapid.Bool().Draw(t, "insert") {
					slot, added := trie.insert(k)
					if had := slices.Contains(twin, k); added == had {
						t.Fatalf("insert(%v) added = %v, had = %v", k, added, had)
					}
					if got := trie.slots.key(slot); got != k {
						t.Fatalf("insert(%v) gives the slot of %v", k, got)
					}
					twin.insert(k)
				} else if got, want := trie.drop(k), twin.remove(k); got != want {
					t.Fatalf("remove(%v) = %v, want %v", k, got, want)
				}
				probe := keyOf(prefixes.Draw(t, "probe"))
				compareTries(t, trie, twin, probe, keyOf(prefixes.Draw(t, "after")))
			}
		})
	}
}

func compareTries(t *rapid.T, trie *trie, twin golden, probe, after key) {
	t.Helper()
	toKeys := func(slots []uint32) (keys []key) {
		for _, s := range slots {
			keys = append(keys, trie.slots.key(s))
		}
		return keys
	}
	exactly := cmp.AllowUnexported(key{})
	covering := twin.covering(probe)
	if diff := cmp.Diff(covering, toKeys(trie.covering(nil, probe)), exactly); diff != "" {
		t.Fatalf("covering(%v): %s", probe, diff)
	}
	if _, ok := trie.exact(probe); ok != slices.Contains(twin, probe) {
		t.Fatalf("exact(%v) = %v", probe, ok)
	}
	host := probe
	host.bits = 32
	if trie.slots.ipv6 {
		host.bits = 128
	}
	covering = twin.covering(host)
	slot, ok := trie.longest(host)
	if ok != (len(covering) > 0) || ok && trie.slots.key(slot) != covering[len(covering)-1] {
		t.Fatalf("longest(%v) = %v %v, want the last of %v", host, slot, ok, covering)
	}
	for _, resume := range []bool{false, true} {
		var got []uint32
		trie.ascend(probe, after, resume, func(slot uint32) bool { got = append(got, slot); return true })
		if diff := cmp.Diff(twin.ascend(probe, after, resume), toKeys(got), exactly); diff != "" {
			t.Fatalf("ascend(%v, after %v %v): %s", probe, after, resume, diff)
		}
	}
}

// TestTrieEqualsBart compares with an implementation made by others on many
// random prefixes of the usual lengths.
func TestTrieEqualsBart(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	trie, twin := newTrie(false), new(bart.Table[uint32])
	prefixes := randomIPv4(random, 50_000)
	for _, p := range prefixes {
		slot, _ := trie.insert(keyOf(p))
		twin.Insert(p, slot)
	}
	for i, p := range prefixes {
		if i%3 == 0 {
			trie.drop(keyOf(p))
			twin.Delete(p)
		}
	}
	for range 200_000 {
		addr := netip.AddrFrom4([4]byte{byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32())})
		got, ok := trie.longest(keyOfAddr(addr))
		want, wantOK := twin.Lookup(addr)
		if ok != wantOK || ok && got != want {
			t.Fatalf("longest(%v) = %v %v, want %v %v", addr, got, ok, want, wantOK)
		}
	}
	for _, p := range prefixes {
		trie.drop(keyOf(p))
	}
	if words := trie.arena.used; words != 0 {
		t.Errorf("%d words of nodes are left in an empty trie", words)
	}
}

func randomIPv4(random *rand.Rand, n int) []netip.Prefix {
	prefixes := make([]netip.Prefix, n)
	for i := range prefixes {
		v := random.Uint32()
		addr := netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		prefixes[i] = netip.PrefixFrom(addr, 8+random.IntN(25)).Masked()
	}
	return prefixes
}
