package web

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// An answer that took as long as a question may is written all the same.
func TestTheTimeToWriteBeginsWhereTheTimeToAnswerEnds(t *testing.T) {
	for _, answer := range []time.Duration{15 * time.Second, 2 * time.Minute} {
		e, err := New(Config{MaxConnections: 1, AnswerTime: answer}, Deps{Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.server().WriteTimeout; got < answer+WriteTimeout {
			t.Errorf("with %v to answer a connection is closed after %v", answer, got)
		}
	}
}
