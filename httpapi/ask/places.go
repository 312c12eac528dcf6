package ask

import (
	"context"
	"errors"

	"ribglass/httpapi/web"
	"ribglass/ribstore"
)

// EnterStream takes a place for a stream, of the past or of what is live, which
// leave gives back.
func (r *Reader) EnterStream(ctx context.Context, past bool) (leave func(), err error) {
	leaveStreams, err := r.enter(ctx, ribstore.Streams)
	if err != nil || !past {
		return leaveStreams, err
	}
	leavePast, err := r.enter(ctx, ribstore.PastStreams)
	if err != nil {
		leaveStreams()
		return nil, err
	}
	return func() { leavePast(); leaveStreams() }, nil
}

// EnterEvents takes a place for a stream of events.
func (r *Reader) EnterEvents(ctx context.Context) (leave func(), err error) {
	return r.enter(ctx, ribstore.EventStreams)
}

// EnterDrawing waits for a place to draw a picture.
func (r *Reader) EnterDrawing(ctx context.Context) (leave func(), err error) {
	return r.enter(ctx, ribstore.Drawings)
}

func (r *Reader) enter(ctx context.Context, kind ribstore.Kind) (leave func(), err error) {
	leave, err = r.desk.sources.Budget.Enter(ctx, kind)
	if errors.Is(err, ribstore.ErrBusy) {
		return nil, busyProblem(err)
	}
	return leave, err
}

// busyProblem says what to do when as much work of a kind is under way as may be, or
// when memory is too short for it.
func busyProblem(err error) *web.Problem {
	if _, short := errors.AsType[*ribstore.MemoryError](err); short {
		p := web.Problemf(web.CodeBusy, "The server is short of memory. Ask for one address or prefix, which needs little, or try again later.")
		p.Retry = "10"
		return p
	}
	busy, ok := errors.AsType[*ribstore.BusyError](err)
	if !ok {
		busy = &ribstore.BusyError{Kind: ribstore.Searches}
	}
	p := web.Problemf(web.CodeBusy, "As many searches run as may at a time. Lookups of an address or a prefix are answered still.")
	p.Retry = web.BusyRetry
	switch busy.Kind {
	case ribstore.Streams, ribstore.PastStreams, ribstore.EventStreams:
		p = web.Problemf(web.CodeBusy, "%d streams are being written, which is all there may be. Try again later.", busy.Places)
		p.Retry = "10"
	case ribstore.Comparisons:
		p.Detail = "As many comparisons run as may at a time. Try again later."
	case ribstore.Drawings:
		p.Detail = "As many pictures are drawn as may be at a time. The SVG form needs no drawing."
	case ribstore.Searches, ribstore.NarrowPast, ribstore.Turns, ribstore.NumKinds:
	}
	return p
}
