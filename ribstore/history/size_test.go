package history

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// TestSizeIsBounded records without end in the smallest file that can be configured.
func TestSizeIsBounded(t *testing.T) {
	t.Parallel()
	const most = minSize
	w := newWorld(t, 1)
	w.history.config.MaxSize = most
	w.history.config.Keep = []Tier{{time.Minute, 24 * time.Hour}}
	w.history.limits = defaultLimits().within(most)
	w.history.limits.groupRecords = 1000
	live := TableWriter{Table: w.table, Do: doNow}
	random := rand.NewChaCha8([32]byte{})
	begun, refused, largest := w.now, 0, int64(0)
	for round := range 80 {
		for i := range 300 {
			w.now = w.now.Add(200 * time.Millisecond)
			noise := make([]byte, 512)
			_, _ = random.Read(noise)
			b := route.Batch{Peer: w.peer(0), Updates: []route.Update{{
				Attrs: route.Attrs(nil).AppendAttr(99, noise),
				NLRI:  []route.NLRI{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), byte(round % 4), 0}), 24)}},
			}}}
			w.history.Record(&b)
			w.table.Apply(&b)
		}
		if err := w.history.Flush(); err != nil {
			refused++ // it is written the next time
		}
		if _, err := w.history.Snapshot(t.Context(), live); err != nil {
			t.Error(err)
		}
		if err := w.history.Merge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.history.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		largest = max(largest, w.history.Stats().FileBytes)
	}
	st := w.history.Stats()
	if st.FileBytes > most || largest > most {
		t.Errorf("the file has %d bytes and had %d, it may have %d", st.FileBytes, largest, most)
	}
	if refused > 16 {
		t.Errorf("%d of 80 writes found no room", refused)
	}
	if !st.Begins.After(begun) {
		t.Errorf("nothing was dropped: the history begins at %v", st.Begins)
	}
	past, err := w.history.At(t.Context(), w.now, noPrefix)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(describeTable(past.Table, noPrefix)), len(describeTable(w.table, noPrefix)); got != want {
		t.Errorf("the present has %d lines, the history %d", want, got)
	}
}

// TestRecordingComesBack has a peer say more each second than the file has room for,
// in attribute sets of which nothing can be compressed.
func TestRecordingComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	defer func() { w.history.Close() }()
	small := func() *keeper {
		w.history.limits = defaultLimits().within(minSize)
		w.history.config.MaxSize = minSize
		return &keeper{history: w.history, live: TableWriter{Table: w.table, Do: doNow}, next: w.now.Add(time.Hour)}
	}
	k := small()
	random := rand.NewChaCha8([32]byte{})
	say := func(peer, octets int) {
		noise := make([]byte, octets)
		_, _ = random.Read(noise)
		b := route.Batch{Peer: w.peer(peer), Updates: []route.Update{{
			Attrs: route.Attrs(nil).AppendAttr(99, noise),
			NLRI:  []route.NLRI{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(peer), 0, 0}), 24)}},
		}}}
		w.history.Record(&b)
		w.table.Apply(&b)
	}
	second := func() {
		w.now = w.now.Add(time.Second)
		w.history.writeOrAlarm()
		k.step(t.Context(), w.now)
		if n := w.history.Stats().FileBytes; n > minSize {
			t.Fatalf("the file has %d bytes, it may have %d", n, minSize)
		}
	}
	flood := func() {
		for range 12 {
			for range 100 {
				w.now = w.now.Add(2 * time.Millisecond)
				say(0, 60_000)
				if w.history.journal.pending.octets > w.history.limits.writeAhead {
					w.history.writeOrAlarm() // as the goroutine does that writes full groups
				}
			}
			second()
			if _, err := w.history.Snapshot(t.Context(), k.live); err != nil {
				t.Errorf("a snapshot in the flood: %v", err)
			}
		}
	}
	back := func(when string) {
		for range 3 {
			second()
		}
		w.now = w.now.Add(time.Second)
		say(1, 100)
		second()
		if st := w.history.Stats(); st.Trouble != "" {
			t.Errorf("%s: %s", when, st.Trouble)
		}
		if _, err := w.history.Snapshot(t.Context(), k.live); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		past, err := w.history.At(t.Context(), w.now, noPrefix)
		if err != nil || len(past.Notices) > 0 {
			t.Fatalf("%s: %v, notices %q", when, err, past.Notices)
		}
		if diff := gocmp.Diff(describeTable(w.table, noPrefix), describeTable(past.Table, noPrefix)); diff != "" {
			t.Errorf("%s (-live +history):\n%s", when, diff)
		}
	}
	flood()
	back("after the flood")
	if !w.history.compacted.IsZero() {
		t.Error("the file was compacted while it was being filled")
	}
	flood()
	if err := w.history.Close(); err != nil {
		t.Fatal(err)
	}
	w.open()
	k = small()
	back("after a restart")
}
