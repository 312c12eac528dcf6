// Package dump writes what can be asked of a store as MRT, the format that other
// programs read: routes as a TABLE_DUMP_V2 (RFC 6396, with ADD-PATH by RFC 8050),
// changes as BGP4MP_ET.
//
// An [Exporter] keeps nothing between calls, starts no goroutine, and holds a
// slice of routes or a page of changes at a time.
package dump

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"ribglass/collector/wire/mrt"
	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Exporter writes MRT. It may be used by many goroutines at once.
type Exporter struct {
	Identity func() (route.ASN, netip.Addr) // AS number and router id of the collector; nil: none
	Logger   *slog.Logger
}

// Source is what an export reads. [httpapi.Searcher] documents the methods.
type Source interface {
	PeersAt(ctx context.Context, at query.Moment) (peers []ribstore.PeerStats, when time.Time, notices []string, err error)
	Stream(ctx context.Context, q query.Query, yield func([]route.Route) error) error
	StreamChanges(ctx context.Context, q query.Query, kinds []changes.Kind, yield func([]changes.Change) error) error
}

// Export is [Exporter.Write] for the server.
func (e *Exporter) Export(ctx context.Context, w io.Writer, from httpapi.Searcher, q query.Query) error {
	return e.Write(ctx, w, from, q)
}

// Write writes the answer to a query: routes or, when it has a span, changes.
// What MRT cannot express is left out and logged. Errors are those of the
// source, of the stream, and of the context.
func (e *Exporter) Write(ctx context.Context, w io.Writer, from Source, q query.Query) error {
	buffered := bufio.NewWriterSize(w, 64<<10)
	out := &output{exporter: e, stream: &stream{w: buffered}}
	if e.Identity != nil {
		out.asn, out.routerID = e.Identity()
	}
	out.mrt = mrt.NewWriter(out.stream)
	var err error
	if q.Between.IsZero() {
		err = out.routes(ctx, from, q)
	} else {
		err = out.changes(ctx, from, q)
	}
	if out.omitted > 0 {
		e.Logger.WarnContext(ctx, "an export to MRT leaves routes out", "count", out.omitted, "first_reason", out.reason)
	}
	if err != nil {
		return err
	}
	return buffered.Flush()
}

// output is one export under way.
type output struct {
	exporter *Exporter
	mrt      *mrt.Writer
	stream   *stream

	asn      route.ASN // of the collector
	routerID netip.Addr

	at    time.Time      // of the table
	index map[string]int // of peers, by name

	omitted int
	reason  error // of the first
}

// stream keeps the error of the stream, to tell it from what cannot be expressed.
type stream struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (s *stream) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	if err != nil {
		s.err = err
	}
	return n, err
}

// wrote takes the error of a record.
func (o *output) wrote(err error) error {
	switch {
	case err == nil:
		return nil
	case o.stream.err != nil:
		return o.stream.err
	}
	if o.omitted++; o.reason == nil {
		o.reason = err
	}
	return nil
}

// routes writes a table: one index of all peers, then prefix after prefix.
func (o *output) routes(ctx context.Context, from Source, q query.Query) error {
	known, at, _, err := from.PeersAt(ctx, q.At)
	if err != nil {
		return err
	}
	if !q.At.IsZero() {
		q.At = query.Moment{Time: at} // the same for the routes, however long ago it was
	}
	o.at, o.index = at, make(map[string]int, len(known))
	peers := make([]mrt.Peer, len(known))
	for i := range known {
		p := known[i].Peer
		o.index[p.Name] = i
		peers[i] = mrt.Peer{RouterID: p.RouterID, Address: p.Address, ASN: p.ASN}
	}
	if err := o.mrt.PeerIndex(o.routerID, "", peers, at); err != nil {
		return err
	}
	return from.Stream(ctx, q, o.slice)
}

// slice writes routes that are in order, those of a prefix in one row.
func (o *output) slice(routes []route.Route) error {
	row := mrt.Row{Time: o.at}
	for i := range routes {
		r := &routes[i]
		if r.Prefix != row.Prefix || r.Family != row.Family {
			if err := o.wrote(o.row(&row)); err != nil {
				return err
			}
			row.Prefix, row.Family, row.Routes = r.Prefix, r.Family, row.Routes[:0]
		}
		peer, ok := o.index[r.Peer.Name]
		if !ok {
			// It came into being after the index was written.
			if err := o.wrote(fmt.Errorf("peer %s is new", r.Peer.Name)); err != nil {
				return err
			}
			continue
		}
		row.Routes = append(row.Routes, mrt.Route{
			Peer: peer, Originated: r.ReceivedAt, AddPath: r.Peer.AddPath[r.Family], PathID: r.PathID, Attrs: r.Attrs,
		})
	}
	return o.wrote(o.row(&row))
}

func (o *output) row(row *mrt.Row) error {
	if len(row.Routes) == 0 {
		return nil
	}
	return o.mrt.RIB(row)
}

// changes writes what happened, the oldest first.
func (o *output) changes(ctx context.Context, from Source, q query.Query) error {
	return from.StreamChanges(ctx, q, nil, func(list []changes.Change) error {
		for i := range list {
			if err := o.wrote(o.change(&list[i])); err != nil {
				return err
			}
		}
		return nil
	})
}

// change writes one change as the messages that could have made it. That a route
// became stale is not a message: that its session ended was one.
func (o *output) change(c *changes.Change) error {
	s := o.session(c.Peer)
	u := route.Update{Family: c.Family, NLRI: []route.NLRI{{Prefix: c.Prefix, PathID: c.PathID}}}
	switch c.Kind {
	case changes.Announced, changes.Replaced, changes.Confirmed:
		u.Attrs = c.New
		return o.mrt.Update(c.At, s, u, c.Peer.AddPath[c.Family])
	case changes.Withdrawn, changes.Refused, changes.Swept, changes.Expired, changes.Dropped:
		return o.mrt.Update(c.At, s, u, c.Peer.AddPath[c.Family])
	case changes.SessionUp:
		return o.state(c.At, s, openConfirm, established)
	case changes.SessionDown, changes.PeerRemoved:
		return o.state(c.At, s, established, idle)
	case changes.EndOfRIB:
		return o.mrt.EndOfRIB(c.At, s, c.Family)
	case changes.WentStale, changes.WentLongLived, changes.RefreshBegun, changes.RefreshEnded:
	}
	return nil
}

// States of a session, as RFC 6396 section 4.4.1 numbers them.
const (
	idle        = 1
	openConfirm = 5
	established = 6
)

func (o *output) state(at time.Time, s mrt.Session, before, after uint16) error {
	return o.mrt.StateChange(&mrt.StateChange{Header: mrt.Header{Time: at}, Session: s, Old: before, New: after})
}

// session returns the two ends of a peer's session. The address of ours is not
// known: it is that of the family which says nothing.
func (o *output) session(p *route.Peer) mrt.Session {
	s := mrt.Session{PeerASN: p.ASN, LocalASN: p.LocalASN, PeerAddress: p.Address, LocalAddress: netip.IPv4Unspecified()}
	if p.Address.Is6() {
		s.LocalAddress = netip.IPv6Unspecified()
	}
	if s.LocalASN == 0 {
		s.LocalASN = o.asn
	}
	return s
}
