package ask

import (
	"context"
	"errors"

	"ribglass/httpapi/web"
)

// pastStreams is how many streams about the past may be written at a time: each
// may hold a whole table of its own for as long as its client takes.
const pastStreams = 2

// comparisonsAtATime is how many comparisons may run: each holds two tables.
const comparisonsAtATime = 2

// drawingsAtATime is how many pictures may be drawn: a large one takes a
// processor for a third of a second and 60 MB while it is drawn.
const drawingsAtATime = 2

// eventStreams is how many streams of events there may be.
const eventStreams = 256

// places hold one value for each piece of work under way, by kind.
type places struct {
	streams, past, comparisons, drawings, events chan struct{}
}

func newPlaces(cfg Config) places {
	return places{
		streams: make(chan struct{}, cfg.MaxStreams), past: make(chan struct{}, pastStreams),
		comparisons: make(chan struct{}, comparisonsAtATime), drawings: make(chan struct{}, drawingsAtATime),
		events: make(chan struct{}, eventStreams),
	}
}

// EnterStream takes a place for a stream, of the past or of what is live, which
// leave gives back.
func (r *Reader) EnterStream(past bool) (leave func(), err error) {
	p := &r.desk.places
	leaveStreams, err := enter(p.streams)
	if err != nil || !past {
		return leaveStreams, err
	}
	leavePast, err := enter(p.past)
	if err != nil {
		leaveStreams()
		return nil, err
	}
	return func() { leavePast(); leaveStreams() }, nil
}

// EnterEvents takes a place for a stream of events.
func (r *Reader) EnterEvents() (leave func(), err error) { return enter(r.desk.places.events) }

// EnterDrawing waits for a place to draw a picture.
func (r *Reader) EnterDrawing(ctx context.Context) (leave func(), err error) {
	return wait(ctx, r.desk.places.drawings, "As many pictures are drawn as may be at a time. The SVG form needs no drawing.")
}

func (r *Reader) enterComparison(ctx context.Context) (leave func(), err error) {
	return wait(ctx, r.desk.places.comparisons, "As many comparisons run as may at a time. Try again later.")
}

func enter(places chan struct{}) (leave func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		p := web.Problemf(web.CodeBusy, "%d streams are being written, which is all there may be. Try again later.", cap(places))
		p.Retry = "10"
		return nil, p
	}
}

func wait(ctx context.Context, places chan struct{}, busy string) (leave func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	p := web.Problemf(web.CodeBusy, "%s", busy)
	p.Retry = web.BusyRetry
	return nil, p
}
