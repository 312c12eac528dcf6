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

// Times of a stream of events.
const (
	eventInterval  = time.Second      // between two looks
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
}

// answerEvents looks at the answer to a lookup, or without one at the sessions,
// and tells when it changed. What changed is for the client to ask. Looking costs
// the writer nothing.
func answerEvents(q *asked, req ask.Request) error {
	leave, err := q.reader.EnterEvents()
	if err != nil {
		return err
	}
	defer leave()
	w := watcher{request: &req, seed: maphash.MakeSeed()}
	first, err := w.look(q.Context())
	if err != nil {
		return err
	}
	return tell(q, &w, first)
}

// tell writes events until the client or the server goes away.
func tell(q *asked, w *watcher, seen watched) error {
	out := q.Stream(web.TypeEvents)
	out.Begin()
	if err := out.Event("retry: 5000\n\n"); err != nil {
		return nil // the client is gone
	}
	ticker := time.NewTicker(eventInterval)
	defer ticker.Stop()
	quiet := time.Duration(0)
	for {
		select {
		case <-q.Context().Done():
			return nil
		case <-q.Closing():
			return nil
		case <-ticker.C:
		}
		now, err := w.look(q.Context())
		if err != nil {
			continue // busy: it can be looked at again in a second
		}
		text := ""
		if n := now.changes(seen); n > 0 {
			text = fmt.Sprintf("event: change\ndata: {\"changes\":%d,\"at\":%q}\n\n", n, q.Now().UTC().Format(time.RFC3339))
			seen = now
		} else if quiet += eventInterval; quiet >= eventHeartbeat {
			text = ":\n\n"
		}
		if text == "" {
			continue
		}
		quiet = 0
		if err := out.Event(text); err != nil {
			return nil // the client is gone
		}
	}
}

// look returns what there is now.
func (w *watcher) look(ctx context.Context) (watched, error) {
	if w.request.Query.Expr == nil {
		return w.sessions(), nil
	}
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
