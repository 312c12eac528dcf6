package graph

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"ribglass/ribstore/route"
)

// Lengths of texts, in cells.
const (
	maxTitle = 120
	maxPeer  = 26
	maxName  = 22
	maxSet   = 20
)

// label writes down what stands on a node.
func (n *Node) label(name func(route.ASN) string) {
	switch n.Kind {
	case Peer:
		n.Label = printable(n.Peer, maxPeer)
	case AS:
		n.Label = n.ASN.String()
		if name != nil {
			n.Name = printable(name(n.ASN), maxName)
		}
	case ConfedAS:
		n.Label = "(" + n.ASN.String() + ")"
	case Set:
		n.Label = setLabel(route.ASSet, n.ASNs)
	case ConfedSet:
		n.Label = setLabel(route.ASConfedSet, n.ASNs)
	case Fold:
		n.Label = foldLabel(n.FoldedASes, n.FoldedPeers)
	case numOfKinds:
	}
	if n.Label == "" {
		n.Label = "?"
	}
}

// setLabel prints a set as routers do, a large one cut.
func setLabel(t route.SegmentType, asns []route.ASN) string {
	text := route.ASPath(nil).AppendSegment(t, asns...).String()
	if len(text) <= maxSet {
		return text
	}
	return fmt.Sprintf("%c%s,…%d%c", text[0], asns[0], len(asns), text[len(text)-1])
}

func foldLabel(ases, peers int) string {
	switch {
	case peers == 0:
		return plural(ases, "more AS", "more ASes")
	case ases == 0:
		return plural(peers, "more peer", "more peers")
	}
	return plural(peers, "more peer", "more peers") + ", " + plural(ases, "AS", "ASes")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// timesText writes how often an AS stands in a row: "×3", "×2 ×4", "×2–9".
func timesText(list []Times) string {
	switch len(list) {
	case 0:
		return ""
	case 1, 2:
		var parts []string
		for _, t := range list {
			parts = append(parts, "×"+strconv.Itoa(t.Times))
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprintf("×%d–%d", list[0].Times, list[len(list)-1].Times)
}

// printable makes s fit for one line of a picture: what is invisible, reorders
// text or is no text becomes "\uFFFD", a second mark upon a letter is dropped,
// and it is cut to a width in cells.
func printable(s string, width int) string {
	var b strings.Builder
	used, marks := 0, 0
	for _, r := range s {
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		if unicode.Is(unicode.M, r) {
			if marks++; marks > 1 || used == 0 {
				continue
			}
			b.WriteRune(r)
			continue
		}
		marks = 0
		w := runeCells(r)
		if used+w > width-1 && cells(s) > width {
			b.WriteRune('…')
			break
		}
		used += w
		b.WriteRune(r)
	}
	return b.String()
}

// runeCells is how many cells of a terminal a character takes: two for those of
// East Asia and for pictures, about.
func runeCells(r rune) int {
	if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff ||
		r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x1f300) {
		return 2
	}
	return 1
}

// cells is how many cells a text takes.
func cells(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.Is(unicode.M, r) {
			n += runeCells(r)
		}
	}
	return n
}
