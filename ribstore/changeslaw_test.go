package ribstore

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

var changeRuns = flag.Int("changes", 3, "random logs that TestLawOfChanges tries")

// TestLawOfChanges puts the law of changes to random logs with many changes in one
// moment: the list of changes is the log, and the changes of a span lead from the
// state at its begin to the state at its end. Sessions come and go, routes go stale
// and expire, a peer has several paths of a prefix, and the journal is merged.
func TestLawOfChanges(t *testing.T) {
	for seed := range *changeRuns {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &plainLog{recorded: record(t), rand: rand.New(rand.NewPCG(uint64(seed), 7)), now: map[string]held{}}
				for range 110 { // moments; 64 groups are merged
					l.moment()
				}
				l.wait(time.Minute)
				l.compare("")
				l.compare("10.0.0.0/8 or-longer")
				l.compare("192.0.2.0/24")
				l.compare("203.0.113.0/24")
				l.compare("peer edge1")
				l.compare("moas or not moas") // needs all routes of a prefix
				l.fold()
			})
		})
	}
}

// held is a route of a plain log.
type held struct {
	attrs string
	stale bool
}

// entry is one change of a plain log.
type entry struct {
	Kind     changes.Kind
	Old, New string
}

// plainLog does things to a store and writes down by hand what they change.
type plainLog struct {
	*recorded

	rand    *rand.Rand
	up      [3]bool
	now     map[string]held // routes by "prefix peer path"
	entries []logEntry
	marks   []mark
}

type logEntry struct {
	route string
	entry
}

// mark is the state at a time that nothing happened at.
type mark struct {
	at    time.Time
	state map[string]held
}

const keptStale = 10 * time.Minute

// moment lets many things happen without the clock going on, and then a second pass.
func (l *plainLog) moment() {
	for range 1 + l.rand.IntN(12) {
		i := l.rand.IntN(len(l.up))
		p := l.peer(i)
		switch {
		case !l.up[i]:
			l.session(p, route.PeerUp, l.rand.IntN(2) == 0)
			l.up[i] = true
		case l.rand.IntN(30) == 0:
			l.session(p, route.PeerDown, l.rand.IntN(2) == 0)
			l.up[i] = false
		case l.rand.IntN(20) == 0:
			l.endOfRIB(p)
		default:
			l.updates(p)
		}
	}
	l.wait(time.Second)
	if l.rand.IntN(40) == 0 {
		l.wait(keptStale)
		l.drop("", changes.Expired)
	}
	l.marks = append(l.marks, mark{time.Now(), maps.Clone(l.now)})
	l.wait(5 * time.Millisecond)
}

func (l *plainLog) peer(i int) *route.Peer {
	p := &route.Peer{Name: fmt.Sprint("edge", i), ASN: route.ASN(64500 + i)}
	p.AddPath[route.IPv4Unicast] = i == 2
	return p
}

func (l *plainLog) write(name string, k changes.Kind, is held) {
	was := l.now[name]
	l.entries = append(l.entries, logEntry{name, entry{k, was.attrs, is.attrs}})
	if l.now[name] = is; is.attrs == "" {
		delete(l.now, name)
	}
}

// drop has the stale routes of a peer go, or those of all peers.
func (l *plainLog) drop(peer string, k changes.Kind) {
	for _, name := range slices.Sorted(maps.Keys(l.now)) {
		if l.now[name].stale && (peer == "" || strings.Contains(name, " "+peer+" ")) {
			l.write(name, k, held{})
		}
	}
}

