package ui

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"ribglass/ribstore/route"
	"ribglass/ui/names"
)

// count prints n in groups of three digits, as English does: "1,234,567".
func count[N int | uint64](n N) string {
	digits := fmt.Sprint(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// plural prints "1 route" and "2 routes".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "x") {
		return count(n) + " " + noun + "es"
	}
	return count(n) + " " + noun + "s"
}

// age prints how long before now t was, in its two largest units: "3d4h".
func age(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := max(now.Sub(t), 0)
	days := int(d.Hours()) / 24
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case days == 0:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case days < 14:
		return fmt.Sprintf("%dd%02dh", days, int(d.Hours())%24)
	case days < 730:
		return fmt.Sprintf("%dw%dd", days/7, days%7)
	}
	return fmt.Sprintf("%dy%dw", days/365, days%365/7)
}

// utc prints t to the second.
func utc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// machine prints t for the datetime attribute.
func machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// clean makes s fit for one line of a terminal or a page: control characters,
// line separators and the invisible characters that reorder text become "\uFFFD".
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// Hop is an AS number of a path and how often it stands there in a row.
type Hop struct {
	Text  string
	Times int
	Set   bool // Text is a set or a confederation segment
	Same  bool // the path it is compared with has it too
}

// hops splits a path for display, prepends taken together.
func hops(path route.ASPath) []Hop {
	var list []Hop
	for s := range path.Segments() {
		if s.Type != route.ASSequence {
			asns := make([]route.ASN, s.Len())
			for i := range asns {
				asns[i] = s.At(i)
			}
			list = append(list, Hop{Text: route.ASPath(nil).AppendSegment(s.Type, asns...).String(), Times: 1, Set: true})
			continue
		}
		for i := range s.Len() {
			text := s.At(i).String()
			if last := len(list) - 1; last >= 0 && !list[last].Set && list[last].Text == text {
				list[last].Times++
				continue
			}
			list = append(list, Hop{Text: text, Times: 1})
		}
	}
	return list
}

// originMark prints an origin as routers do.
func originMark(attrs route.Attrs) string {
	switch attrs.Origin() {
	case route.OriginIGP:
		return "i"
	case route.OriginEGP:
		return "e"
	case route.OriginIncomplete:
	}
	return "?"
}

// number prints an optional number.
func number(n uint32, ok bool) string {
	if !ok {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

func med(attrs route.Attrs) string { return number(attrs.MED()) }

func localPref(attrs route.Attrs) string { return number(attrs.LocalPref()) }

// Fact is a named value of a route.
type Fact struct {
	Name   string
	Values []Value
}

// Value is a value, what it is called, "" when it has no name, and its page.
type Value struct {
	Text, Name, URL string
	Same            bool // all routes that it is compared with have it

	community names.Community // that it is, where it is known
	known     bool
	heard     []route.ASN // the ASes that may have put it there
}

// facts lists the attributes that have no column of their own.
func facts(attrs route.Attrs) []Fact {
	var list []Fact
	add := func(name string, values ...Value) {
		if len(values) > 0 {
			list = append(list, Fact{name, values})
		}
	}
	add("communities", communities(attrs)...)
	add("large", largeOnes(attrs)...)
	add("extended", extended(attrs)...)
	if asn, id, ok := attrs.Aggregator(); ok {
		add("aggregator", Value{Text: asn.String() + " " + id.String()})
	}
	if attrs.AtomicAggregate() {
		add("atomic-aggregate", Value{Text: "yes"})
	}
	if id := attrs.OriginatorID(); id.IsValid() {
		add("originator", Value{Text: id.String()})
	}
	add("clusters", clusters(attrs.ClusterList())...)
	if n, ok := attrs.AIGP(); ok {
		add("aigp", Value{Text: strconv.FormatUint(n, 10)})
	}
	if asn, ok := attrs.OTC(); ok {
		add("only-to-customer", Value{Text: asn.String()})
	}
	if a := attrs.LinkLocalNextHop(); a.IsValid() {
		add("link-local next hop", Value{Text: a.String()})
	}
	for u := range attrs.Unknown() {
		add(unknownName(u), Value{Text: unknownText(u)})
	}
	return list
}

// communityURL returns the page of a community of any kind.
func communityURL(text string) string { return "/community/" + url.PathEscape(text) }

func communities(attrs route.Attrs) []Value {
	var list []Value
	for c := range attrs.Communities().All() {
		list = append(list, Value{
			Text: c.String(), Name: c.Name(), URL: communityURL(c.String()), community: names.Standard(c), known: true,
		})
	}
	return list
}

func largeOnes(attrs route.Attrs) []Value {
	var list []Value
	for c := range attrs.LargeCommunities().All() {
		list = append(list, Value{Text: c.String(), URL: communityURL(c.String()), community: names.Large(c), known: true})
	}
	return list
}

func extended(attrs route.Attrs) []Value {
	var list []Value
	for c := range attrs.ExtCommunities() {
		v := Value{Text: c.String(), URL: communityURL(c.String())}
		v.community, v.known = names.Extended(c)
		list = append(list, v)
	}
	return list
}

func clusters(list []byte) []Value {
	var values []Value
	for ; len(list) >= 4; list = list[4:] {
		values = append(values, Value{Text: netip.AddrFrom4([4]byte(list)).String()})
	}
	return values
}

// unknownName names an attribute: that which is not understood by its code.
func unknownName(u route.UnknownAttr) string {
	if u.Value == nil && u.Code.Name() != "" {
		return u.Code.Name()
	}
	return fmt.Sprintf("attribute %d", u.Code)
}

// unknownText prints an attribute that is not understood: in words where its form is
// known, else its octets, the first of a long one.
func unknownText(u route.UnknownAttr) string {
	if text := u.Text(); text != "" {
		return text
	}
	if u.Value == nil {
		return fmt.Sprintf("flags %#02x: %d octets, too long to keep; SHA-256 %x…", u.Flags, u.Length, u.Hash)
	}
	const most = 32
	text := hex.EncodeToString(u.Value[:min(len(u.Value), most)])
	if len(u.Value) > most {
		text += fmt.Sprintf("… (%d octets)", len(u.Value))
	}
	return fmt.Sprintf("flags %#02x: %s", u.Flags, text)
}

// familyLabel prints a family for people.
func familyLabel(f route.Family) string {
	switch f {
	case route.IPv4Unicast:
		return "IPv4"
	case route.IPv6Unicast:
		return "IPv6"
	case route.IPv4Multicast:
		return "IPv4 multicast"
	case route.IPv6Multicast:
	}
	return "IPv6 multicast"
}

// familyCount is the count of one family, and the searches for what is counted.
type familyCount struct {
	Label         string
	Routes, Stale counted
}

// perFamily lists the families that have routes.
func perFamily(n *Neighbour) []familyCount {
	var list []familyCount
	for _, f := range route.Families() {
		if n.Routes[f] > 0 {
			list = append(list, familyCount{familyLabel(f), counted{n.Routes[f], n.RoutesURLs[f]}, counted{n.Stale[f], n.StaleURLs[f]}})
		}
	}
	return list
}

// counted is a number and the query that it counts the answer of; "" for none.
type counted struct {
	N   int
	URL string
}

func countedBy(n int, query string) counted { return counted{n, query} }

// rated reports whether it is known how much neighbours change.
func rated(list []Neighbour) bool { return len(list) > 0 && !list[0].Then }

// pointers lets a template range over neighbours without copies.
func pointers(list []Neighbour) []*Neighbour {
	refs := make([]*Neighbour, len(list))
	for i := range list {
		refs[i] = &list[i]
	}
	return refs
}
