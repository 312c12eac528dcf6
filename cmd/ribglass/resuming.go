package main

import (
	"context"

	"ribglass/httpapi"
)

// While the store loads what was recorded, sessions come up already: what routers say
// waits in the channel. Nothing is looked up meanwhile, since the table is empty. The
// web servers say so, how far the loading is, and when to ask again.

// resume loads what was recorded and then runs the store.
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

// isResumed reports whether the store has what was recorded.
func (s *server) isResumed() bool {
	select {
	case <-s.resumed:
		return true
	default:
		return false
	}
}

// loading returns what must be loaded before requests can be answered, and nil when
// everything is.
func (s *server) loading() *httpapi.Loading {
	if s.isResumed() {
		return nil
	}
	done, of := s.store.Loading()
	return &httpapi.Loading{Done: done, Of: of}
}
