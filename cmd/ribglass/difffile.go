package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"ribglass/cmd/ribglass/intake"
	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// runFile compares the table of a file with the routes of a peer. The peer's come
// as MRT, which keeps every attribute as it is.
func (d *diff) runFile(ctx context.Context) error {
	q, err := query.Parse(d.text)
	if err != nil {
		return usageError{err}
	}
	if !q.At.IsZero() || !q.Between.IsZero() {
		return usageError{errors.New("--file: the moment of the peer is --at, not a word of the query")}
	}
	recorded, err := d.readTable(d.file)
	if err != nil {
		return err
	}
	live, err := d.fetchPeer(ctx)
	if err != nil {
		return err
	}
	a, b := compare.Side{Known: query.Known{Table: recorded}}, compare.Side{Known: query.Known{Table: live}}
	ours := withRoutes(live)
	if len(ours) > 0 {
		b.Peer = ours[0].Name
	}
	if a.Peer, err = d.chooseRecorded(withRoutes(recorded), ours); err != nil {
		return err
	}
	return d.printLocal(ctx, compare.New(a, b, q, false), a.Peer)
}

// readTable returns the table at the end of a file. Entries that no router could
// have sent, such as BIRD's own routes, are left out; other damage is an error.
func (d *diff) readTable(file string) (t *table.Table, err error) {
	stream, err := intake.Open([]string{file}, mrt.SourceOptions{ReplacesTable: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	t = table.New()
	for {
		b, err := stream.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		t.Apply(&b.Batch)
		b.Release()
		if b.Event != route.Routes {
			t.Work()
		}
	}
	report := stream.Reports()[0]
	entries := report.Skipped[mrt.SkippedEntry]
	for kind := range report.Skipped {
		if kind != mrt.SkippedEntry {
			// What was passed over would be told as a difference.
			return nil, fmt.Errorf("%s: %w", file, report.Errors[0])
		}
	}
	if entries > 0 {
		fmt.Fprintf(d.notes, "%s: passed over: %d × %s: %s\n", clean(file), entries, mrt.SkippedEntry, clean(report.Errors[0].Error()))
	}
	return t, nil
}

// fetchPeer returns a table with the routes of the peer.
func (d *diff) fetchPeer(ctx context.Context) (*table.Table, error) {
	values := url.Values{"format": {formatMRT}, "peer": {d.peers[0]}}
	if len(d.moments) == 1 {
		values.Set("at", d.moments[0])
	}
	if d.collection != "" {
		values.Set("collection", d.collection)
	}
	f, err := os.CreateTemp("", "ribglass-diff")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is of no use to anybody
	_, err = d.stream(ctx, "/api/v1/export", values, "application/octet-stream", f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return d.readTable(f.Name())
}

// withRoutes returns the peers of a table that have routes, by name.
func withRoutes(t *table.Table) []*route.Peer {
	var list []*route.Peer
	for _, p := range t.Peers() {
		if p.Routes != [route.NumFamilies]int{} {
			list = append(list, p.Peer)
		}
	}
	slices.SortFunc(list, func(a, b *route.Peer) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// chooseRecorded returns the name of the file's peer that is compared.
func (d *diff) chooseRecorded(recorded, ours []*route.Peer) (string, error) {
	names := make([]string, len(recorded))
	for i, p := range recorded {
		names[i] = p.Name
		if d.filePeer == p.Name || d.filePeer == p.Address.String() {
			return p.Name, nil
		}
	}
	switch {
	case d.filePeer != "":
		return "", fmt.Errorf("%s has no peer %q; it has %s", d.file, d.filePeer, strings.Join(names, ", "))
	case len(recorded) == 1:
		return recorded[0].Name, nil
	case len(recorded) == 0:
		return "", nil
	}
	for _, p := range recorded {
		if len(ours) > 0 && p.Address == ours[0].Address && p.ASN == ours[0].ASN {
			return p.Name, nil
		}
	}
	return "", fmt.Errorf("%s has several peers: say which with --file-peer: %s", d.file, strings.Join(names, ", "))
}

// printLocal prints a comparison with the recorded routes of a peer that was made
// here, as one that the server made.
func (d *diff) printLocal(ctx context.Context, c *compare.Comparison, recorded string) error {
	counts, err := c.Count(ctx)
	if err != nil {
		return err
	}
	answer := diffAnswer{A: diffSide{File: d.file, Peer: recorded}, B: diffSide{Peer: d.peers[0]}}
	if len(d.moments) == 1 {
		answer.B.Peer += " at " + d.moments[0]
	}
	answer.B.File = d.server
	answer.Counts = countsOf(counts)
	if !d.summary {
		if err := d.printDifferences(ctx, c, &answer); err != nil {
			return err
		}
	}
	switch d.format {
	case formatJSON:
		err = json.NewEncoder(d.out).Encode(&answer)
	case formatText:
		err = answer.printSummary(d.out)
	}
	if err != nil {
		return err
	}
	return answer.verdict()
}

// printDifferences prints them or, for one JSON document, adds them to it.
func (d *diff) printDifferences(ctx context.Context, c *compare.Comparison, answer *diffAnswer) error {
	return c.Stream(ctx, func(list []compare.Difference) error {
		var b bytes.Buffer
		for i := range list {
			one, err := differenceOf(&list[i])
			switch {
			case err != nil:
				return err
			case d.format == formatJSON:
				answer.Differences = append(answer.Differences, one)
			case d.format == formatNDJSON:
				err = json.NewEncoder(&b).Encode(&one)
			default:
				fmt.Fprintln(&b, one.text())
			}
			if err != nil {
				return err
			}
		}
		_, err := d.out.Write(b.Bytes())
		return err
	})
}

func countsOf(c *compare.Counts) diffCounts {
	counts := diffCounts{Same: c.Same, Added: c.Added, Withdrawn: c.Withdrawn, Changed: c.Changed}
	for _, one := range c.Causes {
		counts.Causes = append(counts.Causes, causeCount{string(one.Kind), string(one.Cause), one.Count})
	}
	return counts
}

func differenceOf(d *compare.Difference) (difference, error) {
	one := difference{Prefix: d.Prefix, Family: d.Family.String(), Kind: string(d.Kind), Cause: string(d.Cause), Attributes: d.Attributes}
	var err error
	if d.Old != nil {
		one.Old, err = json.Marshal(routeAnswerOf(d.Old))
	}
	if d.New != nil && err == nil {
		one.New, err = json.Marshal(routeAnswerOf(d.New))
	}
	return one, err
}

// routeAnswerOf returns a route as an answer would have it.
func routeAnswerOf(r *route.Route) *routeAnswer {
	a := &routeAnswer{
		Prefix: r.Prefix, Peer: r.Peer.Name, ReceivedAt: r.ReceivedAt, Origin: r.Attrs.Origin().String(), ASPath: r.Attrs.ASPath().String(),
	}
	if hop := r.Attrs.NextHop(); hop.IsValid() {
		a.NextHop = hop.String()
	}
	if r.Peer.AddPath[r.Family] {
		a.PathID = &r.PathID
	}
	if med, ok := r.Attrs.MED(); ok {
		a.MED = &med
	}
	if preference, ok := r.Attrs.LocalPref(); ok {
		a.LocalPref = &preference
	}
	for c := range r.Attrs.Communities().All() {
		a.Communities = append(a.Communities, c.String())
	}
	for c := range r.Attrs.LargeCommunities().All() {
		a.Large = append(a.Large, c.String())
	}
	for c := range r.Attrs.ExtCommunities() {
		a.Extended = append(a.Extended, c.String())
	}
	return a
}
