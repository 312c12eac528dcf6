package format

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

func drawChunk(t *rapid.T, f route.Family) *Chunk {
	c := &Chunk{Family: f, Sets: drawSets(t)}
	peers := rapid.SampledFrom([]uint32{1, 3, 400, math.MaxUint32}).Draw(t, "peers")
	for _, p := range drawPrefixes(t, f) {
		entries := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Entry {
			return Entry{
				Peer: rapid.Uint32Range(0, peers).Draw(t, "peer"), PathID: rapid.SampledFrom([]uint32{0, 0, 1, math.MaxUint32}).Draw(t, "path"),
				Set: uint32(rapid.IntRange(0, len(c.Sets)-1).Draw(t, "set")), Received: rapid.SampledFrom([]uint32{0, 1, 1_772_323_200, math.MaxUint32}).Draw(t, "received"),
				Class: rapid.SampledFrom([]uint8{0, 0, 1, 15}).Draw(t, "class"),
			}
		}), 1, 5, func(e Entry) [2]uint32 { return [2]uint32{e.Peer, e.PathID} }).Draw(t, "routes")
		slices.SortFunc(entries, CompareEntries)
		c.Routes = append(c.Routes, entries...)
		c.Finish(p)
	}
	return c
}

// listed is the stupid twin of a chunk: a line for every route.
func listed(base, changes *Chunk) []string {
	var list []string
	eachRoute(base, changes, func(p netip.Prefix, from *Chunk, e Entry) {
		list = append(list, fmt.Sprintf("%v %d %d %x %d %d", p, e.Peer, e.PathID, []byte(from.Set(e.Set)), e.Received, e.Class))
	})
	return list
}

// plain is listed without eachRoute.
func plain(c *Chunk) []string {
	var list []string
	for i, p := range c.Prefixes {
		for _, e := range c.of(i) {
			list = append(list, fmt.Sprintf("%v %d %d %x %d %d", p, e.Peer, e.PathID, []byte(c.Set(e.Set)), e.Received, e.Class))
		}
	}
	return list
}

func TestChunksComeBackAsTheyWere(t *testing.T) {
	w, again := NewChunkWriter(), NewChunkWriter()
	var d ChunkReader
	rapid.Check(t, func(t *rapid.T) {
		f := drawFamily(t)
		c := drawChunk(t, f)
		b := slices.Clone(w.Encode(c))
		if !slices.Equal(b, again.Encode(c)) || !slices.Equal(b, w.Encode(c)) {
			t.Fatal("the same chunk has other octets")
		}
		got, err := d.decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain(c), plain(got)); diff != "" || got.Family != f {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(plain(c), listed(got, nil)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// drawLike draws a chunk that is much like another one.
func drawLike(t *rapid.T, base *Chunk) *Chunk {
	other := drawChunk(t, base.Family)
	c := &Chunk{Family: base.Family}
	c.Sets = append(slices.Clone(base.Sets), other.Sets...)
	all := append(slices.Clone(base.Prefixes), other.Prefixes...)
	slices.SortFunc(all, comparePrefixes)
	for _, p := range slices.Compact(all) {
		have := map[[2]uint32]Entry{}
		if i := slices.Index(base.Prefixes, p); i >= 0 && rapid.IntRange(0, 4).Draw(t, "keep") > 0 {
			for _, e := range base.of(i) {
				have[[2]uint32{e.Peer, e.PathID}] = e
			}
		}
		if i := slices.Index(other.Prefixes, p); i >= 0 && rapid.Bool().Draw(t, "add") {
			for _, e := range other.of(i) {
				e.Set += uint32(len(base.Sets))
				have[[2]uint32{e.Peer, e.PathID}] = e
			}
		}
		var entries []Entry
		for _, e := range have {
			entries = append(entries, e)
		}
		slices.SortFunc(entries, CompareEntries)
		c.Routes = append(c.Routes, entries...)
		c.Finish(p)
	}
	return c
}

func TestABaseWithItsDifferenceIsTheChunk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := drawChunk(t, drawFamily(t))
		c := drawLike(t, base)
		var changes Chunk
		Difference(&changes, base, c)
		if diff := cmp.Diff(plain(c), listed(base, &changes)); diff != "" {
			t.Fatal(diff)
		}
		var d ChunkReader
		got, err := d.decode(NewChunkWriter().Encode(&changes))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain(c), listed(base, got)); diff != "" {
			t.Fatal(diff)
		}
		Difference(&changes, c, c)
		if len(changes.Routes) != 0 {
			t.Fatalf("a chunk differs from itself: %v", plain(&changes))
		}
	})
}

