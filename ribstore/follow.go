package ribstore

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// follower watches a table of its own while events are replayed on it, and tells what
// became of each route. It reads the routes of the peer that an event is of, and all
// routes of a prefix only when the query has a condition that needs them.
type follower struct {
	query.Known

	query      query.Query
	conditions *query.Conditions
	observe    func(changes.Occurrence) error
	from       time.Time // what was before is not told
	passed     int       // events of sessions whose routes were not looked at
	part       bool      // the table has only prefixes that change: see errWholeTable
	rows       bool      // of an event of a session no more is told than that it was
}

// errWholeTable ends a follower of a part of a table when something happens that may
// change all routes of a peer.
var errWholeTable = errors.New("this needs the whole table")

// notices says for people what is not told.
func (f *follower) notices() []string {
	if f.passed == 0 {
		return nil
	}
	return []string{"sessions came or went: what that did to each of their routes is listed only when one prefix is asked about"}
}

// fewRoutes is up to how many routes each is looked at when something happens to a
// session, which may change all routes of a peer.
const fewRoutes = 4096

// begin tells the routes of each prefix that the query asks about, as they are.
func (f *follower) begin(tell func([]route.Route)) {
	var places []place
	_ = f.ViewFor(f.query, func(v *table.View) error {
		for _, id := range f.conditions.Families() {
			places = f.placesIn(places, v, id, &table.Wanted{})
		}
		return nil
	})
	for _, routes := range f.routesAt(nil, places) {
		tell(routes)
	}
}

func (f *follower) event(e *history.Event) error {
	switch {
	case e.Moment.Before(f.from) || nothing(f.Table, e) || f.unseen(e):
		e.Apply(f.Table)
		return nil
	case e.Batch != nil && e.Batch.Event == route.Routes:
		return e.Steps(f.routes)
	case f.part && !f.rows && (e.Batch == nil || e.Batch.Event != route.PeerChanged):
		return errWholeTable
	}
	return f.sessionEvent(e)
}

// unseen reports whether an event is of a peer that may not be seen, and could not
// before: it changes nothing that is told.
func (f *follower) unseen(e *history.Event) bool {
	if f.Sees == nil || e.Batch == nil || f.Sees(e.Batch.Peer) {
		return false
	}
	known, ok := f.Table.Peer(e.Batch.Peer.Name) // as it was described until now
	return !ok || !f.Sees(known.Peer)
}

// routes applies announcements and withdrawals, none of the same route twice, and
// tells what they did.
func (f *follower) routes(e *history.Event) error {
	b := e.Batch
	touched := f.placesOf(b)
	if len(touched) == 0 {
		e.Apply(f.Table)
		return nil
	}
	before := f.routesAt(b.Peer, touched)
	refused := refusedBy(b)
	e.Apply(f.Table)
	return f.tell(changes.Occurrence{At: e.At, Moment: e.Moment, Peer: b.Peer}, touched, before, refused)
}

// placesOf returns the prefixes that a batch changes and that the query asks about,
// each once, in order.
func (f *follower) placesOf(b *route.Batch) []place {
	if !f.conditions.MayHave(b.Peer) {
		return nil
	}
	return slices.DeleteFunc(placesOf(b), func(p place) bool { return !f.conditions.MayHavePrefix(p.family, p.prefix) })
}

// sessionEvent applies what may change all routes of a peer: what happened to its
// session, or that stale routes expired. Of a peer that is not asked about, nothing
// is told.
func (f *follower) sessionEvent(e *history.Event) error {
	o := changes.Occurrence{At: e.At, Moment: e.Moment, Expired: e.Batch == nil}
	if e.Batch != nil {
		o.Event, o.Peer, o.Family, o.Reason = e.Batch.Event, e.Batch.Peer, e.Batch.Family, e.Batch.Reason
	}
	asked := o.Expired || f.asks(o.Peer)
	touched, few := f.touchedBy(&o)
	before := f.routesAt(o.Peer, touched)
	e.Apply(f.Table)
	for f.Table.Work() {
	}
	asked = asked || f.asks(o.Peer)
	if !few && asked && (f.Sees == nil || !o.Expired) { // whose routes expired may not be for everybody to know
		f.passed++
	}
	if asked && !o.Expired {
		if err := f.observe(o); err != nil {
			return err
		}
	}
	return f.tell(o, touched, before, nil)
}

// touchedBy returns the prefixes of the routes that something may change that happens
// to a session, or that expires. It returns few false when they are too many.
func (f *follower) touchedBy(o *changes.Occurrence) (list []place, few bool) {
	if o.Event == route.PeerChanged || o.Peer != nil && !f.conditions.MayHave(o.Peer) {
		return nil, true
	}
	if f.rows {
		if o.Peer == nil {
			return nil, false
		}
		_, known := f.Table.Peer(o.Peer.Name) // a peer that comes up for the first time has no routes
		return nil, !known
	}
	if o.Event == route.RefreshBegin { // changes no route
		return nil, true
	}
	few = true
	_ = f.ViewFor(f.query, func(v *table.View) error {
		list, few = f.touchedIn(v, o)
		return nil
	})
	return list, few
}

