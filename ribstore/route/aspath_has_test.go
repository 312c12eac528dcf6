package route

import "testing"

func TestASPathHasAndSequence(t *testing.T) {
	sequence := ASPath(nil).AppendSegment(ASSequence, 64500, 64501)
	withSet := append(ASPath(nil), sequence...).AppendSegment(ASSet, 64502)
	for _, row := range []struct {
		name string
		path ASPath
		asn  ASN
		has  bool
		one  bool // it is one sequence
	}{
		{"the empty path", nil, 64500, false, false},
		{"the last AS of a sequence", sequence, 64501, true, true},
		{"an AS that is not there", sequence, 64502, false, true},
		{"a member of a set", withSet, 64502, true, false},
		{"octets across two AS numbers are none", ASPath(nil).AppendSegment(ASSequence, 0x00010002, 0x00030004), 0x00020003, false, true},
		{"a damaged path", sequence[:5], 64500, false, false},
	} {
		if got := row.path.Has(row.asn); got != row.has {
			t.Errorf("%s: Has(%v) = %v, want %v", row.name, row.asn, got, row.has)
		}
		if _, got := row.path.Sequence(); got != row.one {
			t.Errorf("%s: Sequence() = %v, want %v", row.name, got, row.one)
		}
	}
}
