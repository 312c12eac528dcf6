package query

import (
	"context"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Neighbors tells where an AS stands in the AS paths of the table. Counts are of
// routes.
type Neighbors struct {
	Routes     int     // with the AS in their path
	Prefixes   int     // that the AS originates
	Upstream   []Facet // AS numbers in front of it, on our side
	Downstream []Facet // AS numbers behind it, on the side of the origin
	Paths      []Facet // whole paths with it, as routers print them

	// How many values there are of each, not only of the most frequent.
	UpstreamCount, DownstreamCount, PathCount int
}

// ASNeighbors counts the neighbors of an AS in the paths of all routes, and the
// paths themselves, with the most values most of each kind.
func ASNeighbors(ctx context.Context, k Known, asn route.ASN, most int) (found *Neighbors, err error) {
	err = k.ViewFor(Query{}, func(v *table.View) error {
		found, err = neighbors(ctx, v, asn, most)
		return err
	})
	return found, err
}

func neighbors(ctx context.Context, v *table.View, asn route.ASN, most int) (*Neighbors, error) {
	result := &Neighbors{}
	through, err := collect(ctx, v, ViaAS(asn), func(s *sink) { result.Routes += s.total })
	if err != nil {
		return nil, err
	}
	if _, err = collect(ctx, v, Origin{ASNs{asn, asn}}, func(s *sink) { result.Prefixes += s.slots.Count() }); err != nil {
		return nil, err
	}
	before, after, paths := map[route.ASN]int{}, map[route.ASN]int{}, map[string]int{}
	for id, n := range through.sets {
		if n == 0 {
			continue
		}
		path := v.Set(uint32(id)).ASPath()
		paths[string(path)] += int(n)
		front, behind := beside(path, asn)
		for as := range front {
			before[as] += int(n)
		}
		for as := range behind {
			after[as] += int(n)
		}
	}
	result.UpstreamCount, result.DownstreamCount, result.PathCount = len(before), len(after), len(paths)
	via := func(n route.ASN) Expr { return ViaAS(n) }
	result.Upstream, result.Downstream = top(before, most, route.ASN.String, via), top(after, most, route.ASN.String, via)
	text := func(s string) string { return route.ASPath(s).String() }
	result.Paths = top(paths, most, text, func(s string) Expr { return exactPath(text(s)) })
	return result, nil
}

// collect tallies the routes that meet a condition and shows what was found of
// each family.
func collect(ctx context.Context, v *table.View, e Expr, found func(*sink)) (*tally, error) {
	x := prepare(v, Query{Expr: e}, time.Time{}) // no age is asked about
	all := newTally(v)
	for _, family := range x.families {
		into := newSink(x, family, true)
		if err := x.run(ctx, family, into); err != nil {
			return nil, err
		}
		found(into)
		all.join(into.facets)
	}
	return all, nil
}

// beside returns the AS numbers next to an AS in the sequences of a path, in
// front of it and behind it, repetitions taken together.
func beside(path route.ASPath, asn route.ASN) (front, behind map[route.ASN]bool) {
	front, behind = map[route.ASN]bool{}, map[route.ASN]bool{}
	for s := range path.Segments() {
		if s.Type != route.ASSequence {
			continue
		}
		for i := 1; i < s.Len(); i++ {
			a, b := s.At(i-1), s.At(i)
			switch {
			case a == b:
			case b == asn:
				front[a] = true
			case a == asn:
				behind[b] = true
			}
		}
	}
	return front, behind
}
