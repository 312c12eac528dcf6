package dump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// path returns attributes with an AS path, a next hop of the family, and a
// community.
func path(f route.Family, asns ...route.ASN) route.Attrs {
	nextHop := netip.MustParseAddr("192.0.2.1")
	if f.IsIPv6() {
		nextHop = netip.MustParseAddr("2001:db8::1")
	}
	return route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).
		AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, asns...)).
		AppendAttr(route.AttrNextHop, nextHop.AsSlice()).
		AppendAttr(route.AttrCommunities, []byte{0xfb, 0xf5, 0, 1})
}

func announce(f route.Family, prefix string, id uint32, asns ...route.ASN) route.Update {
	return route.Update{Family: f, Attrs: path(f, asns...), NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix(prefix), PathID: id}}}
}

// scenario is a store with a past: two peers, one of which has several paths a
// prefix, change their routes.
func scenario(t *testing.T) *ribstore.Store {
	t.Helper()
	var minutes atomic.Int64
	clock := func() time.Time {
		return time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC).Add(time.Duration(minutes.Load()) * time.Minute)
	}
	log := slog.New(slog.DiscardHandler)
	past, err := history.Open(filepath.Join(t.TempDir(), "history.db"), history.DefaultConfig(), history.Deps{Logger: log, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	store, err := ribstore.New(ribstore.DefaultConfig(), ribstore.Deps{Logger: log, Registerer: prometheus.NewRegistry(), Now: clock, History: past})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	plain := &route.Peer{Name: "edge1", Address: netip.MustParseAddr("192.0.2.1"), ASN: 64501, LocalASN: 64500, RouterID: netip.MustParseAddr("192.0.2.1")}
	several := &route.Peer{Name: "rs1", Address: netip.MustParseAddr("2001:db8::2"), ASN: 64502, LocalASN: 64500, RouterID: netip.MustParseAddr("192.0.2.2")}
	several.AddPath[route.IPv4Unicast] = true
	in := make(chan route.Batch)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- store.Run(ctx, in) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, past.Close()); err != nil {
			t.Error(err)
		}
	})
	v4, v6 := route.IPv4Unicast, route.IPv6Unicast
	down := route.Batch{Peer: several, Event: route.PeerDown, Reason: "hold timer expired"}
	down.Retention[v4].Stale = 24 * time.Hour
	for _, b := range []route.Batch{
		{Peer: plain, Event: route.PeerUp},
		{Peer: several, Event: route.PeerUp},
		{Peer: plain, Updates: []route.Update{announce(v4, "192.0.2.0/24", 0, 64501, 64510), announce(v6, "2001:db8::/32", 0, 64501, 64510)}},
		{Peer: several, Updates: []route.Update{announce(v4, "192.0.2.0/24", 7, 64502, 64510), announce(v4, "192.0.2.0/24", 9, 64502, 64511, 64510)}},
		{Peer: plain, Event: route.EndOfRIB, Family: v4},
		{Peer: plain, Updates: []route.Update{announce(v4, "192.0.2.0/24", 0, 64501, 64512, 64510)}},
		{Peer: several, Updates: []route.Update{{Family: v4, NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("192.0.2.0/24"), PathID: 9}}}}},
		down,
	} {
		in <- b
	}
	// The writer has done with the last batch when it takes this one.
	in <- route.Batch{Peer: plain}
	minutes.Add(60)
	return store
}

func exported(t *testing.T, store *ribstore.Store, text string) []byte {
	t.Helper()
	q, err := query.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	e := Exporter{Identity: identity, Logger: slog.New(slog.DiscardHandler)}
	var b bytes.Buffer
	if err := e.Export(t.Context(), &b, store, q); err != nil {
		t.Fatalf("Export(%q) = %v", text, err)
	}
	return b.Bytes()
}

// bgpdump returns what bgpdump reads in a file, a record a line and without times.
func bgpdump(t *testing.T, file []byte) []string {
	t.Helper()
	program, err := exec.LookPath("bgpdump")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("bgpdump is not installed")
		}
		t.Skip("bgpdump is not installed")
	}
	name := filepath.Join(t.TempDir(), "export.mrt")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), program, "-m", name).Output()
	if err != nil {
		t.Fatalf("bgpdump: %v", err)
	}
	var lines []string
	for line := range strings.Lines(string(output)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		if len(fields) < 6 {
			t.Fatalf("bgpdump says %q", line)
		}
		lines = append(lines, strings.Join(append(fields[:1], fields[2:]...), "|"))
	}
	return lines
}

