package interop

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// target is the prefix that malformed UPDATEs are about.
const target = "192.0.2.0/24"

// The outcomes of RFC 7606, and two more.
const (
	kept      = "kept"              // the route is there
	discarded = "attribute-discard" // the route is there without the attribute
	withdrawn = "treat-as-withdraw" // the route that was there is not
	ignored   = "nothing changes"   // the route that was there still is
	reset     = "session-reset"     // with a NOTIFICATION
)

// bench is a running Ribglass with a bystander, whom nothing must disturb, and
// the session that is attacked.
type attackBench struct {
	t         *testing.T
	glass     *glass
	bystander *speaker
	before    shownPeer
	cfg       speakerConfig
	attacker  *speaker
	markers   int
}

// newAttackBench starts Ribglass and the bystander. n makes addresses differ.
func newAttackBench(t *testing.T, n int, cfg speakerConfig, settings ...string) *attackBench {
	t.Helper()
	witness := speakerConfig{local: fmt.Sprintf("127.0.7.%d", n), asn: 65007}
	g := newGlass(t, neighbor("attacker", cfg.local, cfg.asn, settings...), neighbor("bystander", witness.local, witness.asn))
	b := &attackBench{t: t, glass: g, cfg: cfg, bystander: dial(t, witness, g.bgp)}
	b.bystander.send(plainRoute("203.0.113.0/24", witness.asn), endOfRIB(1), endOfRIB(2))
	b.before = g.waitRoutes("bystander", 1)
	return b
}

// session returns the attacked session, a new one when the last was ended.
func (b *attackBench) session() *speaker {
	b.t.Helper()
	if b.attacker == nil || b.attacker.ended() {
		b.attacker = dial(b.t, b.cfg, b.glass.bgp)
	}
	return b.attacker
}

// barrier announces a prefix of its own and waits until it is found, so that
// everything sent before has been dealt with.
func (b *attackBench) barrier() error {
	b.markers++
	prefix := fmt.Sprintf("198.18.%d.%d/32", b.markers/256, b.markers%256)
	if err := b.attacker.write(plainRoute(prefix, b.cfg.asn)); err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if routes, err := b.glass.tryRoutes(prefix + " peer attacker"); err != nil || len(routes) > 0 {
			return err
		}
		if b.attacker.ended() {
			return fmt.Errorf("the session ended: %v", b.attacker.messages(msgNotification))
		}
	}
	return fmt.Errorf("%s was not found", prefix)
}

// suffer sends one message to a session on which the target is announced (or
// withdrawn, where announced is false) and names what became of it.
func (b *attackBench) suffer(m []byte, announced bool) (outcome string, notification message) {
	b.t.Helper()
	s := b.session()
	if announced {
		s.send(plainRoute(target, b.cfg.asn))
	} else {
		s.send(updateMessage(nlri(target), nil, nil))
	}
	if err := b.barrier(); err != nil {
		b.t.Fatal(err)
	}
	before := b.glass.peer("attacker").Counters
	s.send(m)
	if err := b.barrier(); err != nil {
		waitFor(b.t, 10*time.Second, "the session ends with a NOTIFICATION", func() error {
			if n := s.messages(msgNotification); len(n) > 0 && s.ended() {
				notification = n[0]
				return nil
			}
			return err
		})
		return reset, notification
	}
	after := b.glass.peer("attacker").Counters
	routes := b.glass.routes(target + " peer attacker")
	switch {
	case after.TreatedAsWithdraw > before.TreatedAsWithdraw && len(routes) == 0:
		return withdrawn, nil
	case after.AttributesDiscarded > before.AttributesDiscarded && len(routes) == 1:
		return discarded, nil
	case len(routes) == 1 && announced:
		return ignored, nil
	case len(routes) == 1:
		return kept, nil
	}
	return fmt.Sprintf("%d routes, counters %+v before and %+v after", len(routes), before, after), nil
}

// unharmed checks that the program and the bystander noticed nothing.
func (b *attackBench) unharmed() {
	b.t.Helper()
	b.glass.unharmed()
	now := b.glass.peer("bystander")
	if b.bystander.ended() || !now.Since.Equal(b.before.Since) || now.Routes.Accepted != 1 || now.Routes.Stale != 0 {
		b.t.Errorf("the bystander was disturbed: before %+v, now %+v", b.before, now)
	}
	if len(b.glass.routes("203.0.113.0/24 peer bystander")) != 1 {
		b.t.Error("the bystander's route is gone")
	}
}

// vector is a message of a file of test vectors, with the demanded outcome
// where there is one.
type vector struct {
	ID           string
	Hex          string
	UpdateHex    string `json:"update_hex"`
	Outcome      string
	OutcomeEBGP  string   `json:"outcome_ebgp"`
	OutcomeIBGP  string   `json:"outcome_ibgp"`
	SkipSorts    []string `json:"skip_sorts"`
	Notification []byte
}

