package replay

import (
	"context"
	"time"
)

// pacer makes recorded time pass at a speed. The zero pacer waits for nothing.
type pacer struct {
	speed   float64
	started time.Time // on the clock
	first   time.Time // as recorded
}

// wait waits until a recorded time has come.
func (p *pacer) wait(ctx context.Context, at time.Time) error {
	if p.speed <= 0 {
		return ctx.Err()
	}
	if p.first.IsZero() {
		p.started, p.first = time.Now(), at
	}
	due := p.started.Add(time.Duration(float64(at.Sub(p.first)) / p.speed))
	left := time.Until(due)
	if left <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
