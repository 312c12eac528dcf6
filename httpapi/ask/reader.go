package ask

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ribglass/httpapi/web"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Reader answers the questions of one audience. What the audience may not see
// does not exist for it. Make it with [Desk.Reader].
type Reader struct {
	Audience route.Audience
	desk     *Desk
	store    Searcher // as the audience sees it
	spent    *spent
	texts    *query.Allowance // of the queries that the request has in its parameters or its body
}

// spent is what the questions of a request may still cost.
type spent struct {
	ribstore.Spending

	until time.Time // when the time of a request is over; zero: none began
}

// Anew begins the budget of a request again, for streams that ask for as long as somebody
// listens.
func (r *Reader) Anew() { r.spent = new(spent) }

// bounded charges a question to its request, and bounds it by the time that one may take.
func (r *Reader) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.spent.until.IsZero() {
		r.spent.until = time.Now().Add(r.desk.cfg.QueryTimeout)
	}
	return context.WithDeadline(r.spent.With(ctx), r.spent.until)
}

// Now returns the time by the clock of the server.
func (r *Reader) Now() time.Time { return r.desk.sources.Now() }

// Info returns what the program says of itself.
func (r *Reader) Info() Info {
	info := r.desk.sources.Info
	if r.desk.sources.Identity != nil {
		info.ASN, info.RouterID = r.desk.sources.Identity()
	}
	return info
}

// Refused returns the last connections that got no session, the newest first, and what
// the kernel counts of TCP-MD5. Only an audience that sees everything is told.
func (r *Reader) Refused() (list []route.Attempt, errs route.MD5Errors) {
	if r.desk.sources.Refused == nil || !r.Audience.SeesAll() {
		return nil, errs
	}
	return r.desk.sources.Refused()
}

// Names returns what gives names to numbers.
func (r *Reader) Names() Names { return r.desk.sources.Names }

// Memory returns the memory that all questions and the table share.
func (r *Reader) Memory() *ribstore.Memory { return r.desk.sources.Budget.Memory() }

// Sessions returns every session, by name.
func (r *Reader) Sessions() []route.Session {
	all := slices.DeleteFunc(r.desk.sources.Sessions.Sessions(), func(s route.Session) bool { return !r.Audience.MaySee(s.Peer) })
	slices.SortFunc(all, func(a, b route.Session) int { return cmp.Compare(a.Peer.Name, b.Peer.Name) })
	notices := r.notices()
	for i := range all {
		all[i].Notices = append(all[i].Notices, notices[all[i].Peer.Name]...)
	}
	return all
}

// notices returns what is to be known beside what sessions say, by peer, "" for the
// program.
func (r *Reader) notices() map[string][]route.Notice {
	if r.desk.sources.Notices == nil {
		return nil
	}
	return r.desk.sources.Notices()
}

// Attention is a notice and what it is about.
type Attention struct {
	Peer string // "" when it is about the program
	route.Notice
}

// Attention returns what needs an operator's attention, what was seen last first.
func (r *Reader) Attention() []Attention {
	var list []Attention
	if r.Audience.SeesAll() {
		for _, one := range r.notices()[""] {
			list = append(list, Attention{Notice: one})
		}
	}
	for _, session := range r.Sessions() {
		for _, one := range session.Notices {
			list = append(list, Attention{session.Peer.Name, one})
		}
	}
	slices.SortStableFunc(list, func(a, b Attention) int { return b.Last.Compare(a.Last) })
	return list
}

// Session returns the session of a peer. An unknown one is a problem.
func (r *Reader) Session(name string) (route.Session, error) {
	session, ok := r.desk.sources.Sessions.Session(name)
	if !ok || !r.Audience.MaySee(session.Peer) {
		return route.Session{}, web.Problemf(web.CodeUnknownPeer, "No peer is named %q.", web.Clip(name))
	}
	session.Notices = append(session.Notices, r.notices()[name]...)
	return session, nil
}