// drawMark draws why an announcement was treated as a withdrawal.
func drawMark(t *rapid.T) route.Attrs {
	return route.AppendFault(nil, route.Fault{
		Code: route.AttrCode(rapid.IntRange(0, 3).Draw(t, "malformed")), Reason: rapid.SampledFrom([]string{"", "AS 0", "length 3, want 4"}).Draw(t, "reason"),
	})
}

func drawChanges(t *rapid.T, f route.Family) []Change {
	sets := drawSets(t)
	var changes []Change
	for _, p := range drawPrefixes(t, f) {
		at, some := When{At: rapid.Int64Range(-1, 1<<45).Draw(t, "at")}, rapid.Bool().Draw(t, "exact")
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			at.At += rapid.SampledFrom([]int64{0, 0, 1, 1000, 1 << 40}).Draw(t, "later")
			if some {
				at = drawWhen(t, at)
			}
			c := Change{
				When: at, Family: f, Prefix: p, Peer: rapid.SampledFrom([]uint32{0, 1, 2, 70_000, math.MaxUint32}).Draw(t, "peer"),
				PathID: rapid.SampledFrom([]uint32{0, 0, 9, math.MaxUint32}).Draw(t, "path"),
			}
			switch rapid.IntRange(0, 3).Draw(t, "announced") {
			case 0:
			case 1:
				c.Set = drawMark(t)
			default:
				c.Set = rapid.SampledFrom(sets).Draw(t, "set")
			}
			changes = append(changes, c)
		}
	}
	return changes
}

// drawWhen returns a time of the same moment with a higher number, or of any time of day.
func drawWhen(t *rapid.T, at When) When {
	at.Number += rapid.SampledFrom([]uint32{0, 0, 1, 100, 1 << 20}).Draw(t, "number")
	at.Micros = rapid.SampledFrom([]int32{0, 0, 1, 999, -1, math.MaxInt32, math.MinInt32}).Draw(t, "micros")
	return at
}

