package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestProgressIsForTerminalsOnly(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b)
	p.line(func(time.Duration) string { t.Error("a line is drawn that nobody sees"); return "" })
	p.end()
	if b.Len() > 0 {
		t.Errorf("written to what is no terminal: %q", b.String())
	}
}

func TestAProgressLineIsTakenAway(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, started: time.Now()}
	p.line(func(time.Duration) string { return "50% of \x1b[31mit" })
	p.line(func(time.Duration) string { t.Error("a line is drawn too soon after the last"); return "" })
	p.end()
	p.end()
	const want = "\r50% of \ufffd[31mit\x1b[K\r\x1b[K"
	if b.String() != want {
		t.Errorf("written: %q, want %q", b.String(), want)
	}
}

func TestAmountsAndPercents(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1500: "1.5 kB", 35_545_088: "35.5 MB", 12e9: "12.0 GB"} {
		if got := amount(n); got != want {
			t.Errorf("amount(%d) = %q, want %q", n, got, want)
		}
	}
	for _, row := range []struct{ done, total, want int64 }{{0, 0, 100}, {1, 3, 33}, {5, 3, 100}} {
		if got := percent(row.done, row.total); got != row.want {
			t.Errorf("percent(%d, %d) = %d, want %d", row.done, row.total, got, row.want)
		}
	}
}

func TestAFileIsThereWhenItIsComplete(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "table.mrt")
	if err := os.WriteFile(name, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := errors.New("the answer ends early")
	err := writeWhole(name, func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, full)
	})
	if !errors.Is(err, full) {
		t.Errorf("writeWhole = %v, want %v", err, full)
	}
	wantFile(t, name, "before")
	err = writeWhole(name, func(w io.Writer) error {
		wantFile(t, name, "before")
		_, err := io.WriteString(w, "after")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, name, "after")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v; want the file only", entries, err)
	}
}

func wantFile(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("the file has %q, %v; want %q", got, err, want)
	}
}
