package history

import (
	"slices"
	"testing"
	"time"

	"ribglass/ribstore/history/format"
)

// TestPiecesAreSmallAgainstWhatIsKept merges a journal of equal pieces by its index
// alone.
func TestPiecesAreSmallAgainstWhatIsKept(t *testing.T) {
	t.Parallel()
	levels := []merging{{4, 1000, 50_000}, {4, 4000, 200_000}}
	rows := []struct {
		name    string
		records uint32
		every   time.Duration
		most    largest
		weight  weight   // of a group; a segment is as heavy as all of its groups
		want    []uint32 // records of the pieces at the end
	}{
		{"pieces are merged until one has enough of them", 10, time.Second, largest{records: 1 << 30}, weight{whole: 1, block: 1}, []uint32{160, 160}},
		{"or enough records", 300, time.Second, largest{records: 1 << 30}, weight{whole: 1, block: 1}, []uint32{4800, 4800}},
		{"but no more records than a part of the file has room for", 300, time.Second, largest{records: 500}, weight{whole: 1, block: 1}, []uint32{600, 600, 600, 600, 600, 600, 600, 600, 600, 600, 600, 600, 600, 600, 600, 600}},
		{"and no more than are of a part of the time", 10, time.Minute, largest{records: 1 << 30, span: 5 * 60_000}, weight{whole: 1, block: 1}, []uint32{40, 40, 40, 40, 40, 40, 40, 40}},
		{"of less than a group too", 10, time.Minute, largest{records: 1 << 30, span: 1}, weight{whole: 1, block: 1}, []uint32{
			10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
		}},
		{"and no more octets than a merge takes", 10, time.Second, largest{records: 1 << 30}, weight{whole: 25_000, block: 1}, []uint32{80, 80, 80, 20, 20, 20, 10, 10}},
		{"heavy groups stay as they are", 10, time.Second, largest{records: 1 << 30}, weight{whole: 50_001, block: 1}, slices.Repeat([]uint32{10}, 32)},
		{"nor larger blocks than it reads at one time", 10, time.Second, largest{records: 1 << 30}, weight{whole: 1, block: 501}, []uint32{40, 40, 40, 40, 40, 40, 40, 40}},
	}
	for _, row := range rows {
		row.most.wide, row.most.octets = 1000, 1<<30
		row.most.weigh = func(p *format.Piece) weight {
			w := row.weight
			if p.Level > 0 {
				w.whole *= int(p.To-p.From) + 1
			} else {
				w.block = 0
			}
			return w
		}
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			x := &index{}
			for i := range 32 {
				at := int64(i) * row.every.Milliseconds()
				x.Pieces = append(x.Pieces, format.Piece{From: uint64(i), To: uint64(i), First: at, Last: at + row.every.Milliseconds() - 1, Records: row.records})
			}
			for {
				stretch, level := x.mergeable(levels, 1, row.most)
				if stretch == nil {
					break
				}
				whole := stretch[0]
				whole.Level, whole.Records = level, 0
				for _, p := range stretch {
					whole.To, whole.Last, whole.Records = p.To, p.Last, whole.Records+p.Records
				}
				var rest []format.Piece
				for _, p := range x.Pieces {
					if p.From < whole.From || p.From > whole.To {
						rest = append(rest, p)
					} else if p.From == whole.From {
						rest = append(rest, whole)
					}
				}
				x.Pieces = rest
			}
			if len(x.Pieces) != len(row.want) {
				t.Fatalf("%d pieces, want %d: %+v", len(x.Pieces), len(row.want), x.Pieces)
			}
			for i, p := range x.Pieces {
				if p.Records != row.want[i] {
					t.Errorf("piece %d has %d records, want %d", i, p.Records, row.want[i])
				}
			}
		})
	}
}
