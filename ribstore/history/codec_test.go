package history

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

func drawFamily(t *rapid.T) route.Family {
	return route.Family(rapid.IntRange(0, route.NumFamilies-1).Draw(t, "family"))
}

// drawPrefix draws out of few addresses, so that prefixes cover each other and
// are next to each other, or out of all.
func drawPrefix(t *rapid.T, f route.Family) netip.Prefix {
	octets := rapid.SliceOfN(rapid.Byte(), f.Bits()/8, f.Bits()/8).Draw(t, "octets")
	if rapid.Bool().Draw(t, "near") {
		for i := range octets {
			octets[i] = []byte{0, 1, 128, 255}[octets[i]%4]
		}
	}
	addr, _ := netip.AddrFromSlice(octets)
	lengths := []int{0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, rapid.IntRange(0, f.Bits()).Draw(t, "bits")}
	return netip.PrefixFrom(addr, min(f.Bits(), rapid.SampledFrom(lengths).Draw(t, "length"))).Masked()
}

func drawPrefixes(t *rapid.T, f route.Family) []netip.Prefix {
	list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) netip.Prefix { return drawPrefix(t, f) }), 0, 20).Draw(t, "prefixes")
	slices.SortFunc(list, comparePrefixes)
	return slices.Compact(list)
}

func drawSet(t *rapid.T) route.Attrs {
	codes := rapid.SliceOfNDistinct(rapid.Byte(), 1, 5, func(b byte) byte { return b }).Draw(t, "codes")
	slices.Sort(codes)
	var a route.Attrs
	for _, code := range codes {
		length := rapid.SampledFrom([]int{0, 1, 4, 253, 254, 255, 256, 700}).Draw(t, "length")
		value := make([]byte, length)
		for i := range value {
			value[i] = byte(i) + code
		}
		a = a.AppendAttr(route.AttrCode(code), value)
	}
	return a
}

func drawSets(t *rapid.T) []route.Attrs {
	return rapid.SliceOfN(rapid.Custom(drawSet), 1, 6).Draw(t, "sets")
}

func drawChunk(t *rapid.T, f route.Family) *chunk {
	c := &chunk{family: f, sets: drawSets(t)}
	peers := rapid.SampledFrom([]uint32{1, 3, 400, math.MaxUint32}).Draw(t, "peers")
	for _, p := range drawPrefixes(t, f) {
		entries := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) entry {
			return entry{
				peer: rapid.Uint32Range(0, peers).Draw(t, "peer"), pathID: rapid.SampledFrom([]uint32{0, 0, 1, math.MaxUint32}).Draw(t, "path"),
				set: uint32(rapid.IntRange(0, len(c.sets)-1).Draw(t, "set")), received: rapid.SampledFrom([]uint32{0, 1, 1_772_323_200, math.MaxUint32}).Draw(t, "received"),
				class: rapid.SampledFrom([]uint8{0, 0, 1, 15}).Draw(t, "class"),
			}
		}), 1, 5, func(e entry) [2]uint32 { return [2]uint32{e.peer, e.pathID} }).Draw(t, "routes")
		slices.SortFunc(entries, compareEntries)
		c.routes = append(c.routes, entries...)
		c.finish(p)
	}
	return c
}

// listed is the stupid twin of a chunk: a line for every route.
func listed(base, changes *chunk) []string {
	var list []string
	eachRoute(base, changes, func(p netip.Prefix, from *chunk, e entry) {
		list = append(list, fmt.Sprintf("%v %d %d %x %d %d", p, e.peer, e.pathID, []byte(from.set(e.set)), e.received, e.class))
	})
	return list
}

// plain is listed without eachRoute.
func plain(c *chunk) []string {
	var list []string
	for i, p := range c.prefixes {
		for _, e := range c.of(i) {
			list = append(list, fmt.Sprintf("%v %d %d %x %d %d", p, e.peer, e.pathID, []byte(c.set(e.set)), e.received, e.class))
		}
	}
	return list
}

