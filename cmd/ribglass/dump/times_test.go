package dump

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/cmd/ribglass/intake"
	"ribglass/collector/wire/mrt"
	"ribglass/ribstore"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Times and order of what was imported come back in an export as they were: of real
// records with microseconds, and of made ones with every remainder of a millisecond,
// some of them out of order, and sessions that come and go between them.
func TestImportedTimesComeBack(t *testing.T) {
	recorded, err := os.ReadFile("testdata/bgpdump-updates.et-header.2015.first-400-records.gz")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"recorded": recorded, "every microsecond": everyMicrosecond(t)} {
		t.Run(name, func(t *testing.T) {
			want := happened(t, file)
			got := happened(t, throughACollection(t, file, everything))
			if diff := cmp.Diff(want, got); diff != "" || len(want) < 1500 {
				t.Errorf("%d changes (-file +export):\n%s", len(want), diff)
			}
		})
	}
}

// everyMicrosecond returns a file whose records have all microseconds of a few
// milliseconds, each thousandth at the time of the one before and each hundredth before
// it, and a session that ends and comes back every 50 records.
func everyMicrosecond(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	w := mrt.NewWriter(&file)
	s := mrt.Session{PeerASN: 64501, LocalASN: 64500, PeerAddress: netip.MustParseAddr("192.0.2.1"), LocalAddress: netip.MustParseAddr("192.0.2.9")}
	other := s
	other.PeerAddress = netip.MustParseAddr("192.0.2.2")
	state := func(at time.Time, before, after uint16) {
		if err := w.StateChange(&mrt.StateChange{Header: mrt.Header{Time: at}, Session: other, Old: before, New: after}); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for i := range 3000 {
		now := at
		if i%100 == 99 {
			now = at.Add(-time.Millisecond)
		}
		u := announce(route.IPv4Unicast, fmt.Sprintf("10.%d.%d.0/24", i%7, i%11), 0, 64501, route.ASN(1+i))
		if err := w.Update(now, s, u, false); err != nil {
			t.Fatal(err)
		}
		switch i % 50 {
		case 20:
			state(at, openConfirm, established)
		case 40:
			state(at, established, idle)
		}
		if i%1000 != 0 {
			at = at.Add(time.Microsecond)
		}
	}
	return file.Bytes()
}

// everything asks for all that happened in a collection.
const everything = "between 2001-01-01 and 2100-01-01"

// throughACollection imports a file, and exports the answer to a question about the
// collection.
func throughACollection(t *testing.T, file []byte, question string) []byte {
	t.Helper()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	name := filepath.Join(dir, "file.mrt")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	i := intake.Import{DataDir: dir, Collection: "lab", Files: []string{name}, Logger: log}
	if _, err := i.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := ribstore.NewCollections(dir, ribstore.DefaultConfig(), ribstore.Deps{Logger: log, Now: time.Now})
	defer all.Close()
	lab, err := all.Get("lab")
	if err != nil {
		t.Fatal(err)
	}
	q, err := query.Parse(question)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&Exporter{Logger: log}).Write(t.Context(), &out, lab, q); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// happened returns what the records of a file changed, a line for each change with its
// time.
func happened(t *testing.T, file []byte) (list []string) {
	t.Helper()
	source, err := mrt.NewSource(bytes.NewReader(file), mrt.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	known := make(map[string]string)
	for {
		b, err := source.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		at := b.At.UTC().Format(time.RFC3339Nano)
		if b.Event != route.Routes {
			list = append(list, fmt.Sprint(at, " ", b.Event, " ", b.Peer.Address))
		}
		for i := range b.Updates {
			u := &b.Updates[i]
			for _, n := range u.NLRI {
				place, state := fmt.Sprint(b.Peer.Address, " ", n), string(u.Attrs)
				if u.Withdraw() {
					state = ""
				}
				if known[place] != state {
					list = append(list, fmt.Sprintf("%s %s %x", at, place, state))
				}
				known[place] = state
			}
		}
		b.Release()
	}
}

// An attribute that is not known here keeps its flags through import, table and
// exports: the octets of a file of others, and the same with other flags.
func TestUnknownAttributesKeepTheirFlags(t *testing.T) {
	original, err := os.ReadFile("../../../collector/wire/mrt/testdata/reports/mrt-update-attr255.mrt")
	if err != nil {
		t.Fatal(err)
	}
	const flags, code, value = 0xc0, 0xff, "\x00\x01\x02\x03" // with its length before it, as the file has them
	attribute := func(flags byte) []byte { return append([]byte{flags, code, 4}, value...) }
	for _, kept := range []byte{0xc0, 0xe0, 0x80, 0xa0} {
		file := bytes.Replace(original, attribute(flags), attribute(kept), 1)
		if !bytes.Contains(file, attribute(kept)) {
			t.Fatalf("the file has no attribute %x", attribute(kept))
		}
		for _, question := range []string{"", everything} {
			if out := throughACollection(t, file, question); !bytes.Contains(out, attribute(kept)) {
				t.Errorf("flags %#x: the export of %q has no attribute %x:\n%x", kept, question, attribute(kept), out)
			}
		}
	}
}