func (l *plainLog) session(p *route.Peer, event route.Event, keep bool) {
	b := route.Batch{Peer: p, Event: event}
	for f := range b.Retention {
		if keep {
			b.Retention[f].Stale = keptStale
		}
	}
	l.send(b)
	if event == route.PeerUp {
		if !keep {
			l.drop(p.Name, changes.Dropped)
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(l.now)) {
		r := l.now[name]
		switch {
		case !strings.Contains(name, " "+p.Name+" "):
		case !keep:
			l.write(name, changes.Dropped, held{})
		case !r.stale:
			l.write(name, changes.WentStale, held{r.attrs, true})
		}
	}
}

func (l *plainLog) endOfRIB(p *route.Peer) {
	l.send(route.Batch{Peer: p, Event: route.EndOfRIB})
	l.drop(p.Name, changes.Swept)
}

// updates sends one batch in which a prefix may come and go several times.
func (l *plainLog) updates(p *route.Peer) {
	b := route.Batch{Peer: p}
	for range 1 + l.rand.IntN(5) {
		var u route.Update
		if l.rand.IntN(3) > 0 {
			u.Attrs = u.Attrs.AppendAttr(route.AttrOrigin, []byte{byte(l.rand.IntN(3))})
		}
		prefixes := []string{"10.1.0.0/16", "10.1.2.0/24", "192.0.2.0/24"}
		l.rand.Shuffle(len(prefixes), func(i, j int) { prefixes[i], prefixes[j] = prefixes[j], prefixes[i] })
		for _, prefix := range prefixes[:1+l.rand.IntN(2)] {
			n := route.NLRI{Prefix: netip.MustParsePrefix(prefix)}
			if p.AddPath[route.IPv4Unicast] {
				n.PathID = uint32(1 + l.rand.IntN(2))
			}
			u.NLRI = append(u.NLRI, n)
			name := fmt.Sprint(prefix, " ", p.Name, " ", n.PathID)
			was, there := l.now[name]
			is := held{attrs: fmt.Sprintf("%x", u.Attrs)}
			switch {
			case u.Attrs == nil && there:
				l.write(name, changes.Withdrawn, held{})
			case u.Attrs == nil || is == was:
			case !there:
				l.write(name, changes.Announced, is)
			case is.attrs == was.attrs:
				l.write(name, changes.Confirmed, is)
			default:
				l.write(name, changes.Replaced, is)
			}
		}
		b.Updates = append(b.Updates, u)
	}
	l.send(b)
}

// listed returns the changes of routes that meet a query, by route and in order, read
// page by page or as a stream.
func (l *plainLog) listed(text string, from, to time.Time, oldest, stream bool) map[string][]entry {
	q := parse(l.t, text)
	q.Between = query.Span{From: at(from), To: at(to)}
	var list []changes.Change
	page := changes.Page{Page: query.Page{Limit: 40 + l.rand.IntN(900)}, Oldest: oldest}
	for more := !stream; more; {
		got, err := l.Changes(l.t.Context(), q, page)
		if err != nil {
			l.t.Fatal(err)
		}
		list = append(list, got.Changes...)
		page.Cursor = got.NextCursor
		more = page.Cursor != ""
	}
	if stream {
		read := l.StreamChanges
		if !oldest {
			read = l.StreamNewestChanges
		}
		err := read(l.t.Context(), q, nil, func(some []changes.Change) error {
			list = append(list, some...)
			return nil
		})
		if err != nil {
			l.t.Fatal(err)
		}
	}
	if !oldest {
		slices.Reverse(list)
	}
	found := map[string][]entry{}
	last := from
	for _, c := range list {
		if c.At.Before(last.Truncate(time.Millisecond)) {
			l.t.Fatalf("%q: a change at %v follows one at %v", text, c.At, last)
		}
		if last = c.At; c.Kind.Session() {
			if text == "203.0.113.0/24" {
				l.t.Fatalf("%s of %s is listed for a prefix that nobody had", c.Kind, c.Peer.Name)
			}
			continue
		}
		name := fmt.Sprint(c.Prefix, " ", c.Peer.Name, " ", c.PathID)
		found[name] = append(found[name], entry{c.Kind, fmt.Sprintf("%x", c.Old), fmt.Sprintf("%x", c.New)})
	}
	return found
}

// compare compares a list of all changes with the log.
func (l *plainLog) compare(text string) {
	want := map[string][]entry{}
	for _, e := range l.entries {
		if met(text, e.route) {
			want[e.route] = append(want[e.route], e.entry)
		}
	}
	for _, way := range []struct{ oldest, stream bool }{{true, false}, {false, false}, {true, true}, {false, true}} {
		got := l.listed(text, l.marks[0].at.Add(-time.Hour), time.Now(), way.oldest, way.stream)
		if diff := gocmp.Diff(want, got); diff != "" {
			l.t.Fatalf("%q, %+v (-log +Changes):\n%s", text, way, diff)
		}
	}
}

// met reports whether a route of the log is asked about.
func met(text, name string) bool {
	switch text {
	case "10.0.0.0/8 or-longer":
		return strings.HasPrefix(name, "10.")
	case "192.0.2.0/24":
		return strings.HasPrefix(name, "192.0.2.0/24")
	case "203.0.113.0/24":
		return false
	case "peer edge1":
		return strings.Contains(name, " edge1 ")
	}
	return true
}

// fold applies the changes of random spans to the states at their begins.
func (l *plainLog) fold() {
	for range 8 {
		a, b := l.rand.IntN(len(l.marks)), l.rand.IntN(len(l.marks))
		from, to := l.marks[min(a, b)], l.marks[max(a, b)]
		state := map[string]string{}
		for name, r := range from.state {
			state[name] = r.attrs
		}
		for name, list := range l.listed("", from.at, to.at, l.rand.IntN(2) == 0, false) {
			for _, e := range list {
				if state[name] != e.Old {
					l.t.Fatalf("%s: a change of %q, it was %q", name, e.Old, state[name])
				}
				if state[name] = e.New; e.New == "" {
					delete(state, name)
				}
			}
		}
		want := map[string]string{}
		for name, r := range to.state {
			want[name] = r.attrs
		}
		if diff := gocmp.Diff(want, state); diff != "" {
			l.t.Fatalf("from %v to %v (-state +changes):\n%s", from.at, to.at, diff)
		}
	}
}
