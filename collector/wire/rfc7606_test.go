package wire

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"ribglass/ribstore/route"
)

// rfc7606Case is a row of testdata/frr-rfc7606.jsonl.
type rfc7606Case struct {
	ID           string   `json:"id"`
	Outcome      string   `json:"outcome"`
	OutcomeEBGP  string   `json:"outcome_ebgp"`
	OutcomeIBGP  string   `json:"outcome_ibgp"`
	SkipSorts    []string `json:"skip_sorts"`
	NextHop      string   `json:"nexthop"`
	Notification []uint8  `json:"notification"`
	UpdateHex    string   `json:"update_hex"`
}

func (c *rfc7606Case) expected(ibgp bool) string {
	switch {
	case ibgp && c.OutcomeIBGP != "":
		return c.OutcomeIBGP
	case !ibgp && c.OutcomeEBGP != "":
		return c.OutcomeEBGP
	}
	return c.Outcome
}

func (c *rfc7606Case) body(t *testing.T) []byte {
	t.Helper()
	if c.NextHop != "" { // the rows about the address alone
		hop := netip.MustParseAddr(c.NextHop).As4()
		return mustHex(t, "000000144001010040020602010000fde9400304"+hex.EncodeToString(hop[:])+"18c00002")
	}
	return mustHex(t, c.UpdateHex)[HeaderLen:]
}

// rfc7606Exceptions are the rows whose outcome we do not share, and why.
func rfc7606Exceptions() map[string]string {
	return map[string]string{
		"as4path-seg-type-0": "RFC 6793 section 6 says attribute discard, between speakers of four octets and of two alike",
		"pmsi-type-8":        "marked as FRR's own: RFC 6514 leaves unknown tunnel types open; kept as octets",
		"pmsi-type-255":      "as pmsi-type-8",
	}
}

func TestEveryRFC7606VectorHasTheDemandedOutcome(t *testing.T) {
	exceptions := rfc7606Exceptions()
	for _, c := range readJSONL[rfc7606Case](t, "testdata/frr-rfc7606.jsonl") {
		for _, ibgp := range []bool{false, true} {
			sort := map[bool]string{false: "ebgp", true: "ibgp"}[ibgp]
			t.Run(c.ID+"/"+sort, func(t *testing.T) {
				if reason, ok := exceptions[c.ID[strings.LastIndex(c.ID, "/")+1:]]; ok {
					if got := outcomeOf(t, &c, ibgp); got == c.expected(ibgp) {
						t.Errorf("listed as an exception (%s), but the outcome is the demanded %s", reason, got)
					}
					return
				}
				if slices.Contains(c.SkipSorts, sort) {
					return // the row says that it does not hold here
				}
				if got, want := outcomeOf(t, &c, ibgp), c.expected(ibgp); got != want {
					t.Errorf("%s: outcome %s, want %s", c.ID, got, want)
				}
			})
		}
	}
}

// outcomeOf decodes the UPDATE of the row and names what came of it.
func outcomeOf(t *testing.T, c *rfc7606Case, ibgp bool) string {
	t.Helper()
	s := Session{FourOctetAS: true, IBGP: ibgp}
	s.Families[route.IPv4Unicast], s.Families[route.IPv6Unicast] = true, true
	var b Builder
	report, err := NewDecoder(s).Update(c.body(t), &b)
	if err != nil {
		var n *Notification
		if !errors.As(err, &n) {
			t.Fatalf("%v is not a NOTIFICATION", err)
		}
		if c.Notification != nil && (n.Code != c.Notification[0] || n.Subcode != c.Notification[1]) {
			t.Errorf("NOTIFICATION %d/%d (%v), want %v", n.Code, n.Subcode, n, c.Notification)
		}
		return "session-reset"
	}
	updates := b.Updates()
	if len(updates) != 1 || len(updates[0].NLRI) != 1 || updates[0].NLRI[0].Prefix.String() != "192.0.2.0/24" {
		t.Fatalf("updates %v, want one with 192.0.2.0/24", updates)
	}
	switch {
	case updates[0].Withdraw() != (report.TreatedAsWithdraw != nil):
		t.Errorf("withdraw is %v, reported %v", updates[0].Withdraw(), report.TreatedAsWithdraw)
	case updates[0].Withdraw():
		return "treat-as-withdraw"
	case len(report.Discarded) > 0:
		return "attribute-discard"
	}
	return "accepted"
}

func mustHex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// readJSONL reads a file with one JSON object a line.
func readJSONL[T any](tb testing.TB, path string) []T {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var rows []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row T
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return rows
}
