package format

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
)

// A place is the front of the first address of a prefix, as far as most prefixes
// reach: its first 24 bits, of an IPv6 address 48. Places are an index of the prefixes
// of a group: those that begin in a prefix, or where a prefix that covers it begins, are
// in the way of a question about it.
const (
	placeBits4 = 24
	placeBits6 = 48
)

// Places collects the places of prefixes. The zero Places is empty.
type Places struct {
	four []uint32
	six  []uint64
}

// Reset removes all places. It keeps the memory.
func (p *Places) Reset() { p.four, p.six = p.four[:0], p.six[:0] }

// Like returns empty places with room for as many.
func (p *Places) Like() *Places {
	return &Places{four: make([]uint32, 0, len(p.four)/8*9), six: make([]uint64, 0, len(p.six)/8*9)}
}

// Size returns how many octets the places take in memory.
func (p *Places) Size() int { return 4*len(p.four) + 8*len(p.six) }

func (p *Places) add(prefix netip.Prefix) {
	a := prefix.Addr()
	if a.Is4() {
		b := a.As4()
		p.four = append(p.four, binary.BigEndian.Uint32(b[:])>>(32-placeBits4))
		return
	}
	b := a.As16()
	p.six = append(p.six, binary.BigEndian.Uint64(b[:8])>>(64-placeBits6))
}

// placeSorter puts places in order. It keeps its memory.
type placeSorter struct {
	four [2][]uint32
	six  [2][]uint64
}

// append appends the places in order, each once.
func (s *placeSorter) append(b []byte, p *Places) []byte {
	b = appendPlaces(b, sorted(p.four, &s.four, placeBits4), placeBits4)
	return appendPlaces(b, sorted(p.six, &s.six, placeBits6), placeBits6)
}

// sorted returns numbers of so many bits in order, each once. It sorts by digits,
// which takes a few nanoseconds a number: a load has millions of them.
func sorted[T uint32 | uint64](numbers []T, memory *[2][]T, width int) []T {
	const digit = 12
	list := append(memory[0][:0], numbers...)
	to := slices.Grow(memory[1][:0], len(list))[:len(list)]
	var counts [1 << digit]uint32
	for shift := 0; shift < width; shift += digit {
		clear(counts[:])
		for _, v := range list {
			counts[v>>shift&(1<<digit-1)]++
		}
		sum := uint32(0)
		for i, n := range counts {
			counts[i], sum = sum, sum+n
		}
		for _, v := range list {
			at := &counts[v>>shift&(1<<digit-1)]
			to[*at] = v
			*at++
		}
		list, to = to, list
	}
	*memory = [2][]T{list, to}
	return slices.Compact(list)
}

// Ascending numbers below a power of two are written in about two bits each more than
// they differ by: the low bits of each as they are, and the high bits as a row of bits,
// in which number i with the high bits h is the one bit at h+i (Elias and Fano). Numbers
// can be found in it without unpacking them.

// lowBits returns how many bits of each of n numbers of so many bits are low bits.
func lowBits(n, width int) int { return max(0, width-bits.Len(uint(n))) }

func octetsFor(n int) int { return (n + 7) / 8 }

// appendPlaces appends ascending numbers: a count, the low bits, and the high bits.
func appendPlaces[T uint32 | uint64](b []byte, list []T, width int) []byte {
	n := len(list)
	b = binary.AppendUvarint(b, uint64(n))
	if n == 0 {
		return b
	}
	low := lowBits(n, width)
	var kept uint64
	have := 0
	for _, v := range list {
		kept |= uint64(v) & (1<<low - 1) << have
		for have += low; have >= 8; have -= 8 {
			b = append(b, byte(kept))
			kept >>= 8
		}
	}
	if have > 0 {
		b = append(b, byte(kept))
	}
	start := len(b)
	b = append(b, make([]byte, octetsFor(n+1<<(width-low)))...)
	for i, v := range list {
		at := int(v>>low) + i
		b[start+at/8] |= 1 << (at % 8)
	}
	return b
}

// placeList is a list of ascending numbers as it is stored.
type placeList struct {
	n, low, width int
	lows, highs   []byte
}

func (r *reader) places(width int) placeList {
	n := r.bounded(maxPrefixes, "a count of places")
	l := placeList{n: n, low: lowBits(n, width), width: width}
	if n > 0 {
		l.lows = r.take(octetsFor(n * l.low))
		l.highs = r.take(octetsFor(n + 1<<(width-l.low)))
	}
	return l
}

// lowOf returns the low bits of number i.
func (l *placeList) lowOf(i int) (v uint64) {
	for k, at := 0, i*l.low; k < l.low; {
		bit := at % 8
		v |= uint64(l.lows[at/8]>>bit) << k
		k, at = k+8-bit, at+8-bit
	}
	return v & (1<<l.low - 1)
}

// after returns where the bits behind the zero bit number h are.
func (l *placeList) after(h int) (at int) {
	for i, b := range l.highs {
		zeros := 8 - bits.OnesCount8(b)
		if h > zeros {
			h -= zeros
			continue
		}
		for at = 8 * i; h > 0; at++ {
			if b>>(at%8)&1 == 0 {
				h--
			}
		}
		return at
	}
	return 8 * len(l.highs)
}

// has reports whether a number from first to last is in the list.
func (l *placeList) has(first, last uint64) bool {
	if l.n == 0 {
		return false
	}
	h := int(first >> l.low)
	for at := l.after(h); at < 8*len(l.highs) && h <= int(last>>l.low); at++ {
		if l.highs[at/8]>>(at%8)&1 == 0 {
			h++
			continue
		}
		i := at - h
		if i >= l.n {
			return true // damaged: the group itself tells
		}
		if v := uint64(h)<<l.low | l.lowOf(i); v >= first {
			return v <= last
		}
	}
	return false
}

// placesTouch reports whether one of the prefixes with the places in b may overlap a
// prefix.
func placesTouch(b []byte, p netip.Prefix) (bool, error) {
	r := reader{b: b}
	list, width := r.places(placeBits4), placeBits4
	if six := r.places(placeBits6); !p.Addr().Is4() {
		list, width = six, placeBits6
	}
	if err := r.end(); err != nil {
		return false, err
	}
	hi, _ := halves(p.Masked().Addr())
	length := min(p.Bits(), width)
	first := hi >> (64 - width)
	last := first | (1<<(width-length) - 1)
	if list.has(first, last) {
		return true, nil
	}
	before := first
	for cover := length - 1; cover >= 0; cover-- { // where what covers it begins
		at := first &^ (1<<(width-cover) - 1)
		if at != before && list.has(at, at) {
			return true, nil
		}
		before = at
	}
	return false, nil
}
