package route

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseASN(t *testing.T) {
	tests := []struct {
		name, in string
		want     ASN
		bad      bool
	}{
		{"asplain", "64500", 64500, false},
		{"zero is a number", "0", 0, false},
		{"the largest", "4294967295", 4294967295, false},
		{"with AS in front", "AS64500", 64500, false},
		{"with as in front", "as64500", 64500, false},
		{"asdot", "1.10", 65546, false},
		{"asdot with AS in front", "AS65535.65535", 4294967295, false},
		{"asdot below one", "0.64500", 64500, false},
		{"too large", "4294967296", 0, true},
		{"an asdot half too large", "1.65536", 0, true},
		{"three halves", "1.2.3", 0, true},
		{"an empty half", "1.", 0, true},
		{"AS alone", "AS", 0, true},
		{"nothing", "", 0, true},
		{"negative", "-1", 0, true},
		{"with a sign", "+1", 0, true},
		{"hexadecimal", "0x10", 0, true},
		{"with a space", " 1", 0, true},
		{"with an underscore", "1_0", 0, true},
		{"AS twice", "ASAS1", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseASN(tt.in)
			if got != tt.want || (err != nil) != tt.bad {
				t.Errorf("ParseASN(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
			}
		})
	}
}

func FuzzParseASN(f *testing.F) {
	f.Add("64500")
	f.Add("AS1.10")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseASN(s)
		if err != nil {
			return
		}
		if again, err := ParseASN(n.String()); err != nil || again != n {
			t.Fatalf("ParseASN(%q) = %v, and of its text %v, %v", s, n, again, err)
		}
	})
}

