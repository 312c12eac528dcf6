package names

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"ribglass/ribstore/route"
)

func BenchmarkLoadBuiltin(b *testing.B) {
	b.Run("names", func(b *testing.B) {
		for b.Loop() {
			if _, err := readBuiltinNames(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("communities", func(b *testing.B) {
		for b.Loop() {
			if _, err := readBuiltinCommunities(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkMemory reports what the built-in names and dictionaries hold.
func BenchmarkMemory(b *testing.B) {
	var before, names, all runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n, err := readBuiltinNames()
	runtime.GC()
	runtime.ReadMemStats(&names)
	d, err2 := readBuiltinCommunities()
	runtime.GC()
	runtime.ReadMemStats(&all)
	if err != nil || err2 != nil {
		b.Fatal(err, err2)
	}
	for b.Loop() {
		runtime.KeepAlive(n)
		runtime.KeepAlive(d)
	}
	b.ReportMetric(float64(names.HeapAlloc-before.HeapAlloc), "names-B")
	b.ReportMetric(float64(all.HeapAlloc-names.HeapAlloc), "communities-B")
}

func BenchmarkName(b *testing.B) {
	n, err := readBuiltinNames()
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	asns := make([]route.ASN, 4096)
	for i := range asns {
		asns[i] = n.asns[random.IntN(len(n.asns))]
	}
	i := 0
	for b.Loop() {
		n.Name(asns[i&4095])
		i++
	}
}

func BenchmarkComplete(b *testing.B) {
	n, err := readBuiltinNames()
	if err != nil {
		b.Fatal(err)
	}
	for _, typed := range []string{"e", "cloudf", "university of", "zzzzzz", "64"} {
		b.Run(typed, func(b *testing.B) {
			for b.Loop() {
				n.Complete(typed, 10)
			}
		})
	}
}

func BenchmarkExplain(b *testing.B) {
	d, err := readBuiltinCommunities()
	if err != nil {
		b.Fatal(err)
	}
	heard := []route.ASN{64500, 13030, 12389, 16395, 6695, 3356}
	for name, c := range map[string]route.Community{
		"exact":            1299<<16 | 30100,
		"pattern":          12389<<16 | 6012,
		"of one in a path": 65003<<16 | 7,
		"unknown":          64999<<16 | 12345,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.Explain(Standard(c), heard)
			}
		})
	}
}
