package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"slices"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// recorded reads a collection as if it were a file: the table that it begins with, and
// then everything that was recorded. So files from before its end can be merged with it.
type recorded struct {
	history *history.History
	next    func() (*mrt.Batch, error, bool)
	stop    func()
}

// recordedRoutes is how many routes of the first table go into a batch.
const recordedRoutes = 512

// errStopped ends a replay whose reader wants no more.
var errStopped = errors.New("stopped")

func newRecorded(ctx context.Context, h *history.History) *recorded {
	r := &recorded{history: h}
	r.next, r.stop = iter.Pull2(r.all(ctx))
	return r
}

// all yields every batch, a copy of its own, and an error at the end of what cannot be
// read.
func (r *recorded) all(ctx context.Context) iter.Seq2[*mrt.Batch, error] {
	return func(yield func(*mrt.Batch, error) bool) {
		stats := r.history.Stats()
		past, err := r.history.At(ctx, stats.Begins, netip.Prefix{})
		if err != nil {
			yield(nil, fmt.Errorf("read the collection: %w", err))
			return
		}
		give := func(b route.Batch, assumed bool) error {
			if !yield(&mrt.Batch{Batch: b, Assumed: assumed}, nil) {
				return errStopped
			}
			return nil
		}
		seen := make(map[string]bool)
		err = firstTable(past, r.history.BeginsWithTable(), func(b route.Batch, assumed bool) error {
			seen[b.Peer.Name] = true
			return give(b, assumed)
		})
		if err == nil {
			var notices []string
			notices, err = r.history.Replay(ctx, past, stats.Ends, func(e *history.Event) error {
				if e.Batch == nil {
					return nil
				}
				// A peer that is heard of for the first time may have been there before.
				first := e.Batch.Event == route.PeerUp && !seen[e.Batch.Peer.Name]
				seen[e.Batch.Peer.Name] = true
				return give(cloned(e.Batch), first)
			})
			if notices = append(past.Notices, notices...); err == nil && len(notices) > 0 {
				err = fmt.Errorf("the collection is damaged: %s", notices[0])
			}
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, fmt.Errorf("read the collection: %w", err))
		}
	}
}

// firstTable gives the peers and routes that a collection begins with. Unless that is a
// whole table, routes that are not there may have been there before.
func firstTable(past *history.Past, whole bool, give func(b route.Batch, assumed bool) error) error {
	var ends []route.Batch
	for _, s := range past.Table.State() {
		if !s.Up {
			continue
		}
		if err := give(route.Batch{Peer: s.Peer, At: past.At, Event: route.PeerUp}, true); err != nil {
			return err
		}
		for _, f := range route.Families() {
			if s.Families[f].Routes == 0 {
				continue
			}
			if whole {
				if err := give(route.Batch{Peer: s.Peer, At: past.At, Event: route.RefreshBegin, Family: f}, false); err != nil {
					return err
				}
				ends = append(ends, route.Batch{Peer: s.Peer, At: past.At, Event: route.RefreshEnd, Family: f})
			}
			if err := routesOf(past, s.Peer, f, give); err != nil {
				return err
			}
		}
	}
	for _, b := range ends { // all at the end, as of the table of a file
		if err := give(b, false); err != nil {
			return err
		}
	}
	return nil
}

// routesOf gives the routes of a peer.
func routesOf(past *history.Past, p *route.Peer, f route.Family, give func(route.Batch, bool) error) error {
	var b route.Batch
	flush := func() error {
		if len(b.Updates) == 0 {
			return nil
		}
		full := b
		b = route.Batch{}
		full.Peer, full.At = p, past.At
		return give(full, false)
	}
	return past.Table.View(func(v *table.View) error {
		var routes []route.Route
		for d := range v.Within(f, netip.Prefix{}, netip.Prefix{}) {
			routes = v.Routes(routes[:0], d, nil)
			for i := range routes {
				r := &routes[i]
				if r.Peer.Name != p.Name {
					continue
				}
				b.Updates = append(b.Updates, route.Update{Family: f, Attrs: slices.Clone(r.Attrs), NLRI: []route.NLRI{{Prefix: r.Prefix, PathID: r.PathID}}})
				b.Received = append(b.Received, uint32(r.ReceivedAt.Unix()))
			}
			if len(b.Updates) >= recordedRoutes {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return flush()
	})
}

// cloned returns a batch that stays as it is.
func cloned(b *route.Batch) route.Batch {
	c := *b
	c.Recycle, c.Updates = nil, make([]route.Update, len(b.Updates))
	for i := range b.Updates {
		u := &b.Updates[i]
		c.Updates[i] = route.Update{Family: u.Family, Attrs: slices.Clone(u.Attrs), NLRI: slices.Clone(u.NLRI)}
	}
	return c
}

// Next returns the next batch, and io.EOF after the last one.
func (r *recorded) Next() (*mrt.Batch, error) {
	b, err, ok := r.next()
	if !ok {
		return nil, io.EOF
	}
	return b, err
}

// Report reports nothing: it was reported when it was imported.
func (r *recorded) Report() mrt.Report { return mrt.Report{} }

// Consumed is not counted.
func (r *recorded) Consumed() int64 { return 0 }

// Close closes the collection.
func (r *recorded) Close() error {
	r.stop()
	return r.history.Close()
}
