package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"ribglass/ribstore/history"
)

// year is the arithmetic of a year of the default tiers for one full feed, in
// octets. What a day costs is measured: after the run the file is pruned as it
// would be when these days are three and when they are forty days old.
type year struct {
	Base    int64 `json:"base_bytes"`            // a whole snapshot
	Journal int64 `json:"journal_day_bytes"`     // a day of journal
	Quarter int64 `json:"quarter_hour_day"`      // a day of snapshots each quarter of an hour
	Hour    int64 `json:"hour_day"`              // a day of hourly ones
	Day     int64 `json:"day_day"`               // a daily one
	Bound   bool  `json:"day_is_bound"`          // Day is a whole snapshot: there were too few days to measure it
	Total   int64 `json:"total_bytes"`           //
	Hourly  int64 `json:"file_after_three_days"` // octets in use, all feeds
	Daily   int64 `json:"file_after_forty_days"`
}

// The default tiers: see history.DefaultConfig.
const (
	quarterDays = 2
	hourDays    = 30 - quarterDays
	dayDays     = 365 - 30
	journalDays = 30
)

func (d *days) year(ctx context.Context, path string) (*year, error) {
	fmt.Fprintln(d.progress, "  retention")
	if err := d.history.Close(); err != nil {
		return nil, err
	}
	aged := filepath.Join(filepath.Dir(path), "aged.db")
	if err := copyFile(path, aged); err != nil {
		return nil, err
	}
	var after [2]int64
	for i, age := range []time.Duration{3 * 24 * time.Hour, 40 * 24 * time.Hour} {
		used, err := d.aged(ctx, aged, age)
		if err != nil {
			return nil, err
		}
		after[i] = used
	}
	// Measured again only to have something open that the caller closes.
	var err error
	d.history, err = history.OpenReadOnly(path, history.Deps{Logger: quietLogger(d.progress), Now: time.Now})
	y := d.result.year(after[0], after[1])
	return &y, err
}

// aged prunes a file as old as that and returns the octets then in use.
func (d *days) aged(ctx context.Context, path string, age time.Duration) (int64, error) {
	config := history.DefaultConfig()
	config.MaxSize = 1 << 40
	now := d.now.Add(age)
	h, err := history.Open(path, config, history.Deps{Logger: quietLogger(d.progress), Now: func() time.Time { return now }})
	if err != nil {
		return 0, err
	}
	defer h.Close()
	if err := h.Prune(ctx); err != nil {
		return 0, err
	}
	s := h.Stats()
	return s.FileBytes - s.FreeBytes, nil
}

// year does the arithmetic with what is in use of the file when its days are three
// and forty days old.
func (d *recordedDays) year(hourly, daily int64) year {
	y := year{Hourly: hourly, Daily: daily}
	feeds := int64(max(1, d.Feeds))
	perDay := func(octets int64) int64 { return int64(float64(max(0, octets))/d.Days) / feeds }
	y.Base = d.First / feeds
	y.Journal = perDay(max(d.Grown, d.Journal)) // the file may have had room already
	y.Quarter = perDay(d.Written)
	y.Hour = min(perDay(hourly-d.First-d.Grown), y.Quarter)
	const enough = 3 // days, to see what a daily snapshot adds to the one before
	if d.Days >= enough {
		y.Day = min(int64(float64(max(0, daily-d.First))/(d.Days-1))/feeds, y.Base)
	} else {
		y.Day, y.Bound = y.Base, true
	}
	y.Total = y.Base + journalDays*y.Journal + quarterDays*y.Quarter + hourDays*y.Hour + dayDays*y.Day
	return y
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}
