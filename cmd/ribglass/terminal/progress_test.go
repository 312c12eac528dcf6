package terminal

import (
	"bytes"
	"testing"
	"time"
)

func TestProgressIsForTerminalsOnly(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b)
	p.Draw(func(time.Duration) string { t.Error("a line is drawn that nobody sees"); return "" })
	p.End()
	if b.Len() > 0 {
		t.Errorf("written to what is no terminal: %q", b.String())
	}
}

func TestAProgressLineIsTakenAway(t *testing.T) {
	var b bytes.Buffer
	p := &Progress{w: &b, started: time.Now()}
	p.Draw(func(time.Duration) string { return "50% of \x1b[31mit" })
	p.Draw(func(time.Duration) string { t.Error("a line is drawn too soon after the last"); return "" })
	p.End()
	p.End()
	const want = "\r50% of \ufffd[31mit\x1b[K\r\x1b[K"
	if b.String() != want {
		t.Errorf("written: %q, want %q", b.String(), want)
	}
}

func TestAmountsAndPercents(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1500: "1.5 kB", 35_545_088: "35.5 MB", 12e9: "12.0 GB"} {
		if got := Amount(n); got != want {
			t.Errorf("Amount(%d) = %q, want %q", n, got, want)
		}
	}
	for _, row := range []struct{ done, total, want int64 }{{0, 0, 100}, {1, 3, 33}, {5, 3, 100}} {
		if got := Percent(row.done, row.total); got != row.want {
			t.Errorf("Percent(%d, %d) = %d, want %d", row.done, row.total, got, row.want)
		}
	}
}
