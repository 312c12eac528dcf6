package demo

import (
	"cmp"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"ribglass/cmd/ribglass/config"
	"ribglass/ribstore/route"
)

// What is in the day, as times before its end. README.md tells of it, so the times
// are round, and hold for some minutes after the demonstration began.
const (
	newcomer     = 18 * time.Hour // a network is new: all its prefixes appear
	outageBegins = 15 * time.Hour // the transit session is down
	outageEnds   = outageBegins - 12*time.Minute
	prepends     = 9 * time.Hour // the victim of later prepends its AS number
	leakBegins   = 5*time.Hour + 20*time.Minute
	leakEnds     = 4*time.Hour + 40*time.Minute
	hijackBegins = 3*time.Hour + 20*time.Minute
	hijackEnds   = 2*time.Hour + 40*time.Minute
	flapsBegin   = 90 * time.Minute
	flapsEnd     = 70 * time.Minute
)

const (
	hijacker     = 65550 // for documentation (RFC 5398)
	hijackerISP  = 6939  // a member of the route server
	leaked       = 300   // routes
	flapEvery    = 40 * time.Second
	restlessEach = 45 * time.Second // the mean time between changes of any route
)

// victim is the prefix that most of the day is about.
func victim() netip.Prefix { return netip.MustParsePrefix("103.213.218.0/23") }

// moreSpecific is the part of the victim's prefix that is announced beside it.
func moreSpecific() netip.Prefix { return netip.MustParsePrefix("103.213.218.0/24") }

// flapping is the prefix that comes and goes.
func flapping() netip.Prefix { return netip.MustParsePrefix("193.54.33.0/24") }

// newOrigin is the network that is new.
const newOrigin route.ASN = 6713

// script returns what the routers do in the day, in the order of time. It is the
// same for the same routers and routes, and ends with what the speakers announce.
func script(actors []actor, recorded []entry) []step {
	var steps []step
	for i := range actors {
		a := &actors[i]
		steps = append(steps, a.up(0, a.routesAt(0))...)
		steps = append(steps, a.newcomer(), a.prepend())
		steps = append(steps, a.hijack()...)
		steps = append(steps, a.flaps()...)
		switch a.kind {
		case config.FeedFull:
			steps = append(steps, a.outage()...)
		case config.FeedCustomer:
			steps = append(steps, a.leak(recorded)...)
		case config.FeedRouteServer:
		}
		steps = append(steps, a.restless()...)
	}
	steps = slices.DeleteFunc(steps, func(s step) bool { return s.event == route.Routes && len(s.updates) == 0 })
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	return steps
}

// before returns the moment that is so long before the end of the day.
func before(d time.Duration) time.Duration { return day - d }

// say is a step in which a router announces routes.
func (a *actor) say(at time.Duration, routes []announcement) step {
	return step{at: at, actor: a, updates: group(slices.Clone(routes))}
}

// withdraw is a step in which it withdraws them.
func (a *actor) withdraw(at time.Duration, routes []announcement) step {
	s := a.say(at, routes)
	for i := range s.updates {
		s.updates[i].Attrs = nil
	}
	return s
}

// having returns the routes of a router that meet a condition.
func (a *actor) having(condition func(announcement) bool) []announcement {
	var list []announcement
	for _, r := range a.routes {
		if condition(r) {
			list = append(list, r)
		}
	}
	return list
}

func (a *actor) of(p netip.Prefix) []announcement {
	return a.having(func(r announcement) bool { return r.nlri.Prefix == p })
}

func isNew(r announcement) bool {
	origin, ok := r.attrs.ASPath().Origin()
	return ok && origin == newOrigin
}

// up is a session that comes up and sends routes.
func (a *actor) up(at time.Duration, routes []announcement) []step {
	return []step{
		{at: at, actor: a, event: route.PeerUp},
		a.say(at, routes),
		{at: at, actor: a, event: route.EndOfRIB, family: route.IPv4Unicast},
		{at: at, actor: a, event: route.EndOfRIB, family: route.IPv6Unicast},
	}
}

// routesAt returns the routes that a router has at a moment when nothing else
// happens.
func (a *actor) routesAt(at time.Duration) []announcement {
	routes := a.having(func(r announcement) bool { return at >= before(newcomer) || !isNew(r) })
	for i, r := range routes {
		if r.nlri.Prefix == victim() && at < before(prepends) {
			routes[i].attrs = withPath(r.attrs, slices.Compact(slices.Collect(r.attrs.ASPath().All()))...)
		}
	}
	return routes
}

func (a *actor) newcomer() step { return a.say(before(newcomer), a.having(isNew)) }

func (a *actor) prepend() step { return a.say(before(prepends), a.of(victim())) }

