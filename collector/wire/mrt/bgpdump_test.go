package mrt

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// needBgpdump skips the test where bgpdump is not installed, and fails it in CI,
// where it is.
func needBgpdump(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("bgpdump"); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("bgpdump is not installed (Debian package bgpdump), and CI is set")
	}
	t.Skip("bgpdump is not installed (Debian package bgpdump)")
}

// bgpdump returns the lines that bgpdump prints of a file, each with the large
// communities, and in the words of ours.
func bgpdump(t *testing.T, path string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "bgpdump", "-v", "-m", "-l", path).Output()
	if err != nil && len(out) == 0 {
		t.Fatalf("bgpdump %s: %v", path, err)
	}
	var lines []string
	scanner := bufio.NewScanner(bytes.NewReader(out))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if line, ok := theirs(scanner.Text()); ok {
			lines = append(lines, line)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// theirs rewrites a line of bgpdump: whether routes came out of a table or a
// message is not said, addresses are as RFC 5952 has them, host bits are
// cleared, and of the states only Established counts. What RFC 7606 treats as
// withdrawn, and RFC 7607 discards, is so here.
func theirs(line string) (string, bool) {
	f := strings.Split(line, "|")
	seconds, micros, _ := strings.Cut(f[1], ".")
	when := seconds + "." + (micros + "000000")[:6]
	address := canonicalAddress(f[3])
	head := []string{when, f[2], address, f[4]}
	if f[2] == "STATE" {
		switch up := f[6] == "6"; {
		case up == (f[5] == "6"):
			return "", false
		case up:
			head[1] = "UP"
		default:
			head[1] = "DOWN"
		}
		return strings.Join(head, "|"), true
	}
	prefix, err := netip.ParsePrefix(f[5])
	if err != nil {
		return "unreadable " + line, true
	}
	rest, pathID := f[6:], "0"
	if strings.HasSuffix(f[0], "_AP") {
		pathID, rest = f[6], f[7:]
	}
	head = append(head, prefix.Masked().String(), pathID)
	if f[2] == "W" {
		return strings.Join(head, "|"), true
	}
	if f[2] == "B" {
		head[1] = "A"
	}
	if hop, err := netip.ParseAddr(rest[2]); err == nil {
		rest[2] = hop.String()
	}
	if rest[2] == "255.255.255.255" {
		rest[2] = ""
	}
	if f[2] == "A" && slices.Contains(strings.Fields(rest[0]), "0") {
		head[1] = "W"
		return strings.Join(head, "|"), true
	}
	if f[0] == "BGP" { // MED, which is 0 in all of them, and communities in one column
		zero, communities, _ := strings.Cut(rest[4], "0")
		rest = slices.Insert(rest, 5, communities, "")
		rest[4] = zero + "0"
	}
	if len(rest) < 9 {
		return "cut short " + line, true
	}
	if strings.HasPrefix(rest[8], "0 ") {
		rest[8] = ""
	}
	return strings.Join(append(head, rest...), "|"), true
}

func canonicalAddress(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().String()
	}
	return s
}

