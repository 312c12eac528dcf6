package pathexpr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// TestWhatMatchesTheEmptyPathRequiresNothing: a number that one of the ways spares is not
// required.
func TestWhatMatchesTheEmptyPathRequiresNothing(t *testing.T) {
	for _, text := range []string{"^$", "(_64500_)?", "^(64500)?$", "^$|_64500_", "^(64500(_64501)?)?$", "^(64500_)*$", "^(64500|)$"} {
		p := mustCompile(t, text, Auto)
		if !p.Matcher().Match(nil) {
			t.Errorf("%q does not match the empty path", text)
		}
		if got := p.Required(); len(got) > 0 {
			t.Errorf("Required(%q) = %v, want none", text, got)
		}
	}
	for text, want := range map[string][]route.ASN{"^(64500_)*64501$": {64501}, "^(64500_)+(64501)?$": {64500}} {
		p := mustCompile(t, text, Auto)
		if diff := cmp.Diff(want, p.Required()); diff != "" || p.Matcher().Match(nil) {
			t.Errorf("Required(%q), which the empty path does not match (-want +got): %s", text, diff)
		}
	}
}

// TestBoundsOfAnExpression has the largest of a kind that is taken, and one that is larger.
func TestBoundsOfAnExpression(t *testing.T) {
	for name, row := range map[string]struct {
		text func(n int) string
		most int
	}{
		"octets of text":            {func(n int) string { return "^" + strings.Repeat("1", n-2) + "$" }, 1024},
		"the bound of a repetition": {func(n int) string { return fmt.Sprintf("^1{%d}$", n) }, 64},
		"states that double":        {func(n int) string { return fmt.Sprintf("1(0|1){%d}$", n) }, 10},
		"repetitions that multiply": {func(n int) string { return fmt.Sprintf("^((1){64}){%d}$", n) }, 63},
	} {
		if _, err := Compile(row.text(row.most), Cisco); err != nil {
			t.Errorf("%s: %d are refused: %v", name, row.most, err)
		}
		if _, err := Compile(row.text(row.most+1), Cisco); err == nil {
			t.Errorf("%s: %d are taken, one more than the bound", name, row.most+1)
		}
	}
}
