package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/replay"
	"ribglass/cmd/ribglass/terminal"
)

func replayCommand() *cobra.Command {
	var (
		r    replay.Replay
		from string
		plan bool
	)
	c := &cobra.Command{
		Use:   "replay --to ADDRESS:PORT FILE…",
		Short: "Play recorded tables and updates into a running instance over BGP",
		Long: `Replay opens a BGP session for each peer of MRT files and sends what the peer
said, in the order and at the pace of the records, or faster. A table that the
files begin with comes first. When a recorded session ended, the played one does.

Peer n, in the order in which peers appear, comes from the n-th address of
--from, with the AS number it had; --plan tells which that is, as neighbors for
the configuration of the instance. One rule for all of them does too:

    dynamic_neighbors:
      - { prefix: 127.1.0.0/16, group: replay }

Never play into an instance that others rely on: what was recorded is not what
is.

Exit status: 0 everything was sent, 1 failed or interrupted, 2 wrong usage.`,
		Example: `  ribglass replay --plan rrc01.updates.20241001.0055.gz
  ribglass replay --to 127.0.0.1:1790 --speed 100 rrc01.updates.20241001.0055.gz
  ribglass replay --to 127.0.0.1:1790 --speed 0 --peer AS3333 --stay bview.gz updates.*.gz`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if r.From, err = netip.ParsePrefix(from); err != nil {
				return exit.UsageError{Err: fmt.Errorf("--from %q is not a prefix such as 127.1.0.0/16", from)}
			}
			r.Files = args
			if plan {
				return printPlan(c.Context(), c.OutOrStdout(), &r)
			}
			if _, _, err := net.SplitHostPort(r.To); err != nil {
				return exit.UsageError{Err: errors.New("--to: want the BGP address of an instance, such as 127.0.0.1:1790")}
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			context.AfterFunc(ctx, stop)
			return runReplay(ctx, &r, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&r.To, "to", "", "BGP `address` and port of the instance")
	f.Float64Var(&r.Speed, "speed", 1, "recorded seconds that pass in one second; 0: as fast as it goes")
	f.StringVar(&from, "from", "127.1.0.0/16", "addresses of this machine, as a `prefix`, for the peers to come from")
	f.StringArrayVar(&r.Peers, "peer", nil, "play only this `peer`: its name, address or AS number; may be repeated")
	f.BoolVar(&r.Stay, "stay", false, "keep the sessions up at the end, until interrupted")
	f.BoolVar(&plan, "plan", false, "say which peer comes from which address, and play nothing")
	return c
}

// printPlan writes the neighbors that an instance needs.
func printPlan(ctx context.Context, w io.Writer, r *replay.Replay) error {
	list, err := r.Plan(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "neighbors:")
	for i := range list {
		p := &list[i]
		addPath := ""
		if p.Peer.AddPath[0] {
			addPath = ", add_path: true"
		}
		fmt.Fprintf(w, "  - { name: %s, address: %s, asn: %s%s } # %d routes\n",
			strconv.Quote(terminal.Clean(p.Peer.Name)), p.Source, p.Peer.ASN, addPath, p.Routes)
	}
	return nil
}

// runReplay plays, and tells of it on the way and at the end.
func runReplay(ctx context.Context, r *replay.Replay, out, notes io.Writer) error {
	line := terminal.NewProgress(notes)
	r.Logger = slog.New(slog.NewTextHandler(notes, nil))
	r.Progress = func(p replay.Progress) {
		line.Draw(func(elapsed time.Duration) string {
			return fmt.Sprintf("%3d%%  %s  %s up, %d announced, %d withdrawn, %s", terminal.Percent(p.Done, p.Total),
				p.At.UTC().Format(time.DateTime), terminal.Several(p.Sessions, "session"), p.Announced, p.Withdrawn, elapsed.Round(time.Second))
		})
	}
	started := time.Now()
	p, err := r.Run(ctx)
	line.End()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if p.Omitted > 0 {
		fmt.Fprintf(notes, "%d routes are of families, or have next hops, that the instance does not take\n", p.Omitted)
	}
	fmt.Fprintf(out, "%s opened, %d ended as recorded; %d prefixes announced, %d withdrawn in %s, up to %s\n", terminal.Several(p.Opened, "session"),
		p.Ended, p.Announced, p.Withdrawn, time.Since(started).Round(time.Millisecond), p.At.UTC().Format(time.RFC3339))
	if err != nil {
		return errors.New("interrupted")
	}
	return nil
}
