package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRowsForTheDocumentation(t *testing.T) {
	loaded := func(cpu time.Duration, settled uint64) *loads {
		return &loads{
			Idle: 10e6, Routes: 2_460_000, CPU: cpu, Peak: 2 * settled, Settled: settled,
			Loads: []load{{Wall: 400 * time.Millisecond}, {}, {Grown: 29_440_000}},
		}
	}
	r := report{
		Started: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), Table: "generated", Commit: "0123abcd",
		Machine: machine{Processor: "AMD EPYC", Cores: 2, Memory: 25e9, Kernel: "linux 6.18", Go: "go1.26.8"},
		BIRD:    loaded(6700*time.Millisecond, 482e6), Forgetful: loaded(4*time.Second, 100e6), Ribglass: loaded(5*time.Second, 120e6),
	}
	r.Ribglass.Restart = &restarted{File: 63e6, Listens: 120 * time.Millisecond, Whole: 1500 * time.Millisecond, CPU: 1800 * time.Millisecond, Peak: 300e6, FirstPast: time.Second}
	var b strings.Builder
	if err := r.writeMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	const want = "generated; AMD EPYC, 2 cores, 25 GB, linux 6.18, go1.26.8, 2026-11-30.\n\n" +
		"| what | with history | without | ratio | BIRD 2 | ratio to BIRD 2 | measured at |\n" +
		"|---|---|---|---|---|---|---|\n" +
		"| 3 feeds, 2,460,000 routes: processor time | **5.00 s** | 4.00 s | 1.25 | 6.70 s | 0.75 | `0123abcd` |\n" +
		"| 3 feeds, 2,460,000 routes: peak memory | **240 MB** | 200 MB | 1.20 | 964 MB | 0.25 | `0123abcd` |\n" +
		"| 3 feeds, 2,460,000 routes: settled memory | **120 MB** | 100 MB | 1.20 | 482 MB | 0.25 | `0123abcd` |\n" +
		"| 3 feeds, 2,460,000 routes: settled, a route | **44.7 bytes** | 36.6 bytes | 1.22 | 191.9 bytes | 0.23 | `0123abcd` |\n" +
		"| 3 feeds, 2,460,000 routes: each further feed, settled | **29.4 MB** | 29.4 MB | 1.00 | 29.4 MB | 1.00 | `0123abcd` |\n" +
		"| 3 feeds, 2,460,000 routes: the first feed, time | **0.40 s** | 0.40 s | 1.00 | 0.40 s | 1.00 | `0123abcd` |\n" +
		"| 3 feeds, 2,460,000 routes: killed and started again: answers | **0.12 s** | | | | | `0123abcd` |\n" +
		"| 3 feeds, 2,460,000 routes: killed and started again: all routes are there | **1.50 s** | | | | | `0123abcd` |\n" +
		"| 3 feeds, 2,460,000 routes: killed and started again: processor time, peak until then | **1.80 s, 300 MB** | | | | | `0123abcd` |\n" +
		"| 3 feeds, 2,460,000 routes: what it reads then | **63 MB** | | | | | `0123abcd` |\n" +
		"| 3 feeds, 2,460,000 routes: first search in the past after that | **1.00 s** | | | | | `0123abcd` |\n\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestRowsWithoutBirdHaveEmptyCells(t *testing.T) {
	r := report{Commit: unknownCommit, Ribglass: &loads{Routes: 1, CPU: time.Second, Loads: []load{{Wall: time.Second}}}}
	var b strings.Builder
	if err := r.writeMarkdown(&b); err != nil || !strings.Contains(b.String(), "| one feed, 1 routes: processor time | **1.00 s** |  |  |  |  | `unknown` |\n") {
		t.Errorf("writeMarkdown: %v\n%s", err, &b)
	}
	if strings.Contains(b.String(), "further feed") {
		t.Errorf("one feed says what a further one costs:\n%s", &b)
	}
}
