package mrt

import (
	"errors"
	"io"
	"os"
	"testing"
)

// BenchmarkSource reads the file that RIBGLASS_MRT names.
func BenchmarkSource(b *testing.B) {
	path := os.Getenv("RIBGLASS_MRT")
	if path == "" {
		b.Skip("RIBGLASS_MRT names no file")
	}
	b.ReportAllocs()
	routes := 0
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		s, err := NewSource(f, SourceOptions{})
		if err != nil {
			b.Fatal(err)
		}
		for {
			batch, err := s.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			batch.Release()
		}
		routes += s.Report().Announcements
		_ = errors.Join(s.Close(), f.Close())
	}
	b.ReportMetric(float64(routes)/b.Elapsed().Seconds(), "routes/s")
}
