package history

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Of a file that was cut to half everything is salvaged that its leaves still hold, though
// the pages that lead to them are gone: pieces of the journal and chunks, which the log
// counts, with how much of the file there is. The past that it has is answered as it was.
func TestAFileCutToHalfIsSalvaged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(memoryDir(t), "history.db")
	s := newScenario(7)
	c := s.clockFor(-10)
	h, err := openSmall(path, smallConfig(), c.deps(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	live, err := h.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := recorder{scenario: s, history: h, table: live, clock: c}
	r.begin()
	var early []moment
	for r.next < 4000 {
		if r.step(); r.next%20 == 0 {
			err = errors.Join(err, h.Flush())
		}
		if r.next <= 500 && r.next%100 == 0 {
			_, failed := h.Snapshot(t.Context(), directly(live))
			err = errors.Join(err, failed)
			early = append(early, moment{c.now(), dump(live, netip.Prefix{})})
		}
	}
	if err := errors.Join(err, h.Close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	h, err = openSmall(path, smallConfig(), c.deps(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	said := regexp.MustCompile(`it is cut off: \d+ octets of \d+ are there.*journal_pieces=(\d+) chunks=(\d+)`).FindSubmatch(log.Bytes())
	if said == nil {
		t.Fatalf("the log does not say what was salvaged:\n%s", log.Bytes())
	}
	x, _ := h.look()
	groups := 0
	for _, p := range x.Pieces {
		if !p.Lost {
			groups++
		}
	}
	t.Logf("%d octets of %d: %d pieces of the journal of 200, %s chunks, %d snapshots", len(whole)/2, len(whole), groups, said[2], len(x.Snapshots))
	if groups < 50 || len(x.Snapshots) == 0 {
		t.Errorf("%d pieces of the journal and %d snapshots were salvaged, want 50 of 200 and one", groups, len(x.Snapshots))
	}
	right := 0
	for i := range early {
		past, err := h.At(t.Context(), early[i].at, netip.Prefix{})
		wrong, certain := early[i].agree(past, err, netip.Prefix{}, true)
		if wrong != "" {
			t.Errorf("at %v: %s", early[i].at, wrong)
		}
		if certain {
			right++
		}
	}
	if right == 0 {
		t.Errorf("none of %d moments before is answered", len(early))
	}
}
