package names

import (
	"slices"
	"strings"

	"ribglass/ribstore/route"
)

// ASNames are the names of AS numbers, in a few large pieces of memory that the
// garbage collector need not look into. The zero value and nil have no names.
type ASNames struct {
	asns   []route.ASN // ascending
	ends   []uint32    // where the name of each ends in text
	text   string      // the names, one behind the other
	starts []uint32    // where the ASes of each bucket begin in asns; what the last has begins there too
	common [256]uint32 // how often text has each byte
}

// AS numbers are sought in buckets of 64, of which there are as many as hold all
// numbers that registries have given out and then some.
const (
	bucketBits = 6
	maxBuckets = 1 << 15
)

// entry is a name while a file is read.
type entry struct {
	asn  route.ASN
	line int
	name string
}

// newASNames packs entries, whose order is free. An AS number that stands there
// twice is an error.
func newASNames(entries []entry) (*ASNames, error) {
	slices.SortStableFunc(entries, func(a, b entry) int {
		return int(int64(a.asn) - int64(b.asn))
	})
	size := 0
	var before entry
	for _, e := range entries {
		if e.asn == before.asn && before.line > 0 {
			return nil, lineErrorf(e.line, "AS%d has a name on line %d already", e.asn, before.line)
		}
		size += len(e.name)
		before = e
	}
	n := &ASNames{asns: make([]route.ASN, len(entries)), ends: make([]uint32, len(entries))}
	var text strings.Builder
	text.Grow(size)
	for i, e := range entries {
		text.WriteString(e.name)
		n.asns[i], n.ends[i] = e.asn, uint32(text.Len())
	}
	n.text = text.String()
	n.index()
	return n, nil
}

// index makes what finds numbers and names fast.
func (n *ASNames) index() {
	for i, asn := range n.asns {
		for bucket := min(int(asn>>bucketBits), maxBuckets); len(n.starts) <= bucket; {
			n.starts = append(n.starts, uint32(i))
		}
	}
	for i := range len(n.text) {
		n.common[n.text[i]]++
	}
}

// Len returns how many AS numbers have a name.
func (n *ASNames) Len() int {
	if n == nil {
		return 0
	}
	return len(n.asns)
}

// Name returns the name of an AS number, "" when there is none.
func (n *ASNames) Name(asn route.ASN) string {
	if n == nil {
		return ""
	}
	bucket, begin, end := int(asn>>bucketBits), 0, len(n.asns)
	if last := len(n.starts) - 1; bucket < last {
		begin, end = int(n.starts[bucket]), int(n.starts[bucket+1])
	} else if last >= 0 {
		begin = int(n.starts[last])
	}
	i, found := slices.BinarySearch(n.asns[begin:end], asn)
	if !found {
		return ""
	}
	return n.at(begin + i)
}

// at returns the name of index i.
func (n *ASNames) at(i int) string {
	begin := uint32(0)
	if i > 0 {
		begin = n.ends[i-1]
	}
	return n.text[begin:n.ends[i]]
}
