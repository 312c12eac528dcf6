package query

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Conditions are those of a query, made ready for a caller that has routes of its
// own, as the replay of what happened has. They keep scratch memory: one goroutine
// uses them.
type Conditions struct {
	families []route.Family
	in       In
	all      test
	peers    test // the conditions on peers among them
	level    level
}

// Compile returns the conditions of a query whose ages count from a moment.
func Compile(q Query, at time.Time) *Conditions {
	var labels And
	for _, part := range conjuncts(q.Expr) {
		if isLabels(part) {
			labels = append(labels, part)
		}
	}
	x := execution{query: q}
	x.in, _ = confinement(q.Expr)
	x.chooseFamilies(conjuncts(q.Expr))
	level := ofSet
	if q.Expr != nil {
		level = levelOf(q.Expr)
	}
	return &Conditions{families: x.families, in: x.in, all: compile(q.Expr, at), peers: compile(labels, at), level: level}
}

// NeedsPrefix reports whether a condition needs all routes of a prefix: "best" and
// "moas" do. Meets then wants a decided route and to be told moas.
func (c *Conditions) NeedsPrefix() bool { return c.level == ofAll }

// MayHavePrefix reports whether routes of the prefix can meet the conditions.
func (c *Conditions) MayHavePrefix(f route.Family, p netip.Prefix) bool {
	return (c.in.Match == Any || c.in.has(p)) && slices.Contains(c.families, f)
}

// Meets reports whether a route meets all conditions. moas tells whether its prefix
// has several origin ASes, see [SeveralOrigins].
func (c *Conditions) Meets(r *route.Route, moas bool) bool {
	return c.all(&subject{route: r, moas: moas})
}

// MayHave reports whether routes of the peer can meet the conditions.
func (c *Conditions) MayHave(p *route.Peer) bool {
	return c.peers(&subject{route: &route.Route{Peer: p}})
}

// Families returns the families that the conditions leave.
func (c *Conditions) Families() []route.Family { return c.families }

// Prepared is a query made ready for one view, for a caller that walks the routes
// of the view itself, as a comparison does. One goroutine uses it.
type Prepared struct {
	x    *execution
	all  test // nil: every route meets the query
	rest test // what is left when the attribute set meets its conditions; nil: none
}

// Prepare makes a query ready for a view. Ages count from a moment.
func Prepare(v *table.View, q Query, at time.Time) *Prepared {
	p := &Prepared{x: confine(v, q, at)}
	if q.Expr != nil {
		p.all = compile(q.Expr, at)
	}
	return p
}

// In returns what confines the prefixes; its Match is Any when nothing does.
func (p *Prepared) In() In { return p.x.in }

// Families returns the families that the query leaves.
func (p *Prepared) Families() []route.Family { return p.x.families }

// MetByAll reports whether every route meets the query.
func (p *Prepared) MetByAll() bool { return p.all == nil }

// NeedsPrefix reports whether a condition needs all routes of a prefix: "best"
// and "moas" do. [Prepared.Meets] then wants a decided route and to be told moas.
func (p *Prepared) NeedsPrefix() bool { return p.x.level == ofAll }

// Meets reports whether a route meets the query.
func (p *Prepared) Meets(r *route.Route, moas bool) bool {
	return p.all == nil || p.all(&subject{route: r, moas: moas})
}

// DecideSets decides the conditions on attributes once for each attribute set, so
// that [Prepared.MeetsFound] can be asked. The error is that of the context.
func (p *Prepared) DecideSets(ctx context.Context) error {
	p.rest = p.x.compileRest(false).rest
	return p.x.lookAtSets(ctx)
}

// MeetsFound reports whether a route that the view met meets the query, of which
// no condition needs all routes of a prefix.
func (p *Prepared) MeetsFound(f table.Found) bool {
	switch {
	case p.all == nil:
		return true
	case p.x.wanted.Sets != nil && !p.x.wanted.Sets.Has(f.Set), !p.x.wanted.Peers.Has(f.Index()):
		return false
	case p.rest == nil:
		return true
	}
	return p.rest(&subject{view: p.x.view, found: f})
}
