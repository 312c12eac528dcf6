package history

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"math"
	"net/netip"
	"slices"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
)

// peers knows the peers that records name by their numbers.
type peers struct {
	names []string
	known map[uint32]*route.Peer
}

func (h *History) newPeers() *peers {
	return &peers{h.journal.peerNames(), make(map[uint32]*route.Peer)}
}

// resolve sets the peer of a record.
func (p *peers) resolve(rec *format.Record) error {
	if int(rec.Peer) >= len(p.names) || p.names[rec.Peer] == "" {
		return format.Damagedf("a record is of an unknown peer")
	}
	name := p.names[rec.Peer]
	switch known := p.known[rec.Peer]; {
	case rec.Batch.Event == route.PeerUp, rec.Batch.Event == route.PeerChanged:
		if rec.Batch.Peer.Name != name {
			return format.Damagedf("a record is of another peer than it says")
		}
		p.known[rec.Peer] = rec.Batch.Peer
	case known != nil:
		rec.Batch.Peer = known
	default:
		rec.Batch.Peer = &route.Peer{Name: name}
		p.known[rec.Peer] = rec.Batch.Peer
	}
	return nil
}

// replayer gives the records of a stretch of the past to found, in order: all
// events of sessions, and the changes of prefixes within the scope. A record is
// valid until found returns.
type replayer struct {
	history *History
	after   position // the last moment before the stretch; zero: there is none
	upTo    position // the last moment of the stretch
	within  format.Scope
	peers   *peers
	found   func(*format.Record) error
	ahead   *groupsAhead
	read    *loading // counts what is read; nil: nobody asks
}

// pieces replays the records of pieces of the journal that follow each other. It
// returns damage as a *loss, and else the errors of found and of the context.
func (r *replayer) pieces(ctx context.Context, pieces []format.Piece) error {
	checked := *r
	checked.found = interruptible(ctx, r.found)
	ahead := checked.readAhead(ctx, pieces)
	defer ahead.stop()
	checked.ahead = ahead
	for i := range pieces {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &pieces[i]
		err := checked.piece(ctx, p)
		if errors.Is(err, format.ErrDamaged) {
			return &loss{piece: p, err: err}
		}
		if err != nil {
			return err
		}
		r.read.add(p.Records)
	}
	return nil
}

// piece replays a piece, or passes over it when it has nothing of the scope.
func (r *replayer) piece(ctx context.Context, p *format.Piece) error {
	if !p.IsGroup() {
		return r.segment(ctx, p)
	}
	g := <-r.ahead.groups
	if g.err != nil {
		return g.err
	}
	for i := range g.records {
		if err := r.deliver(&g.records[i], p.Run); err != nil {
			return err
		}
	}
	r.ahead.free <- g.reader
	return nil
}

