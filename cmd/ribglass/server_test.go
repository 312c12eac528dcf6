package main

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ribglass/cmd/ribglass/config"
	"ribglass/ribstore/query"
)

// demoConfig returns the configuration of the demonstration with a directory of its
// own.
func demoConfig(t *testing.T, over config.Overrides) *config.Config {
	t.Helper()
	cfg, err := config.Load("../../configs/demo.yaml", over)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	return cfg
}

// demoServer returns a server of the demonstration on free ports.
func demoServer(t *testing.T, logTo *syncBuffer) *server {
	t.Helper()
	s, err := newServer(t.Context(), demoConfig(t, config.Overrides{Listen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"}), logTo)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// checkLeaks fails the test for every goroutine that it left behind. That of
// GoBGP's main loop is not ours to end: it has no way to stop in v3.
func checkLeaks(t *testing.T) {
	t.Helper()
	goleak.VerifyNone(t, goleak.IgnoreAnyFunction("github.com/osrg/gobgp/v3/pkg/server.(*BgpServer).Serve"))
}

// syncBuffer is a log that a test reads while it is written.
type syncBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestTheDemonstrationIsFullAndStopsWithinFiveSeconds(t *testing.T) {
	defer checkLeaks(t)
	var log syncBuffer
	s := demoServer(t, &log)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	start := time.Now()
	go func() { ended <- s.run(ctx, nil, make(chan os.Signal)) }()

	complete := func() bool {
		if !s.isResumed() {
			return false
		}
		for _, name := range []string{"transit1", "customer1", "rs1"} {
			if peer, known := s.store.Peer(name); !known || peer.Freshness.EndOfRIB[0].IsZero() || peer.Freshness.EndOfRIB[1].IsZero() {
				return false
			}
		}
		return true
	}
	for !complete() {
		if time.Since(start) > 20*time.Second {
			t.Fatalf("the demonstration is not complete after 20 s:\n%s", log.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	if stats := s.store.Stats(); stats.Routes[0] < 6000 || stats.Routes[1] < 1000 || stats.Prefixes[0] < 3000 {
		t.Errorf("stats = %+v, want some thousand routes of both families", stats)
	}
	checkSeveralPaths(t, s)

	cancel()
	stopping := time.Now()
	if err := <-ended; err != nil {
		t.Errorf("run = %v, want nil when its context ended it", err)
	}
	if took := time.Since(stopping); took > 5*time.Second {
		t.Errorf("stopping took %v, want at most 5 s", took)
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("errors in the log:\n%s", log.String())
	}
}

// checkSeveralPaths checks that the route server's session has several paths of
// a prefix and that its members' communities are there.
func checkSeveralPaths(t *testing.T, s *server) {
	t.Helper()
	result, err := s.store.Search(t.Context(), query.Lookup{Peers: []string{"rs1"}}.Query(), query.Page{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	paths := make(map[netip.Prefix]int)
	most := 0
	for _, r := range result.Routes {
		paths[r.Prefix]++
		most = max(most, paths[r.Prefix])
		if r.Attrs.LargeCommunities().Len() != 1 || r.Attrs.NextHop().IsLoopback() {
			t.Errorf("route %v of rs1 has %d large communities and next hop %v, want its member's", r.Prefix, r.Attrs.LargeCommunities().Len(), r.Attrs.NextHop())
		}
	}
	if most < 2 {
		t.Errorf("rs1 has at most %d path a prefix, want several (ADD-PATH)", most)
	}
}

func TestAnAddressInUseIsAnErrorBeforeAnythingRuns(t *testing.T) {
	defer checkLeaks(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, over := range []config.Overrides{
		{HTTPListen: taken.Addr().String(), AdminListen: "127.0.0.1:0"},
		{AdminListen: taken.Addr().String(), HTTPListen: "127.0.0.1:0"},
	} {
		if _, err := newServer(t.Context(), demoConfig(t, over), new(syncBuffer)); err == nil || !strings.Contains(err.Error(), "address already in use") {
			t.Errorf("newServer = %v, want that the address is in use", err)
		}
	}
}

func TestABGPAddressInUseEndsTheProgramWithItsError(t *testing.T) {
	defer checkLeaks(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := demoConfig(t, config.Overrides{Listen: taken.Addr().String(), HTTPListen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"})
	s, err := newServer(t.Context(), cfg, new(syncBuffer))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.run(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("run = %v, want that the address is in use", err)
	}
}

func TestTheSupervisorIsToldWhenTheProgramIsReady(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	s := demoServer(t, new(syncBuffer))
	go func() { ended <- s.run(ctx, nil, nil) }()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"READY=1", "STOPPING=1"} {
		b := make([]byte, 64)
		n, err := conn.Read(b)
		if err != nil || string(b[:n]) != want {
			t.Errorf("supervisor was told %q, %v; want %s", b[:n], err, want)
		}
		cancel()
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