func TestBgpdumpReadsATable(t *testing.T) {
	store := scenario(t)
	const (
		edge1 = "TABLE_DUMP2|B|192.0.2.1|64501|192.0.2.0/24|64501 64512 64510|IGP|192.0.2.1|0|0|64501:1|NAG||"
		six   = "TABLE_DUMP2|B|192.0.2.1|64501|2001:db8::/32|64501 64510|IGP|2001:db8::1|0|0|64501:1|NAG||"
		rs1   = "TABLE_DUMP2_AP|B|2001:db8::2|64502|192.0.2.0/24|7|64502 64510|IGP|192.0.2.1|0|0|64501:1|NAG||"
	)
	for text, want := range map[string][]string{
		"":                           {edge1, rs1, six},
		"peer edge1":                 {edge1, six},
		"192.0.2.0/24":               {edge1, rs1},
		"at 2026-11-22T03:30Z":       {edge1, rs1, six},
		"peer rs1 at 30m origin 99":  nil,
		"at 30m family ipv6-unicast": {six},
	} {
		if diff := cmp.Diff(want, bgpdump(t, exported(t, store, text))); diff != "" {
			t.Errorf("%q (-want +bgpdump):\n%s", text, diff)
		}
	}
}

func TestBgpdumpReadsChanges(t *testing.T) {
	store := scenario(t)
	const (
		attributes = "|IGP|192.0.2.1|0|0|64501:1|NAG||"
		up         = "BGP4MP_ET|STATE|192.0.2.1|64501|5|6"
	)
	for text, want := range map[string][]string{
		"between 2026-11-22T03:00Z and 2026-11-22T04:00Z": {
			up,
			"BGP4MP_ET|STATE|2001:db8::2|64502|5|6",
			"BGP4MP_ET|A|192.0.2.1|64501|192.0.2.0/24|64501 64510" + attributes,
			"BGP4MP_ET|A|192.0.2.1|64501|2001:db8::/32|64501 64510|IGP|2001:db8::1|0|0|64501:1|NAG||",
			"BGP4MP_ET_AP|A|2001:db8::2|64502|192.0.2.0/24|7|64502 64510" + attributes,
			"BGP4MP_ET_AP|A|2001:db8::2|64502|192.0.2.0/24|9|64502 64511 64510" + attributes,
			"BGP4MP_ET|A|192.0.2.1|64501|192.0.2.0/24|64501 64512 64510" + attributes,
			"BGP4MP_ET_AP|W|2001:db8::2|64502|192.0.2.0/24|9",
			"BGP4MP_ET|STATE|2001:db8::2|64502|6|1",
		},
		"2001:db8::/32 peer edge1 between 1h and now": { // the session came up before it had the prefix
			"BGP4MP_ET|A|192.0.2.1|64501|2001:db8::/32|64501 64510|IGP|2001:db8::1|0|0|64501:1|NAG||",
		},
	} {
		if diff := cmp.Diff(want, bgpdump(t, exported(t, store, text))); diff != "" {
			t.Errorf("%q (-want +bgpdump):\n%s", text, diff)
		}
	}
}

func TestAnExportReadsBackAsTheTable(t *testing.T) {
	store := scenario(t)
	source, err := mrt.NewSource(bytes.NewReader(exported(t, store, "")), mrt.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	got := make(map[string]string)
	for {
		b, err := source.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range b.Updates {
			for _, n := range u.NLRI {
				got[fmt.Sprint(n.Prefix, b.Peer.ASN, n.PathID)] = string(u.Attrs)
			}
		}
		b.Release()
	}
	want := make(map[string]string)
	if err := store.Stream(t.Context(), query.Query{}, func(list []route.Route) error {
		for i := range list {
			want[fmt.Sprint(list[i].Prefix, list[i].Peer.ASN, list[i].PathID)] = string(list[i].Attrs)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-store +export):\n%s", diff)
	}
}

func identity() (route.ASN, netip.Addr) { return 64500, netip.MustParseAddr("192.0.2.10") }

func TestAnExportEndsWithItsStream(t *testing.T) {
	e := Exporter{Logger: slog.New(slog.DiscardHandler)}
	full := errors.New("no space left on device")
	if err := e.Export(t.Context(), failing{full}, scenario(t), query.Query{}); !errors.Is(err, full) {
		t.Errorf("Export = %v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
