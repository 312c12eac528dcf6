package ui

import (
	"strings"
	"testing"
	"time"

	"ribglass/ui/catalogue"
)

func TestSparklines(t *testing.T) {
	hour := make([]int, 60)
	hour[0], hour[59] = 7, 14
	for _, row := range []struct {
		name    string
		changes []int
		blocks  string
		line    string // its begin
	}{
		{"of nothing is flat", nil, "▁▁▁▁▁▁", "M1 15l0 0 2 0 2 0 "},
		{"of a quiet hour is flat", make([]int, 60), "▁▁▁▁▁▁", "M1 15l0 0 2 0 2 0 "},
		{"of a whole hour is as high as the busiest", hour, "▅▁▁▁▁█", "M1 15l0 -7 2 7 2 0 "},
		{"of a few minutes is at the right", []int{1}, "▁▁▁▁▁█", "M1 15l0 0 2 0 2 0 "},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := Rate{Changes: row.changes}
			if got := r.Blocks(6); got != row.blocks {
				t.Errorf("Blocks(6) = %q, want %q", got, row.blocks)
			}
			if got := r.Line(); !strings.HasPrefix(got, row.line) {
				t.Errorf("Line() = %q, want %q…", got, row.line)
			}
		})
	}
}

func TestGrowthIsDrawnToItsScale(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(hours, routes int) GrowthPoint {
		return GrowthPoint{noon.Add(time.Duration(hours) * time.Hour), routes}
	}
	for _, row := range []struct {
		name   string
		points []GrowthPoint
		line   string
	}{
		{"one point is in the middle", []GrowthPoint{at(0, 5)}, "M0 21L0 21"},
		{"none in the table", []GrowthPoint{at(0, 0), at(1, 0)}, "M0 21L0 21L300 21"},
		{"growth goes up", []GrowthPoint{at(0, 0), at(1, 50), at(2, 100)}, "M0 41L0 41L150 21L300 1"},
		{"a little up and down stays near the middle", []GrowthPoint{at(0, 1000000), at(1, 1000010), at(2, 1000000)}, "M0 22L0 22L150 21L300 22"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := (&Growth{row.points}).Line(); got != row.line {
				t.Errorf("Line() = %q, want %q", got, row.line)
			}
		})
	}
}

func TestSinceWhen(t *testing.T) {
	texts, err := catalogue.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	l := tongue{texts.English()}
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		time.Hour: "since 11:00 UTC", 13 * time.Hour: "since 2026-11-21 23:00 UTC", 24 * time.Hour: "since yesterday",
		72 * time.Hour: "since 2026-11-19 12:00 UTC",
	} {
		if got := l.since(noon, noon.Add(-ago)); got != want {
			t.Errorf("since(%v ago) = %q, want %q", ago, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 1234: "+1,234", -5: "\u22125"} {
		if got := l.signed(n); got != want {
			t.Errorf("signed(%d) = %q, want %q", n, got, want)
		}
	}
}