// outage is a session that is lost and comes back.
func (a *actor) outage() []step {
	down := step{at: before(outageBegins), actor: a, event: route.PeerDown, reason: "sent Hold Timer Expired"}
	return append([]step{down}, a.up(before(outageEnds), a.routesAt(before(outageEnds)))...)
}

// leak is a customer that announces what it hears from a provider.
func (a *actor) leak(recorded []entry) []step {
	var routes []announcement
	seen := make(map[netip.Prefix]bool)
	for _, r := range a.routes {
		seen[r.nlri.Prefix] = true
	}
	for _, e := range recorded {
		if len(routes) < leaked && e.peer != a.peer.ASN && e.prefix != flapping() && !seen[e.prefix] {
			seen[e.prefix] = true
			path := slices.Collect(e.attrs.ASPath().All())
			attrs := withPath(shorten(e.attrs, path), slices.Insert(path, 0, a.peer.ASN)...)
			routes = append(routes, announcement{e.family, route.NLRI{Prefix: e.prefix}, replace(attrs, route.AttrNextHop, address(e.family, 250))})
		}
	}
	return []step{a.say(before(leakBegins), routes), a.withdraw(before(leakEnds), routes)}
}

// hijack is a network that announces the victim's prefix and a part of it. The
// customer, whose own customer the victim is, does not hear of it.
func (a *actor) hijack() []step {
	var path []route.ASN
	nlri := route.NLRI{Prefix: victim()}
	switch a.kind {
	case config.FeedFull:
		path = []route.ASN{a.peer.ASN, hijackerISP, hijacker}
	case config.FeedRouteServer:
		path = []route.ASN{hijackerISP, hijacker}
		nlri.PathID = uint32(slices.Index(members(), hijackerISP) + 1)
	case config.FeedCustomer:
		return nil
	}
	own := a.of(victim())
	if len(own) == 0 {
		return nil
	}
	attrs := withPath(own[0].attrs, path...)
	attrs = replace(attrs, route.AttrCommunities, nil)
	attrs = replace(replace(attrs, route.AttrExtCommunities, nil), route.AttrLargeCommunities, nil)
	if a.kind == config.FeedRouteServer {
		attrs = replace(attrs, route.AttrNextHop, address(own[0].family, byte(nlri.PathID)))
		attrs = replace(attrs, route.AttrLargeCommunities, learntFrom(a.peer.ASN, hijackerISP))
	}
	routes := []announcement{{own[0].family, nlri, attrs}, {own[0].family, route.NLRI{Prefix: moreSpecific(), PathID: nlri.PathID}, attrs}}
	steps := []step{a.say(before(hijackBegins), routes)}
	if a.kind == config.FeedRouteServer {
		return append(steps, a.withdraw(before(hijackEnds), routes))
	}
	return append(steps, a.withdraw(before(hijackEnds), routes[1:]), a.say(before(hijackEnds), own))
}

// flaps is a prefix that comes and goes, and stays in the end.
func (a *actor) flaps() []step {
	routes := a.of(flapping())
	var steps []step
	for at := before(flapsBegin); at < before(flapsEnd); at += flapEvery {
		steps = append(steps, a.withdraw(at, routes), a.say(at+flapEvery/2, routes))
	}
	return steps
}

// restless is what happens on any day: a route gets another MED, or is away for some
// minutes. It leaves the prefixes alone that something else happens to, and ends
// with the route as it was.
func (a *actor) restless() []step {
	random := rand.New(rand.NewPCG(uint64(a.peer.ASN), 2)) //nolint:gosec // a show, not a secret
	var steps []step
	for at := 10 * time.Minute; at < day-20*time.Minute; at += time.Duration(random.ExpFloat64() * float64(restlessEach)) {
		r := a.routes[random.IntN(len(a.routes))]
		back := at + time.Minute + time.Duration(random.Int64N(int64(10*time.Minute)))
		changed := replace(r.attrs, route.AttrMED, binary.BigEndian.AppendUint32(nil, random.Uint32N(200)))
		goes := random.IntN(4) == 0
		if isNew(r) || r.nlri.Prefix == victim() || r.nlri.Prefix == flapping() || a.away(at, back) {
			continue
		}
		one := []announcement{r}
		if goes {
			steps = append(steps, a.withdraw(at, one), a.say(back, one))
			continue
		}
		steps = append(steps, a.say(at, []announcement{{r.family, r.nlri, changed}}), a.say(back, one))
	}
	return steps
}

// away reports whether the session is down in a span.
func (a *actor) away(from, to time.Duration) bool {
	return a.kind == config.FeedFull && from < before(outageEnds) && to >= before(outageBegins)
}

// withPath returns a copy of a set with another AS path.
func withPath(attrs route.Attrs, path ...route.ASN) route.Attrs {
	return replace(attrs, route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, path...))
}
