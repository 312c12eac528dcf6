package v1

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
)

// Times of a stream of events. A change reaches the client after eventDelay, in
// which further changes are taken together; changes that go on are told once in
// eventGap, and counts of all routes once in countsGap.
const (
	eventDelay     = 50 * time.Millisecond
	eventGap       = 200 * time.Millisecond
	countsGap      = time.Second
	eventHeartbeat = 15 * time.Second // between two signs of life
)

func eventsParams() []web.Known {
	return []web.Known{{Name: "q"}, {Name: "peer", Many: true}, {Name: "family", Many: true}, {Name: "view"}}
}

func readEvents(q *asked) (ask.Request, error) {
	req, err := q.reader.Request(q.list, noQuery)
	if err == nil && req.Query.String() != "" && !ask.Watchable(req.Query) {
		err = web.Problemf(web.CodeInvalidParameter, "Events are of one address or prefix as it is now, or of the sessions when there is no query.")
	}
	return req, err
}

// watched is what a stream of events looks at: a hash of each thing that a page
// shows, by its name.
type watched map[string]uint64

// changes counts the things that appeared, went away or differ.
func (w watched) changes(before watched) int {
	n := 0
	for name, hash := range w {
		if old, ok := before[name]; !ok || old != hash {
			n++
		}
	}
	for name := range before {
		if _, ok := w[name]; !ok {
			n++
		}
	}
	return n
}

// watcher looks at what a stream is about. Its seed is its own: hashes of
// different streams do not compare.
type watcher struct {
	request *ask.Request // about no query: the sessions and their counts
	seed    maphash.Seed
	gap     time.Duration // between two looks
	seen    watched
}

// answerEvents tells when the answer to a lookup changed, or without a lookup the
// sessions and the counts of their routes. What changed is for the client to ask.
func answerEvents(q *asked, req ask.Request) error {
	leave, err := q.reader.EnterEvents(q.Context())
	if err != nil {
		return err
	}
	defer leave()
	watch := req.Watch()
	defer watch.Close()
	w := watcher{request: &req, seed: maphash.MakeSeed(), gap: eventGap}
	if req.Query.Expr == nil {
		w.gap = countsGap
	}
	if w.seen, err = w.look(q.Context()); err != nil {
		return err
	}
	return tell(q, &w, watch)
}

// tell writes events until the client or the server goes away. It sleeps until
// something rings, but for a sign of life.
func tell(q *asked, w *watcher, watch *ask.Watch) error {
	out := q.Stream(web.TypeEvents)
	out.Begin()
	if err := out.Event("retry: 5000\n\n"); err != nil {
		return nil // the client is gone
	}
	heartbeat := time.NewTimer(eventHeartbeat)
	defer heartbeat.Stop()
	var due <-chan time.Time // when to look; nil: nothing rang
	var looked time.Time
	for {
		text := ""
		select {
		case <-q.Context().Done():
			return nil
		case <-q.Closing():
			return nil
		case <-watch.Routes:
			due = w.next(due, looked)
		case <-watch.Sessions:
			due = w.next(due, looked)
		case <-heartbeat.C:
			text = ":\n\n"
		case <-due:
			watch.Heard()
			due, looked = nil, time.Now()
			n, err := w.changes(q.Context())
			if err != nil { // busy: look again
				due = w.next(nil, looked)
				continue
			}
			if n > 0 {
				text = fmt.Sprintf("event: change\ndata: {\"changes\":%d,\"at\":%q}\n\n", n, q.Now().UTC().Format(time.RFC3339))
			}
		}
		if text == "" {
			continue
		}
		heartbeat.Reset(eventHeartbeat)
		if err := out.Event(text); err != nil {
			return nil // the client is gone
		}
	}
}

// next returns when to look after something rang: as it was settled before, or
// soon, but not sooner than the gap after the last look.
func (w *watcher) next(due <-chan time.Time, looked time.Time) <-chan time.Time {
	if due != nil {
		return due
	}
	return time.After(max(eventDelay, w.gap-time.Since(looked)))
}

// changes looks again and counts what changed.
func (w *watcher) changes(ctx context.Context) (int, error) {
	now, err := w.look(ctx)
	if err != nil {
		return 0, err
	}
	n := now.changes(w.seen)
	w.seen = now
	return n, nil
}

// look returns what there is now.
func (w *watcher) look(ctx context.Context) (watched, error) {
	if w.request.Query.Expr == nil {
		return w.sessions(), nil
	}
	w.request.Reader().Anew()
	res, err := w.request.Find(ctx, w.request.Query, query.Page{Limit: query.DefaultLimit})
	if err != nil {
		return nil, err
	}
	seen := make(watched, len(res.Routes)+1)
	for i := range res.Routes {
		r := &res.Routes[i]
		seen[fmt.Sprint(r.Peer.Name, " ", r.Family, " ", r.Prefix, " ", r.PathID)] = w.hash(string(r.Attrs), r.Best, r.LongLived, r.StaleSince.UnixNano())
	}
	seen[""] = uint64(res.Total)
	return seen, nil
}

// sessions hashes what pages tell of the peers, but for times that go on.
func (w *watcher) sessions() watched {
	seen := watched{}
	peers := w.request.Reader().Peers()
	for i := range peers.List {
		session, stats := &peers.List[i].Session, &peers.List[i].Stats
		seen[session.Peer.Name] = w.hash(session.State, session.AdminDown, session.LastError, session.EndOfRIB, stats.Routes, stats.Stale)
	}
	return seen
}

func (w *watcher) hash(values ...any) uint64 {
	return maphash.String(w.seed, fmt.Sprint(values...))
}
