package history

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
)

// say records and applies announcements of one peer, each of one prefix.
func (w *world) say(peer, prefix, version int, set []byte) {
	b := route.Batch{Peer: w.peer(peer), Updates: []route.Update{{
		Attrs: route.Attrs(nil).AppendAttr(route.AttrMED, binary.BigEndian.AppendUint32(nil, uint32(version))).AppendAttr(99, set),
		NLRI:  []route.NLRI{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(peer), byte(prefix >> 8), byte(prefix)}), 32)}},
	}}}
	w.history.Record(&b)
	w.table.Apply(&b)
}

func (w *world) happens(peer int, e route.Event) {
	b := route.Batch{Peer: w.peer(peer), Event: e, Retention: keepLong()}
	w.history.Record(&b)
	w.table.Apply(&b)
}

// versions returns the versions of the first prefix of a peer that the history has.
func (w *world) versions(peer int, from time.Time) (list []uint32, notices []string) {
	w.t.Helper()
	within := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(peer), 0, 0}), 32)
	past, err := w.history.At(w.t.Context(), from, within)
	if err == nil {
		notices, err = w.history.Replay(w.t.Context(), past, w.now, func(e *Event) error {
			if e.Batch != nil && e.Batch.Event == route.Routes {
				med, _ := e.Batch.Updates[0].Attrs.MED()
				list = append(list, med)
			}
			return nil
		})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return list, notices
}

// wantPresent compares the end of the history with the table.
func (w *world) wantPresent(blurred ...string) {
	w.t.Helper()
	b := blur{ever: map[string]bool{}}
	for _, name := range blurred {
		b.ever[name] = true
	}
	past, err := w.history.At(w.t.Context(), w.now, noPrefix)
	if err != nil || len(past.Notices) > 0 {
		w.t.Fatalf("At = %v, notices %q", err, past.Notices)
	}
	if diff := gocmp.Diff(describeBlurred(w.table, noPrefix, b), describeBlurred(past.Table, noPrefix, b)); diff != "" {
		w.t.Errorf("(-live +history):\n%s", diff)
	}
}

// TestOthersKeepEveryChange has one peer say a hundred times its share.
func TestOthersKeepEveryChange(t *testing.T) {
	t.Parallel()
	w := newThinnedWorld(t, 1, 10_000)
	begun := w.now
	w.happens(0, route.PeerUp)
	w.happens(1, route.PeerUp)
	noise := make([]byte, 1000)
	var want []uint32
	for second := range 30 {
		w.say(1, 0, second, nil)
		want = append(want, uint32(second))
		for i := range 1000 {
			w.now = w.now.Add(time.Millisecond)
			w.say(0, i%50, 1000*second+i, noise)
		}
		w.history.CatchUp(w.now)
		w.history.writeOrAlarm()
	}
	if got, _ := w.versions(1, begun); !slices.Equal(got, want) {
		t.Errorf("the history has the versions %v of the other peer, want %v", got, want)
	}
	flooded, notices := w.versions(0, begun)
	if len(flooded) == 0 || len(flooded) > 100 {
		t.Errorf("the history has %d of 600 versions of the peer", len(flooded))
	}
	if len(notices) != 1 || !strings.Contains(notices[0], "changes of peer peer0 between 2026-11-22T03:00:00Z and") {
		t.Errorf("notices %q", notices)
	}
	octets := 0
	for _, p := range w.history.index.Load().Pieces {
		octets += w.history.weigh(&p).whole
	}
	if most := 10_000*30 + 4*10_000 + 100_000; octets > most {
		t.Errorf("the journal has %d octets, %d are the shares", octets, most)
	}

	// It keeps to its share again: its last state is there, also after a restart.
	for range 10 {
		w.now = w.now.Add(time.Second)
		w.history.CatchUp(w.now)
		w.history.writeOrAlarm()
	}
	w.wantPresent("peer0")
	if n := len(w.history.journal.shares.thinned); n != 0 {
		t.Errorf("%d peers are followed that keep to their share, and their marks written again and again", n)
	}
	if all := w.history.Notices(); len(all) != 1 || len(all["peer0"]) != 1 || all["peer0"][0].Kind != noticeThinned || all["peer0"][0].Count < 25_000 {
		t.Errorf("notices: %+v", all)
	}
	list := w.history.Thinned()
	if len(list) != 1 || list[0].Peer != "peer0" || list[0].Lost || list[0].Until.IsZero() || list[0].Changes < 25_000 || list[0].Bytes < 25_000_000 {
		t.Errorf("Thinned = %+v", list)
	}
	if err := w.history.Close(); err != nil {
		t.Fatal(err)
	}
	w.open()
	if _, after := w.versions(0, begun); !slices.Equal(after, notices) && len(after) != 1 {
		t.Errorf("notices after a restart: %q, before: %q", after, notices)
	}
}

