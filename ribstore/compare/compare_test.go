package compare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/query"
	"ribglass/ribstore/query/querytest"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// filled is a random table, and what it was told.
type filled struct {
	*table.Table

	peers   []*route.Peer
	batches []*route.Batch
}

func (f *filled) apply(b *route.Batch) {
	f.batches = append(f.batches, b)
	f.Apply(b)
}

// only returns a table that was told of no other views of routers than those that
// a query asks which names some peers.
func (f *filled) only(scope string, named []string) *table.Table {
	part := table.New()
	for _, b := range f.batches {
		if querytest.Asks(scope, named, f.peers, b.Peer) {
			part.Apply(b)
		}
	}
	return part
}

// fillFew makes a random table of few prefixes, peers and attributes, so that
// two of them share many. The peer c has ADD-PATH.
func fillFew(t *rapid.T, at time.Time, sets []route.Attrs) *filled {
	tab := &filled{Table: table.New()}
	views := rapid.SampledFrom([][]route.View{{route.AdjRIBIn}, {route.AdjRIBIn, route.PrePolicy, route.PostPolicy}}).Draw(t, "views")
	for i, name := range []string{"a", "b", "c", "d"} {
		if rapid.IntRange(0, 5).Draw(t, "peer") == 0 {
			continue
		}
		peer := &route.Peer{Name: name, Router: "r" + string(rune('0'+i/2)), ASN: route.ASN(i + 1), View: rapid.SampledFrom(views).Draw(t, "view")}
		tab.peers = append(tab.peers, peer)
		peer.AddPath[route.IPv4Unicast] = name == "c"
		tab.apply(&route.Batch{Peer: peer, At: at, Event: route.PeerUp})
		for range rapid.IntRange(0, 12).Draw(t, "routes") {
			n := route.NLRI{Prefix: netip.MustParsePrefix(rapid.SampledFrom([]string{
				"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "10.1.2.0/24", "192.0.2.0/24", "::/0", "2001:db8::/32",
			}).Draw(t, "prefix"))}
			if name == "c" && n.Prefix.Addr().Is4() {
				n.PathID = uint32(rapid.IntRange(1, 3).Draw(t, "path"))
			}
			tab.apply(&route.Batch{Peer: peer, At: at.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "age")) * time.Second), Updates: []route.Update{
				{Family: querytest.FamilyOf(n.Prefix), Attrs: rapid.SampledFrom(sets).Draw(t, "set"), NLRI: []route.NLRI{n}},
			}})
		}
		if rapid.IntRange(0, 4).Draw(t, "down") == 0 {
			var keep [route.NumFamilies]route.Retention
			for f := range keep {
				keep[f].Stale = time.Hour
			}
			tab.apply(&route.Batch{Peer: peer, At: at, Event: route.PeerDown, Retention: keep})
		}
	}
	return tab
}

// parse reads a query.
func parse(tb interface{ Fatal(args ...any) }, text string) query.Query {
	q, err := query.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return q
}

// everything returns the routes that meet a query.
func everything(t *rapid.T, tab *table.Table, q query.Query, at time.Time) (routes []route.Route) {
	r, err := query.Run(context.Background(), query.Known{Table: tab, At: at}, q, query.Page{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	routes = r.Routes
	slices.SortStableFunc(routes, func(a, b route.Route) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()),
			strings.Compare(a.Peer.Name, b.Peer.Name), cmp.Compare(a.PathID, b.PathID))
	})
	return routes
}

func keyOfRoute(r *route.Route) string {
	return fmt.Sprint(r.Family, r.Prefix, " ", r.Peer.Name, " ", r.PathID)
}

// diffTwin compares the slow and obvious way.
type diffTwin struct {
	Comparison
	a, b   []route.Route
	kept   map[*route.Route]bool
	same   int
	across bool
}

