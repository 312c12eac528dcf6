package pathexpr

import (
	"math"
	"math/rand/v2"
	"testing"

	"ribglass/ribstore/route"
)

// realisticPaths draws paths as a full table has them: few neighbours, some
// hundred transit networks, and about 80,000 origins of which some have
// many prefixes; four AS numbers in the mean.
func realisticPaths(count int) []route.ASPath {
	r := rand.New(rand.NewPCG(1, 2))
	asns := make([]route.ASN, 80_000)
	for i := range asns {
		asns[i] = route.ASN(r.IntN(400_000) + 1)
	}
	neighbours := []route.ASN{3257, 1299, 174}
	paths := make([]route.ASPath, count)
	for i := range paths {
		path := []route.ASN{neighbours[r.IntN(3)]}
		for range 1 + r.IntN(3) {
			path = append(path, asns[int(float64(len(asns))*math.Pow(r.Float64(), 6))])
		}
		path = append(path, asns[int(float64(len(asns))*math.Pow(r.Float64(), 2))])
		paths[i] = route.ASPath(nil).AppendSegment(route.ASSequence, path...)
	}
	return paths
}

func BenchmarkMatch(b *testing.B) {
	paths := realisticPaths(1 << 17)
	for _, text := range []string{
		"_3257_13335$", "_64500_", "^1299_", "^3257(_[0-9]+){2}_64500$", "(_[0-9]+){5}", ".*", "64500 .{0,3}",
		".* 64512-65534 .*", "_([0-9]+)_174_",
	} {
		b.Run(text, func(b *testing.B) {
			m := mustCompile(b, text, Auto).Matcher()
			i := 0
			for b.Loop() {
				m.Match(paths[i&(1<<17-1)])
				i++
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, text := range []string{"_3257_13335$", ".* 64512-65534 .{0,3}"} {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				mustCompile(b, text, Auto)
			}
		})
	}
}

// BenchmarkCompileHostile reports the most expensive of the hostile texts.
func BenchmarkCompileHostile(b *testing.B) {
	for _, text := range hostile {
		b.Run(text[:min(len(text), 30)], func(b *testing.B) {
			for b.Loop() {
				_, _ = Compile(text, Auto)
			}
		})
	}
}