// ours prints what a Source says, in the same words.
func ours(t *testing.T, path string) ([]string, Report) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s, err := NewSource(file, SourceOptions{Errors: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var lines []string
	for {
		b, err := s.Next()
		var e *Error
		if errors.Is(err, io.EOF) || errors.As(err, &e) && e.Final {
			return lines, s.Report()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = appendLines(lines, b)
		b.Release()
	}
}

func appendLines(lines []string, b *Batch) []string {
	head := func(kind string) string {
		return fmt.Sprintf("%d.%06d|%s|%v|%v", b.At.Unix(), b.At.Nanosecond()/1000, kind, b.Peer.Address, b.Peer.ASN)
	}
	switch b.Event {
	case route.PeerUp:
		return append(lines, head("UP"))
	case route.PeerDown:
		return append(lines, head("DOWN"))
	case route.Routes:
	default:
		return lines
	}
	for _, u := range b.Updates {
		kind, text := head("W"), ""
		if !u.Withdraw() {
			kind, text = head("A"), "|"+attributesTextWithLarge(u.Attrs)
		}
		for _, n := range u.NLRI {
			lines = append(lines, fmt.Sprintf("%s|%v|%d%s", kind, n.Prefix, n.PathID, text))
		}
	}
	return lines
}

func attributesTextWithLarge(a route.Attrs) string {
	f := strings.Split(attributesText(a), "|")
	var large []string
	for c := range a.LargeCommunities().All() {
		large = append(large, c.String())
	}
	return strings.Join(slices.Insert(f, 6, strings.Join(large, " ")), "|")
}

// exceptions are the files of which bgpdump's text is not all that we read, and
// what is done about it.
func exceptions(file string) (reason string, adjust func(want, got []string) (w, g []string)) {
	switch {
	case file == "bgpdump-updates.nlri_mask_trailing_bits.gz":
		return "what follows the prefix is no prefix, for which a session would be reset", keepFirst
	case file == "mrtparse-bird_bgp", file == "mrtparse-bird6_bgp":
		return "path identifiers under a subtype without: bgpdump takes them for prefixes", keepFirst
	case file == "bgpkit-rrc00_2000.03_updates.20000325.0345.gz":
		return "damaged: bgpdump ends where we find the records behind the damage", func(_, _ []string) (w, g []string) { return nil, nil }
	case file == "bgpkit-rrc00_2000.01_bview.20000111.0032.gz":
		return "damaged: bgpdump ends where we find the records behind the damage", readOn
	case file == "mrtparse-openbgpd_rib_table-mp":
		return "bgpdump does not read BGP4MP_ENTRY", func(_, _ []string) (w, g []string) { return nil, nil }
	case strings.HasPrefix(file, "bgpkit-rrc00_") && strings.Contains(file, "updates"):
		return "bgpdump prints the peer's address for a withdrawn prefix", lengthsOfWithdrawn
	}
	return "", nil
}

// keepFirst compares nothing but that all we read is read by bgpdump, too: at
// most one message's withdrawals are not.
func keepFirst(want, got []string) (w, g []string) {
	if len(got) > len(want) {
		return want, got
	}
	return nil, nil
}

// readOn compares nothing but that all that bgpdump reads is read.
func readOn(want, got []string) (w, g []string) {
	return want, slices.DeleteFunc(got, func(line string) bool { return !slices.Contains(want, line) })
}

// lengthsOfWithdrawn leaves of withdrawn prefixes their lengths.
func lengthsOfWithdrawn(want, got []string) (w, g []string) {
	for _, lines := range [][]string{want, got} {
		for i, line := range lines {
			if f := strings.Split(line, "|"); f[1] == "W" {
				_, f[4], _ = strings.Cut(f[4], "/")
				lines[i] = strings.Join(f, "|")
			}
		}
	}
	return want, got
}

// TestSourceReadsWhatBgpdumpPrints compares, for every file, each route that a
// Source gives with the line that bgpdump prints of it, and each session lost.
func TestSourceReadsWhatBgpdumpPrints(t *testing.T) {
	needBgpdump(t)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(shared(t, "index.md")), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file := filepath.Base(path)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() || file == "index.md" {
			continue
		}
		t.Run(file, func(t *testing.T) {
			if testing.Short() && info.Size() > 1<<20 {
				t.Skip("large")
			}
			compareWithBgpdump(t, path)
		})
	}
}

func compareWithBgpdump(t *testing.T, path string) {
	t.Helper()
	want := bgpdump(t, path)
	got, report := ours(t, path)
	// Routes of the collector itself have no attributes at all.
	before := len(want)
	want = slices.DeleteFunc(want, func(line string) bool { return strings.HasSuffix(line, "||INCOMPLETE||0|0|||NAG||") })
	if refused := report.Skipped[SkippedEntry]; refused != before-len(want) {
		t.Errorf("%d table entries refused, want the %d without attributes: %v", refused, before-len(want), report.Errors)
	}
	if reason, adjust := exceptions(filepath.Base(path)); adjust != nil {
		t.Log(reason)
		want, got = adjust(want, got)
	}
	slices.Sort(want)
	slices.Sort(got)
	missing, more := differences(want, got)
	// A peer also comes up when its first routes say so.
	more = slices.DeleteFunc(more, func(line string) bool { return strings.Contains(line, "|UP|") })
	if len(missing) > 0 || len(more) > 0 {
		t.Errorf("%d lines of %d are missing, %d are too many; the first:\n%s", len(missing), len(want), len(more),
			cmp.Diff(missing[:min(3, len(missing))], more[:min(3, len(more))]))
	}
}

// differences returns what only one of two sorted lists has.
func differences(a, b []string) (onlyA, onlyB []string) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			a, b = a[1:], b[1:]
		case a[0] < b[0]:
			onlyA, a = append(onlyA, a[0]), a[1:]
		default:
			onlyB, b = append(onlyB, b[0]), b[1:]
		}
	}
	return append(onlyA, a...), append(onlyB, b...)
}