func newDiffTwin(t *rapid.T, c Comparison, tables [2]*filled) *diffTwin {
	w := &diffTwin{Comparison: c, across: c.a.Peer != "" || c.b.Peer != "", kept: map[*route.Route]bool{}}
	for i, s := range []Side{c.a, c.b} {
		meet := map[string]bool{}
		named := c.query.Peers()
		if s.Peer != "" {
			named = append(named, s.Peer)
		}
		tab := tables[i].only(c.query.Scope.String(), named)
		for _, r := range everything(t, tab, query.Query{Expr: c.query.Expr, Scope: query.AnyView}, s.At) {
			meet[keyOfRoute(&r)] = true
		}
		all := everything(t, tab, query.Query{Scope: query.AnyView}, s.At)
		all = slices.DeleteFunc(all, func(r route.Route) bool { return s.Peer != "" && r.Peer.Name != s.Peer })
		for j := range all {
			w.kept[&all[j]] = meet[keyOfRoute(&all[j])]
		}
		if i == 0 {
			w.a = all
		} else {
			w.b = all
		}
	}
	return w
}

// lines describes every difference in one line.
func (w *diffTwin) lines() (lines []string) {
	a, b := pointers(w.a), pointers(w.b)
	tests := []func(x, y *route.Route) bool{
		func(x, y *route.Route) bool { return keyOfRoute(x) == keyOfRoute(y) },
	}
	if w.across {
		prefix := func(x, y *route.Route) bool { return x.Family == y.Family && x.Prefix == y.Prefix }
		tests = []func(x, y *route.Route) bool{
			func(x, y *route.Route) bool { return prefix(x, y) && string(x.Attrs) == string(y.Attrs) },
			func(x, y *route.Route) bool { return prefix(x, y) && x.PathID == y.PathID },
			prefix,
		}
	}
	for _, test := range tests {
		for _, x := range slices.Clone(a) {
			if i := slices.IndexFunc(b, func(y *route.Route) bool { return test(x, y) }); i >= 0 {
				lines = append(lines, w.line(x, b[i])...)
				b = slices.Delete(b, i, i+1)
				a = slices.DeleteFunc(a, func(z *route.Route) bool { return z == x })
			}
		}
	}
	for _, x := range a {
		lines = append(lines, w.line(x, nil)...)
	}
	for _, y := range b {
		lines = append(lines, w.line(nil, y)...)
	}
	slices.Sort(lines)
	return lines
}

func pointers(routes []route.Route) (list []*route.Route) {
	for i := range routes {
		list = append(list, &routes[i])
	}
	return list
}

func (w *diffTwin) line(a, b *route.Route) []string {
	if !w.kept[a] && !w.kept[b] {
		return nil
	}
	describe := func(other []route.Route, r *route.Route, prefix, peer, alone Cause) string {
		cause := peer
		if w.across || slices.ContainsFunc(other, func(o route.Route) bool { return o.Peer.Name == r.Peer.Name && o.Family == r.Family }) {
			cause = alone
		}
		if !slices.ContainsFunc(other, func(o route.Route) bool { return o.Family == r.Family && o.Prefix == r.Prefix }) {
			cause = prefix
		}
		return fmt.Sprintf("%s %s =%s %x", keyOfRoute(r), r.Attrs.ASPath(), cause, []byte(r.Attrs))
	}
	switch {
	case b == nil:
		return []string{"- " + describe(w.b, a, CausePrefixGone, CausePeerGone, CauseRouteGone)}
	case a == nil:
		return []string{"+ " + describe(w.a, b, CauseNewPrefix, CauseNewPeer, CauseNewRoute)}
	}
	stale := w.stale && a.StaleSince.IsZero() != b.StaleSince.IsZero()
	if string(a.Attrs) == string(b.Attrs) && !stale {
		w.same++
		return nil
	}
	names, cause := changedTwin(a.Attrs, b.Attrs)
	if stale {
		names = append(names, "stale")
	}
	if cause == "" {
		cause = CauseStale
	}
	return []string{fmt.Sprintf("~ %s > %s =%s %v %x %x", keyOfRoute(a), keyOfRoute(b), cause, names, []byte(a.Attrs), []byte(b.Attrs))}
}