// expected is the demanded outcome on an internal or external session, "" where
// none is.
func (v vector) expected(sort string) string {
	switch {
	case slices.Contains(v.SkipSorts, sort):
		return ""
	case sort == "ibgp" && v.OutcomeIBGP != "":
		return v.OutcomeIBGP
	case sort == "ebgp" && v.OutcomeEBGP != "":
		return v.OutcomeEBGP
	}
	return v.Outcome
}

func readVectors(t testing.TB, name string) []vector {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []vector
	scan := bufio.NewScanner(file)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var v vector
		// A notification is written as an array of numbers.
		raw := struct {
			*vector
			Notification []int
		}{vector: &v}
		if err := json.Unmarshal(scan.Bytes(), &raw); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, n := range raw.Notification {
			v.Notification = append(v.Notification, byte(n))
		}
		all = append(all, v)
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Every malformed attribute of FRR's RFC 7606 conformance tests is sent to the
// running program, on an external and an internal session.
func TestEveryRFC7606VectorHasItsOutcomeOnTheWire(t *testing.T) {
	// The rows on whose outcome the decoder differs, with its reasons, are in
	// the tests of package wire.
	differs := map[string]string{
		"as4path-seg-type-0": discarded,
		"pmsi-type-8":        kept,
		"pmsi-type-255":      kept,
	}
	vectors := readVectors(t, "../../../collector/wire/testdata/frr-rfc7606.jsonl")
	for i, sort := range []string{"ebgp", "ibgp"} {
		t.Run(sort, func(t *testing.T) {
			t.Parallel()
			cfg := speakerConfig{local: fmt.Sprintf("127.0.1.%d", 70+i), asn: []uint32{65001, glassASN}[i]}
			b := newAttackBench(t, 1+i, cfg)
			for _, v := range vectors {
				want := v.expected(sort)
				if v.UpdateHex == "" || want == "" {
					continue
				}
				m, err := hex.DecodeString(v.UpdateHex)
				if err != nil {
					t.Fatal(err)
				}
				if d, ok := differs[v.ID[strings.LastIndexByte(v.ID, '/')+1:]]; ok {
					want = d
				}
				got, notification := b.suffer(m, want == withdrawn)
				if got != want {
					t.Errorf("%s: %s, want %s", v.ID, got, want)
				}
				if got == reset && v.Notification != nil && !slices.Equal(notification[19:21], v.Notification) {
					t.Errorf("%s: NOTIFICATION %v, want %v", v.ID, notification[19:21], v.Notification)
				}
			}
			b.unharmed()
		})
	}
}

// sharedVectors is the directory of the vectors that are not in the tree.
func sharedVectors(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("RIBGLASS_SHARED")
	if dir == "" {
		dir = "../../../../shared"
	}
	dir = filepath.Join(dir, "data", "vectors")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("RIBGLASS_SHARED") != "" {
			t.Fatalf("%v: it is not where RIBGLASS_SHARED says", err)
		}
		t.Skipf("no shared vectors: %v (set RIBGLASS_SHARED)", err)
	}
	return dir
}

// Every other message at hand, good and bad, UPDATE or not, is thrown at an
// established session. Whatever becomes of the session, nobody else notices.
func TestNoVectorHurts(t *testing.T) {
	dir := sharedVectors(t)
	t.Parallel()
	b := newAttackBench(t, 3, speakerConfig{
		local: "127.0.1.72", asn: 65172,
		capabilities: append(usualCapabilities(65172), capability(6), capability(70)),
	})
	resets, total := 0, 0
	for _, file := range []string{"exabgp-ci.jsonl", "pcap-bgp.jsonl", "biord-seeds.jsonl", "nexthopai-seeds.jsonl"} {
		for _, v := range readVectors(t, filepath.Join(dir, file)) {
			m, err := hex.DecodeString(v.Hex)
			if err != nil {
				t.Fatal(err)
			}
			s := b.session()
			total++
			s.send(m)
			if err := b.barrier(); err == nil {
				continue
			}
			resets++
			s.close()
			b.attacker = nil
		}
	}
	b.unharmed()
	t.Logf("%d of %d messages ended the session", resets, total)
}

// The same bytes where an OPEN is due.
func TestNoVectorHurtsAsAnOPEN(t *testing.T) {
	dir := sharedVectors(t)
	t.Parallel()
	b := newAttackBench(t, 4, speakerConfig{local: "127.0.1.73", asn: 65173})
	header := strings.Repeat("ff", 16)
	for _, file := range []string{"pcap-bgp.jsonl", "frr-segments.jsonl", "biord-seeds.jsonl"} {
		for _, v := range readVectors(t, filepath.Join(dir, file)) {
			m, err := hex.DecodeString(v.Hex)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(v.Hex, header) { // an optional parameter, or a capability
				m = openMessage(65173, 90, netip.MustParseAddr("10.9.9.9"), m)
			}
			if conn, err := connect(b.cfg, b.glass.bgp); err == nil {
				_, _ = conn.Write(m)
				conn.Close()
			}
		}
	}
	b.unharmed()
	b.session()
	b.glass.waitEstablished("attacker")
}
