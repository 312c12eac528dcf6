package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
)

// historyOptions are the flags of --history.
type historyOptions struct {
	days  float64
	rate  float64
	every time.Duration // snapshots of the days part
	flush time.Duration
	dir   string
	parts []string
}

func (o *historyOptions) flags(f *pflag.FlagSet) {
	f.Float64Var(&o.days, "days", 1, "days of --history")
	f.Float64Var(&o.rate, "rate", 60, "changes a second and feed of --history")
	f.DurationVar(&o.every, "snapshots", 15*time.Minute, "time between snapshots in the days of --history")
	f.DurationVar(&o.flush, "flush", time.Second, "time between writes of the journal in the days of --history")
	f.StringVar(&o.dir, "dir", "", "where the days of --history are kept meanwhile (default the system's temporary directory)")
	f.StringSliceVar(&o.parts, "history-parts", []string{"live", "mrt", "days"}, "parts of --history")
}

// pasts is what the history costs and how fast it answers.
type pasts struct {
	Rate     float64       `json:"updates_per_second_and_feed"`
	Live     *livePast     `json:"live,omitempty"`
	Days     *recordedDays `json:"days,omitempty"`
	Answers  *pastAnswers  `json:"answers,omitempty"`
	Year     *year         `json:"year,omitempty"`
	Exchange *mrtRates     `json:"mrt,omitempty"`
}

// measureHistory measures the live part with the program itself, and days in this
// process by a clock of their own.
func (o *options) measureHistory(ctx context.Context, t table, result *report, progress io.Writer) error {
	h := pasts{Rate: o.past.rate}
	result.History = &h
	dir, err := os.MkdirTemp(o.past.dir, "ribglass-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, part := range o.past.parts {
		known, err := allAnnounced(t) // a part may give it up
		if err != nil {
			return err
		}
		switch part {
		case "live":
			err = o.measureLivePast(ctx, t, known, &h, progress)
		case "days":
			err = o.measureDays(ctx, t, known, dir, &h, progress)
		case "mrt":
			err = o.measureMRT(ctx, t, known, filepath.Join(dir, "table.mrt"), &h, progress)
		default:
			err = fmt.Errorf("--history-parts %q: have live, days, mrt", part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func allAnnounced(t table) ([]*announced, error) {
	known := make([]*announced, len(t.feeds()))
	for i := range known {
		var err error
		if known[i], err = newAnnounced(t, i); err != nil {
			return nil, err
		}
	}
	return known, nil
}
