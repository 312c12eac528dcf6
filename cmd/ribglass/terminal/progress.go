// Package terminal has what several commands print with: text without control
// characters, counts and amounts in words, and a line that tells how far long
// work is.
package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Progress is a line on a terminal that tells how far long work is. On anything
// else it writes nothing. It may be used by several goroutines.
type Progress struct {
	w       io.Writer // nil: no terminal
	started time.Time

	mu    sync.Mutex // guards what follows
	drawn time.Time
	open  bool // a line is there
}

// redraw is how often a line changes at most.
const redraw = 100 * time.Millisecond

// NewProgress returns a progress on w, which is used when it is a
func NewProgress(w io.Writer) *Progress {
	p := &Progress{started: time.Now()}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.w = w
		}
	}
	return p
}

// Draw draws what text returns, unless it was drawn a moment ago.
func (p *Progress) Draw(text func(elapsed time.Duration) string) {
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
	fmt.Fprintf(p.w, "\r%s\x1b[K", Clean(text(now.Sub(p.started))))
}

// End takes the line away.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.open = false
	}
}
