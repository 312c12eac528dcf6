package query

import (
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Known is what is known at a moment, as far as the one who asks may see it: what
// a question is asked of. It is a value.
type Known struct {
	Table *table.Table
	At    time.Time // the moment that the table is true for; ages in a query count from it

	// Sees reports whether the routes of a peer may be seen. An answer is as if the
	// table had never heard of the other peers. nil: all may be seen.
	Sees func(*route.Peer) bool
}

// MaySee reports whether the routes of the peer may be seen.
func (k Known) MaySee(p *route.Peer) bool { return k.Sees == nil || k.Sees(p) }

// ViewFor calls read with a view of what is known that is confined to the views of
// routers that the query asks.
func (k Known) ViewFor(q Query, read func(*table.View) error) error {
	return k.View(func(v *table.View) error {
		v.Confine(q.Scope.choose(v, q.Peers()))
		return read(v)
	})
}

// View calls read with a view of what is known, in all views of routers.
func (k Known) View(read func(*table.View) error) error {
	if k.Sees == nil {
		return k.Table.View(read)
	}
	return k.Table.View(func(v *table.View) error {
		v.Hide(k.Sees)
		return read(v)
	})
}
