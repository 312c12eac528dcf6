// Package demo is the demonstration's routers: speakers inside the program that
// dial its own BGP port as routers would and announce a few thousand real
// prefixes. So a newcomer sees a looking glass at work without owning a router.
//
// [Run] plays the speakers that a configuration names until its context ends.
// It owns a goroutine for each; a speaker whose session ends dials again. What
// they announce is in routes.mrt.zst, see README.md beside it. [Prepare] makes up
// the day before.
package demo

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"ribglass/cmd/ribglass/config"
)

// Run plays the demo speakers of cfg to the collector that listens at address.
// It returns nil when ctx ends, and an error when the recorded table is damaged.
func Run(ctx context.Context, cfg *config.Config, address netip.AddrPort, log *slog.Logger) error {
	table, err := load()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	neighbors := make(map[string]config.Neighbor)
	for _, n := range cfg.Neighbors {
		neighbors[n.Name] = n
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, s := range cfg.Demo.Speakers {
		n := neighbors[s.Neighbor]
		speaker := &speaker{
			collector: address, neighbor: n, routerID: routerID(i),
			routes: feed(table, s.Feed, n.ASN), log: log.With("speaker", s.Neighbor),
		}
		group.Go(func() error { speaker.run(ctx); return nil })
	}
	return group.Wait()
}

// routerID returns the BGP identifier of speaker i, an address for documentation
// (RFC 5737).
func routerID(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(i + 1)}) }
