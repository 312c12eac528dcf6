package wire

import (
	"cmp"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ribglass/ribstore/route"
)

// segment is a row of frr-segments.jsonl: parts of messages with what FRR makes of
// them. The file is under the GPL and stays outside this repository.
type segment struct {
	ID     string `json:"id"`
	Desc   string `json:"desc"`
	Hex    string `json:"hex"`
	AS2Hex string `json:"as2_hex"`
	Expect string `json:"expect"`
	String string `json:"string"`
	Hops   int    `json:"hops"`
}

func segments(t *testing.T, prefix string) []segment {
	t.Helper()
	file := filepath.Join(sharedData(), "vectors", "frr-segments.jsonl")
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("RIBGLASS_SHARED") != "" {
			t.Fatalf("%v: it is not where RIBGLASS_SHARED says", err)
		}
		t.Skip("no shared data: set RIBGLASS_SHARED to its directory")
	}
	return slices.DeleteFunc(readJSONL[segment](t, file), func(s segment) bool {
		return !strings.HasPrefix(s.ID, "frr-"+prefix)
	})
}

// runSegments compares what accepted says with the rows, exceptions aside.
func runSegments(t *testing.T, rows []segment, exceptions map[string]string, accepted func(octets []byte) error) {
	t.Helper()
	for _, row := range rows {
		name := row.ID[strings.LastIndex(row.ID, "/")+1:]
		err := accepted(mustHex(t, row.Hex))
		agrees := (err == nil) == (row.Expect == "parse")
		if _, ok := exceptions[name]; ok == agrees {
			t.Errorf("%s (%s): %v, FRR says %q, listed as exception: %v", row.ID, row.Desc, err, row.Expect, ok)
		}
	}
}

func TestCapabilitiesAgreeWithFRR(t *testing.T) {
	orf := "outbound route filters are not read: nothing is ever announced"
	exceptions := map[string]string{"minsize": orf, "ORF-empty": orf}
	for _, group := range []string{"capability-test", "capability-mp", "capability-misc"} {
		runSegments(t, segments(t, group), exceptions, func(octets []byte) error {
			parameter := append([]byte{parameterCapabilities, byte(len(octets))}, octets...)
			return openWith(parameter)
		})
	}
	runSegments(t, segments(t, "capability-opt_params"), nil, openWith)
}

// openWith returns the error of an OPEN with the parameters, from AS_TRANS, which
// any four-octet AS number may stand beside.
func openWith(parameters []byte) error {
	b := openBytes(append([]byte{byte(len(parameters))}, parameters...)...)
	putUint16(b[1:], int(route.ASTrans))
	_, err := ParseOpen(b)
	return err
}

func TestMultiprotocolAttributesAgreeWithFRR(t *testing.T) {
	foreign := "VPN prefixes are not kept, so not read"
	runSegments(t, segments(t, "mp_attr-mp_reach"), map[string]string{
		"IPv4-VPNv4-bogus-plen": foreign, "IPv4-VPNv4-plen1-short": foreign, "IPv4-VPNv4-plen1-long": foreign,
		"IPv4-VPNv4-plenn-long": foreign, "IPv4-VPNv4-plenn-short": foreign, "IPv4-VPNv4-0-nlri": foreign,
		"IPv6-bug": "its NLRI field is empty, which RFC 4760 does not forbid and RFC 7606 section 5.2 minds only beside another fault",
	}, func(octets []byte) error {
		return updateWith(t, attr(flagOptional, byte(attrMPReach), hex.EncodeToString(octets)))
	})
	runSegments(t, segments(t, "mp_attr-mp_unreach"), nil, func(octets []byte) error {
		return updateWith(t, attr(flagOptional, byte(attrMPUnreach), hex.EncodeToString(octets)))
	})
}

// updateWith returns the error of an UPDATE with good attributes and one more.
func updateWith(t *testing.T, attribute string) error {
	t.Helper()
	var b Builder
	_, err := NewDecoder(testSession()).Update(body(t, "", origin+path+attribute, ""), &b)
	return err
}

func TestPathsAgreeWithFRR(t *testing.T) {
	compared := 0
	for _, row := range segments(t, "aspath/") {
		if strings.Contains(row.ID, "asdot") {
			continue // the same paths in another notation
		}
		octets := mustHex(t, row.AS2Hex)
		if reason := pathFault(octets, 2); reason != "" {
			// What FRR cannot parse has no text; AS 0 is malformed by RFC 7607.
			if row.String != "" && reason != "AS 0" {
				t.Errorf("%s: %s, FRR reads %q", row.ID, reason, row.String)
			}
			continue
		}
		compared++
		var d Decoder
		p := route.ASPath(d.widen(octets))
		if got, want := sortedSets(p.String()), sortedSets(row.String); got != want || p.Len() != row.Hops {
			t.Errorf("%s: %q of length %d, FRR %q of %d", row.ID, got, p.Len(), want, row.Hops)
		}
	}
	if compared < 20 {
		t.Errorf("only %d paths compared", compared)
	}
}

// sortedSets writes sets as FRR does, sorted and each AS number once; we keep them
// as they were sent.
func sortedSets(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		if w[0] != '{' && w[0] != '[' {
			continue
		}
		asns := strings.Split(w[1:len(w)-1], ",")
		slices.SortFunc(asns, func(a, b string) int {
			x, _ := strconv.Atoi(a)
			y, _ := strconv.Atoi(b)
			return cmp.Compare(x, y)
		})
		words[i] = w[:1] + strings.Join(slices.Compact(asns), ",") + w[len(w)-1:]
	}
	return strings.Join(words, " ")
}
