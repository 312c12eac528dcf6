package page

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

func TestEachPrefixOfAnASIsListedOnce(t *testing.T) {
	var routes []route.Route
	for _, p := range []string{"192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/25", "2001:db8::/32", "2001:db8::/32"} {
		routes = append(routes, route.Route{Prefix: netip.MustParsePrefix(p)})
	}
	want := []string{"192.0.2.0/24", "192.0.2.0/25", "2001:db8::/32"}
	if diff := cmp.Diff(want, prefixesOf(routes)); diff != "" {
		t.Errorf("prefixesOf (-want +got): %s", diff)
	}
}