// Malformed returns the last malformed messages of a peer, the newest first. An
// unknown peer is a problem.
func (r *Reader) Malformed(name string) ([]route.Malformed, error) {
	if _, err := r.Session(name); err != nil {
		return nil, err
	}
	return r.desk.sources.Sessions.Malformed(name), nil
}

// PeerStats returns what the table holds of a peer, and whether it has heard of
// it.
func (r *Reader) PeerStats(name string) (PeerStats, bool) {
	stats, ok := r.desk.sources.Store.Peer(name)
	if ok && !r.Audience.MaySee(stats.Peer) {
		return PeerStats{}, false
	}
	return stats, ok
}

// Totals counts what the table holds. For an audience that does not see every
// peer, prefixes, attribute sets and memory are not counted: they are of all
// peers together.
func (r *Reader) Totals() Totals {
	all := r.desk.sources.Store.Stats()
	if r.Audience.SeesAll() {
		return all
	}
	var seen Totals
	for _, session := range r.Sessions() {
		stats, ok := r.PeerStats(session.Peer.Name)
		if !ok {
			continue
		}
		seen.Peers++
		for f := range stats.Routes {
			seen.Routes[f] += stats.Routes[f]
			seen.Stale[f] += stats.Stale[f]
		}
	}
	return seen
}

// nobody is the name of no peer: the changes of a peer that may not be seen are those
// of one that never was.
const nobody = ""

// Rate returns the changes of a peer in the last hour, minute by minute.
func (r *Reader) Rate(peer string) Rate {
	if stats, ok := r.desk.sources.Store.Peer(peer); ok && !r.Audience.MaySee(stats.Peer) {
		peer = nobody
	}
	return r.desk.sources.Store.Rate(peer)
}

// RateOfAll returns the changes of all peers in the last hour, minute by minute.
func (r *Reader) RateOfAll() Rate {
	if r.Audience.SeesAll() {
		return r.desk.sources.Store.RateOfAll()
	}
	all := r.desk.sources.Store.Rate(nobody)
	all.Changes = slices.Clone(all.Changes)
	for _, session := range r.Sessions() {
		one := r.Rate(session.Peer.Name)
		for i := range min(len(all.Changes), len(one.Changes)) {
			all.Changes[i] += one.Changes[i]
		}
	}
	return all
}

// PeerRate is how much a peer changed.
type PeerRate struct {
	Name string
	Rate Rate
}

// BusiestPeers returns the peers that changed something in the last hour, at most
// so many, the busiest first.
func (r *Reader) BusiestPeers(most int) []PeerRate {
	var list []PeerRate
	for _, session := range r.Sessions() {
		if rate := r.Rate(session.Peer.Name); rate.Total() > 0 {
			list = append(list, PeerRate{session.Peer.Name, rate})
		}
	}
	slices.SortFunc(list, func(a, b PeerRate) int {
		return cmp.Or(cmp.Compare(b.Rate.Total(), a.Rate.Total()), cmp.Compare(a.Name, b.Name))
	})
	return list[:min(most, len(list))]
}

// BusiestPrefixes returns the prefixes that changed most in about the last hour.
// They are counted over all peers, so that an audience that does not see every
// peer gets none.
func (r *Reader) BusiestPrefixes() Busiest {
	busiest := r.desk.sources.Store.Busiest()
	if !r.Audience.SeesAll() {
		busiest.Prefixes, busiest.Missed = nil, 0
	}
	return busiest
}

// Growth returns how large the table was and is now, the oldest first. An
// audience that does not see every peer gets the last sample alone, of what it
// sees.
func (r *Reader) Growth() []Sample {
	if r.Audience.SeesAll() {
		return r.desk.sources.Store.Growth()
	}
	seen := r.Totals()
	return []Sample{{At: r.Now().UTC().Truncate(time.Second), Routes: seen.Routes}}
}

// maxSnapshots bounds the list of snapshots: the newest are shown.
const maxSnapshots = 5000

