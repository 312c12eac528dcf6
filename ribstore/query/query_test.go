package query

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

func TestParse(t *testing.T) {
	prefix := netip.MustParsePrefix
	rows := []struct {
		name, text string
		want       Query
		canonical  string
	}{
		{"nothing asks for everything", "  ", Query{}, ""},
		{"an address is a longest match", "192.0.2.1", Query{Match: Longest, Prefix: prefix("192.0.2.1/32")}, "192.0.2.1"},
		{"a mapped address is an IPv4 address", "::ffff:192.0.2.1", Query{Match: Longest, Prefix: prefix("192.0.2.1/32")}, "192.0.2.1"},
		{"an IPv6 address in any spelling", "2001:DB8:0::1", Query{Match: Longest, Prefix: prefix("2001:db8::1/128")}, "2001:db8::1"},
		{"a prefix is exact", "192.0.2.0/24", Query{Match: Exact, Prefix: prefix("192.0.2.0/24")}, "192.0.2.0/24"},
		{"or-longer", "10.0.0.0/8 or-longer", Query{Match: OrLonger, Prefix: prefix("10.0.0.0/8")}, "10.0.0.0/8 or-longer"},
		{
			"or-shorter of an address means its host prefix", "10.0.0.1 or-shorter",
			Query{Match: OrShorter, Prefix: prefix("10.0.0.1/32")},
			"10.0.0.1/32 or-shorter",
		},
		{
			"filters in any order and number", "peer edge1\tfamily ipv6 peer edge2 2001:db8::/32",
			Query{
				Match: Exact, Prefix: prefix("2001:db8::/32"),
				Peers: []string{"edge1", "edge2"}, Families: []route.Family{route.IPv6Unicast},
			},
			"2001:db8::/32 peer edge1 peer edge2 family ipv6-unicast",
		},
		{"a filter given twice counts once", "peer a peer a", Query{Peers: []string{"a"}}, "peer a"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := Parse(row.text)
			if err != nil {
				t.Fatalf("Parse(%q) = %v", row.text, err)
			}
			if diff := cmp.Diff(row.want, got, comparePrefixes()); diff != "" {
				t.Errorf("Parse(%q): %s", row.text, diff)
			}
			if got.String() != row.canonical {
				t.Errorf("Parse(%q).String() = %q, want %q", row.text, got, row.canonical)
			}
		})
	}
}

func comparePrefixes() cmp.Option {
	return cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
}

func TestParseErrors(t *testing.T) {
	rows := []struct {
		name, text string
		column     int
		message    string
	}{
		{"a word of no language", "192.0.2.1 bogus", 11, `"bogus"`},
		{"host bits set", "192.0.2.1/24", 1, "192.0.2.0/24"},
		{"a length beyond the address", "192.0.2.0/33", 1, "no address"},
		{"two prefixes", "10.0.0.0/8 11.0.0.0/8", 12, "only one"},
		{"or-longer of nothing", "or-longer", 1, "follows"},
		{"or-longer and or-shorter", "10.0.0.0/8 or-longer or-shorter", 22, "only one"},
		{"a zone", "fe80::1%eth0", 1, "zone"},
		{"an octal octet", "0177.0.0.1", 1, "no address"},
		{"a mapped prefix", "::ffff:10.0.0.0/104", 1, "IPv4"},
		{"peer without a name", "peer ", 1, "name"},
		{"a name with other characters", "peer a;b", 7, "letters"},
		{"an unknown family", "family ipx", 8, "ipx"},
		{"a shell", "8.8.8.8;id", 1, "no address"},
		{"a text too long", strings.Repeat("a ", 5000), maxText + 1, "at most"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse(row.text)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("Parse(%.40q) = %v, want an *Error", row.text, err)
			}
			if e.Column != row.column || !strings.Contains(e.Message, row.message) {
				t.Errorf("Parse(%.40q) = %v, want column %d and %q", row.text, err, row.column, row.message)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "10.0.0.0/8 or-longer peer a", "family ipv6 2001:db8::/32 or-shorter", "peer"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Column < 1 || e.Column > len(text)+1 {
				t.Fatalf("Parse(%q) = %v", text, err)
			}
			return
		}
		again, err := Parse(q.String())
		if err != nil || !cmp.Equal(q, again, comparePrefixes()) {
			t.Fatalf("Parse(%q.String()) = %v, %v", q, again, err)
		}
	})
}

