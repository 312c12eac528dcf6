package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// unknownCommit stands for the commit of a program that does not know it.
const unknownCommit = "unknown"

// commitOf returns the commit of a ribglass, shortened, with "+changes" behind it
// when it was built from more.
func commitOf(ctx context.Context, binary string) string {
	out, err := exec.CommandContext(ctx, binary, "version").Output()
	if err != nil {
		return unknownCommit
	}
	m := regexp.MustCompile(`(?m)^commit ([0-9a-f]{8})[0-9a-f]*(\+changes)?`).FindSubmatch(out)
	if m == nil {
		return unknownCommit
	}
	return string(m[1]) + string(m[2])
}

// writeMarkdown writes what loading feeds takes as a table for docs/performance.md: with
// history, which is how the program runs, and beside it without.
func (r *report) writeMarkdown(w io.Writer) error {
	m := r.Machine
	fmt.Fprintf(w, "%s; %s, %d cores, %.0f GB, %s, %s, %s.\n\n", r.Table, m.Processor, m.Cores, float64(m.Memory)/1e9, m.Kernel, m.Go, r.Started.Format(time.DateOnly))
	fmt.Fprintln(w, "| what | with history | without | ratio | BIRD 2 | ratio to BIRD 2 | measured at |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|")
	for _, row := range loadRows() {
		r.writeRow(w, row)
	}
	if a := r.restart(); a != nil {
		for _, row := range [][2]string{
			{"killed and started again: answers", seconds(a.Listens)},
			{"killed and started again: all routes are there", seconds(a.Whole)},
			{"killed and started again: processor time, peak until then", seconds(a.CPU) + ", " + wholeMegabytes(float64(a.Peak))},
			{"what it reads then", wholeMegabytes(float64(a.File))},
			{"first search in the past after that", seconds(a.FirstPast)},
		} {
			fmt.Fprintf(w, "| %s: %s | **%s** | | | | | `%s` |\n", feedsOf(r.Ribglass), row[0], row[1], r.Commit)
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}

func (r *report) restart() *restarted {
	if r.Ribglass == nil {
		return nil
	}
	return r.Ribglass.Restart
}

// loadRow is a figure of each receiver; it may have none.
type loadRow struct {
	what  string
	value func(*loads) (float64, bool)
	unit  func(float64) string
}

func loadRows() []loadRow {
	return []loadRow{
		{"processor time", func(l *loads) (float64, bool) { return l.CPU.Seconds(), true }, func(v float64) string { return fmt.Sprintf("%.2f s", v) }},
		{"peak memory", func(l *loads) (float64, bool) { return float64(l.Peak), true }, wholeMegabytes},
		{"settled memory", func(l *loads) (float64, bool) { return float64(l.Settled), true }, wholeMegabytes},
		{"settled, a route", func(l *loads) (float64, bool) { return l.bytesPerRoute(), true }, func(v float64) string { return fmt.Sprintf("%.1f bytes", v) }},
		{"each further feed, settled", func(l *loads) (float64, bool) { n, ok := l.furtherFeed(); return float64(n), ok }, func(v float64) string { return fmt.Sprintf("%.1f MB", v/1e6) }},
		{"the first feed, time", func(l *loads) (float64, bool) { return l.Loads[0].Wall.Seconds(), true }, func(v float64) string { return fmt.Sprintf("%.2f s", v) }},
	}
}

// writeRow writes a figure of all receivers that were measured.
func (r *report) writeRow(w io.Writer, row loadRow) {
	figure := func(l *loads) (float64, string) {
		if l == nil {
			return 0, ""
		}
		v, ok := row.value(l)
		if !ok {
			return 0, ""
		}
		return v, row.unit(v)
	}
	with, text := figure(r.Ribglass)
	if text == "" {
		return
	}
	times := func(other float64) string {
		if other <= 0 {
			return ""
		}
		return fmt.Sprintf("%.2f", with/other)
	}
	without, textWithout := figure(r.Forgetful)
	bird, textBird := figure(r.BIRD)
	cells := []string{feedsOf(r.Ribglass) + ": " + row.what, "**" + text + "**", textWithout, times(without), textBird, times(bird), "`" + r.Commit + "`"}
	fmt.Fprintln(w, strings.TrimRight("| "+strings.Join(cells, " | ")+" |", " "))
}

// feedsOf says how much was loaded.
func feedsOf(l *loads) string {
	feeds := "one feed"
	if n := len(l.Loads); n != 1 {
		feeds = strconv.Itoa(n) + " feeds"
	}
	return fmt.Sprintf("%s, %s routes", feeds, grouped(l.Routes))
}

// grouped writes a number in groups of three digits.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func wholeMegabytes(n float64) string { return fmt.Sprintf("%.0f MB", n/1e6) }
