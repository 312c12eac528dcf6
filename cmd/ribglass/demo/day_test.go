package demo

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/cmd/ribglass/config"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// made is a day that ended at noon.
type made struct {
	path    string
	history *history.History
	ends    time.Time
}

func makeADay(t *testing.T) *made {
	t.Helper()
	cfg, err := config.Load("../../../configs/demo.yaml", config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	m := &made{path: filepath.Join(t.TempDir(), "data", "history.db"), ends: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	log := slog.New(slog.DiscardHandler)
	if err := Prepare(t.Context(), cfg, m.path, m.ends, log); err != nil {
		t.Fatal(err)
	}
	if m.history, err = history.OpenReadOnly(m.path, history.Deps{Logger: log, Now: func() time.Time { return m.ends }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.history.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// routes returns the routes so long before the end, within a prefix, one a line.
func (m *made) routes(t *testing.T, before time.Duration, within netip.Prefix) string {
	t.Helper()
	at := m.ends.Add(-before)
	past, err := m.history.At(t.Context(), at, netip.Prefix{})
	if err != nil {
		t.Fatalf("%v before the end: %v", before, err)
	}
	if !past.At.Equal(at) {
		t.Errorf("asked for %v, it is told of %v", at, past.At)
	}
	return dump(past.Table, within)
}

func dump(t *table.Table, within netip.Prefix) string {
	var lines []string
	_ = t.View(func(v *table.View) error {
		for _, f := range route.Families() {
			if within.IsValid() && f.IsIPv6() != within.Addr().Is6() {
				continue
			}
			for d := range v.Within(f, within, netip.Prefix{}) {
				for _, r := range v.Routes(nil, d, nil) {
					stale := ""
					if !r.StaleSince.IsZero() {
						stale = " stale"
					}
					lines = append(lines, fmt.Sprintf("%v %s %v%s\n", r.Prefix, nameOf(r.Peer, r.PathID), r.Attrs.ASPath(), stale))
				}
			}
		}
		return nil
	})
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func nameOf(p *route.Peer, path uint32) string {
	if path == 0 {
		return p.Name
	}
	return fmt.Sprintf("%s#%d", p.Name, path)
}

func TestADayTellsOfWhatIsWorthLookingUp(t *testing.T) {
	m := makeADay(t)
	const calm = "103.213.218.0/23 customer1 20473 140810 140810 140810 140810\n" +
		"103.213.218.0/23 rs1#10 20473 140810 140810 140810 140810\n" +
		"103.213.218.0/23 rs1#3 9498 20473 140810 140810 140810 140810\n"
	const before = "103.213.218.0/23 customer1 20473 140810\n" +
		"103.213.218.0/23 rs1#10 20473 140810\n" +
		"103.213.218.0/23 rs1#3 9498 20473 140810\n"
	for _, row := range []struct {
		name   string
		before time.Duration
		want   string
	}{
		{"in the morning", 20 * time.Hour, before + "103.213.218.0/23 transit1 25152 19151 20473 140810\n"},
		{"in the outage of transit1", 14*time.Hour + 50*time.Minute, before + "103.213.218.0/23 transit1 25152 19151 20473 140810 stale\n"},
		{"after the outage", 14 * time.Hour, before + "103.213.218.0/23 transit1 25152 19151 20473 140810\n"},
		{"with prepends", 8 * time.Hour, calm + "103.213.218.0/23 transit1 25152 19151 20473 140810 140810 140810 140810\n"},
		{"in the hijack", 3 * time.Hour, "103.213.218.0/23 customer1 20473 140810 140810 140810 140810\n" +
			"103.213.218.0/23 rs1#1 6939 65550\n" +
			"103.213.218.0/23 rs1#10 20473 140810 140810 140810 140810\n" +
			"103.213.218.0/23 rs1#3 9498 20473 140810 140810 140810 140810\n" +
			"103.213.218.0/23 transit1 25152 6939 65550\n" +
			"103.213.218.0/24 rs1#1 6939 65550\n" +
			"103.213.218.0/24 transit1 25152 6939 65550\n"},
		{"at the end", 0, calm + "103.213.218.0/23 transit1 25152 19151 20473 140810 140810 140810 140810\n"},
	} {
		if diff := cmp.Diff(row.want, m.routes(t, row.before, victim())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
	count := strings.Count
	all := func(before time.Duration) string { return m.routes(t, before, netip.Prefix{}) }
	morning, leak, end := all(20*time.Hour), all(5*time.Hour), all(0)
	if a, b := count(morning, " 6713\n"), count(end, " 6713\n"); a != 0 || b < 10 {
		t.Errorf("AS 6713 has %d routes in the morning and %d in the end, want it to be new", a, b)
	}
	if a, b := count(leak, " customer1 "), count(end, " customer1 "); a < b+leaked-10 {
		t.Errorf("customer1 has %d routes in the leak and %d in the end, want %d more", a, b, leaked)
	}
	if a, b := m.routes(t, 80*time.Minute+10*time.Second, flapping()), m.routes(t, 80*time.Minute+30*time.Second, flapping()); (a == "") == (b == "") {
		t.Errorf("the flapping prefix is %q and 20 s before %q, want it to be there once", a, b)
	}
}

// TestADayEndsWithWhatTheSpeakersAnnounce compares the end of the day with the
// feeds, so that the table does not change when the speakers come up.
func TestADayEndsWithWhatTheSpeakersAnnounce(t *testing.T) {
	m := makeADay(t)
	cfg, err := config.Load("../../../configs/demo.yaml", config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	want := table.New()
	for _, a := range cast(cfg, recordedTable(t)) {
		want.Apply(&route.Batch{Peer: a.peer, Event: route.PeerUp})
		want.Apply(&route.Batch{Peer: a.peer, Updates: feed(recordedTable(t), a.kind, a.peer.ASN)})
	}
	if diff := cmp.Diff(dump(want, netip.Prefix{}), m.routes(t, 0, netip.Prefix{})); diff != "" {
		t.Errorf("the speakers and the end of the day differ (-speakers +day):\n%s", diff)
	}
}

func TestADayIsTheSameEachTime(t *testing.T) {
	a, b := makeADay(t), makeADay(t)
	for _, before := range []time.Duration{17 * time.Hour, 5 * time.Hour, 80 * time.Minute, 0} {
		if diff := cmp.Diff(a.routes(t, before, netip.Prefix{}), b.routes(t, before, netip.Prefix{})); diff != "" {
			t.Errorf("two days differ %v before their end:\n%s", before, diff)
		}
	}
	if info, err := os.Stat(a.path); err != nil || info.Size() > 8<<20 {
		t.Errorf("a day takes %v octets, %v; want some megabytes at most", info.Size(), err)
	}
}

// TestOnlyAnOldDayIsMadeAnew prepares one directory again and again.
func TestOnlyAnOldDayIsMadeAnew(t *testing.T) {
	cfg, err := config.Load("../../../configs/demo.yaml", config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "history.db")
	mark := filepath.Join(filepath.Dir(path), markFile)
	log := slog.New(slog.DiscardHandler)
	now := time.Now()
	prepare := func(written time.Time) (replaced bool) {
		t.Helper()
		if err := os.WriteFile(path, []byte("someone's"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
		if err := Prepare(t.Context(), cfg, path, now, log); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text) != "someone's"
	}
	if prepare(now.Add(-time.Hour)) {
		t.Error("a history that the demonstration did not make is replaced")
	}
	if err := os.WriteFile(mark, []byte("notes of somebody"), 0o600); err != nil {
		t.Fatal(err)
	}
	if prepare(now.Add(-time.Hour)) {
		t.Error("a history beside another README is replaced")
	}
	if err := os.WriteFile(mark, []byte(markText), 0o600); err != nil {
		t.Fatal(err)
	}
	if prepare(now.Add(-time.Minute)) {
		t.Error("a day that ended a minute ago is made anew")
	}
	if !prepare(now.Add(-time.Hour)) {
		t.Error("a day that ended an hour ago is kept")
	}
}