// fill makes a table of some peers and returns its routes by the stupid way.
func fill(t *rapid.T) (*table.Table, []route.NLRI, map[string]bool) {
	tab := table.New()
	var all []route.NLRI
	has := map[string]bool{}
	attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0})
	for _, name := range []string{"a", "b"} {
		peer := &route.Peer{Name: name}
		for range rapid.IntRange(0, 25).Draw(t, "routes") {
			p := genPrefix(t)
			tab.Apply(&route.Batch{Peer: peer, At: time.Unix(1, 0), Updates: []route.Update{
				{Family: familyOf(p), Attrs: attrs, NLRI: []route.NLRI{{Prefix: p}}},
			}})
			if !has[name+p.String()] {
				has[name+p.String()] = true
				all = append(all, route.NLRI{Prefix: p})
			}
		}
	}
	return tab, all, has
}

func familyOf(p netip.Prefix) route.Family {
	if p.Addr().Is6() {
		return route.IPv6Unicast
	}
	return route.IPv4Unicast
}

func genPrefix(t *rapid.T) netip.Prefix {
	b := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 128}), 4, 4).Draw(t, "octets")
	addr := netip.AddrFrom4([4]byte(b))
	length := rapid.IntRange(0, 32).Draw(t, "length")
	if rapid.IntRange(0, 3).Draw(t, "ipv6") == 0 {
		var long [16]byte
		copy(long[:], b)
		addr = netip.AddrFrom16(long)
	}
	return netip.PrefixFrom(addr, length).Masked()
}

// TestRunEqualsWalk asks random questions of random tables, page by page, and
// compares with a test of every route.
func TestRunEqualsWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab, _, has := fill(t)
		q := Query{Match: rapid.SampledFrom([]Match{Any, Longest, Exact, OrLonger, OrShorter}).Draw(t, "match")}
		if q.Match != Any {
			q.Prefix = genPrefix(t)
		}
		if q.Match == Longest {
			q.Prefix = netip.PrefixFrom(q.Prefix.Addr(), q.Prefix.Addr().BitLen())
		}
		if rapid.Bool().Draw(t, "one peer") {
			q.Peers = []string{"b"}
		}
		want := walk(has, q)
		var got []string
		page := Page{Limit: rapid.IntRange(1, 5).Draw(t, "limit")}
		for pages := 0; ; pages++ {
			r := ask(t, tab, q, page)
			if r.Total != len(want) {
				t.Fatalf("%q: total %d, want %d", q, r.Total, len(want))
			}
			for _, x := range r.Routes {
				got = append(got, x.Peer.Name+x.Prefix.String())
			}
			if page.Cursor = r.NextCursor; page.Cursor == "" || pages > 100 {
				break
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (-walk +run): %s", q, diff)
		}
	})
}

func ask(t *rapid.T, tab *table.Table, q Query, page Page) *Result {
	var r *Result
	err := tab.View(func(v *table.View) (err error) {
		r, err = Run(v, q, page)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// walk returns the routes the query asks for, as "peer prefix", sorted.
func walk(has map[string]bool, q Query) []string {
	var found []string
	longest := -1
	for id := range has {
		name, p := id[:1], netip.MustParsePrefix(id[1:])
		if len(q.Peers) > 0 && !slices.Contains(q.Peers, name) {
			continue
		}
		covers := func(a, b netip.Prefix) bool { return a.Bits() <= b.Bits() && a.Contains(b.Addr()) }
		switch q.Match {
		case Any:
		case Exact:
			if p != q.Prefix {
				continue
			}
		case OrLonger:
			if !covers(q.Prefix, p) {
				continue
			}
		case OrShorter, Longest:
			if !covers(p, q.Prefix) {
				continue
			}
		}
		if q.Match == Longest {
			if p.Bits() < longest {
				continue
			}
			if p.Bits() > longest {
				longest, found = p.Bits(), nil
			}
		}
		found = append(found, id)
	}
	slices.Sort(found)
	return found
}

func TestForeignCursorIsRefused(t *testing.T) {
	tab := table.New()
	for _, c := range []string{"x", "!!", "AAAA", "_____w", strings.Repeat("A", 500)} {
		err := tab.View(func(v *table.View) error {
			_, err := Run(v, Query{}, Page{Cursor: c})
			return err
		})
		if !errors.Is(err, ErrCursor) {
			t.Errorf("cursor %.20q: %v, want ErrCursor", c, err)
		}
	}
}

func ExampleParse() {
	q, err := Parse("192.0.2.0/24 or-longer peer edge1")
	fmt.Println(q, err)
	_, err = Parse("192.0.2.0/24 or-wider")
	fmt.Println(err)
	// Output:
	// 192.0.2.0/24 or-longer peer edge1 <nil>
	// column 14: "or-wider" is no address, prefix or word of the query language
}