func TestChunksComeBackAsTheyWere(t *testing.T) {
	w, again := newChunkWriter(), newChunkWriter()
	var d chunkReader
	rapid.Check(t, func(t *rapid.T) {
		f := drawFamily(t)
		c := drawChunk(t, f)
		b := slices.Clone(w.encode(c))
		if !slices.Equal(b, again.encode(c)) || !slices.Equal(b, w.encode(c)) {
			t.Fatal("the same chunk has other octets")
		}
		got, err := d.decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain(c), plain(got)); diff != "" || got.family != f {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(plain(c), listed(got, nil)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// change returns a chunk that is much like another one.
func drawLike(t *rapid.T, base *chunk) *chunk {
	other := drawChunk(t, base.family)
	c := &chunk{family: base.family}
	c.sets = append(slices.Clone(base.sets), other.sets...)
	all := append(slices.Clone(base.prefixes), other.prefixes...)
	slices.SortFunc(all, comparePrefixes)
	for _, p := range slices.Compact(all) {
		have := map[[2]uint32]entry{}
		if i := slices.Index(base.prefixes, p); i >= 0 && rapid.IntRange(0, 4).Draw(t, "keep") > 0 {
			for _, e := range base.of(i) {
				have[[2]uint32{e.peer, e.pathID}] = e
			}
		}
		if i := slices.Index(other.prefixes, p); i >= 0 && rapid.Bool().Draw(t, "add") {
			for _, e := range other.of(i) {
				e.set += uint32(len(base.sets))
				have[[2]uint32{e.peer, e.pathID}] = e
			}
		}
		var entries []entry
		for _, e := range have {
			entries = append(entries, e)
		}
		slices.SortFunc(entries, compareEntries)
		c.routes = append(c.routes, entries...)
		c.finish(p)
	}
	return c
}

func TestABaseWithItsDifferenceIsTheChunk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := drawChunk(t, drawFamily(t))
		c := drawLike(t, base)
		var changes chunk
		difference(&changes, base, c)
		if diff := cmp.Diff(plain(c), listed(base, &changes)); diff != "" {
			t.Fatal(diff)
		}
		var d chunkReader
		got, err := d.decode(newChunkWriter().encode(&changes))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain(c), listed(base, got)); diff != "" {
			t.Fatal(diff)
		}
		difference(&changes, c, c)
		if len(changes.routes) != 0 {
			t.Fatalf("a chunk differs from itself: %v", plain(&changes))
		}
	})
}

func TestBlocksComeBackAsTheyWere(t *testing.T) {
	w := newBlockWriter()
	var d blockReader
	show := func(c *change) string {
		return fmt.Sprintf("%v %d %d %d %x %v", c.prefix, c.at, c.peer, c.pathID, []byte(c.set), c.set == nil)
	}
	rapid.Check(t, func(t *rapid.T) {
		f, sets := drawFamily(t), drawSets(t)
		var changes []change
		var want []string
		for _, p := range drawPrefixes(t, f) {
			at := rapid.Int64Range(-1, 1<<45).Draw(t, "at")
			for range rapid.IntRange(1, 6).Draw(t, "changes") {
				at += rapid.SampledFrom([]int64{0, 0, 1, 1000, 1 << 40}).Draw(t, "later")
				c := change{
					prefix: p, at: at, peer: rapid.SampledFrom([]uint32{0, 1, 2, 70_000, math.MaxUint32}).Draw(t, "peer"),
					pathID: rapid.SampledFrom([]uint32{0, 0, 9, math.MaxUint32}).Draw(t, "path"),
				}
				if rapid.IntRange(0, 2).Draw(t, "announced") > 0 {
					c.set = rapid.SampledFrom(sets).Draw(t, "set")
				}
				changes = append(changes, c)
				want = append(want, show(&c))
			}
		}
		b := w.encode(f, changes)
		if !slices.Equal(b, newBlockWriter().encode(f, changes)) {
			t.Fatal("the same block has other octets")
		}
		var got []string
		err := d.decode(b, func(family route.Family, c change) {
			if family != f {
				t.Fatalf("family %v, want %v", family, f)
			}
			got = append(got, show(&c))
		})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatal(err, diff)
		}
	})
}

