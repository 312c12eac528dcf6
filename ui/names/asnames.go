package names

import (
	"slices"
	"strings"

	"ribglass/ribstore/route"
)

// ASNames are the names of AS numbers, in a few large pieces of memory that the
// garbage collector need not look into. The zero value and nil have no names.
type ASNames struct {
	asns []route.ASN // ascending
	ends []uint32    // where the name of each ends in text
	text string      // the names, one behind the other
}

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
	for i, e := range entries {
		if i > 0 && entries[i-1].asn == e.asn {
			return nil, lineErrorf(e.line, "AS%d has a name on line %d already", e.asn, entries[i-1].line)
		}
		size += len(e.name)
	}
	n := &ASNames{asns: make([]route.ASN, len(entries)), ends: make([]uint32, len(entries))}
	var text strings.Builder
	text.Grow(size)
	for i, e := range entries {
		text.WriteString(e.name)
		n.asns[i], n.ends[i] = e.asn, uint32(text.Len())
	}
	n.text = text.String()
	return n, nil
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
	i, found := slices.BinarySearch(n.asns, asn)
	if !found {
		return ""
	}
	return n.at(i)
}

// at returns the name of index i.
func (n *ASNames) at(i int) string {
	begin := uint32(0)
	if i > 0 {
		begin = n.ends[i-1]
	}
	return n.text[begin:n.ends[i]]
}
