package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ribglass/collector/bgp"
	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

const recordings = "../../../collector/wire/mrt/testdata/"

// glass is a collector with a table that is full of what it heard.
type glass struct {
	address string
	table   *table.Table
}

func startGlass(t *testing.T) *glass {
	t.Helper()
	batches := make(chan route.Batch, 16)
	cfg := bgp.DefaultConfig()
	cfg.ASN, cfg.RouterID = 64496, netip.MustParseAddr("192.0.2.10")
	cfg.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	dynamic := bgp.DynamicNeighbor{Prefix: netip.MustParsePrefix("127.1.0.0/16"), Settings: bgp.DefaultSettings()}
	dynamic.Group, dynamic.AddPath = "replay", true
	cfg.DynamicNeighbors = []bgp.DynamicNeighbor{dynamic}
	c, err := bgp.New(cfg, bgp.Deps{Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Out: batches})
	if err != nil {
		t.Fatal(err)
	}
	g := &glass{table: table.New()}
	ctx, cancel := context.WithCancel(t.Context())
	ran, drained := make(chan error, 1), make(chan struct{})
	go func() { ran <- c.Run(ctx); close(batches) }()
	go func() {
		defer close(drained)
		for b := range batches {
			g.table.Apply(&b)
			b.Release()
		}
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		<-drained
	})
	until(t, func() string {
		if len(c.Addresses()) == 0 {
			return "the collector does not listen"
		}
		g.address = c.Addresses()[0].String()
		return ""
	})
	return g
}

// until waits until a condition has nothing to say any more.
func until(t *testing.T, condition func() string) {
	t.Helper()
	said := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if said = condition(); said == "" {
			return
		}
	}
	t.Fatalf("after 20 s: %s", said)
}

// dump returns the fresh routes of a table, one a line: which AS announced which
// prefix with which path.
func dump(t *table.Table) string {
	var lines []string
	_ = t.View(func(v *table.View) error {
		for _, f := range route.Families() {
			for d := range v.Within(f, netip.Prefix{}, netip.Prefix{}) {
				for _, r := range v.Routes(nil, d, nil) {
					if r.StaleSince.IsZero() {
						lines = append(lines, fmt.Sprintf("%v AS%v %d: %v\n", r.Prefix, r.Peer.ASN, r.PathID, r.Attrs.ASPath()))
					}
				}
			}
		}
		return nil
	})
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// fold returns the table of a file's batches.
func fold(t *testing.T, file string) *table.Table {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	source, err := mrt.NewSource(f, mrt.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	into := table.New()
	for {
		b, err := source.Next()
		if errors.Is(err, io.EOF) {
			return into
		}
		if err != nil {
			t.Fatal(err)
		}
		into.Apply(&b.Batch)
		b.Release()
	}
}

func TestTheInstanceHasWhatTheFileSays(t *testing.T) {
	for _, name := range []string{"mrtparse-bird-mrtdump_bgp", "bgpdump-bview.ipv4_unicast_add_path.gz", "bgpkit-rrc01_2000.11_updates.20001104.0124.gz"} {
		t.Run(name, func(t *testing.T) {
			g := startGlass(t)
			file := filepath.Join(recordings, name)
			want := dump(fold(t, file))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			played := make(chan error, 1)
			r := Replay{Files: []string{file}, To: g.address, From: netip.MustParsePrefix("127.1.0.0/16"), Stay: true, Logger: slog.New(slog.DiscardHandler)}
			go func() { _, err := r.Run(ctx); played <- err }()
			until(t, func() string { return cmp.Diff(want, dump(g.table)) })
			cancel()
			if err := <-played; err != nil {
				t.Errorf("Run = %v", err)
			}
		})
	}
}

func TestOnlyWantedPeersArePlayedFromTheirAddresses(t *testing.T) {
	file := filepath.Join(recordings, "bgpdump-bview.ipv4_unicast_add_path.gz")
	r := Replay{Files: []string{file}, From: netip.MustParsePrefix("127.1.0.0/16")}
	all, err := r.Plan(t.Context())
	if err != nil || len(all) < 2 {
		t.Fatalf("Plan = %v, %v; want several peers", all, err)
	}
	second := all[1]
	for _, wanted := range []string{second.Peer.Name, second.Peer.Address.String(), "AS" + second.Peer.ASN.String()} {
		r.Peers = []string{wanted}
		list, err := r.Plan(t.Context())
		if err != nil || len(list) == 0 || list[len(list)-1].Source != second.Source {
			t.Errorf("Plan of %s = %v, %v; want the address %v", wanted, list, err, second.Source)
		}
	}
	r.From = netip.MustParsePrefix("127.1.0.0/32")
	if _, err := r.Plan(t.Context()); err == nil || !strings.Contains(err.Error(), "too few addresses") {
		t.Errorf("Plan of one address = %v", err)
	}
}

func TestIPv6NextHopsAreOfferedForIPv4UnicastOnly(t *testing.T) {
	r := &run{Replay: &Replay{To: "127.0.0.1:1790"}}
	cfg := r.configOf(&route.Peer{Name: "a", ASN: 64501}, netip.MustParseAddr("127.1.0.1"))
	if diff := cmp.Diff([]route.Family{route.IPv4Unicast}, cfg.ExtendedNextHop); diff != "" {
		t.Errorf("families with IPv6 next hops (-want +got):\n%s", diff)
	}
	s := &session{}
	for _, f := range route.Families() {
		s.agreed.Families[f] = true
	}
	s.agreed.ExtendedNextHop[route.IPv4Unicast] = true
	hop := func(a string) route.Attrs {
		return route.Attrs(nil).AppendAttr(route.AttrNextHop, netip.MustParseAddr(a).AsSlice())
	}
	for _, row := range []struct {
		name   string
		update route.Update
		want   bool
	}{
		{"IPv4 unicast over IPv6", route.Update{Family: route.IPv4Unicast, Attrs: hop("2001:db8::1")}, true},
		{"IPv4 multicast over IPv6", route.Update{Family: route.IPv4Multicast, Attrs: hop("2001:db8::1")}, false},
		{"IPv4 multicast", route.Update{Family: route.IPv4Multicast, Attrs: hop("192.0.2.1")}, true},
		{"IPv6 multicast", route.Update{Family: route.IPv6Multicast, Attrs: hop("2001:db8::1")}, true},
		{"a withdrawal", route.Update{Family: route.IPv4Multicast}, true},
	} {
		if got := s.takes(&row.update); got != row.want {
			t.Errorf("%s: takes = %v, want %v", row.name, got, row.want)
		}
	}
}

func TestRecordedTimePassesAtASpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorded := time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC)
		p := pacer{speed: 60}
		start := time.Now()
		for _, row := range []struct{ at, want time.Duration }{
			{0, 0}, {time.Minute, time.Second}, {time.Minute, time.Second}, {0, time.Second}, {time.Hour, time.Minute},
		} {
			if err := p.wait(t.Context(), recorded.Add(row.at)); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(start); got != row.want {
				t.Errorf("what was recorded after %v is played after %v, want %v", row.at, got, row.want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.wait(ctx, recorded.Add(2*time.Hour)); !errors.Is(err, context.Canceled) {
			t.Errorf("wait of a context that ended = %v", err)
		}
	})
}
