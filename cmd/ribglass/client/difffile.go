package client

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

	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/intake"
	"ribglass/cmd/ribglass/terminal"
	"ribglass/collector/wire/mrt"
	"ribglass/httpapi/answer"
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
		return exit.UsageError{Err: err}
	}
	if !q.At.IsZero() || !q.Between.IsZero() {
		return exit.UsageError{Err: errors.New("--file: the moment of the peer is --at, not a word of the query")}
	}
	recorded, err := d.readTable(ctx, d.file)
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
	return d.printLocal(ctx, compare.New(a, b, q, false), q, a.Peer)
}

// readTable returns the table at the end of a file. Entries that no router could
// have sent, such as BIRD's own routes, are left out; other damage is an error.
func (d *diff) readTable(ctx context.Context, file string) (t *table.Table, err error) {
	stream, err := intake.Open(ctx, []string{file}, mrt.SourceOptions{ReplacesTable: true})
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
		fmt.Fprintf(d.notes, terminal.Signs("%s: passed over: %d × %s: %s\n"), terminal.Clean(file), entries, mrt.SkippedEntry, terminal.Clean(report.Errors[0].Error()))
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
	return d.readTable(ctx, f.Name())
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

// printLocal prints a comparison that was made here as if the server had made it.
func (d *diff) printLocal(ctx context.Context, c *compare.Comparison, q query.Query, recorded string) error {
	counts, err := c.Count(ctx)
	if err != nil {
		return err
	}
	found := comparison{
		Diff: answer.Diff{Query: answer.Asked{Canonical: q.String()}, Counts: countsOf(counts), Differences: []answer.Difference{}},
		A:    diffSide{answer.DiffSide{Peer: recorded}, d.file},
		B:    diffSide{answer.DiffSide{Peer: d.peers[0]}, d.server},
	}
	if len(d.moments) == 1 {
		found.B.Peer += " at " + d.moments[0]
	}
	if !d.summary {
		if err := d.printDifferences(ctx, c, &found); err != nil {
			return err
		}
	}
	switch d.format {
	case formatJSON:
		err = json.NewEncoder(d.out).Encode(&found)
	case formatText:
		err = found.printSummary(d.out)
	}
	if err != nil {
		return err
	}
	return found.verdict()
}

// printDifferences prints them or, for one JSON document, adds them to it.
func (d *diff) printDifferences(ctx context.Context, c *compare.Comparison, found *comparison) error {
	return c.Stream(ctx, func(list []compare.Difference) error {
		var b bytes.Buffer
		for i := range list {
			one := differenceOf(&list[i])
			switch d.format {
			case formatJSON:
				found.Differences = append(found.Differences, one)
			case formatNDJSON:
				if err := json.NewEncoder(&b).Encode(&one); err != nil {
					return err
				}
			default:
				fmt.Fprintln(&b, textOfDifference(&one))
			}
		}
		_, err := d.out.Write(b.Bytes())
		return err
	})
}

// countsOf returns counts as a server would.
func countsOf(c *compare.Counts) *answer.DiffCounts {
	counts := &answer.DiffCounts{
		Same: c.Same, Added: c.Added, Withdrawn: c.Withdrawn, Changed: c.Changed,
		Causes: []answer.CauseCount{}, Peers: []answer.PeerDiff{}, Attributes: []answer.Facet{},
	}
	for _, one := range c.Causes {
		counts.Causes = append(counts.Causes, answer.CauseCount{Kind: string(one.Kind), Cause: string(one.Cause), Count: one.Count})
	}
	for _, one := range c.Peers {
		counts.Peers = append(counts.Peers, answer.PeerDiff{
			Peer: one.Peer, Same: one.Same, Added: one.Added, Withdrawn: one.Withdrawn, Changed: one.Changed,
		})
	}
	for _, one := range c.Attributes {
		counts.Attributes = append(counts.Attributes, answer.Facet{Value: one.Value, Count: one.Count})
	}
	return counts
}

// differenceOf returns a difference as a server would.
func differenceOf(d *compare.Difference) answer.Difference {
	return answer.Difference{
		Prefix: d.Prefix, Family: d.Family.String(), Kind: string(d.Kind), Cause: string(d.Cause), Attributes: d.Attributes,
		Old: comparedRoute(d.Old), New: comparedRoute(d.New),
	}
}

// comparedRoute returns a route of a comparison, which makes no decision between
// routes; nil when there is no route.
func comparedRoute(r *route.Route) *answer.Route {
	if r == nil {
		return nil
	}
	one := answer.RouteOf(r)
	one.Best, one.Decision = nil, ""
	return &one
}
