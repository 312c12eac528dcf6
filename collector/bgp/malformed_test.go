package bgp

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// report is a row of testdata/reports.jsonl: a case that was reported of other
// software, in its source. The messages are sent after OPEN and KEEPALIVE.
type report struct {
	ID       string   `json:"id"`
	Messages []string `json:"messages"`
}

// reported returns the messages of a case.
func reported(t *testing.T, id string) (messages [][]byte) {
	t.Helper()
	f, err := os.Open("testdata/reports.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row report
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		for _, text := range row.Messages {
			message, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			if row.ID == id {
				messages = append(messages, message)
			}
		}
	}
	if len(messages) == 0 {
		t.Fatalf("there is no case %q", id)
	}
	return messages
}

// noted waits until a malformed message of a peer is kept and returns the newest.
func (b *bench) noted(name string) route.Malformed {
	b.t.Helper()
	eventually(b.t, "a malformed message is kept", func() bool { return len(b.Malformed(name)) > 0 })
	return b.Malformed(name)[0]
}

func TestAnUpdateThatIsTreatedAsWithdrawIsFound(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	messages := reported(t, "treat-as-withdraw-is-silent")
	for _, m := range messages {
		r.send(m)
	}
	got := b.noted("edge1")
	got.At = time.Time{}
	want := route.Malformed{
		Kind: route.TreatedAsWithdraw, Error: "attribute 2 (AS_PATH): AS 0", RFC: "RFC 7606 section 7.2", More: []string{},
		Prefixes: announcement(64501, "198.51.100.0/24").NLRI, Total: 1, Message: messages[1], Length: len(messages[1]),
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b route.NLRI) bool { return a == b })); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	for _, part := range []string{
		"update treated as withdraw", `error="attribute 2 (AS_PATH): AS 0"`, `rfc="RFC 7606 section 7.2"`, "prefixes=198.51.100.0/24", "prefix_count=1",
		"message=" + hex.EncodeToString(messages[1]),
	} {
		eventually(t, "the log has "+part, func() bool { return strings.Contains(b.logged(), part) })
	}
	eventually(t, "the withdrawal reaches the store", func() bool { return len(b.of("edge1", route.Routes)) > 0 && !b.has("edge1", "198.51.100.0/24") })
	batches := b.of("edge1", route.Routes)
	updates := batches[len(batches)-1].Updates
	if f, ok := updates[len(updates)-1].Fault(); !ok || f.Subject() != "AS_PATH" {
		t.Errorf("the store is told of %+v, %v", f, ok)
	}
	if n := b.session("edge1").Notices; len(n) != 1 || n[0].Kind != "malformed" || n[0].Count != 1 || !strings.Contains(n[0].Text, "AS 0") {
		t.Errorf("Notices = %+v", n)
	}
}

func TestAMessageThatEndsTheSessionIsFound(t *testing.T) {
	t.Parallel()
	good := []byte{0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfb, 0xf5, 0x40, 3, 4, 192, 0, 2, 1}
	tests := map[string]struct {
		message          []byte
		want, more, rule string
	}{
		"prefixes that cannot be read": {reported(t, "openbgpd-000000")[1], "attribute 0: well-known and not recognized", "", "RFC 4271 section 6.3"},
		"a prefix of 33 bits":          {update(good, 33, 10, 0, 0, 0, 0), "prefix of length 33", "", "RFC 7606 section 5.3"},
		"another error before it":      {update(append([]byte{0x40, 1, 1, 9}, good[4:]...), 33, 10, 0, 0, 0, 0), "prefix of length 33", "attribute 1 (ORIGIN): origin 9", "RFC 7606 section 5.3"},
		"a header":                     {make([]byte, 19), "Message Header Error", "", "RFC 4271 section 6.1"},
		"a ROUTE-REFRESH of 1 octet":   {frame(wire.TypeRouteRefresh, 0), "Message Header Error", "", "RFC 4271 section 6.1"},
		"a second OPEN":                {testOpen(64501, "192.0.2.1").Append(nil), "out of turn", "", "RFC 6608"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
			r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
			b.waitState("edge1", route.StateEstablished)
			r.send(tt.message)
			got := b.noted("edge1")
			if got.Kind != route.SessionReset || !strings.Contains(got.Error, tt.want) || got.RFC != tt.rule || string(got.Message) != string(tt.message) {
				t.Errorf("kept %+v, want an error with %q by %s, and %x", got, tt.want, tt.rule, tt.message)
			}
			if more := strings.Join(got.More, ", "); more != tt.more {
				t.Errorf("more errors: %q, want %q", more, tt.more)
			}
			eventually(t, "the log has the message", func() bool {
				return strings.Contains(b.logged(), "message="+hex.EncodeToString(tt.message))
			})
		})
	}
}

func TestAMessageWithDiscardedAttributesIsFound(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	message := update([]byte{0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfb, 0xf5, 0x40, 3, 4, 192, 0, 2, 1, 0xc0, 7, 1, 1}, 24, 203, 0, 113)
	r.send(message)
	got := b.noted("edge1")
	if got.Kind != route.AttributesDiscarded || !strings.HasPrefix(got.Error, "attribute 7 (AGGREGATOR): ") || got.Total != 1 || string(got.Message) != string(message) {
		t.Errorf("kept %+v", got)
	}
	if n := b.session("edge1").Notices; len(n) > 0 {
		t.Errorf("Notices = %+v, want none: nothing was lost", n)
	}
}

func TestWhatIsKeptOfMalformedMessagesIsBounded(t *testing.T) {
	var m malformed
	at := time.Unix(1_800_000_000, 0)
	long := make([]route.NLRI, 1000)
	m.keep(malformedEntry{at: at, kind: route.TreatedAsWithdraw, errs: []error{errors.New("the first")}, prefixes: long, message: make([]byte, malformedMessage)}, false)
	for i := range 1000 {
		m.keep(malformedEntry{at: at, kind: route.AttributesDiscarded, errs: []error{fmt.Errorf("attribute %d", i)}, prefixes: long, message: make([]byte, malformedMessage)}, false)
		if len(m.list) > malformedMost || m.octets > malformedOctets {
			t.Fatalf("%d messages, %d octets", len(m.list), m.octets)
		}
	}
	list := m.read()
	if last := list[len(list)-1]; last.Error != "the first" || len(last.Prefixes) != malformedPrefixes {
		t.Errorf("what cost a route was driven out by discarded attributes: %s", last.Error)
	}
	if list[0].Error != "attribute 999" {
		t.Errorf("the newest is %q", list[0].Error)
	}
	if n := m.keep(malformedEntry{at: at, kind: route.TreatedAsWithdraw, errs: []error{errors.New("x")}}, true); n != 1001 {
		t.Errorf("%d messages were not logged, want 1001", n)
	}
	if n := m.keep(malformedEntry{at: at, kind: route.TreatedAsWithdraw, errs: []error{errors.New("x")}}, true); n != 0 {
		t.Errorf("%d messages were not logged, want none", n)
	}
	if n := m.notices(at.Add(malformedLasts + time.Second)); n != nil {
		t.Errorf("after an hour an operator still hears %v", n)
	}
}
