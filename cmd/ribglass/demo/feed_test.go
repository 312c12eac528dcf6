package demo

import (
	"slices"
	"testing"

	"ribglass/cmd/ribglass/config"
	"ribglass/ribstore/route"
)

func recordedTable(t *testing.T) []entry {
	t.Helper()
	table, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestTheRecordedTableIsWhatItsReadmeSays(t *testing.T) {
	table := recordedTable(t)
	prefixes := make(map[route.NLRI]bool)
	for _, e := range table {
		prefixes[route.NLRI{Prefix: e.prefix}] = true
	}
	if len(table) != 14765 || len(prefixes) != 4997 {
		t.Errorf("%d routes of %d prefixes, want 14765 of 4997", len(table), len(prefixes))
	}
}

func TestEveryFeedHasPlausibleRoutes(t *testing.T) {
	table := recordedTable(t)
	for _, row := range []struct {
		feed  config.Feed
		asn   route.ASN
		least int
		first func(route.ASN) bool // of the AS path
	}{
		{config.FeedFull, 25152, 4500, func(n route.ASN) bool { return n == 25152 }},
		{config.FeedCustomer, 20473, 80, func(n route.ASN) bool { return n == 20473 }},
		{config.FeedRouteServer, 64510, 2000, func(n route.ASN) bool { return slices.Contains(members(), n) }},
	} {
		routes := 0
		seen := make(map[route.NLRI]bool)
		for _, u := range feed(table, row.feed, row.asn) {
			routes += len(u.NLRI)
			if first, ok := u.Attrs.ASPath().First(); !ok || !row.first(first) || !u.Attrs.NextHop().IsValid() {
				t.Errorf("%s: path %v with next hop %v", row.feed, u.Attrs.ASPath(), u.Attrs.NextHop())
			}
			if _, has := u.Attrs.LocalPref(); has {
				t.Errorf("%s: a route with LOCAL_PREF over eBGP", row.feed)
			}
			for _, n := range u.NLRI {
				if seen[n] {
					t.Errorf("%s announces %v twice", row.feed, n)
				}
				seen[n] = true
				if (n.PathID != 0) != (row.feed == config.FeedRouteServer) {
					t.Errorf("%s: %v, want path identifiers from the route server only", row.feed, n)
				}
			}
		}
		if routes < row.least {
			t.Errorf("%s has %d routes, want at least %d", row.feed, routes, row.least)
		}
	}
}

func TestReplaceKeepsTheOrderOfCodes(t *testing.T) {
	one := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrMED, []byte{0, 0, 0, 1})
	for _, row := range []struct {
		name  string
		code  route.AttrCode
		value []byte
		want  []route.AttrCode
	}{
		{"in between", route.AttrNextHop, []byte{1, 2, 3, 4}, []route.AttrCode{1, 3, 4}},
		{"at the end", route.AttrOTC, []byte{0, 0, 0, 1}, []route.AttrCode{1, 4, 35}},
		{"in place", route.AttrMED, []byte{0, 0, 0, 2}, []route.AttrCode{1, 4}},
		{"taken out", route.AttrOrigin, nil, []route.AttrCode{4}},
	} {
		got := replace(one, row.code, row.value)
		var codes []route.AttrCode
		for c := range got.All() {
			codes = append(codes, c)
		}
		if value, _ := got.Get(row.code); !slices.Equal(codes, row.want) || !slices.Equal(value, row.value) {
			t.Errorf("%s: codes %v and value %v, want %v and %v", row.name, codes, value, row.want, row.value)
		}
	}
}