// Snapshots returns the newest snapshots of the history, the oldest first. They
// count the routes of all peers: an audience that does not see every peer gets
// them without counts.
func (r *Reader) Snapshots() []Snapshot {
	if r.desk.sources.Snapshots == nil {
		return nil
	}
	list := r.desk.sources.Snapshots()
	list = list[max(0, len(list)-maxSnapshots):]
	if !r.Audience.SeesAll() {
		list = slices.Clone(list)
		for i := range list {
			list[i] = Snapshot{At: list[i].At}
		}
	}
	return list
}

// growthTime is how far back the growth of the table is told.
const growthTime = 7 * 24 * time.Hour

// SnapshotsBefore returns the snapshots of the last week that are older than the
// samples.
func (r *Reader) SnapshotsBefore(samples []Sample) []Snapshot {
	if !r.KeepsHistory() || !r.Audience.SeesAll() {
		return nil
	}
	var list []Snapshot
	begin := r.Now().Add(-growthTime)
	for _, one := range r.Snapshots() {
		if one.At.After(begin) && (len(samples) == 0 || one.At.Before(samples[0].At)) {
			list = append(list, one)
		}
	}
	return list
}

// KeepsHistory reports whether the past is kept.
func (r *Reader) KeepsHistory() bool { return r.desk.sources.History != nil }

// History returns what is kept of the past. The error is a problem when nothing
// is.
func (r *Reader) History() (Kept, error) {
	if !r.KeepsHistory() {
		return Kept{}, noHistory()
	}
	return r.keptOf(r.desk.sources.History()), nil
}

// keptOf returns what an audience is told of a history. What is in it is of all
// peers: an audience that does not see every peer is not told how large it is, and
// of one that is being written that it ends now, not when somebody last said
// something.
func (r *Reader) keptOf(kept Kept) Kept {
	if r.Audience.SeesAll() {
		return kept
	}
	kept.FileBytes, kept.FreeBytes, kept.PendingBytes = 0, 0, 0
	if kept.Trouble == "" && !kept.ReadOnly && !kept.Ends.IsZero() {
		kept.Ends = r.Now().UTC().Truncate(time.Second)
	}
	return kept
}

// Opened returns the collection that questions are about which name none, "" when
// they are about what routers say.
func (r *Reader) Opened() string { return r.desk.sources.Opened }

// Collection describes a collection. An unknown one is a problem.
func (r *Reader) Collection(name string) (CollectionInfo, error) {
	if _, err := r.collection(name); err != nil {
		return CollectionInfo{}, err
	}
	c, err := r.desk.sources.Collections.Get(name, r.Audience)
	if err != nil {
		return CollectionInfo{}, fmt.Errorf("open collection %s: %w", name, err)
	}
	return CollectionInfo{Name: name, Kept: r.keptOf(c.Stats()), Files: c.Files()}, nil
}

// CollectionInfo describes a collection.
type CollectionInfo struct {
	Name   string
	Kept   Kept
	Files  []string // that it was imported from; none: not known
	Broken bool     // it cannot be opened
	Reason string   // why not
}

// maxCollections bounds how many collections are opened to be listed.
const maxCollections = 1000

// Collections lists the collections, by name.
func (r *Reader) Collections(ctx context.Context) ([]CollectionInfo, error) {
	from := r.desk.sources.Collections
	if from == nil {
		return nil, nil
	}
	names, err := from.List()
	if err != nil {
		return nil, fmt.Errorf("list collections: %w", err)
	}
	var list []CollectionInfo
	for _, name := range names[:min(len(names), maxCollections)] {
		one := CollectionInfo{Name: name}
		if c, err := from.Get(name, r.Audience); err != nil {
			r.desk.sources.Logger.WarnContext(ctx, "collection cannot be opened", "collection", name, "error", err)
			one.Broken, one.Reason = true, "It cannot be read; the log of the server says why."
			if other, ok := errors.AsType[*history.OtherFormatError](err); ok {
				one.Reason = otherFormat(other)
			}
		} else {
			one.Kept, one.Files = r.keptOf(c.Stats()), c.Files()
		}
		list = append(list, one)
	}
	return list, nil
}
