package main

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
)

// space is address space that is given out block by block. Addresses are
// counted in units, the longest prefix that is announced: a /24 or a /48.
type space struct {
	unit     int // bits
	next     uint64
	reserved []netip.Prefix  // in order, not given out
	lengths  []lengthOfShare // of announcements within a block
	ipv6     bool
}

type lengthOfShare struct{ bits, percent int }

// newIPv4Space has the lengths of a real table: three fifths are /24.
func newIPv4Space() *space {
	s := &space{unit: 24, next: 0x01_00_00, lengths: []lengthOfShare{{24, 66}, {23, 12}, {22, 12}, {21, 5}, {20, 3}, {19, 2}}}
	for _, p := range []string{
		"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/22", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	} {
		s.reserved = append(s.reserved, netip.MustParsePrefix(p))
	}
	return s
}

func newIPv6Space() *space {
	return &space{
		unit: 48, next: 0x2400_0000_0000, ipv6: true,
		lengths: []lengthOfShare{{48, 60}, {47, 4}, {46, 5}, {44, 12}, {40, 11}, {36, 5}, {33, 3}},
	}
}

// announce takes a block for one origin and appends count prefixes of it: the
// whole block, and more specifics at random places.
func (s *space) announce(random *rand.Rand, count int, to []netip.Prefix) []netip.Prefix {
	size := holdingBits(random, count)
	if s.ipv6 {
		size = max(size, 16-4*random.IntN(2)) // a /32, at least a /36
	}
	block := s.take(size)
	to = append(to, s.prefix(block, s.unit-size))
	seen := make(map[netip.Prefix]struct{}, count)
	seen[to[len(to)-1]] = struct{}{}
	for tries := 0; len(seen) < count && tries < 20*count; tries++ {
		length := max(s.draw(random), s.unit-size+1)
		inside := length - (s.unit - size)
		if inside > size {
			break // a block of one unit has no more specifics
		}
		place := random.Uint64N(1<<inside) << (s.unit - length)
		p := s.prefix(block+place, length)
		if _, again := seen[p]; again {
			continue
		}
		seen[p] = struct{}{}
		to = append(to, p)
	}
	return to
}

// draw picks a length by its share.
func (s *space) draw(random *rand.Rand) int {
	n := random.IntN(100)
	for _, l := range s.lengths {
		if n -= l.percent; n < 0 {
			return l.bits
		}
	}
	return s.unit
}

// take gives out an aligned block of 2^size units.
func (s *space) take(size int) uint64 {
	for {
		step := uint64(1) << size
		block := (s.next + step - 1) &^ (step - 1)
		s.next = block + step
		p := s.prefix(block, s.unit-size)
		free := true
		for _, r := range s.reserved {
			free = free && !r.Overlaps(p)
		}
		if free {
			return block
		}
	}
}

func (s *space) prefix(unit uint64, length int) netip.Prefix {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], unit<<(64-s.unit))
	if s.ipv6 {
		return netip.PrefixFrom(netip.AddrFrom16(b), length)
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte(b[:4])), length)
}
