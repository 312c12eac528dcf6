package interop

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sameQuestions are questions in our words and in BIRD's. tables are those of
// BIRD that can be asked: a prefix set of one family is a type error in the other.
var sameQuestions = []struct{ query, filter, tables string }{
	{"path [= * 3356 * =]", "bgp_path ~ [= * 3356 * =]", "46"},
	{"path _3356_", "bgp_path ~ [= * 3356 * =]", "46"},
	{"via 3356", "bgp_path ~ [= * 3356 * =]", "46"},
	{"path [= * 3356 6453 * =]", "bgp_path ~ [= * 3356 6453 * =]", "46"},
	{"via 3356 6453", "bgp_path ~ [= * 3356 6453 * =]", "46"},
	{"path _3356_6453_", "bgp_path ~ [= * 3356 6453 * =]", "46"},
	{"path [= * 9829 =]", "bgp_path ~ [= * 9829 =]", "46"},
	{"path _9829$", "bgp_path ~ [= * 9829 =]", "46"},
	{"path [= 25091 * =]", "bgp_path ~ [= 25091 * =]", "46"},
	{"path ^25091_", "bgp_path ~ [= 25091 * =]", "46"},
	{"path [= 25091 ? ? =]", "bgp_path ~ [= 25091 ? ? =]", "46"},
	{"path ^25091_[0-9]+_[0-9]+$", "bgp_path ~ [= 25091 ? ? =]", "46"},
	{`path "25091 .{2}"`, "bgp_path ~ [= 25091 ? ? =]", "46"},
	{"path [= * 131127 131127 * =]", "bgp_path ~ [= * 131127 131127 * =]", "46"},
	{"path [= ? ? ? =]", "bgp_path ~ [= ? ? ? =]", "46"},
	{"path [= * 3356 ? * 9829 =]", "bgp_path ~ [= * 3356 ? * 9829 =]", "46"},
	{"path [= * [3257, 2914] * =]", "bgp_path ~ [= * [3257, 2914] * =]", "46"},
	{"path [= * 131000..132000 * =]", "bgp_path ~ [= * 131000..132000 * =]", "46"},
	{"path [= * 3000..4000 =]", "bgp_path ~ [= * 3000..4000 =]", "46"},
	{"not path _3356_", "! (bgp_path ~ [= * 3356 * =])", "46"},
	{"origin 31334", "bgp_path.last = 31334", "46"},
	{"origin 3000-4000", "bgp_path.last >= 3000 && bgp_path.last <= 4000", "46"},
	{"neighbor-as 25091", "bgp_path.first = 25091", "46"},
	{"path-length > 6", "bgp_path.len > 6", "46"},
	{"path-length = 3", "bgp_path.len = 3", "46"},
	{"path-length <= 2", "bgp_path.len <= 2", "46"},
	{"community 25091:6777", "bgp_community ~ [(25091, 6777)]", "46"},
	{"community 3356:*", "bgp_community ~ [(3356, *)]", "46"},
	{"community *:666", "bgp_community ~ [(*, 666)]", "46"},
	{"community 3356:1-99", "bgp_community ~ [(3356, 1..99)]", "46"},
	{"community 2914:3000 or community 44530:5", "bgp_community ~ [(2914, 3000), (44530, 5)]", "46"},
	{"large-community 64500:1:2", "bgp_large_community ~ [(64500, 1, 2)]", "46"},
	{"large-community 64500:*:*", "bgp_large_community ~ [(64500, *, *)]", "46"},
	{"large-community 4294967295:7:*", "bgp_large_community ~ [(4294967295, 7, *)]", "46"},
	{"ext-community rt:64500:*", "bgp_ext_community ~ [(rt, 64500, *)]", "46"},
	{"27.0.0.0/8 or-longer", "net ~ [ 27.0.0.0/8+ ]", "4"},
	{"49.156.32.0/21 or-shorter", "net ~ [ 49.156.32.0/21- ]", "4"},
	{"0.0.0.0/0 ge 24", "net ~ [ 0.0.0.0/0{24,32} ]", "4"},
	{"0.0.0.0/0 le 16", "net ~ [ 0.0.0.0/0{0,16} ]", "4"},
	{"43.0.0.0/8 ge 22 le 23", "net ~ [ 43.0.0.0/8{22,23} ]", "4"},
	{"2400::/8 or-longer", "net ~ [ 2400::/8+ ]", "6"},
	{"2000::/3 ge 33 le 47", "net ~ [ 2000::/3{33,47} ]", "6"},
	{"14.162.32.0/19", "net = 14.162.32.0/19", "4"},
	{"length >= 22", "net.len >= 22", "46"},
	{"med 0", "defined(bgp_med) && bgp_med = 0", "46"},
	{"med > 100", "defined(bgp_med) && bgp_med > 100", "46"},
	{"local-pref 100", "bgp_local_pref = 100", "46"},
	{"origin-code incomplete", "bgp_origin = ORIGIN_INCOMPLETE", "46"},
	{"nexthop 192.0.2.66", "bgp_next_hop = 192.0.2.66", "4"},
	{"nexthop 2001:db8::/32", "bgp_next_hop ~ 2001:db8::/32", "6"},
	{"via 3257 community 25091:* not origin 9829", "bgp_path ~ [= * 3257 * =] && bgp_community ~ [(25091, *)] && bgp_path.last != 9829", "46"},
	{"(via 3356 or via 2914) path-length < 5", "(bgp_path ~ [= * 3356 * =] || bgp_path ~ [= * 2914 * =]) && bgp_path.len < 5", "46"},
}

// TestSearchFindsWhatBIRDFinds asks both the same about the same routes: BIRD
// hears a feed and passes it on over iBGP, so that it changes nothing.
func TestSearchFindsWhatBIRDFinds(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)
	g := newGlass(t, neighbor("daemon", "127.0.1.61", glassASN))
	e := newEndpoints(t, 61, g.bgp)
	e.asn = glassASN
	b := newBird(t, e)
	b.start(t)
	feedRouter(t, b, routes)
	sameRoutes(t, g, b, "daemon", 1500)
	answered := 0
	for _, q := range sameQuestions {
		want, got := b.found(t, q.filter, q.tables), g.found(q.query)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q finds other prefixes than BIRD's %q (-BIRD +ribglass):\n%s", q.query, q.filter, diff)
		}
		if len(want) > 0 {
			answered++
		} else {
			t.Logf("%q finds nothing", q.query)
		}
	}
	if answered < 45 {
		t.Errorf("%d of %d questions have an answer, want 45 and more", answered, len(sameQuestions))
	}
	g.unharmed()
}

// found returns the prefixes of routes that a filter accepts.
func (b *bird) found(t testing.TB, filter, tables string) []string {
	t.Helper()
	var prefixes []string
	for _, n := range tables {
		out, err := b.do("show", "route", "table", "master"+string(n), "where", filter)
		if err != nil {
			t.Errorf("%s: %v\n%s", filter, err, out)
		}
		for _, r := range parseBird(out) {
			prefixes = append(prefixes, r.Prefix)
		}
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes)
}

// found returns the prefixes of routes that a query finds.
func (g *glass) found(query string) []string {
	g.t.Helper()
	var prefixes []string
	for _, r := range g.routes(query) {
		prefixes = append(prefixes, r.Prefix)
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes)
}
