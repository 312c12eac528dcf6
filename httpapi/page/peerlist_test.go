package page

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamesAreInTheOrderOfPeople(t *testing.T) {
	want := []string{"", "7", "10", "edge", "edge-1", "edge-2", "edge-10", "edge-10-a", "edge-010", "rs1", "rs01", "rs2", "rs2a", "rs10", "rs18446744073709551617"}
	slices.SortFunc(want, natural)
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, natural)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the order depends on the order before:\n%s", diff)
	}
	for _, row := range [][2]string{{"rs1", "rs2"}, {"rs2", "rs10"}, {"edge-10", "edge-10-a"}, {"7", "10"}, {"rs01", "rs2"}, {"a", "b"}, {"", "a"}, {"rs9", "rs18446744073709551617"}} {
		if natural(row[0], row[1]) >= 0 || natural(row[1], row[0]) <= 0 {
			t.Errorf("%q does not come before %q", row[0], row[1])
		}
	}
}
