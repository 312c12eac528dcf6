package mrt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"runtime"
	"testing"

	"ribglass/ribstore/route"
)

// endless is a stream of n records, made as they are read.
type endless struct {
	n    int
	next func(w *Writer, i int) error
	i    int
	b    bytes.Buffer
}

func (e *endless) Read(p []byte) (int, error) {
	for e.b.Len() == 0 {
		if e.i == e.n {
			return 0, io.EOF
		}
		if err := e.next(NewWriter(&e.b), e.i); err != nil {
			return 0, err
		}
		e.i++
	}
	return e.b.Read(p)
}

// TestMemoryOfASourceIsBounded reads streams made to fill what a Source keeps:
// peers, remembered attributes, batches under construction, errors.
func TestMemoryOfASourceIsBounded(t *testing.T) {
	const most = 160 << 20
	peers := make([]Peer, 65_535)
	for i := range peers {
		peers[i] = Peer{Address: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), ASN: 64500}
	}
	for _, tt := range []struct {
		name string
		n    int
		next func(w *Writer, i int) error
	}{
		{"a peer for each message", 200_000, func(w *Writer, i int) error {
			s := session(route.ASN(1+i), "192.0.2.1")
			return w.Update(moment(), s, update(64500, "198.51.100.0/24"), false)
		}},
		{"a set for each route, of as many peers as there can be", 200, func(w *Writer, i int) error {
			if i == 0 {
				return w.PeerIndex(netip.Addr{}, "", peers, moment())
			}
			w.peers = len(peers)
			row := Row{Time: moment(), Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 24)}
			for p := range 1000 {
				text := make([]byte, 1+1000)
				text[0] = 0xc0
				binary.BigEndian.PutUint32(text[1:], uint32(1000*i+p))
				r := Route{Peer: (1000*i + p) % len(peers), Attrs: attrsOf(64500, "192.0.2.1").AppendAttr(99, text)}
				row.Routes = append(row.Routes, r)
			}
			return w.RIB(&row)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := heap()
			s, err := NewSource(&endless{n: tt.n, next: tt.next}, SourceOptions{ReplacesTable: true})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for i := 0; ; i++ {
				b, err := s.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				b.Release()
				if i%50_000 != 0 {
					continue
				}
				if held := heap() - before; held > most {
					t.Fatalf("%d MiB held after %d batches, at most %d", held>>20, i, most>>20)
				}
			}
			if held := heap() - before; held > most {
				t.Errorf("%d MiB held in the end, at most %d", held>>20, most>>20)
			}
			runtime.KeepAlive(s)
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestBatchesOfOneTableAreBounded reads a table of many prefixes and peers.
func TestBatchesOfOneTableAreBounded(t *testing.T) {
	index := indexOf("192.0.2.1", "192.0.2.2", "192.0.2.3")
	stream := written(t, func(w *Writer) error {
		err := w.PeerIndex(netip.Addr{}, "", index, moment())
		for i := range 2000 {
			row := Row{Time: moment(), Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)}
			for p := range index {
				row.Routes = append(row.Routes, Route{Peer: p, Originated: moment(), Attrs: attrsOf(route.ASN(1+i/100), "192.0.2.1")})
			}
			err = errors.Join(err, w.RIB(&row))
		}
		return err
	})
	s, err := NewSource(bytes.NewReader(stream), SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	routes := make(map[string]int)
	updates := 0
	for {
		b, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, u := range b.Updates {
			n += len(u.NLRI)
		}
		if n > batchRoutes {
			t.Errorf("batch of %d routes", n)
		}
		routes[b.Peer.Name] += n
		updates += len(b.Updates)
		go b.Release() // from any goroutine
	}
	for name, n := range routes {
		if n != 2000 {
			t.Errorf("%d routes of %s, want 2000", n, name)
		}
	}
	// 20 sets a peer, of which few are cut in two at the end of a batch.
	if most := 3 * (20 + 2000/batchRoutes + 1); updates > most {
		t.Errorf("%d updates, at most %d: runs of equal attributes are not joined", updates, most)
	}
}