func TestASPath(t *testing.T) {
	path := func() ASPath { return nil }
	tests := []struct {
		name          string
		path          ASPath
		text          string
		length        int
		first, origin ASN // 0: none
		all           []ASN
	}{
		{"empty", nil, "", 0, 0, 0, nil},
		{"a sequence", path().AppendSegment(ASSequence, 1, 2, 3), "1 2 3", 3, 1, 3, []ASN{1, 2, 3}},
		{
			"two sequences", path().AppendSegment(ASSequence, 1, 2).AppendSegment(ASSequence, 3),
			"1 2 3", 3, 1, 3,
			[]ASN{1, 2, 3},
		},
		{
			"a set of several at the end is no one origin", path().AppendSegment(ASSequence, 1, 2).AppendSegment(ASSet, 3, 4),
			"1 2 {3,4}", 3, 1, 0,
			[]ASN{1, 2, 3, 4},
		},
		{
			"a set in front is no neighbour", path().AppendSegment(ASSet, 3, 4).AppendSegment(ASSequence, 1),
			"{3,4} 1", 2, 0, 1,
			[]ASN{3, 4, 1},
		},
		{
			"confederation segments do not count", path().AppendSegment(ASConfedSequence, 9, 8).AppendSegment(ASConfedSet, 7, 6).AppendSegment(ASSequence, 1),
			"(9 8) [7,6] 1", 1, 1, 1,
			[]ASN{9, 8, 7, 6, 1},
		},
		{"a confederation alone", path().AppendSegment(ASConfedSequence, 9), "(9)", 0, 0, 0, []ASN{9}},
		{"four octets", path().AppendSegment(ASSequence, 4200000000), "4200000000", 1, 4200000000, 4200000000, []ASN{4200000000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first, hasFirst := tt.path.First()
			origin, hasOrigin := tt.path.Origin()
			if tt.path.String() != tt.text || tt.path.Len() != tt.length {
				t.Errorf("%q of length %d, want %q of %d", tt.path, tt.path.Len(), tt.text, tt.length)
			}
			if first != tt.first || hasFirst != (tt.first != 0) {
				t.Errorf("First() = %v, %v, want %v", first, hasFirst, tt.first)
			}
			if origin != tt.origin || hasOrigin != (tt.origin != 0) {
				t.Errorf("Origin() = %v, %v, want %v", origin, hasOrigin, tt.origin)
			}
			if diff := cmp.Diff(tt.all, slices.Collect(tt.path.All())); diff != "" {
				t.Errorf("All() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAppendTextAppends(t *testing.T) {
	path := ASPath(nil).AppendSegment(ASSequence, 1, 2)
	if got, err := path.AppendText([]byte("path ")); err != nil || string(got) != "path 1 2" {
		t.Errorf("AppendText = %q, %v", got, err)
	}
}

func TestAppendSegmentRefusesWhatNoSegmentHolds(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("256 AS numbers in one segment: no panic")
		}
	}()
	ASPath(nil).AppendSegment(ASSequence, make([]ASN, 256)...)
}

// FuzzASPath holds: on any octets no method panics, and they agree.
func FuzzASPath(f *testing.F) {
	f.Add([]byte(ASPath(nil).AppendSegment(ASSequence, 1, 2).AppendSegment(ASSet, 3)))
	f.Add([]byte{2, 9, 0})
	f.Add([]byte{2, 0, 2, 1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, octets []byte) {
		p := ASPath(octets)
		all := slices.Collect(p.All())
		n := 0
		for s := range p.Segments() {
			n += s.Len()
		}
		if n != len(all) || p.Len() > len(octets) {
			t.Fatalf("%x: All gives %d AS numbers, segments %d, Len %d", octets, len(all), n, p.Len())
		}
		if origin, ok := p.Origin(); ok && !slices.Contains(all, origin) {
			t.Fatalf("%x: origin %v, which is not in %v", octets, origin, all)
		}
		for _, n := range all {
			if !p.Has(n) || !p.HasWithin(0, n) || !p.HasWithin(n, 4294967295) || n > 0 && p.HasWithin(0, n-1) != slices.ContainsFunc(all, func(m ASN) bool { return m < n }) {
				t.Fatalf("%x: has %v of %v: %v", octets, n, all, p.Has(n))
			}
		}
		if !SameOrigins(p, p) {
			t.Fatalf("%x ends in other ASes than itself", octets)
		}
		if first, ok := p.First(); ok && !slices.Contains(all, first) {
			t.Fatalf("%x: first %v is not in the path", octets, first)
		}
		_ = p.String()
		for range p.All() { // stopping early is safe
			break
		}
	})
}

// TestEndsOfPaths tells what paths begin with and end in, the members of sets each.
func TestEndsOfPaths(t *testing.T) {
	path := func() ASPath { return nil }
	for text, row := range map[string]struct {
		path               ASPath
		neighbors, origins []ASN
	}{
		"":                   {path(), nil, nil},
		"1":                  {path().AppendSegment(ASSequence, 1), []ASN{1}, []ASN{1}},
		"1 2 3":              {path().AppendSegment(ASSequence, 1, 2, 3), []ASN{1}, []ASN{3}},
		"1 2 3 in two":       {path().AppendSegment(ASSequence, 1, 2).AppendSegment(ASSequence, 3), []ASN{1}, []ASN{3}},
		"1 {3,4}":            {path().AppendSegment(ASSequence, 1).AppendSegment(ASSet, 3, 4), []ASN{1}, []ASN{3, 4}},
		"1 {3}":              {path().AppendSegment(ASSequence, 1).AppendSegment(ASSet, 3), []ASN{1}, []ASN{3}},
		"{3,4}":              {path().AppendSegment(ASSet, 3, 4), []ASN{3, 4}, []ASN{3, 4}},
		"{3,4} 1":            {path().AppendSegment(ASSet, 3, 4).AppendSegment(ASSequence, 1), []ASN{3, 4}, []ASN{1}},
		"(9 8) 1 2":          {path().AppendSegment(ASConfedSequence, 9, 8).AppendSegment(ASSequence, 1, 2), []ASN{1}, []ASN{2}},
		"1 {2} (9)":          {path().AppendSegment(ASSequence, 1).AppendSegment(ASSet, 2).AppendSegment(ASConfedSequence, 9), []ASN{1}, []ASN{2}},
		"[9,8]":              {path().AppendSegment(ASConfedSet, 9, 8), nil, nil},
		"1 and an empty one": {path().AppendSegment(ASSequence, 1).AppendSegment(ASSequence), []ASN{1}, []ASN{1}},
	} {
		members := func(s Segment) (list []ASN) {
			for i := range s.Len() {
				list = append(list, s.At(i))
			}
			return list
		}
		if diff := cmp.Diff([][]ASN{row.neighbors, row.origins}, [][]ASN{members(row.path.Neighbors()), members(row.path.Origins())}); diff != "" {
			t.Errorf("neighbors and origins of %q (-want +got):\n%s", text, diff)
		}
		origin, ok := row.path.Origin()
		if ok != (len(row.origins) == 1) || ok && origin != row.origins[0] {
			t.Errorf("Origin() of %q = %v, %v", text, origin, ok)
		}
	}
}

// TestSameOrigins holds paths against each other by what they end in.
func TestSameOrigins(t *testing.T) {
	sequence := ASPath(nil).AppendSegment(ASSequence, 1, 3)
	set := func(asns ...ASN) ASPath {
		return ASPath(nil).AppendSegment(ASSequence, 2).AppendSegment(ASSet, asns...)
	}
	confederation := ASPath(nil).AppendSegment(ASConfedSequence, 9)
	for _, row := range []struct {
		about string
		p, q  ASPath
		same  bool
	}{
		{"a sequence and a set of its origin", sequence, set(3), true},
		{"members in another order, one of them twice", set(3, 4), set(4, 3, 4), true},
		{"a set and a part of it", set(3, 4), set(3), false},
		{"a set of others", set(3, 4), set(3, 5), false},
		{"a path without an AS and a confederation alone", nil, confederation, true},
		{"a path without an AS and a sequence", nil, sequence, false},
	} {
		if SameOrigins(row.p, row.q) != row.same || SameOrigins(row.q, row.p) != row.same {
			t.Errorf("%s: %q and %q end in the same ASes: %v, want %v", row.about, row.p, row.q, !row.same, row.same)
		}
	}
}
