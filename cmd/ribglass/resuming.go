package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"ribglass/httpapi/web"
	"ribglass/ribstore/route"
)

// While the store loads what was recorded, sessions come up already: what routers say
// waits in the channel. Nothing is looked up meanwhile, since the table would be empty.
// Requests are answered with that, and with when to ask again.

// resumeRetry is after how many seconds a request may be answered.
const resumeRetry = "2"

// resume loads what was recorded and then runs the store. Requests are answered by
// resumingAnswers until then.
func (s *server) resume(ctx context.Context) error {
	err := s.store.Resume(ctx)
	if err != nil {
		for b := range s.batches { // until the collector has stopped
			b.Release()
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the program ends before it has begun
		}
		return err
	}
	if s.history != nil {
		close(s.resumed)
	}
	return s.store.Run(context.WithoutCancel(ctx), s.batches)
}

// isResumed reports whether the store has what was recorded. Before that only the
// goroutine of resume uses it.
func (s *server) isResumed() bool {
	select {
	case <-s.resumed:
		return true
	default:
		return false
	}
}

// What the collector asks the store after every batch, which has nothing of a peer yet
// while it loads what was recorded.

func (s *server) prefixes(peer string, f route.Family) int {
	if !s.isResumed() {
		return 0
	}
	return s.store.Prefixes(peer, f)
}

func (s *server) notKept(peer string) uint64 {
	if !s.isResumed() {
		return 0
	}
	return s.store.NotKept(peer)
}

func (s *server) attributeBytes(ctx context.Context, peer string, exact bool) uint64 {
	if !s.isResumed() {
		return 0
	}
	return s.store.AttributeBytes(ctx, peer, exact)
}

// serveResumed serves with serve once the store has what was recorded, and until then
// says that it has not.
func (s *server) serveResumed(ctx context.Context, l *listener, serve func(context.Context, net.Listener) error) error {
	if err := s.answerMeanwhile(ctx, l); err != nil {
		return err
	}
	return serve(ctx, l)
}

// answerMeanwhile answers the requests that come before the store has what was recorded.
func (s *server) answerMeanwhile(ctx context.Context, l *listener) error {
	tcp, ok := l.Listener.(*net.TCPListener)
	if !ok || s.isResumed() {
		return nil
	}
	meanwhile := http.Server{Handler: http.HandlerFunc(resumingAnswer), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second}
	meanwhile.SetKeepAlivesEnabled(false)
	ended := make(chan error, 1)
	go func() { ended <- meanwhile.Serve(keptListener{tcp}) }()
	select {
	case <-s.resumed:
	case <-ctx.Done():
	case err := <-ended:
		return fmt.Errorf("answer while the history is loaded: %w", err)
	}
	// Wake it from waiting for connections: the listener itself stays open.
	err := tcp.SetDeadline(time.Now())
	if stopped := <-ended; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = meanwhile.Shutdown(finish) // what has not sent its request by then is too slow
	return errors.Join(err, tcp.SetDeadline(time.Time{}))
}

// keptListener is a listener that stays open when a server closes it.
type keptListener struct{ *net.TCPListener }

// Accept returns http.ErrServerClosed once the deadline is over.
func (l keptListener) Accept() (net.Conn, error) {
	c, err := l.TCPListener.Accept()
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		err = http.ErrServerClosed
	}
	return c, err
}

// Close does nothing.
func (l keptListener) Close() error { return nil }

// resumingAnswer says that what was recorded is being loaded. Health is that the
// program is alive.
func resumingAnswer(w http.ResponseWriter, r *http.Request) {
	const text = "Ribglass is loading what it recorded. Sessions come up meanwhile; ask again in a moment."
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.URL.Path == "/-/healthy" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintln(w, "healthy")
		return
	}
	h.Set("Retry-After", resumeRetry)
	if strings.HasPrefix(r.URL.Path, "/api/") {
		h.Set("Content-Type", web.TypeProblem)
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(web.Problemf(web.CodeResuming, text).AppendJSON(nil, r.URL.EscapedPath()))
		return
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Refresh", resumeRetry) // a browser asks by itself
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintln(w, text)
}
