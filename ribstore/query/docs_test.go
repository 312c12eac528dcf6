package query

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ribglass/ribstore/query/querytest"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// documentation is the text that describes the language.
func documentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/query.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documentedAt is the moment at which the examples are asked.
var documentedAt = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// documentedTable is the table of the documentation.
func documentedTable(t *testing.T, text string) *table.Table {
	t.Helper()
	peers := map[string]*route.Peer{
		"edge1": {Name: "edge1", Router: "edge1", Group: "transit"},
		"edge2": {Name: "edge2", Router: "edge2", Group: "transit"},
		"ix1":   {Name: "ix1", Router: "rs1", Group: "ixp"},

		"edge1-pre": {Name: "edge1-pre", Router: "edge1", Group: "transit", View: route.PrePolicy},
	}
	tab := table.New()
	for _, p := range peers {
		tab.Apply(&route.Batch{Peer: p, At: documentedAt, Event: route.PeerUp})
	}
	routes := 0
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 12 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		peer := peers[cells[1]]
		if peer == nil {
			continue
		}
		age, ok := parseAgo(cells[10])
		if !ok {
			t.Fatalf("age in %q", line)
		}
		prefix := netip.MustParsePrefix(cells[2])
		routes++
		tab.Apply(&route.Batch{Peer: peer, At: documentedAt.Add(-age), Updates: []route.Update{
			{Family: querytest.FamilyOf(prefix), Attrs: documentedAttrs(t, cells[3:10]), NLRI: []route.NLRI{{Prefix: prefix}}},
		}})
	}
	if routes != 13 {
		t.Fatalf("the documentation's tables have %d routes, want 13", routes)
	}
	return tab
}

// documentedAttrs reads next hop, path, origin, MED, LOCAL_PREF, communities
// and OTC.
func documentedAttrs(t *testing.T, cells []string) route.Attrs {
	t.Helper()
	number := func(a route.Attrs, code route.AttrCode, text string) route.Attrs {
		if text == "" {
			return a
		}
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		return a.AppendAttr(code, binary.BigEndian.AppendUint32(nil, uint32(n)))
	}
	codes := map[string]byte{"igp": 0, "egp": 1, "incomplete": 2}
	standard, ext, large := documentedCommunities(t, cells[5])
	a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{codes[cells[2]]}).
		AppendAttr(route.AttrASPath, documentedPath(cells[1])).
		AppendAttr(route.AttrNextHop, netip.MustParseAddr(cells[0]).AsSlice())
	a = number(number(a, route.AttrMED, cells[3]), route.AttrLocalPref, cells[4])
	for _, list := range []struct {
		code  route.AttrCode
		value []byte
	}{{route.AttrCommunities, standard}, {route.AttrExtCommunities, ext}, {route.AttrLargeCommunities, large}} {
		if len(list.value) > 0 {
			a = a.AppendAttr(list.code, list.value)
		}
	}
	return number(a, route.AttrOTC, cells[6])
}

func documentedPath(text string) route.ASPath {
	sequence, set, hasSet := strings.Cut(strings.TrimSuffix(text, "}"), "{")
	asns := func(words []string) (list []route.ASN) {
		for _, w := range words {
			list = append(list, asn(w))
		}
		return list
	}
	path := route.ASPath(nil).AppendSegment(route.ASSequence, asns(strings.Fields(sequence))...)
	if hasSet {
		path = path.AppendSegment(route.ASSet, asns(strings.Split(set, ","))...)
	}
	return path
}

func documentedCommunities(t *testing.T, text string) (standard, ext, large []byte) {
	t.Helper()
	for word := range strings.FieldsSeq(text) {
		e, ok := parseCommunity(word)
		switch e := e.(type) {
		case Community:
			standard = binary.BigEndian.AppendUint32(standard, uint32(e.High.First<<16|e.Low.First))
		case LargeCommunity:
			for _, p := range []Part{e.Global, e.Local1, e.Local2} {
				large = binary.BigEndian.AppendUint32(large, uint32(p.First))
			}
		case ExtCommunity:
			ok = word == "rt:64500:1"
			ext, _ = hex.DecodeString("0002fbf400000001")
		}
		if !ok {
			t.Fatalf("community %q", word)
		}
	}
	return standard, ext, large
}

// TestExamplesOfTheDocumentation asks every query of a ```query block: it is
// found to be canonical or to become so, and answers or is refused as it says.
func TestExamplesOfTheDocumentation(t *testing.T) {
	text := documentation(t)
	tab := documentedTable(t, text)
	examples := 0
	for _, block := range regexp.MustCompile("(?ms)^```query\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			question, says, found := strings.Cut(strings.TrimSpace(line), "  #")
			if !found {
				t.Errorf("%q says nothing about its answer", line)
				continue
			}
			examples++
			question, says = strings.TrimSpace(question), strings.TrimSpace(says)
			if reason, refused := strings.CutPrefix(says, "refused: "); refused {
				checkRefused(t, question, reason)
				continue
			}
			if canonical, ok := strings.CutPrefix(says, "the same as "); ok {
				if q, err := Parse(question); err != nil || q.String() != canonical {
					t.Errorf("Parse(%q) = %v, %v, want %q", question, q, err, canonical)
				}
				continue
			}
			n, err := strconv.Atoi(strings.Fields(says)[0])
			if err != nil {
				t.Errorf("%q: %v", line, err)
			}
			checkExample(t, tab, question, n)
		}
	}
	if examples < 100 {
		t.Errorf("%d examples found, want 100 and more", examples)
	}
}

func checkRefused(t *testing.T, question, reason string) {
	t.Helper()
	_, err := Parse(question)
	if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Message, reason) {
		t.Errorf("Parse(%q) = %v, want %q", question, err, reason)
	}
}

func checkExample(t *testing.T, tab *table.Table, question string, want int) {
	t.Helper()
	q, err := Parse(question)
	if err != nil {
		t.Errorf("Parse(%q) = %v", question, err)
		return
	}
	again, err := Parse(q.String())
	if err != nil || !sameQuery(q, again) {
		t.Errorf("Parse(%q) = %v, %v; it is the canonical form of %q", q, again, err, question)
	}
	r, err := Run(context.Background(), Known{Table: tab, At: documentedAt}, q, Page{})
	if err != nil || r.Total != want {
		t.Errorf("%q finds %d routes, %v; the documentation says %d", question, r.Total, err, want)
	}
}

func TestEveryWordIsDocumented(t *testing.T) {
	text := documentation(t)
	for _, w := range append(Words(), wordsOf(connectives)...) {
		if !regexp.MustCompile("(?i)`[^`\n]*\\b" + w.Text + "\\b|\\b" + w.Text + "\\b[^\n]*  # ").MatchString(text) {
			t.Errorf("docs/query.md does not show %q", w.Text)
		}
	}
}

func wordsOf(texts []string) (list []Word) {
	for _, text := range texts {
		list = append(list, Word{Text: text})
	}
	return list
}
