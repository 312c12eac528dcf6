package main

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/collector/wire/mrt"
)

func TestDaysAreRecordedAndAnswer(t *testing.T) {
	o := &options{shape: shape{feeds: 2, ipv4: 4000, ipv6: 1000, seed: 1}}
	o.past = historyOptions{days: 0.02, rate: 5, every: 5 * time.Minute, flush: time.Minute}
	table := generate(o.shape)
	known, err := allAnnounced(table)
	if err != nil {
		t.Fatal(err)
	}
	var h pasts
	if err := o.measureDays(t.Context(), table, known, t.TempDir(), &h, io.Discard); err != nil {
		t.Fatal(err)
	}
	d := h.Days
	if want := 2 * 5000; d.Routes != want {
		t.Errorf("%d routes, want %d", d.Routes, want)
	}
	// Churn, a reset of 5000 routes, and an outage that moves 5000 and back.
	churn := int(0.02 * 86400 * 5 * 2)
	if least, most := churn/2+15_000, churn*2+15_000; d.Changes < least || d.Changes > most {
		t.Errorf("%d changes, want %d to %d", d.Changes, least, most)
	}
	if d.First == 0 || d.Gzip == 0 || d.Journal <= 0 || d.Snapshots != 5 || d.Median == 0 {
		t.Errorf("something was not measured: %+v", d)
	}
	a := h.Answers
	if a.Lookup.Runs == 0 || a.Timeline.Runs == 0 || a.Whole.Runs == 0 || a.Differ == 0 || a.States < 2 {
		t.Errorf("something was not asked: %+v", a)
	}
	if h.Year == nil || h.Year.Total == 0 {
		t.Errorf("there is no arithmetic of a year")
	}
	var b strings.Builder
	(&report{History: &h}).writeHistory(&b)
	for _, want := range []string{"≤ 12 octets a change", "≤ 30 ms", "≤ 100 ms", "≤ 40 %", "≤ 10 %", "target ≤ 10 GB"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, &b)
		}
	}
}

func TestATableWrittenAsMRTIsReadAgain(t *testing.T) {
	table := generate(shape{feeds: 2, ipv4: 3000, ipv6: 1000, seed: 1})
	known, err := allAnnounced(table)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeMRT(t.Context(), &b, plainTable(table, known), dayZero()); err != nil {
		t.Fatal(err)
	}
	s, err := mrt.NewSource(&b, mrt.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for {
		batch, err := s.Next()
		if err != nil {
			break
		}
		batch.Release()
	}
	if got, want := s.Report().Announcements, 8000; got != want {
		t.Errorf("%d routes, want %d: %+v", got, want, s.Report())
	}
	path := filepath.Join(t.TempDir(), "table.mrt")
	if err := writeTable(t.Context(), plainTable(table, known), path); err != nil {
		t.Fatal(err)
	}
	m := mrtRates{}
	if err := m.read(path); err != nil || m.Routes != 8000 {
		t.Errorf("read = %+v, %v", m, err)
	}
}

func TestLookupsDuringASnapshotAreTold(t *testing.T) {
	start := time.Unix(0, 0)
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	l := livingPast{result: &livePast{Snapshots: []liveSnapshot{{from: at(10), to: at(20), Took: 10 * time.Second}}}, progress: io.Discard}
	var samples []sample
	var uses []used
	cpu := time.Duration(0)
	for n := range 40 {
		samples = append(samples, sample{at(n), at(n), at(n).Add(time.Millisecond)})
		cpu += 100 * time.Millisecond
		if n > 10 && n <= 20 {
			cpu += 400 * time.Millisecond
		}
		uses = append(uses, used{at(n), cpu})
	}
	l.sumUp(samples, uses)
	s := l.result.Snapshots[0]
	if s.Lookups.Lookups != 10 || l.result.Quiet.Lookups != 30 {
		t.Errorf("%d lookups during it and %d else, want 10 and 30", s.Lookups.Lookups, l.result.Quiet.Lookups)
	}
	if s.CPU != 5*time.Second || s.Own.Round(10*time.Millisecond) != 4*time.Second {
		t.Errorf("processor time %v, its own %v, want 5s and 4s", s.CPU, s.Own)
	}
}

func TestTheArithmeticOfAYear(t *testing.T) {
	d := recordedDays{Days: 4, Feeds: 2, First: 2000, Grown: 800, Written: 1600}
	want := year{
		Base: 1000, Journal: 100, Quarter: 200, Hour: 50, Day: 25, Hourly: 3200, Daily: 2150,
		Total: 1000 + 30*100 + 2*200 + 28*50 + 335*25,
	}
	if diff := cmp.Diff(want, d.year(3200, 2150)); diff != "" {
		t.Errorf("four days (-want +got):\n%s", diff)
	}
	d.Days = 1
	if y := d.year(3200, 2150); !y.Bound || y.Day != y.Base {
		t.Errorf("one day: a daily snapshot of %d, bound %v, want at most a whole one", y.Day, y.Bound)
	}
}