// endTwin returns what the text of a path ends in, the members of a set in order.
func endTwin(path string) string {
	words := strings.Fields(regexp.MustCompile(`\([^)]*\)|\[[^]]*\]`).ReplaceAllString(path, ""))
	if len(words) == 0 {
		return "none"
	}
	members := strings.Split(strings.Trim(words[len(words)-1], "{}"), ",")
	slices.Sort(members)
	return strings.Join(slices.Compact(members), ",")
}

// changedTwin tells what differs of attributes that random tables have.
func changedTwin(a, b route.Attrs) (names []string, cause Cause) {
	text := func(x any, ok bool) string { return fmt.Sprint(x, ok) }
	med, okMED := a.MED()
	medB, okMEDB := b.MED()
	list := []struct{ name, a, b string }{
		{"origin-code", a.Origin().String(), b.Origin().String()},
		{"path", a.ASPath().String(), b.ASPath().String()},
		{"nexthop", a.NextHop().String(), b.NextHop().String()},
		{"med", text(med, okMED), text(medB, okMEDB)},
		{"local-pref", octets(a, route.AttrLocalPref), octets(b, route.AttrLocalPref)},
		{"community", string(a.Communities()), string(b.Communities())},
		{"ext-community", octets(a, route.AttrExtCommunities), octets(b, route.AttrExtCommunities)},
		{"large-community", string(a.LargeCommunities()), string(b.LargeCommunities())},
		{"otc", octets(a, route.AttrOTC), octets(b, route.AttrOTC)},
	}
	for _, x := range list {
		if x.a != x.b {
			names = append(names, x.name)
		}
	}
	has := func(s string) bool { return slices.Contains(names, s) }
	switch {
	case len(names) == 0:
		return nil, ""
	case has("path") && endTwin(a.ASPath().String()) != endTwin(b.ASPath().String()):
		return names, CauseOrigin
	case has("path"):
		return names, CausePath
	case has("nexthop"):
		return names, CauseNextHop
	case has("local-pref"):
		return names, CauseLocalPref
	case has("med"):
		return names, CauseMED
	case has("community"), has("ext-community"), has("large-community"):
		return names, CauseCommunity
	}
	return names, CauseOther
}

func octets(a route.Attrs, code route.AttrCode) string {
	value, ok := a.Get(code)
	return fmt.Sprintf("%x %v", value, ok)
}

func diffLine(d *Difference) string {
	switch d.Kind {
	case Added:
		return fmt.Sprintf("+ %s %s =%s %x", keyOfRoute(d.New), d.New.Attrs.ASPath(), d.Cause, []byte(d.New.Attrs))
	case Withdrawn:
		return fmt.Sprintf("- %s %s =%s %x", keyOfRoute(d.Old), d.Old.Attrs.ASPath(), d.Cause, []byte(d.Old.Attrs))
	case Changed:
	}
	return fmt.Sprintf("~ %s > %s =%s %v %x %x", keyOfRoute(d.Old), keyOfRoute(d.New), d.Cause, d.Attributes, []byte(d.Old.Attrs), []byte(d.New.Attrs))
}

// TestCompareEqualsMaps compares random tables, page by page, as a stream and by
// counts, and every difference with the twin's.
func TestCompareEqualsMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets := make([]route.Attrs, 6)
		for i := range sets {
			sets[i] = querytest.Attrs(t)
		}
		before := querytest.Now().Add(-time.Hour)
		tables := [2]*filled{fillFew(t, before, sets), fillFew(t, querytest.Now(), sets)}
		if rapid.IntRange(0, 3).Draw(t, "one table") == 0 {
			tables[0], before = tables[1], querytest.Now()
		}
		c := Comparison{
			a: Side{Known: query.Known{Table: tables[0].Table, At: before}}, b: Side{Known: query.Known{Table: tables[1].Table, At: querytest.Now()}},
			stale: rapid.Bool().Draw(t, "stale"),
		}
		if rapid.Bool().Draw(t, "of peers") {
			c.a.Peer = rapid.SampledFrom([]string{"", "a", "c"}).Draw(t, "peer A")
			c.b.Peer = rapid.SampledFrom([]string{"", "a", "b", "c", "none"}).Draw(t, "peer B")
		}
		if rapid.Bool().Draw(t, "conditions") {
			c.query = parse(t, querytest.Conditions(t))
		}
		c.query.Scope = rapid.SampledFrom([]query.Scope{query.FirstView, query.FirstView, query.AnyView, query.OfView(route.PrePolicy)}).Draw(t, "scope")
		twin := newDiffTwin(t, c, tables)
		want := twin.lines()
		got, counts := diffPages(t, c)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("%q by pages (-map +compare): %s", c.query, diff)
		}
		checkCounts(t, counts, want, twin.same)
		var streamed []string
		err := c.Stream(context.Background(), func(list []Difference) error {
			for i := range list {
				streamed = append(streamed, diffLine(&list[i]))
			}
			return nil
		})
		slices.Sort(streamed)
		if diff := gocmp.Diff(want, streamed); diff != "" || err != nil {
			t.Fatalf("%q as a stream: %v (-map +compare): %s", c.query, err, diff)
		}
	})
}

