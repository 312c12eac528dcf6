package main

import (
	"fmt"
	"io"
	"time"
)

// writeHistory prints targets beside what was measured.
func (r *report) writeHistory(w io.Writer) {
	h := r.History
	if h == nil {
		return
	}
	fmt.Fprintf(w, "history, %.0f changes a second and feed:\n| what | target | measured |\n|---|---|---|\n", h.Rate)
	line := func(what, target, format string, args ...any) {
		fmt.Fprintf(w, "| %s | %s | %s |\n", what, target, fmt.Sprintf(format, args...))
	}
	if h.Live != nil {
		h.Live.write(line)
	}
	if h.Days != nil {
		h.Days.write(line)
	}
	if h.Answers != nil {
		h.Answers.write(line)
	}
	if h.Exchange != nil {
		h.Exchange.write(line)
	}
	if h.Year != nil {
		h.Year.write(w)
	}
}

type writeLine func(what, target, format string, args ...any)

func (l *livePast) write(line writeLine) {
	for _, s := range l.Snapshots {
		line(fmt.Sprintf("snapshot of %d routes, live (%d new chunks, %s): processor time", s.Routes, s.Chunks, megabytes(uint64(s.Bytes))),
			"≤ 5 s of one core", "%.2f s of its own in %.2f s (%.2f s with lookups and churn)", s.Own.Seconds(), s.Took.Seconds(), s.CPU.Seconds())
		line("lookups at 500/s during it", "p99 < 5 ms", "%v", s.Lookups)
	}
	line("lookups at 500/s and churn without a snapshot", "", "%v", l.Quiet)
	line("kill -9, started again: first answer", "≤ 2 s", "%.2f s, %.2f s of processor time", l.First.Seconds(), l.FirstCPU.Seconds())
}

func (d *recordedDays) write(line writeLine) {
	percent := func(n, of int64) float64 { return 100 * float64(n) / float64(max(1, of)) }
	line(fmt.Sprintf("first snapshot (%d routes, %d sets) against MRT by gzip -6", d.Routes, d.Sets), "≤ 40 %", "%.1f %% (%s of %s), %.2f s of processor time",
		percent(d.First, d.Gzip), megabytes(uint64(d.First)), megabytes(uint64(d.Gzip)), d.FirstCPU.Seconds())
	line(fmt.Sprintf("each further snapshot, median of %d, against the first", d.Snapshots), "≤ 10 %", "%.1f %% (%s), largest %.1f %%, %.2f s of processor time",
		percent(d.Median, d.First), megabytes(uint64(d.Median)), percent(d.Largest, d.First), d.MedianCPU.Seconds())
	line(fmt.Sprintf("journal, %d changes of %.2f days", d.Changes, d.Days), "≤ 12 octets a change", "the file grew by %.1f octets; stored %.1f", float64(d.Grown)/float64(max(1, d.Changes)), d.perChange())
	line("changes recorded, applied, written, merged", "", "%.0f/s", d.PerSecond)
	line("file after it", "", "%s, %s of it free", megabytes(uint64(d.File)), megabytes(uint64(d.Free)))
}

func (a *pastAnswers) write(line writeLine) {
	round := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	line("lookup at any second", "≤ 30 ms", "%v", a.Lookup)
	line("timeline of a random prefix", "≤ 100 ms", "%v", a.Timeline)
	line(fmt.Sprintf("timeline of the most restless (to %d states)", a.States), "≤ 100 ms", "%v", a.Restless)
	line("search in the whole table of the past, first", "≤ 3 s", "%v", a.Whole)
	line("and again", "as live", "%v; live %v", a.Again, a.Live)
	line(fmt.Sprintf("diff of two whole tables %v apart", a.Apart), "≤ 3 s", "%v, %v of it for the tables; again %v; %d differences",
		round(a.Diff), round(a.DiffLoad), a.DiffNext, a.Differ)
	line("open and resume", "", "%v", round(a.Open))
}

func (m *mrtRates) write(line writeLine) {
	rate := func(d time.Duration) float64 { return float64(m.Routes) / max(1e-9, d.Seconds()) / 1e6 }
	line(fmt.Sprintf("MRT read into batches, %d routes", m.Routes), "≥ 1M routes/s of one core", "%.2fM/s of processor time, %.2fM/s of time", rate(m.Read), rate(m.ReadWall))
	if m.Import > 0 {
		line("MRT imported into a collection", "≥ 1M routes/s of one core", "%.2fM/s of processor time, %.2fM/s of time", rate(m.Import), rate(m.ImportAll))
	}
	if m.Bgpdump > 0 {
		line("`bgpdump -m` of the same file", "", "%.2fM/s of processor time", rate(m.Bgpdump))
	}
}

// write prints the arithmetic.
func (y *year) write(w io.Writer) {
	fmt.Fprint(w, "a year of the default tiers for one full feed:\n| part | a day | days | together |\n|---|---|---|---|\n")
	row := func(part string, day, days int64) {
		fmt.Fprintf(w, "| %s | %s | %d | %s |\n", part, megabytes(uint64(day)), days, megabytes(uint64(day*days)))
	}
	row("one whole snapshot", y.Base, 1)
	row("snapshots each quarter of an hour", y.Quarter, quarterDays)
	row("hourly snapshots", y.Hour, hourDays)
	note := ""
	if y.Bound {
		note = " (at most: a whole one each)"
	}
	row("daily snapshots"+note, y.Day, dayDays)
	row("journal", y.Journal, journalDays)
	fmt.Fprintf(w, "| all (target ≤ 10 GB) | | | **%s** |\n", megabytes(uint64(y.Total)))
}
