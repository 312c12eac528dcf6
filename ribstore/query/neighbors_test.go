package query

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ribglass/ribstore/query/querytest"
	"ribglass/ribstore/route"
)

func TestASNeighborsEqualWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := fill(t)
		all := k.asked(Query{})
		asn := querytest.ASN(t)
		want := &Neighbors{}
		before, after, paths := map[string]int{}, map[string]int{}, map[string]int{}
		originated := map[netip.Prefix]bool{}
		for _, h := range all {
			if twin(Origin{ASNs{asn, asn}}, h, all) {
				originated[h.prefix] = true
			}
			if !twin(ViaAS(asn), h, all) {
				continue
			}
			want.Routes++
			paths[h.attrs.ASPath().String()]++
			front, behind := twinBeside(h.attrs.ASPath(), asn.String())
			for n := range front {
				before[n]++
			}
			for n := range behind {
				after[n]++
			}
		}
		want.Prefixes = len(originated)
		same := func(s string) string { return s }
		none := func(string) Expr { return nil }
		want.Upstream, want.Downstream, want.Paths = top(before, 99, same, none), top(after, 99, same, none), top(paths, 99, same, none)
		want.UpstreamCount, want.DownstreamCount, want.PathCount = len(before), len(after), len(paths)
		got, err := ASNeighbors(t.Context(), k.Known, asn, 99)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Facet{}, "Expr")); diff != "" {
			t.Errorf("ASNeighbors(%v) (-want +got):\n%s", asn, diff)
		}
	})
}

// twinBeside finds the neighbours in the words of each sequence.
func twinBeside(path route.ASPath, asn string) (front, behind map[string]bool) {
	front, behind = map[string]bool{}, map[string]bool{}
	for s := range path.Segments() {
		if s.Type != route.ASSequence {
			continue
		}
		var once []string
		for i := range s.Len() {
			once = append(once, s.At(i).String())
		}
		text := " " + strings.Join(once, " ") + " "
		for _, other := range once {
			if other == asn {
				continue
			}
			if strings.Contains(text, " "+other+" "+asn+" ") {
				front[other] = true
			}
			if strings.Contains(text, " "+asn+" "+other+" ") {
				behind[other] = true
			}
		}
	}
	return front, behind
}
