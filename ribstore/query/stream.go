package query

import (
	"context"
	"math"
	"net/netip"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Stream calls yield with the routes of the whole answer in order, a slice at a
// time that is valid during the call. It holds a view for a slice only, so that
// it can last long; routes that change meanwhile are given as they are then.
func Stream(ctx context.Context, k Known, q Query, yield func([]route.Route) error) error {
	s := streamer{known: k, query: q, yield: yield}
	matched, families, err := s.matched(ctx)
	if err != nil {
		return err
	}
	for i, f := range families {
		if err := s.family(ctx, f, matched[i]); err != nil {
			return err
		}
	}
	return nil
}

type streamer struct {
	known Known
	query Query
	yield func([]route.Route) error
	slice []route.Route
}

// matched finds which slots have routes of the answer.
func (s *streamer) matched(ctx context.Context) (matched []table.Bits, families []route.Family, err error) {
	err = s.known.ViewFor(s.query, func(v *table.View) error {
		x := prepare(v, s.query, s.known.At)
		families = x.families
		if x.in.Match == Longest || x.in.Match == Exact || x.in.Match == OrShorter {
			matched = make([]table.Bits, len(families))
			return nil
		}
		for _, f := range families {
			bits, _, err := x.match(ctx, f)
			if err != nil {
				return err
			}
			matched = append(matched, bits)
		}
		return nil
	})
	return matched, families, err
}

// sliceRoutes is about how many routes are given at a time.
const sliceRoutes = 4096

func (s *streamer) family(ctx context.Context, f route.Family, matched table.Bits) error {
	var after netip.Prefix
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.known.ViewFor(s.query, func(v *table.View) error {
			more = s.fill(v, f, matched, &after)
			return nil
		})
		if err != nil {
			return err
		}
		if len(s.slice) > 0 {
			if err := s.yield(s.slice); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill collects the next slice and reports whether there may be more.
func (s *streamer) fill(v *table.View, f route.Family, matched table.Bits, after *netip.Prefix) (more bool) {
	s.slice = s.slice[:0]
	x := confine(v, s.query, s.known.At)
	t := x.compile()
	if x.in.Match == Longest || x.in.Match == Exact || x.in.Match == OrShorter {
		r := pager{execution: x, tests: t, limit: math.MaxInt, result: &Result{}}
		r.families = []route.Family{f}
		r.few()
		s.slice = append(s.slice, r.result.Routes...)
		return false
	}
	for d := range v.Within(f, x.in.Prefix, *after) {
		if matched != nil && !matched.Has(d.Slot()) {
			continue
		}
		s.slice = t.filter(s.slice, v, d)
		*after = d.Prefix
		if len(s.slice) >= sliceRoutes {
			return true
		}
	}
	return false
}
