package bgp

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"ribglass/collector/wire"
)

// pieces gives its bytes in pieces of random length, small ones at times.
type pieces struct {
	rest   []byte
	random *rand.Rand
	small  bool
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	if p.random.IntN(20) == 0 {
		p.small = !p.small
	}
	n := len(b)
	if p.small {
		n = min(n, 1+p.random.IntN(300))
	}
	n = copy(b[:n], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// TestFramerCutsWhatALoopOverTheBytesCuts compares the framer, which reads and
// moves its buffer as it likes, with reading message by message.
func TestFramerCutsWhatALoopOverTheBytesCuts(t *testing.T) {
	t.Parallel()
	seeds := uint64(200)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 1))
		limit := wire.MaxLen
		if seed%2 == 1 {
			limit = wire.MaxExtendedLen
		}
		var stream []byte
		var want [][]byte
		for range 1 + random.IntN(300) {
			size := random.IntN(100)
			if random.IntN(10) == 0 {
				size = random.IntN(limit - 100)
			}
			message := frame(wire.TypeUpdate, make([]byte, 4+size)...)
			message[len(message)-1] = byte(len(want))
			want = append(want, message[wire.HeaderLen:])
			stream = append(stream, message...)
		}
		f := newFramer(&pieces{rest: stream, random: random})
		f.limit = limit
		var got [][]byte
		for {
			_, readErr := f.fill()
			for {
				_, body, ok, err := f.next()
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if !ok {
					break
				}
				got = append(got, bytes.Clone(body))
			}
			if errors.Is(readErr, io.EOF) {
				break
			}
		}
		if d := cmp.Diff(len(want), len(got)); d != "" {
			t.Fatalf("seed %d: messages (-want +got):\n%s", seed, d)
		}
		for i := range want {
			if !bytes.Equal(want[i], got[i]) {
				t.Fatalf("seed %d: message %d differs", seed, i)
			}
		}
	}
}

func TestFramerOfAnIdleSessionIsSmall(t *testing.T) {
	t.Parallel()
	load := bytes.Repeat(frame(wire.TypeUpdate, make([]byte, 4000)...), 1000)
	idle := bytes.Repeat(wire.AppendKeepalive(nil), 10)
	f := newFramer(io.MultiReader(bytes.NewReader(load), iotest.OneByteReader(bytes.NewReader(idle))))
	largest := 0
	for {
		_, err := f.fill()
		largest = max(largest, len(f.buf))
		for ok := true; ok; {
			_, _, ok, _ = f.next()
		}
		if err != nil {
			break
		}
	}
	if largest < 64<<10 {
		t.Errorf("the buffer grew only to %d under load", largest)
	}
	if len(f.buf) != smallBuffer {
		t.Errorf("the buffer holds %d octets when idle", len(f.buf))
	}
}

func FuzzFramer(f *testing.F) {
	f.Add(wire.AppendKeepalive(frame(wire.TypeUpdate, 0, 0, 0, 0)), uint64(1))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 2))
		fr := newFramer(&pieces{rest: stream, random: random})
		if seed%2 == 0 {
			fr.limit = wire.MaxExtendedLen
		}
		total := 0
		for {
			_, readErr := fr.fill()
			for {
				_, body, ok, err := fr.next()
				if err != nil {
					return
				}
				if !ok {
					break
				}
				total += wire.HeaderLen + len(body)
			}
			if readErr != nil {
				break
			}
		}
		if total > len(stream) || len(stream)-total >= wire.MaxExtendedLen {
			t.Errorf("%d octets of %d were messages", total, len(stream))
		}
	})
}
