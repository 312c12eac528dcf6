package mrt

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// rewritten are files of every kind.
func rewritten() []string {
	return []string{
		"bgpdump-bview.64k_stream_overflow.gz",
		"bgpdump-bview.ipv4_unicast_add_path.gz",
		"bgpdump-bview.ipv6_unicast_add_path.gz",
		"bgpdump-updates.20071015.1505.gz",
		"bgpdump-updates.20100722.2015.gz",
		"bgpdump-updates.20160811.1600.gz",
		"bgpdump-updates.long_withdrawal.gz",
		"mrtparse-bird-mrtdump_bgp",
		"mrtparse-bird6-mrtdump_rib",
		"mrtparse-openbgpd_rib_table-v2",
		"mrtparse-quagga_bgp",
		"ryu-updates.20161101.0000.bz2",
	}
}

// hopless are the files whose routes have no next hop: no message can say them.
func hopless() []string {
	return []string{"bgpdump-bview.ipv6_unicast_add_path.gz", "mrtparse-bird6-mrtdump_rib"}
}

// TestRewrittenFilesReadAsBefore writes what a Source reads, as messages and as
// tables, and expects that a Source and bgpdump read the same of it again.
func TestRewrittenFilesReadAsBefore(t *testing.T) {
	for _, file := range rewritten() {
		for kind, rewrite := range map[string]func(*testing.T, *Writer, string) []string{
			"messages": rewriteMessages, "tables": rewriteTables,
		} {
			if kind == "messages" && slices.Contains(hopless(), file) {
				continue
			}
			t.Run(file+" as "+kind, func(t *testing.T) {
				path := shared(t, file)
				copied := filepath.Join(t.TempDir(), "copy.mrt")
				want := writeFile(t, copied, func(w *Writer) []string { return rewrite(t, w, path) })
				got, report := ours(t, copied)
				if len(report.Skipped) > 0 {
					t.Errorf("skipped %v: %v", report.Skipped, report.Errors)
				}
				compareLines(t, "Source", want, got)
				needBgpdump(t)
				compareLines(t, "bgpdump", want, bgpdump(t, copied))
			})
		}
	}
}

func compareLines(t *testing.T, reader string, want, got []string) {
	t.Helper()
	// Peers come up when something is heard of them: not at the same time in both.
	comesUp := func(line string) bool { return strings.Contains(line, "|UP|") }
	want, got = slices.DeleteFunc(slices.Clone(want), comesUp), slices.DeleteFunc(got, comesUp)
	slices.Sort(want)
	slices.Sort(got)
	missing, more := differences(want, got)
	if len(missing) > 0 || len(more) > 0 {
		t.Errorf("%s: %d lines of %d are missing, %d are too many; the first:\n%s", reader, len(missing), len(want), len(more),
			cmp.Diff(missing[:min(3, len(missing))], more[:min(3, len(more))]))
	}
}

func writeFile(t *testing.T, path string, write func(*Writer) []string) []string {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	buffered := bufio.NewWriter(f)
	lines := write(NewWriter(buffered))
	if err := errors.Join(buffered.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return lines
}

// batches calls each for every batch of a file.
func batches(t *testing.T, path string, each func(*Batch)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := NewSource(f, SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for {
		b, err := s.Next()
		var e *Error
		if errors.Is(err, io.EOF) || errors.As(err, &e) && e.Final {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		each(b)
		b.Release()
	}
}

// rewriteMessages writes everything as BGP4MP_ET and returns the lines to expect.
func rewriteMessages(t *testing.T, w *Writer, path string) (lines []string) {
	t.Helper()
	batches(t, path, func(b *Batch) {
		var err error
		s := Session{PeerASN: b.Peer.ASN, PeerAddress: b.Peer.Address, LocalASN: b.Peer.LocalASN}
		switch b.Event {
		case route.PeerUp:
			err = w.StateChange(&StateChange{Header: Header{Time: b.At}, Session: s, Old: 5, New: established})
		case route.PeerDown:
			err = w.StateChange(&StateChange{Header: Header{Time: b.At}, Session: s, Old: established, New: 1})
		case route.EndOfRIB:
			err = w.EndOfRIB(b.At, s, b.Family)
		case route.Routes:
			for _, u := range b.Updates {
				err = errors.Join(err, w.Update(b.At, s, u, b.Peer.AddPath[u.Family]))
			}
		default:
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = appendLines(lines, b)
	})
	return lines
}

// rewriteTables writes all announcements as one table. Nothing in it comes before
// the index of all peers, so the file is read twice.
func rewriteTables(t *testing.T, w *Writer, path string) (lines []string) {
	t.Helper()
	var peers []Peer
	index := make(map[string]int)
	batches(t, path, func(b *Batch) {
		if _, known := index[b.Peer.Name]; !known {
			index[b.Peer.Name] = len(peers)
			peers = append(peers, Peer{RouterID: b.Peer.RouterID, Address: b.Peer.Address, ASN: b.Peer.ASN})
		}
	})
	first := true
	batches(t, path, func(b *Batch) {
		if first {
			first = false
			if err := w.PeerIndex(b.Peer.RouterID, "a view", peers, b.At); err != nil {
				t.Fatal(err)
			}
		}
		kept := b.Updates[:0]
		for _, u := range b.Updates {
			if u.Withdraw() {
				continue
			}
			kept = append(kept, u)
			for _, n := range u.NLRI {
				r := Route{Peer: index[b.Peer.Name], Originated: b.At, AddPath: b.Peer.AddPath[u.Family], PathID: n.PathID, Attrs: u.Attrs}
				if err := w.RIB(&Row{Time: b.At, Family: u.Family, Prefix: n.Prefix, Routes: []Route{r}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if b.Updates = kept; b.Event == route.Routes {
			lines = appendLines(lines, b)
		}
	})
	return lines
}
