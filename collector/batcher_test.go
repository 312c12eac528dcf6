package collector

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

var (
	edge1 = &route.Peer{Name: "edge1"}
	edge2 = &route.Peer{Name: "edge2"}
)

// announce adds a prefix to the batch under construction of a peer.
func announce(t *testing.T, b *Batcher, peer *route.Peer, prefix string) {
	t.Helper()
	build, err := b.Builder(t.Context(), peer, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	build.Announce(route.IPv4Unicast, route.Attrs{0}, route.NLRI{Prefix: netip.MustParsePrefix(prefix)})
}

func ignore(*route.Peer, int, int) {}

func TestBatcherKeepsTheOrderOfItsPeers(t *testing.T) {
	t.Parallel()
	out := make(chan route.Batch, 10)
	var counts []string
	b := NewBatcher(out, new(Builders), func(peer *route.Peer, announced, withdrawn int) {
		counts = append(counts, fmt.Sprintf("%s %d/%d", peer.Name, announced, withdrawn))
	})
	announce(t, b, edge1, "192.0.2.0/25")
	announce(t, b, edge1, "192.0.2.128/25")
	announce(t, b, edge2, "198.51.100.0/24")
	if err := b.Send(t.Context(), route.Batch{Peer: edge1, Event: route.EndOfRIB}); err != nil {
		t.Fatal(err)
	}
	close(out)
	var got []string
	for batch := range out {
		line := fmt.Sprintf("%s event %d:", batch.Peer.Name, batch.Event)
		for _, u := range batch.Updates {
			for _, n := range u.NLRI {
				line += " " + n.Prefix.String()
			}
		}
		got = append(got, line)
		batch.Release()
	}
	want := []string{
		"edge1 event 0: 192.0.2.0/25 192.0.2.128/25",
		"edge2 event 0: 198.51.100.0/24",
		"edge1 event 4:",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("batches (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"edge1 2/0", "edge2 1/0"}, counts); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
}

func TestSourceWaitsUntilABatchIsReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := make(chan route.Batch, 2*BatchesUnderWay)
		b := NewBatcher(out, new(Builders), ignore)
		for range BatchesUnderWay / 2 { // two peers share the bound of their source
			for _, peer := range []*route.Peer{edge1, edge2} {
				announce(t, b, peer, "192.0.2.0/24")
			}
		}
		if b.Blocked() {
			t.Error("blocked with a batch left")
		}
		began := make(chan struct{})
		go func() {
			announce(t, b, edge1, "198.51.100.0/24")
			close(began)
		}()
		synctest.Wait()
		if !b.Blocked() {
			t.Error("not blocked although all batches are under way")
		}
		first := <-out
		first.Release()
		<-began
		if b.Blocked() {
			t.Error("still blocked after a release")
		}
	})
}

func TestBatchThatIsNotSentIsRecycled(t *testing.T) {
	t.Parallel()
	b := NewBatcher(make(chan route.Batch), new(Builders), ignore)
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	for range 2 * BatchesUnderWay {
		announce(t, b, edge1, "192.0.2.0/24")
		if _, err := b.Flush(ctx); !errors.Is(err, stopped) {
			t.Fatalf("Flush() = %v, want %v", err, stopped)
		}
	}
}

func TestEmptyBatchIsNotSent(t *testing.T) {
	t.Parallel()
	b := NewBatcher(nil, new(Builders), ignore)
	for range 2 * BatchesUnderWay {
		if _, err := b.Builder(t.Context(), edge1, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if sent, err := b.Flush(t.Context()); sent || err != nil {
			t.Fatalf("Flush() = %t, %v", sent, err)
		}
	}
}

func TestBatchIsFullAtItsNumberOfPrefixes(t *testing.T) {
	t.Parallel()
	b := NewBatcher(nil, new(Builders), ignore)
	if b.Full() {
		t.Error("Full() without a batch")
	}
	for i := range batchPrefixes {
		if b.Full() {
			t.Fatalf("full with %d prefixes", i)
		}
		announce(t, b, edge1, "192.0.2.0/24")
	}
	if !b.Full() {
		t.Errorf("not full with %d prefixes", batchPrefixes)
	}
}

func TestLastBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		tests := map[string]struct {
			ctx   context.Context //nolint:containedctx // rows of a test
			takes time.Duration   // until the receiver takes the batch
			want  bool
		}{
			"waits for the receiver while the program runs": {t.Context(), time.Hour, true},
			"waits a moment when the program ends":          {ended, lastBatchTime / 2, true},
			"gives up when the program ends":                {ended, 2 * lastBatchTime, false},
		}
		for name, tt := range tests {
			out := make(chan route.Batch)
			time.AfterFunc(tt.takes, func() {
				select {
				case <-out:
				default:
				}
			})
			if got := SendLast(tt.ctx, out, route.Batch{}); got != tt.want {
				t.Errorf("%s: SendLast() = %t, want %t", name, got, tt.want)
			}
		}
	})
}

func BenchmarkBatcher(b *testing.B) {
	out := make(chan route.Batch, 256)
	batcher := NewBatcher(out, new(Builders), ignore)
	go func() {
		for batch := range out {
			batch.Release()
		}
	}()
	prefix := route.NLRI{Prefix: netip.MustParsePrefix("192.0.2.0/24")}
	attrs := route.Attrs{0}
	b.ReportAllocs()
	for b.Loop() {
		build, err := batcher.Builder(b.Context(), edge1, time.Time{})
		if err != nil {
			b.Fatal(err)
		}
		build.Announce(route.IPv4Unicast, attrs, prefix)
		if _, err := batcher.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	close(out)
}

// When the batches that all sources share are lent, a source still has one, and it is
// it waits for that one alone.
func TestSourcesShareTheBatchesBesideTheirFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out, modest := make(chan route.Batch, 2*batchesOfAll), make(chan route.Batch, BatchesUnderWay)
		var builders Builders
		send := func(b *Batcher) {
			announce(t, b, edge1, "192.0.2.0/24")
			if _, err := b.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
		for range batchesOfAll / (BatchesUnderWay - 1) {
			greedy := NewBatcher(out, &builders, ignore)
			for range BatchesUnderWay {
				send(greedy)
			}
		}
		last := batchesOfAll % (BatchesUnderWay - 1)
		b := NewBatcher(modest, &builders, ignore)
		for range 1 + last {
			send(b)
		}
		began := make(chan struct{})
		go func() {
			announce(t, b, edge2, "198.51.100.0/24")
			close(began)
		}()
		synctest.Wait()
		if !b.Blocked() {
			t.Fatal("not blocked although all that is shared is lent")
		}
		first := <-modest
		first.Release()
		<-began
		for len(out) > 0 {
			batch := <-out
			batch.Release()
		}
		if n := builders.lent.Load(); n != int64(last) {
			t.Errorf("%d batches are lent after their release, want %d", n, last)
		}
	})
}