func drawPeer(t *rapid.T) *route.Peer {
	p := &route.Peer{
		Name: rapid.StringN(1, 10, -1).Draw(t, "name"), Router: rapid.String().Draw(t, "router"), Group: rapid.String().Draw(t, "group"),
		Description: rapid.String().Draw(t, "description"), ASN: route.ASN(rapid.Uint32().Draw(t, "as")), LocalASN: route.ASN(rapid.Uint32().Draw(t, "local")),
		Address: rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}).Draw(t, "address"),
	}
	for f := range p.AddPath {
		p.AddPath[f] = rapid.Bool().Draw(t, "paths")
	}
	return p
}

func drawBatch(t *rapid.T) route.Batch {
	b := route.Batch{Event: route.Event(rapid.IntRange(0, int(route.RefreshEnd)).Draw(t, "event"))}
	retention := func() {
		for f := range b.Retention {
			b.Retention[f].Stale = time.Duration(rapid.Int64Range(0, 1<<61).Draw(t, "stale"))
			b.Retention[f].LongLived = time.Duration(rapid.Int64Range(0, 1<<61).Draw(t, "long"))
		}
	}
	switch b.Event {
	case route.Routes:
		for range rapid.IntRange(0, 4).Draw(t, "updates") {
			f := drawFamily(t)
			u := route.Update{Family: f}
			if rapid.Bool().Draw(t, "announced") {
				u.Attrs = drawSet(t)
			}
			for range rapid.IntRange(0, 4).Draw(t, "nlri") {
				u.NLRI = append(u.NLRI, route.NLRI{Prefix: drawPrefix(t, f), PathID: rapid.SampledFrom([]uint32{0, 0, 5, math.MaxUint32}).Draw(t, "path")})
			}
			b.Updates = append(b.Updates, u)
		}
	case route.PeerUp:
		b.Peer = drawPeer(t)
		retention()
	case route.PeerDown:
		b.Reason = rapid.String().Draw(t, "reason")
		retention()
	case route.EndOfRIB, route.RefreshBegin, route.RefreshEnd:
		b.Family = drawFamily(t)
	case route.PeerRemoved:
	}
	return b
}

func printRecord(r *record) string {
	s := fmt.Sprintf("%d %d %d %v %d %q %v %v %v", r.kind, r.at, r.peer, r.wait, r.batch.Event, r.batch.Reason, r.batch.Family, r.batch.Retention, r.batch.Peer)
	for _, u := range r.batch.Updates {
		s += fmt.Sprintf(" [%v %x %v]", u.Family, []byte(u.Attrs), u.NLRI)
	}
	return s
}

func TestGroupsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w, again groupWriter
		var want []string
		at := rapid.Int64Range(0, 1<<50).Draw(t, "at")
		records := 0
		for range rapid.IntRange(0, 8).Draw(t, "records") {
			at += rapid.SampledFrom([]int64{0, 1, 60_000}).Draw(t, "later")
			r := record{kind: kind(rapid.IntRange(0, int(kindWait)).Draw(t, "kind")), at: at}
			switch r.kind {
			case kindExpire:
				w.expire(at)
				again.expire(at)
			case kindWait:
				r.wait = time.Duration(rapid.Int64Range(0, 1<<61).Draw(t, "wait"))
				w.wait(at, r.wait)
				again.wait(at, r.wait)
			default:
				r.peer, r.batch = rapid.Uint32().Draw(t, "peer"), drawBatch(t)
				r.kind = kind(r.batch.Event) + 1
				w.batch(r.peer, &r.batch, at)
				again.batch(r.peer, &r.batch, at)
			}
			records += r.weight()
			want = append(want, printRecord(&r))
		}
		if !slices.Equal(w.octets, again.octets) || w.records != records {
			t.Fatalf("the same group has other octets, or %d records, want %d", w.records, records)
		}
		var got []string
		var d groupReader
		err := d.decode(w.octets, func(r *record) error {
			got = append(got, printRecord(r))
			return nil
		})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatal(err, diff)
		}
	})
}

