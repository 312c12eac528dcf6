package format

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"testing"
)

// TestFewOctetsTakeNoMuchMemory has values that zstd makes of a few octets, and that
// say to hold millions of things which take more memory than octets.
func TestFewOctetsTakeNoMuchMemory(t *testing.T) {
	const many = 8 << 20
	count := binary.AppendUvarint(nil, many)
	zeros := make([]byte, many)
	block := []byte{0, 0, 0}
	group := []byte{0, byte(KindRoutes), 0, 0}
	sets := slices.Concat(count, []byte{1, 0}, count, zeros, []byte{0}) // one kind, without attributes
	noRows := []byte{0, 0, 0, 0, 0}                                     // refs, rows, counts, which, peers
	rows := []struct {
		name   string
		octets []byte
		decode func([]byte) error
	}{
		{"peers of a block", slices.Concat(block, count, zeros), decodeBlock},
		{"sets of a block", slices.Concat(block, []byte{0, 0, 0, 0, 0, 0}, sets), decodeBlock},
		{"prefixes of a batch", slices.Concat(group, []byte{1, updateGone}, count, zeros), decodeGroup},
		{"updates of a batch", slices.Concat(group, count, slices.Repeat([]byte{updateGone, 0}, many/2)), decodeGroup},
		{"prefixes of a chunk", slices.Concat([]byte{0, 0}, count, count, zeros, noRows, []byte{0, 0, 0, 0}), decodeChunk},
		{"sets of a chunk", slices.Concat([]byte{0, 0, 0, 0}, noRows, sets), decodeChunk},
		{"blocks of a segment", slices.Concat([]byte{0, 0}, count, zeros), func(b []byte) error { _, err := decodeSegment(nil, b); return err }},
	}
	codec, err := NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	defer codec.Close()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if n := len(codec.Compress(row.octets)); n > 1<<16 {
				t.Errorf("it takes %d octets in a file", n)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := row.decode(row.octets); !errors.Is(err, ErrDamaged) {
				t.Errorf("decode = %v, want ErrDamaged", err)
			}
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
				t.Errorf("it took %d MiB of memory", took>>20)
			}
		})
	}
}

func decodeBlock(b []byte) error { return new(BlockReader).decode(b, func(Change) {}) }

func decodeGroup(b []byte) error {
	return new(GroupReader).Decode(b, func(*Record) error { return nil })
}

func decodeChunk(b []byte) error {
	_, err := new(ChunkReader).decode(b)
	return err
}
