package httpapi

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
)

// Bounds of streams of events.
const (
	maxEventStreams = 256              // at a time
	eventInterval   = time.Second      // between two looks
	eventHeartbeat  = 15 * time.Second // between two signs of life
	eventTimeout    = 10 * time.Second // for a client to take one
)

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
	server *Server
	seed   maphash.Seed
	query  query.Query // of a lookup; zero: the sessions and their counts
}

// events answers GET /api/v1/events: it looks at the answer to a lookup, or
// without one at the sessions, once a second and tells when it changed. What
// changed is for the client to ask. Looking costs the writer nothing.
func (s *Server) events(c *gin.Context) error {
	if negotiate(accept(c), []string{typeEvents}) == "" {
		return problemf(codeNotAcceptable, "The answer is %s.", typeEvents)
	}
	list, err := readParams(c.Request.URL.RawQuery, []known{{"q", false}, {"peer", true}, {"family", true}})
	if err != nil {
		return err
	}
	req, err := s.readSearch(list, query.Query{})
	if err != nil {
		return err
	}
	if req.query.String() != "" && !watchable(req.query) {
		return problemf(codeInvalidParameter, "Events are of one address or prefix as it is now, or of the sessions when there is no query.")
	}
	select {
	case s.eventStreams <- struct{}{}:
		defer func() { <-s.eventStreams }()
	default:
		return tooManyStreams(cap(s.eventStreams))
	}
	w := watcher{server: s, seed: maphash.MakeSeed(), query: req.query}
	first, err := w.look(c.Request.Context())
	if err != nil {
		return err
	}
	return s.tell(c, &w, first)
}

// watchable reports whether a query is about one address or prefix as it is now,
// which one descent of the trie answers.
func watchable(q query.Query) bool {
	lookup, plain := q.Lookup()
	return plain && lookup.Match != query.Any && lookup.Match != query.OrLonger
}

// tell writes events until the client or the server goes away.
func (s *Server) tell(c *gin.Context, w *watcher, seen watched) error {
	out := newStreamWriter(s, c, typeEvents)
	out.begin()
	if err := out.event("retry: 5000\n\n"); err != nil {
		return nil // the client is gone
	}
	ticker := time.NewTicker(eventInterval)
	defer ticker.Stop()
	quiet := time.Duration(0)
	for {
		select {
		case <-c.Request.Context().Done():
			return nil
		case <-s.closing:
			return nil
		case <-ticker.C:
		}
		now, err := w.look(c.Request.Context())
		if err != nil {
			continue // busy: it can be looked at again in a second
		}
		text := ""
		if n := now.changes(seen); n > 0 {
			text = fmt.Sprintf("event: change\ndata: {\"changes\":%d,\"at\":%q}\n\n", n, s.now().UTC().Format(time.RFC3339))
			seen = now
		} else if quiet += eventInterval; quiet >= eventHeartbeat {
			text = ":\n\n"
		}
		if text == "" {
			continue
		}
		quiet = 0
		if err := out.event(text); err != nil {
			return nil // the client is gone
		}
	}
}

// event writes one event at once.
func (w *streamWriter) event(text string) error {
	_ = w.control.SetWriteDeadline(time.Now().Add(eventTimeout)) // a writer of tests has none
	if _, err := w.context.Writer.WriteString(text); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	if err := w.control.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	// Until the next event nothing is written, which may take long.
	_ = w.control.SetWriteDeadline(time.Time{})
	return nil
}

// look returns what there is now.
func (w *watcher) look(ctx context.Context) (watched, error) {
	if w.query.Expr == nil {
		return w.sessions(), nil
	}
	res, err := w.server.search(ctx, w.server.deps.Store, w.query, query.Page{Limit: query.DefaultLimit})
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
	s := w.server
	seen := watched{}
	for _, session := range s.deps.Sessions.Sessions() {
		stats, _ := s.deps.Store.Peer(session.Peer.Name) // zero when it never said anything
		seen[session.Peer.Name] = w.hash(session.State, session.AdminDown, session.LastError, session.EndOfRIB, stats.Routes, stats.Stale)
	}
	return seen
}

func (w *watcher) hash(values ...any) uint64 {
	return maphash.String(w.seed, fmt.Sprint(values...))
}