// TestTwoDifferencesAreOne: a base with two differences, one after the other, is the base
// with their overlay.
func TestTwoDifferencesAreOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := drawChunk(t, drawFamily(t))
		middle := drawLike(t, base)
		last := drawLike(t, middle)
		var first, second, over Chunk
		Difference(&first, base, middle)
		Difference(&second, middle, last)
		overlay(&over, &first, &second)
		if diff := cmp.Diff(plain(last), listed(base, &over)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestBlocksComeBackAsTheyWere(t *testing.T) {
	w := NewBlockWriter()
	var d BlockReader
	show := func(c *Change) string {
		return fmt.Sprintf("%v %v %d %d %x %v", c.Prefix, c.When, c.Peer, c.PathID, []byte(c.Set), c.Set == nil)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := drawFamily(t)
		changes := drawChanges(t, f)
		var want []string
		for i := range changes {
			want = append(want, show(&changes[i]))
		}
		b := w.Encode(f, changes)
		if !slices.Equal(b, NewBlockWriter().Encode(f, changes)) {
			t.Fatal("the same block has other octets")
		}
		var got []string
		err := d.decode(b, func(c Change) {
			if c.Family != f {
				t.Fatalf("family %v, want %v", c.Family, f)
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
		Address:       rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fe80::1%eth0")}).Draw(t, "address"),
		Confederation: rapid.Bool().Draw(t, "confederation"),
		View:          rapid.SampledFrom(route.Views()).Draw(t, "view"),
	}
	for f := range p.AddPath {
		p.AddPath[f] = rapid.Bool().Draw(t, "paths")
	}
	return p
}

func drawBatch(t *rapid.T) route.Batch {
	b := route.Batch{Event: route.Event(rapid.IntRange(0, int(route.PeerChanged)).Draw(t, "event"))}
	retention := func() {
		for f := range b.Retention {
			b.Retention[f].Stale = time.Duration(rapid.Int64Range(0, 1<<61).Draw(t, "stale"))
			b.Retention[f].LongLived = time.Duration(rapid.Int64Range(0, 1<<61).Draw(t, "long"))
			b.Retention[f].Graceful, b.Retention[f].AsFresh = rapid.Bool().Draw(t, "graceful"), rapid.Bool().Draw(t, "as fresh")
		}
	}
	switch b.Event {
	case route.Routes:
		for range rapid.IntRange(0, 4).Draw(t, "updates") {
			f := drawFamily(t)
			u := route.Update{Family: f}
			switch rapid.IntRange(0, 3).Draw(t, "announced") {
			case 0:
			case 1:
				u.Attrs = drawMark(t)
			default:
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
	case route.PeerChanged:
		b.Peer = drawPeer(t)
	case route.PeerDown:
		b.Reason = rapid.String().Draw(t, "reason")
		retention()
	case route.EndOfRIB, route.RefreshBegin, route.RefreshEnd:
		b.Family = drawFamily(t)
	case route.PeerRemoved:
	}
	return b
}

func printRecord(r *Record) string {
	s := fmt.Sprintf("%d %v %d %v %d %q %v %v %v", r.Kind, r.When, r.Peer, r.wait, r.Batch.Event, r.Batch.Reason, r.Batch.Family, r.Batch.Retention, r.Batch.Peer)
	for _, u := range r.Batch.Updates {
		s += fmt.Sprintf(" [%v %x %v]", u.Family, []byte(u.Attrs), u.NLRI)
	}
	return s
}

// drawGroup writes the same records to some writers, and returns how many there
// are and a line for each.
func drawGroup(t *rapid.T, writers ...*GroupWriter) (records int, lines []string) {
	at := When{At: rapid.Int64Range(0, 1<<50).Draw(t, "at")}
	each := func(write func(*GroupWriter)) {
		for _, w := range writers {
			write(w)
		}
	}
	for range rapid.IntRange(0, 8).Draw(t, "records") {
		if later := rapid.SampledFrom([]int64{0, 1, 60_000}).Draw(t, "later"); later > 0 {
			at = When{At: at.At + later}
		}
		at.Micros = 0
		if rapid.Bool().Draw(t, "exact") {
			at = drawWhen(t, at)
		}
		r := Record{Kind: Kind(rapid.IntRange(0, int(kindWait)).Draw(t, "kind")), When: at}
		switch r.Kind {
		case kindExpire:
			each(func(w *GroupWriter) { w.Expire(at) })
		case kindWait:
			r.wait = time.Duration(rapid.Int64Range(0, 1<<61).Draw(t, "wait"))
			each(func(w *GroupWriter) { w.Wait(at, r.wait) })
		default:
			r.Peer, r.Batch = rapid.Uint32().Draw(t, "peer"), drawBatch(t)
			r.Kind = kindOf(r.Batch.Event)
			each(func(w *GroupWriter) { w.Batch(r.Peer, &r.Batch, at) })
		}
		at.Number += uint32(max(1, len(r.Batch.Updates)))
		records += r.Weight()
		lines = append(lines, printRecord(&r))
	}
	return records, lines
}

func TestGroupsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w, again GroupWriter
		records, want := drawGroup(t, &w, &again)
		if !slices.Equal(w.Octets, again.Octets) || w.Records != records {
			t.Fatalf("the same group has other octets, or %d records, want %d", w.Records, records)
		}
		var got []string
		var d GroupReader
		err := d.Decode(w.Octets, func(r *Record) error {
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
	c, err := NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Uint64Range(0, 1<<62)
		p := Piece{
			Level: uint8(rapid.IntRange(0, 2).Draw(t, "level")), Run: rapid.Uint32().Draw(t, "run"), From: number.Draw(t, "from"),
			First: rapid.Int64Range(0, 1<<60).Draw(t, "first"), Records: rapid.Uint32().Draw(t, "records"),
		}
		p.To, p.Last = p.From+number.Draw(t, "more"), p.First+rapid.Int64Range(0, 1<<60).Draw(t, "later")
		if got, err := ParsePiece(p.Key()); err != nil || !cmp.Equal(p, got, cmp.AllowUnexported(Piece{})) {
			t.Fatalf("%+v, want %+v (%v)", got, p, err)
		}
		s := Snapshot{Run: p.Run, Begun: p.First, End: p.Last, Next: p.To, Routes: p.Records}
		if got, err := ParseSnapshot(s.Key()); err != nil || got != s {
			t.Fatalf("%+v, want %+v (%v)", got, s, err)
		}
		for _, key := range [][]byte{p.Key(), s.Key()} {
			key = flipBit(key, rapid.IntRange(0, len(key)-1).Draw(t, "at"))
			_, err1 := ParsePiece(key)
			if _, err2 := ParseSnapshot(key); err1 == nil || err2 == nil {
				t.Fatal("a damaged key passes")
			}
		}
		r := Run{
			ID: p.Run, Origin: Origin(rapid.IntRange(0, 2).Draw(t, "origin")), Start: p.First, Resumed: p.Last, First: p.From,
			Reason: rapid.String().Draw(t, "reason"),
		}
		if got, err := DecodeRun(c, r.Key(), r.Encode(c)); err != nil || got != r {
			t.Fatalf("%+v, want %+v (%v)", got, r, err)
		}
		if n, name, err := DecodePeerName(c, PeerKey(p.Run), EncodePeerName(c, p.Run, r.Reason)); err != nil || n != p.Run || name != r.Reason {
			t.Fatalf("peer %d %q, want %d %q (%v)", n, name, p.Run, r.Reason, err)
		}
		checkSegment(t, &p)
		checkManifest(t, s)
	})
}

func drawPlaces(t *rapid.T) []SortKey {
	var list []SortKey
	for range rapid.IntRange(0, 10).Draw(t, "places") {
		f := drawFamily(t)
		list = append(list, SortKeyOf(f, drawPrefix(t, f)))
	}
	slices.SortFunc(list, SortKey.Compare)
	return slices.CompactFunc(list, func(a, b SortKey) bool { return a.Compare(b) == 0 })
}

func drawSegment(t *rapid.T) Segment {
	s := Segment{Events: rapid.SliceOf(rapid.Byte()).Draw(t, "events")}
	for _, at := range drawPlaces(t) {
		s.Blocks = append(s.Blocks, BlockInfo{at, rapid.Uint32().Draw(t, "changes")})
	}
	return s
}

func checkSegment(t *rapid.T, p *Piece) {
	s := drawSegment(t)
	got, err := decodeSegment(p.Key(), s.Encode(p.Key()))
	if err != nil || string(got.Events) != string(s.Events) || !slices.Equal(got.Blocks, s.Blocks) {
		t.Fatalf("%+v, want %+v (%v)", got, s, err)
	}
}

func drawManifest(t *rapid.T, s Snapshot) Manifest {
	m := Manifest{Snapshot: s, Tail: rapid.SliceOf(rapid.Byte()).Draw(t, "tail")}
	for range rapid.IntRange(0, 3).Draw(t, "states") {
		st := table.PeerState{Peer: drawPeer(t), Up: rapid.Bool().Draw(t, "up"), StaleSince: FromMillis(s.Begun)}
		for f := range st.Families {
			st.Families[f] = table.FamilyState{
				Routes: rapid.IntRange(0, 1<<30).Draw(t, "routes"), EndOfRIB: FromMillis(rapid.Int64Range(0, 1<<50).Draw(t, "eor")),
				LongLived: time.Duration(rapid.Int64Range(0, 1<<60).Draw(t, "long")), InLongLived: rapid.Bool().Draw(t, "in"),
				AsFresh: rapid.Bool().Draw(t, "as fresh"),
			}
			for range rapid.IntRange(0, 16).Draw(t, "classes") {
				st.Families[f].Since = append(st.Families[f].Since, FromMillis(rapid.Int64Range(0, 1<<50).Draw(t, "since")))
			}
		}
		m.States = append(m.States, st)
		m.Numbers = append(m.Numbers, rapid.Uint32().Draw(t, "number"))
	}
	return m
}

func checkManifest(t *rapid.T, s Snapshot) {
	m := drawManifest(t, s)
	b := m.Encode()
	got, err := decodeManifest(s.Key(), b)
	if err != nil || !slices.Equal(b, got.Encode()) {
		t.Fatalf("another manifest comes back (%v)", err)
	}
	show := func(m *Manifest) string { return fmt.Sprintf("%v %v %x", m.Snapshot, m.Numbers, m.Tail) }
	for i := range m.States {
		if w, g := fmt.Sprintf("%+v %+v", m.States[i], m.States[i].Peer), fmt.Sprintf("%+v %+v", got.States[i], got.States[i].Peer); len(w) != len(g) {
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
			places = append(places, SortKeyOf(f, p))
		}
		slices.SortFunc(places, SortKey.Compare)
		wanted := Scope{Prefix: drawPrefix(t, drawFamily(t))}
		if len(places) > 0 && rapid.Bool().Draw(t, "one of them") {
			wanted.Prefix = rapid.SampledFrom(places).Draw(t, "wanted").Prefix
		}
		for start := 0; start < len(places); {
			end := start + 1
			for end < len(places) && places[end].Family == places[start].Family && places[end].Long == places[start].Long && rapid.IntRange(0, 3).Draw(t, "on") > 0 {
				end++
			}
			next := SortKey{}
			if end < len(places) && places[end].Long == places[start].Long {
				next = places[end]
			}
			first := places[start]
			touched := wanted.Touches(first, next)
			for _, p := range places[start:end] {
				overlaps := p.Prefix.Addr().BitLen() == wanted.Prefix.Addr().BitLen() && p.Prefix.Overlaps(wanted.Prefix)
				if overlaps != (wanted.HasFamily(p.Family) && wanted.Has(p.Prefix)) {
					t.Fatalf("%v: has(%v) is wrong", wanted.Prefix, p.Prefix)
				}
				if overlaps && !touched {
					t.Fatalf("%v overlaps %v, but from %v to %v nothing is touched", wanted.Prefix, p.Prefix, first.Prefix, next.Prefix)
				}
			}
			if !touched {
				left++
			}
			if !(Scope{}).Touches(first, next) {
				t.Fatal("everything is wanted")
			}
			start = end
		}
	})
	if left == 0 {
		t.Error("no range was ever left out")
	}
}