func diffPages(t *rapid.T, c Comparison) (lines []string, counts *Counts) {
	page := query.Page{Limit: rapid.IntRange(1, 5).Draw(t, "limit")}
	var last *Difference
	for n := 0; n == 0 || page.Cursor != "" && n < 200; n++ {
		d, err := c.Page(context.Background(), page)
		if err != nil || (d.Counts == nil) != (n > 0) {
			t.Fatalf("page %d: %v, counts %v", n, err, d.Counts)
		}
		if n == 0 {
			counts = d.Counts
		}
		for i := range d.Differences {
			x := &d.Differences[i]
			if last != nil && (x.Family < last.Family || x.Family == last.Family && compareDests(&table.Dest{Prefix: x.Prefix}, &table.Dest{Prefix: last.Prefix}) < 0) {
				t.Fatalf("%v comes behind %v", x.Prefix, last.Prefix)
			}
			last = x
			lines = append(lines, diffLine(x))
		}
		page.Cursor = d.NextCursor
	}
	again, err := c.Count(context.Background())
	if diff := gocmp.Diff(counts, again); diff != "" || err != nil {
		t.Fatalf("Count: %v, (-page +count) %s", err, diff)
	}
	slices.Sort(lines)
	return lines, counts
}

func checkCounts(t *rapid.T, c *Counts, lines []string, same int) {
	number := func(sign string) (n int) {
		for _, line := range lines {
			if strings.HasPrefix(line, sign) {
				n++
			}
		}
		return n
	}
	got := []int{c.Same, c.Added, c.Withdrawn, c.Changed}
	if diff := gocmp.Diff([]int{same, number("+"), number("-"), number("~")}, got); diff != "" {
		t.Fatalf("counts of same, added, withdrawn, changed (-map +compare): %s", diff)
	}
	for _, x := range c.Causes {
		n := 0
		for _, line := range lines {
			if strings.Contains(line, " ="+string(x.Cause)+" ") {
				n++
			}
		}
		if n != x.Count {
			t.Fatalf("%d differences of %s, %s; want %d", x.Count, x.Kind, x.Cause, n)
		}
	}
	var sum PeerCounts
	for _, p := range c.Peers {
		sum.Same, sum.Added, sum.Withdrawn, sum.Changed = sum.Same+p.Same, sum.Added+p.Added, sum.Withdrawn+p.Withdrawn, sum.Changed+p.Changed
	}
	if diff := gocmp.Diff(got, []int{sum.Same, sum.Added, sum.Withdrawn, sum.Changed}); diff != "" {
		t.Fatalf("sum of peers: %s", diff)
	}
}

func announce(tab *table.Table, peer, prefix string, asns ...route.ASN) {
	a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, asns...))
	p := netip.MustParsePrefix(prefix)
	tab.Apply(&route.Batch{Peer: &route.Peer{Name: peer}, At: querytest.Now(), Updates: []route.Update{{Family: querytest.FamilyOf(p), Attrs: a, NLRI: []route.NLRI{{Prefix: p}}}}})
}