// TestTrackOfAPeerIsLostUntilASnapshot has a peer change more routes than are
// remembered, before and during a snapshot.
func TestTrackOfAPeerIsLostUntilASnapshot(t *testing.T) {
	t.Parallel()
	w := newThinnedWorld(t, 1, 1000)
	w.history.limits.maxTouched = 100 * placeOctets
	flood := func(version int) {
		for i := range 400 {
			w.now = w.now.Add(time.Millisecond)
			w.say(0, i, version, nil)
		}
	}
	w.happens(0, route.PeerUp)
	w.happens(1, route.PeerUp)
	flood(1)
	within := w.now
	w.say(1, 0, 1, nil)
	w.happens(0, route.EndOfRIB)
	w.happens(0, route.PeerDown)
	w.happens(0, route.PeerUp)
	w.history.CatchUp(w.now)
	unknown := func() {
		t.Helper()
		past, err := w.history.At(t.Context(), within, noPrefix)
		if err != nil || !slices.ContainsFunc(past.Notices, func(n string) bool { return strings.HasPrefix(n, "what peer peer0 said from") }) {
			t.Errorf("At = %v, notices %q", err, past.Notices)
		}
	}
	unknown()
	snapshot := func(happen func()) {
		t.Helper()
		once := false
		_, err := w.history.Snapshot(betweenSlices{t.Context(), func() {
			if !once {
				once = true
				happen()
			}
		}}, TableWriter{Table: w.table, Do: doNow})
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Second)
		w.say(1, 0, 2, nil)
		w.history.writeOrAlarm()
	}
	snapshot(func() { flood(2) }) // track is lost again
	within = w.now
	unknown()
	snapshot(func() { w.say(0, 7, 3, nil) })
	w.wantPresent("peer0")
	list := w.history.Thinned()
	if i := slices.IndexFunc(list, func(x Thinned) bool { return x.Lost }); i < 0 || list[i].Until.IsZero() {
		t.Errorf("Thinned = %+v", list)
	}
	unknown()
}

// TestAFirstLoadIsWithinTheShare loads a million routes in ten seconds, with sets
// that take 90 MB, and once more a little later.
func TestAFirstLoadIsWithinTheShare(t *testing.T) {
	t.Parallel()
	j := newJournal(&limits{groupRecords: 1 << 20, groupOctets: 1 << 20, maxPending: 64 << 20, maxTail: format.MaxValue / 2})
	j.shares.rate, j.shares.burst = DefaultConfig().share()
	start := time.Unix(1_800_000_000, 0)
	j.begin(format.OriginEmpty, start, start, "")
	peer := &route.Peer{Name: "full"}
	set := make([]byte, 80)
	for load := range 3 {
		begun := start.Add(time.Duration(load) * 20 * time.Minute)
		for i := range 1_000_000 {
			binary.BigEndian.PutUint32(set, uint32(i+load))
			b := route.Batch{Peer: peer, Updates: []route.Update{{
				Attrs: route.Attrs(nil).AppendAttr(route.AttrASPath, set),
				NLRI:  []route.NLRI{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 0}), 24)}},
			}}}
			j.said(begun.Add(time.Duration(i)*10*time.Microsecond), &b, nil)
			if len(j.pending.groups) > 8 {
				j.written(j.take(), func() {})
			}
		}
	}
	if s := j.shareOf("full"); s.touched != nil || s.gap || s.marks[0] != nil {
		t.Errorf("it was thinned: %+v", s.marks)
	}
}
