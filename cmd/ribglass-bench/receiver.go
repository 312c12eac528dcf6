package main

import (
	"context"
	"net/netip"

	"ribglass/ribstore/route"
)

// localASN is the AS of every receiver.
const localASN route.ASN = 64500

// receiver is a running program that the feeds are played to.
type receiver struct {
	name    string // and version
	address string // where it waits for sessions
	*process
	asker
}

// asker asks a receiver as its users would.
type asker interface {
	// answers reports whether a lookup finds the route that the feed sent.
	answers(ctx context.Context, f feed, p netip.Prefix) (bool, error)
	// counts returns the routes of all peers.
	counts(ctx context.Context) ([route.NumFamilies]int, error)
	close()
}

// shutdown stops the receiver.
func (r *receiver) shutdown() {
	r.asker.close()
	r.stop()
}
