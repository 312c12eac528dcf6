package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"ribglass/httpapi/answer"
)

// restarted is what it takes the program to go on after it was killed.
type restarted struct {
	File      int64         `json:"file_bytes"`
	Listens   time.Duration `json:"listens_ns"` // exec to the first answer of any kind
	Whole     time.Duration `json:"whole_ns"`   // exec to an answer with all routes
	CPU       time.Duration `json:"cpu_ns"`     // until then
	Peak      uint64        `json:"peak_bytes"` // until then
	FirstPast time.Duration `json:"first_past_search_ns"`
}

// measureRestart kills the receiver, starts it again with what it left, and asks the
// first question about the past.
func measureRestart(ctx context.Context, r *receiver, binary string) (*restarted, error) {
	dir := filepath.Dir(r.log)
	routes, err := r.counts(ctx)
	if err != nil {
		return nil, err
	}
	past := time.Now().UTC()
	if err := quiet(ctx, 2*time.Second); err != nil { // the moment is to be over
		return nil, err
	}
	_ = r.command.Process.Kill() // as a crash, not as a stop
	<-r.ended
	result := &restarted{}
	for _, name := range []string{"history.db", "history.log"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			result.File += info.Size()
		}
	}
	begin := time.Now()
	p, err := start(dir, binary, "serve", "--config", filepath.Join(dir, "ribglass.yaml"))
	if err != nil {
		return nil, err
	}
	defer p.stop()
	asker := r.asker.(ribglass)
	err = poll(ctx, 2*time.Millisecond, p, func() (bool, error) {
		counts, err := asker.counts(ctx)
		if err == nil && result.Listens == 0 {
			result.Listens = time.Since(begin)
		}
		return err == nil && counts == routes, err
	})
	result.Whole = time.Since(begin)
	if err != nil {
		return nil, err
	}
	if u, err := p.usage(); err == nil {
		result.CPU, result.Peak = u.cpu, u.peak
	}
	begin = time.Now()
	question := "/api/v1/routes?limit=1&q=" + url.QueryEscape("origin 64500") + "&at=" + url.QueryEscape(past.Format(time.RFC3339Nano))
	err = poll(ctx, 10*time.Millisecond, p, func() (bool, error) { // a question that takes too long is refused: it is asked again
		var found answer.Routes
		err := asker.get(ctx, question, &found)
		return err == nil, err
	})
	result.FirstPast = time.Since(begin)
	return result, err
}