func TestCompareLongestMatch(t *testing.T) {
	a, b := table.New(), table.New()
	for _, tab := range []*table.Table{a, b} {
		announce(tab, "x", "10.0.0.0/8", 1)
		announce(tab, "y", "10.1.0.0/16", 2)
	}
	announce(b, "x", "10.1.2.0/24", 3)
	announce(b, "x", "0.0.0.0/0", 4)
	rows := []struct{ name, text, want string }{
		{"a more specific prefix appeared", "10.1.2.3", "added 10.1.2.0/24 new-prefix"},
		{"the longest match is the same", "10.1.3.4", "same 1"},
		{"of the peer that is asked for", "10.1.3.4 peer x", "same 1"},
		{"only one side has a match", "11.0.0.1", "added 0.0.0.0/0 new-prefix"},
		{"no side has one", "2001:db8::1", "same 0"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			q, err := query.Parse(row.text)
			if err != nil {
				t.Fatal(err)
			}
			d, err := Comparison{a: Side{Known: query.Known{Table: a, At: querytest.Now()}}, b: Side{Known: query.Known{Table: b, At: querytest.Now()}}, query: q}.Page(context.Background(), query.Page{})
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint("same ", d.Counts.Same)
			for _, x := range d.Differences {
				got = fmt.Sprint(x.Kind, " ", x.Prefix, " ", x.Cause)
			}
			if got != row.want || len(d.Differences) > 1 {
				t.Errorf("%q: %s, want %s", row.text, got, row.want)
			}
		})
	}
}

// TestAnEqualRouteCountsWhereEitherSideMeets: a route with equal attributes is best on one
// side only.
func TestAnEqualRouteCountsWhereEitherSideMeets(t *testing.T) {
	alone, beside := table.New(), table.New()
	announce(alone, "x", "10.0.0.0/8", 1, 2, 3)
	announce(beside, "x", "10.0.0.0/8", 1, 2, 3)
	announce(beside, "y", "10.0.0.0/8", 4)
	q, err := query.Parse("best")
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		a, b *table.Table
		want []int
	}{
		"before": {alone, beside, []int{1, 1, 0, 0}},
		"after":  {beside, alone, []int{1, 0, 1, 0}},
		"both":   {alone, alone, []int{1, 0, 0, 0}},
	} {
		c := Comparison{a: Side{Known: query.Known{Table: row.a}}, b: Side{Known: query.Known{Table: row.b}}, query: q}
		got, err := c.Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(row.want, []int{got.Same, got.Added, got.Withdrawn, got.Changed}); diff != "" {
			t.Errorf("best %s: same, added, withdrawn, changed (-want +got): %s", name, diff)
		}
	}
}

func TestCompareStops(t *testing.T) {
	tab := table.New()
	announce(tab, "x", "10.0.0.0/8", 1)
	c := Comparison{a: Side{Known: query.Known{Table: table.New()}}, b: Side{Known: query.Known{Table: tab}}}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Count(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Count when canceled: %v", err)
	}
	if err := c.Stream(ctx, func([]Difference) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Stream when canceled: %v", err)
	}
	if _, err := c.Page(context.Background(), query.Page{Cursor: "x"}); !errors.Is(err, query.ErrCursor) {
		t.Errorf("foreign cursor: %v", err)
	}
	full := errors.New("full")
	if err := c.Stream(context.Background(), func([]Difference) error { return full }); !errors.Is(err, full) {
		t.Errorf("Stream: %v, want the error of yield", err)
	}
}

func TestChangedAttributesAreNamed(t *testing.T) {
	var a route.Attrs
	for _, code := range []route.AttrCode{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 25, 26, 32, 35, 99} {
		a = a.AppendAttr(code, []byte{1})
	}
	want := []string{
		"origin-code", "path", "nexthop", "med", "local-pref", "atomic-aggregate", "aggregator", "community", "originator-id", "cluster-list",
		"ext-community", "aigp", "large-community", "otc", "attribute-99",
	}
	if diff := gocmp.Diff(want, ChangedAttributes(a, nil)); diff != "" {
		t.Error(diff)
	}
	if got := ChangedAttributes(a, a); got != nil || CauseOf(a, a) != "" {
		t.Errorf("equal sets differ in %v", got)
	}
}