// interruptible returns found with a look at the context now and then. A piece may
// have millions of changes, and found may take a while for each.
func interruptible(ctx context.Context, found func(*format.Record) error) func(*format.Record) error {
	const every = 1024
	n := 0
	return func(rec *format.Record) error {
		n++
		for i := range rec.Batch.Updates {
			n += len(rec.Batch.Updates[i].NLRI)
		}
		if n >= every {
			if n = 0; ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return found(rec)
	}
}

// tail replays what was recorded while a snapshot was taken.
func (r *replayer) tail(m *format.Manifest) error {
	all := *r
	all.after, all.upTo = position{}, position{math.MaxUint32, math.MaxInt64}
	return new(format.GroupReader).Decode(m.Tail, func(rec *format.Record) error { return all.deliver(rec, m.Run) })
}

// covers reports whether a moment is in the stretch.
func (r *replayer) covers(at position) bool {
	return at.compare(r.upTo) <= 0 && (r.after == position{} || at.compare(r.after) > 0)
}

// deliver gives a record of a run to found when it is of the stretch and of the
// scope.
func (r *replayer) deliver(rec *format.Record, run uint32) error {
	if !r.covers(position{run, rec.At}) {
		return nil
	}
	if !rec.OfPeer() {
		return r.found(rec)
	}
	if err := r.peers.resolve(rec); err != nil {
		return err
	}
	if rec.Batch.Event == route.Routes && !r.within.Whole() && !confine(&rec.Batch, r.within) {
		return nil
	}
	return r.found(rec)
}

// confine removes from a batch what is not of the scope, and reports whether
// anything is left.
func confine(b *route.Batch, within format.Scope) bool {
	kept := b.Updates[:0]
	for _, u := range b.Updates {
		if !within.HasFamily(u.Family) {
			continue
		}
		nlri := u.NLRI[:0]
		for _, n := range u.NLRI {
			if within.Has(n.Prefix) {
				nlri = append(nlri, n)
			}
		}
		if u.NLRI = nlri; len(nlri) > 0 {
			kept = append(kept, u)
		}
	}
	b.Updates = kept
	return len(kept) > 0
}

// segment replays one segment. It puts changes and events together again in the
// order of time: those of the whole segment at once, or of one part of its time
// after the other when they are too many.
func (r *replayer) segment(ctx context.Context, p *format.Piece) error {
	s, err := r.history.source.Segment(p)
	if err != nil {
		return err
	}
	events := newEventCursor(s.Events)
	defer events.stop()
	first, last := p.First, p.Last
	if p.Run == r.after.run {
		first = max(first, r.after.at+1)
	}
	if p.Run == r.upTo.run {
		last = min(last, r.upTo.at)
	}
	for width := last - first; first <= last; {
		until := min(last, first+width)
		changes, whole, err := r.changes(ctx, p, s, first, until)
		if err != nil {
			return err
		}
		if !whole {
			width = (until - first) / 2
			continue
		}
		if err := r.together(events, changes, p.Run, until); err != nil {
			return err
		}
		first = until + 1
	}
	return r.together(events, nil, p.Run, math.MaxInt64)
}

// together gives events and changes of a run to found in their order, up to a moment.
func (r *replayer) together(events *eventCursor, changes changeList, run uint32, until int64) error {
	order, batches := changes.byTime(), new(joiner)
	for {
		event, err := events.head()
		due := event != nil && event.At <= until && (len(order) == 0 || !order[0].when().Before(event.When))
		switch {
		case err != nil:
		case due:
			err = r.deliver(event, run)
			events.next()
		case len(order) == 0:
			return nil
		default:
			var rec *format.Record
			rec, order = batches.join(changes, order, event)
			if err = r.peers.resolve(rec); err == nil {
				err = r.found(rec)
			}
		}
		if err != nil {
			return err
		}
	}
}

// eventCursor reads the events of a segment one after the other, since they may be
// millions.
type eventCursor struct {
	pull func() (*format.Record, error, bool)
	stop func()
	now  *format.Record
	err  error
	have bool
}

func newEventCursor(octets []byte) *eventCursor {
	c := new(eventCursor)
	c.pull, c.stop = iter.Pull2(func(yield func(*format.Record, error) bool) {
		err := new(format.GroupReader).Decode(octets, func(rec *format.Record) error {
			if !yield(rec, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	})
	return c
}

// errEnough ends a reader of events early.
var errEnough = errors.New("no more is wanted")

// head returns the event that is next, nil for none. It is valid until next is called.
func (c *eventCursor) head() (*format.Record, error) {
	if !c.have {
		c.now, c.err, _ = c.pull()
		c.have = true
	}
	return c.now, c.err
}

func (c *eventCursor) next() { c.have = false }

// changes returns the changes of a segment that are of the scope and of a part of
// its time, in the order of prefixes. It returns whole false when they would take
// more memory than a replay may; those of a single moment may.
func (r *replayer) changes(ctx context.Context, p *format.Piece, s *format.Segment, first, last int64) (list changeList, whole bool, err error) {
	most, octets := r.history.limits.window, 0
	var d *format.BlockReader
	wanted := func(prefix netip.Prefix, at int64) bool {
		if at < first || at > last || !r.within.Has(prefix) {
			return false
		}
		return first == last || octets+d.SetOctets() <= most
	}
	add := func(c format.Change) {
		octets += changeOctets
		list.add(c)
	}
	for number := range s.Blocks {
		if !s.Wanted(number, r.within) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		d = &format.BlockReader{Wanted: wanted} // the changes of the one before alias its memory
		if err := r.history.source.Block(d, p, number, add); err != nil {
			return nil, false, err
		}
		if octets += d.SetOctets(); octets > most && first != last {
			return nil, false, nil
		}
	}
	return list, true, nil
}

// changeOctets is about what a change takes in a list that is put in order, without
// its attribute set.
const changeOctets = 112

// changeList is a list of changes. It has parts, so that it grows without being
// copied: after a session was reset it has a million changes.
type changeList [][]format.Change

const changesOfPart = 1 << 12

func (l *changeList) add(c format.Change) {
	n := len(*l)
	switch {
	case n == 0:
		*l = append(*l, nil) // most lists are short
		n = 1
	case len((*l)[n-1]) == changesOfPart:
		*l = append(*l, make([]format.Change, 0, changesOfPart))
		n++
	}
	(*l)[n-1] = append((*l)[n-1], c)
}

func (l *changeList) at(t timed) *format.Change {
	return &(*l)[t.index/changesOfPart][t.index%changesOfPart]
}

// timed is a change of a list and its time.
type timed struct {
	at            int64
	number, index uint32
}

func (t timed) when() format.When { return format.When{At: t.at, Number: t.number} }

// byTime returns the changes in the order in which they were recorded, and those of one
// record in the order of the list. The changes themselves, which are six times as large, stay
// where they are.
func (l *changeList) byTime() []timed {
	n := 0
	for _, part := range *l {
		n += len(part)
	}
	order := make([]timed, 0, n)
	for _, part := range *l {
		for i := range part {
			order = append(order, timed{part[i].At, part[i].Number, uint32(len(order))})
		}
	}
	slices.SortFunc(order, func(a, b timed) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.number != b.number:
			return cmp.Compare(a.number, b.number)
		}
		return cmp.Compare(a.index, b.index)
	})
	return order
}

// joiner makes batches of changes. What it gives out is valid until the next.
type joiner struct {
	record  format.Record
	updates []route.Update
	nlri    []route.NLRI
}

// join makes one batch of the first changes, as many as came from one peer at one time
// before the next event, and returns the order of the others. After a session was reset
// they are many, and a batch of them costs the table far less than a batch of each.
func (j *joiner) join(changes changeList, order []timed, event *format.Record) (*format.Record, []timed) {
	const most = 1000 // so that a replay can end between batches
	first := changes.at(order[0])
	j.updates, j.nlri = j.updates[:0], j.nlri[:0]
	n := 0
	for ; n < min(len(order), most); n++ {
		c := changes.at(order[n])
		if c.At != first.At || c.Micros != first.Micros || c.Peer != first.Peer || n > 0 && event != nil && !c.Before(event.When) {
			break
		}
		j.nlri = append(j.nlri, route.NLRI{Prefix: c.Prefix, PathID: c.PathID})
		last := len(j.updates) - 1
		if last < 0 || j.updates[last].Family != c.Family || !bytes.Equal(j.updates[last].Attrs, c.Set) {
			j.updates = append(j.updates, route.Update{Family: c.Family, Attrs: c.Set})
			last++
		}
		u := &j.updates[last]
		u.NLRI = j.nlri[n-len(u.NLRI) : n+1 : n+1]
	}
	j.record = format.Record{When: first.When, Kind: format.KindRoutes, Peer: first.Peer, Batch: route.Batch{At: first.Exact(), Updates: j.updates}}
	return &j.record, order[n:]
}