// touchedIn is touchedBy in a view.
func (f *follower) touchedIn(v *table.View, o *changes.Occurrence) (list []place, few bool) {
	var wanted table.Wanted
	if o.Peer != nil {
		wanted.Peers = v.Of(o.Peer.Name)
	}
	// Of these only routes go that were not sent again.
	wanted.Stale = o.Expired || o.Event == route.EndOfRIB
	wanted.Older = o.Event == route.RefreshEnd
	families := f.conditions.Families()
	if o.Event == route.EndOfRIB || o.Event == route.RefreshEnd {
		families = slices.DeleteFunc(slices.Clone(families), func(id route.Family) bool { return id != o.Family })
	}
	total := 0
	routes, stale := v.Totals(wanted.Peers)
	for _, id := range families {
		if wanted.Stale {
			total += stale[id]
		} else {
			total += routes[id]
		}
	}
	if total == 0 || total > fewRoutes && !wanted.Older { // how many are older is not counted
		return nil, total == 0
	}
	for _, id := range families {
		list = f.placesIn(list, v, id, &wanted)
	}
	if len(list) > fewRoutes {
		return nil, false
	}
	return list, true
}

// placesIn appends the prefixes of a family that have wanted routes and that the query
// asks about, each once.
func (f *follower) placesIn(list []place, v *table.View, id route.Family, wanted *table.Wanted) []place {
	slots := table.NewBits(v.Slots(id))
	v.Scan(id, 0, uint32(v.Slots(id)), wanted, func(r table.Found) { slots.Add(r.Slot) })
	for d := range v.Ordered(id, netip.Prefix{}, netip.Prefix{}, slots) {
		if f.conditions.MayHavePrefix(id, d.Prefix) {
			list = append(list, place{id, d.Prefix})
		}
	}
	return list
}

// asks reports whether the query asks the view of a router that the peer is of.
func (f *follower) asks(p *route.Peer) (asked bool) {
	_ = f.ViewFor(f.query, func(v *table.View) error {
		if _, asked = v.Peer(p.Name); !v.Confined() {
			asked = f.query.Scope.Has(p.View)
		}
		return nil
	})
	return asked
}

// tell tells what became of prefixes by an occurrence.
func (f *follower) tell(o changes.Occurrence, touched []place, before [][]route.Route, refused map[place][]route.Refused) error {
	after := f.routesAt(o.Peer, touched)
	if len(refused) > 0 && !f.asks(o.Peer) {
		refused = nil
	}
	for i := range touched {
		o.Before, o.After, o.Refused = before[i], after[i], refused[touched[i]]
		if len(o.Before)+len(o.After)+len(o.Refused) == 0 {
			continue
		}
		if err := f.observe(o); err != nil {
			return err
		}
	}
	return nil
}

// routesAt returns the routes of each place in the views that the query asks: those of
// a peer or, when a condition needs all routes of a prefix or there is no peer, of all.
func (f *follower) routesAt(p *route.Peer, places []place) [][]route.Route {
	if len(places) == 0 {
		return nil
	}
	if f.conditions.NeedsPrefix() {
		return routesAt(f.Known, f.query, places)
	}
	list := make([][]route.Route, len(places))
	_ = f.ViewFor(f.query, func(v *table.View) error {
		var own table.Select
		if p != nil {
			own = v.Of(p.Name)
		}
		for i, at := range places {
			if d, ok := v.Exact(at.family, at.prefix); ok {
				v.Each(d, own, func(r table.Found) { list[i] = append(list[i], v.Route(r)) })
			}
		}
		return nil
	})
	return list
}

// nothing reports whether an event changes no route: it tells that time passed.
func nothing(t *table.Table, e *history.Event) bool { return e.Batch == nil && !t.Due(e.At) }

// place is a prefix of a family.
type place struct {
	family route.Family
	prefix netip.Prefix
}

// placesOf returns the prefixes that a batch changes, which changes no route twice: each
// once, in the order of the batch.
func placesOf(b *route.Batch) []place {
	var list []place
	several := false // paths of a prefix
	for i := range b.Updates {
		for _, n := range b.Updates[i].NLRI {
			list = append(list, place{b.Updates[i].Family, n.Prefix})
			several = several || n.PathID != 0
		}
	}
	if !several {
		return list
	}
	seen := make(map[place]bool, len(list))
	return slices.DeleteFunc(list, func(p place) bool {
		before := seen[p]
		seen[p] = true
		return before
	})
}

// refusedBy returns the routes that a batch announces last in a malformed UPDATE, nil
// for none.
func refusedBy(b *route.Batch) map[place][]route.Refused {
	var found map[place][]route.Refused
	for i := range b.Updates {
		u := &b.Updates[i]
		fault, malformed := u.Fault()
		if malformed && found == nil {
			found = map[place][]route.Refused{}
		}
		for _, n := range u.NLRI {
			if found == nil {
				break
			}
			at := place{u.Family, n.Prefix}
			list := slices.DeleteFunc(found[at], func(r route.Refused) bool { return r.PathID == n.PathID })
			if malformed {
				list = append(list, route.Refused{Family: u.Family, NLRI: n, Peer: b.Peer, At: b.At, Fault: fault})
			}
			found[at] = list
		}
	}
	return found
}

// routesAt returns the routes of each place in the views that the query asks.
func routesAt(k query.Known, q query.Query, places []place) [][]route.Route {
	list := make([][]route.Route, len(places))
	_ = k.ViewFor(q, func(v *table.View) error {
		for i, p := range places {
			if d, ok := v.Exact(p.family, p.prefix); ok {
				list[i] = v.Routes(nil, d, nil)
			}
		}
		return nil
	})
	return list
}
