package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// progress is a line on a terminal that tells how far long work is. On anything
// else it writes nothing. It may be used by several goroutines.
type progress struct {
	w       io.Writer // nil: no terminal
	started time.Time

	mu    sync.Mutex // guards what follows
	drawn time.Time
	open  bool // a line is there
}

// redraw is how often a line changes at most.
const redraw = 100 * time.Millisecond

// newProgress returns a progress on w, which is used when it is a terminal.
func newProgress(w io.Writer) *progress {
	p := &progress{started: time.Now()}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.w = w
		}
	}
	return p
}

// line draws what text returns, unless it was drawn a moment ago.
func (p *progress) line(text func(elapsed time.Duration) string) {
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.drawn) < redraw {
		return
	}
	p.drawn, p.open = now, true
	fmt.Fprintf(p.w, "\r%s\x1b[K", clean(text(now.Sub(p.started))))
}

// end takes the line away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.open = false
	}
}

// percent returns how much of a total is done.
func percent(done, total int64) int64 {
	if total <= 0 {
		return 100
	}
	return min(100, done*100/total)
}

// amount writes octets for people.
func amount(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}
