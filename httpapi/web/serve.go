package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// The limits of a connection. A request is small and its answer is ready in
// milliseconds; only streams take longer, and they extend their own deadline.
const (
	maxHeaderBytes = 16 << 10
	maxURLBytes    = 6 << 10
	headerTimeout  = 5 * time.Second
	ReadTimeout    = 10 * time.Second // for a whole request
	WriteTimeout   = 30 * time.Second // to write a whole answer, or a part of a stream
	idleTimeout    = 75 * time.Second
	shutdownGrace  = 2500 * time.Millisecond
)

// Listen opens a TCP listener on an address such as ":8080".
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// NewServer returns a server with the limits of a connection.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       ReadTimeout,
		WriteTimeout:      WriteTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Serve runs srv until ctx ends or the listener fails. Requests see their
// context end only when the grace is over.
func Serve(ctx context.Context, srv *http.Server, l net.Listener) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	srv.BaseContext = func(net.Listener) context.Context { return base }
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("http: serve: %w", err)
	case <-ctx.Done():
	}
	grace, stop := context.WithTimeout(base, shutdownGrace)
	defer stop()
	if err := srv.Shutdown(grace); err != nil {
		cancel()
		_ = srv.Close() // nothing is left to be told about
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http: serve: %w", err)
	}
	return nil
}