func TestSetsAndPrefixesComeBackAsTheyWere(t *testing.T) {
	w := newSetWriter()
	var s setReader
	rapid.Check(t, func(t *rapid.T) {
		w.reset()
		var want []route.Attrs
		for _, a := range drawSets(t) {
			if id, fresh := w.add(a); fresh {
				want = append(want, a)
			} else if string(want[id]) != string(a) {
				t.Fatal("another set")
			}
		}
		r := reader{b: w.appendTo(nil)}
		s.read(&r)
		var got []route.Attrs
		for i := range s.made {
			got = append(got, s.set(uint32(i)))
		}
		if diff := cmp.Diff(want, got); diff != "" || r.end() != nil {
			t.Fatal(r.err, diff)
		}
		f := drawFamily(t)
		out, in := prefixColumn{family: f}, prefixColumn{family: f}
		var b []byte
		prefixes := drawPrefixes(t, f)
		for _, p := range prefixes {
			b = out.put(b, p)
		}
		r = reader{b: b}
		for _, p := range prefixes {
			if got := in.next(&r); got != p || r.err != nil {
				t.Fatalf("prefix %v, want %v (%v)", got, p, r.err)
			}
		}
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestKeysHeadersAndManifestsComeBackAsTheyWere(t *testing.T) {
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Uint64Range(0, 1<<62)
		p := piece{
			level: uint8(rapid.IntRange(0, 2).Draw(t, "level")), run: rapid.Uint32().Draw(t, "run"), from: number.Draw(t, "from"),
			first: rapid.Int64Range(0, 1<<60).Draw(t, "first"), records: rapid.Uint32().Draw(t, "records"),
		}
		p.to, p.last = p.from+number.Draw(t, "more"), p.first+rapid.Int64Range(0, 1<<60).Draw(t, "later")
		if got, err := parsePiece(p.key()); err != nil || !cmp.Equal(p, got, cmp.AllowUnexported(piece{})) {
			t.Fatalf("%+v, want %+v (%v)", got, p, err)
		}
		s := snapshot{run: p.run, begun: p.first, end: p.last, next: p.to, routes: p.records}
		if got, err := parseSnapshot(s.key()); err != nil || got != s {
			t.Fatalf("%+v, want %+v (%v)", got, s, err)
		}
		for _, key := range [][]byte{p.key(), s.key()} {
			key = flipped(key, rapid.IntRange(0, len(key)-1).Draw(t, "at"))
			_, err1 := parsePiece(key)
			if _, err2 := parseSnapshot(key); err1 == nil || err2 == nil {
				t.Fatal("a damaged key passes")
			}
		}
		r := run{
			id: p.run, origin: origin(rapid.IntRange(0, 2).Draw(t, "origin")), start: p.first, resumed: p.last, first: p.from,
			reason: rapid.String().Draw(t, "reason"),
		}
		if got, err := decodeRun(c, be32(nil, r.id), r.encode(c)); err != nil || got != r {
			t.Fatalf("%+v, want %+v (%v)", got, r, err)
		}
		if n, name, err := decodeName(c, encodeName(c, p.run, r.reason)); err != nil || n != p.run || name != r.reason {
			t.Fatalf("peer %d %q, want %d %q (%v)", n, name, p.run, r.reason, err)
		}
		checkSegment(t, &p)
		checkManifest(t, s)
	})
}

func drawPlaces(t *rapid.T) []place {
	var list []place
	for range rapid.IntRange(0, 10).Draw(t, "places") {
		f := drawFamily(t)
		list = append(list, placeOf(f, drawPrefix(t, f)))
	}
	slices.SortFunc(list, place.compare)
	return slices.CompactFunc(list, func(a, b place) bool { return a.compare(b) == 0 })
}

func checkSegment(t *rapid.T, p *piece) {
	s := segment{events: rapid.SliceOf(rapid.Byte()).Draw(t, "events")}
	for _, at := range drawPlaces(t) {
		s.blocks = append(s.blocks, blockInfo{at, rapid.Uint32().Draw(t, "changes")})
	}
	got, err := decodeSegment(p.key(), s.encode(p.key()))
	if err != nil || string(got.events) != string(s.events) || !slices.Equal(got.blocks, s.blocks) {
		t.Fatalf("%+v, want %+v (%v)", got, s, err)
	}
}

func checkManifest(t *rapid.T, s snapshot) {
	m := manifest{snapshot: s, tail: rapid.SliceOf(rapid.Byte()).Draw(t, "tail")}
	for range rapid.IntRange(0, 3).Draw(t, "states") {
		st := table.PeerState{Peer: drawPeer(t), Up: rapid.Bool().Draw(t, "up"), StaleSince: fromMillis(s.begun)}
		for f := range st.Families {
			st.Families[f] = table.FamilyState{
				Routes: rapid.IntRange(0, 1<<30).Draw(t, "routes"), EndOfRIB: fromMillis(rapid.Int64Range(0, 1<<50).Draw(t, "eor")),
				LongLived: time.Duration(rapid.Int64Range(0, 1<<60).Draw(t, "long")), InLongLived: rapid.Bool().Draw(t, "in"),
			}
			for range rapid.IntRange(0, 16).Draw(t, "classes") {
				st.Families[f].Since = append(st.Families[f].Since, fromMillis(rapid.Int64Range(0, 1<<50).Draw(t, "since")))
			}
		}
		m.states = append(m.states, st)
		m.numbers = append(m.numbers, rapid.Uint32().Draw(t, "number"))
	}
	b := m.encode()
	got, err := decodeManifest(s.key(), b)
	if err != nil || !slices.Equal(b, got.encode()) {
		t.Fatalf("another manifest comes back (%v)", err)
	}
	show := func(m *manifest) string { return fmt.Sprintf("%v %v %x", m.snapshot, m.numbers, m.tail) }
	for i := range m.states {
		if w, g := fmt.Sprintf("%+v %+v", m.states[i], m.states[i].Peer), fmt.Sprintf("%+v %+v", got.states[i], got.states[i].Peer); len(w) != len(g) {
			t.Fatalf("state %s, want %s", g, w)
		}
	}
	if show(got) != show(&m) {
		t.Fatalf("%s, want %s", show(got), show(&m))
	}
}

// TestNoRangeOfAWantedPrefixIsLeftOut cuts prefixes into ranges anywhere.
func TestNoRangeOfAWantedPrefixIsLeftOut(t *testing.T) {
	left := 0
	rapid.Check(t, func(t *rapid.T) {
		places := drawPlaces(t)
		f := drawFamily(t)
		for _, p := range drawPrefixes(t, f) {
			places = append(places, placeOf(f, p))
		}
		slices.SortFunc(places, place.compare)
		wanted := scope{drawPrefix(t, drawFamily(t))}
		if len(places) > 0 && rapid.Bool().Draw(t, "one of them") {
			wanted.prefix = rapid.SampledFrom(places).Draw(t, "wanted").prefix
		}
		for start := 0; start < len(places); {
			end := start + 1
			for end < len(places) && places[end].family == places[start].family && places[end].long == places[start].long && rapid.IntRange(0, 3).Draw(t, "on") > 0 {
				end++
			}
			next := place{}
			if end < len(places) && places[end].long == places[start].long {
				next = places[end]
			}
			first := places[start]
			touched := wanted.touches(first, next)
			for _, p := range places[start:end] {
				overlaps := p.prefix.Addr().BitLen() == wanted.prefix.Addr().BitLen() && p.prefix.Overlaps(wanted.prefix)
				if overlaps != (wanted.family(p.family) && wanted.has(p.prefix)) {
					t.Fatalf("%v: has(%v) is wrong", wanted.prefix, p.prefix)
				}
				if overlaps && !touched {
					t.Fatalf("%v overlaps %v, but from %v to %v nothing is touched", wanted.prefix, p.prefix, first.prefix, next.prefix)
				}
			}
			if !touched {
				left++
			}
			if !(scope{}).touches(first, next) {
				t.Fatal("everything is wanted")
			}
			start = end
		}
	})
	if left == 0 {
		t.Error("no range was ever left out")
	}
}
