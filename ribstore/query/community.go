package query

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Part is one number of a community pattern: any ("*"), a range ("100-199"),
// one number, or digits with wildcards ("1*0": any digits, "1??": one each), which are
// compared with the number in decimal. Exactly one of Glob and the range is used.
type Part struct {
	First, Last uint64
	Glob        string
}

func (p Part) matches(n uint64) bool {
	if p.Glob == "" {
		return p.First <= n && n <= p.Last
	}
	var digits [20]byte
	return globs(p.Glob, strconv.AppendUint(digits[:0], n, 10))
}

// globs reports whether the text is the pattern with each "*" standing for any
// characters and each "?" for one. It is linear: only the last star is ever tried again, and it only
// moves on.
func globs(pattern string, text []byte) bool {
	star, mark := -1, 0
	p := 0
	for t := 0; t < len(text); {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == text[t] || pattern[p] == '?'):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func (p Part) appendText(b []byte, most uint64) []byte {
	switch {
	case p.Glob != "":
		return append(b, p.Glob...)
	case p.First == 0 && p.Last == most:
		return append(b, '*')
	case p.First == p.Last:
		return strconv.AppendUint(b, p.First, 10)
	}
	return strconv.AppendUint(append(strconv.AppendUint(b, p.First, 10), '-'), p.Last, 10)
}

// parsePart reads one number of a pattern, which is at most most.
func parsePart(s string, most uint64) (Part, bool) {
	if s != "" && strings.Trim(s, "nN") == "" || s != "" && strings.Trim(s, "xX") == "" {
		s = "*" // as in the documents of networks: 3257:nnn
	}
	if s == "*" {
		return Part{First: 0, Last: most}, true
	}
	s = strings.NewReplacer("x", "?", "X", "?").Replace(s) // 3257:1xx
	s = strings.Replace(s, "..", "-", 1)                   // a range of BIRD
	if first, last, isRange := strings.Cut(s, "-"); isRange {
		a, errA := strconv.ParseUint(first, 10, 64)
		b, errB := strconv.ParseUint(last, 10, 64)
		return Part{First: a, Last: b}, errA == nil && errB == nil && a <= b && b <= most
	}
	if strings.ContainsAny(s, "*?") {
		return Part{Glob: s}, len(s) <= 20 && strings.Trim(s, "0123456789*?") == ""
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return Part{First: n, Last: n}, err == nil && n <= most
}

const (
	max16 = 1<<16 - 1
	max32 = 1<<32 - 1
)

// Community is met by routes with a standard community that both parts match.
type Community struct{ High, Low Part }

func (e Community) appendText(b []byte) []byte {
	b = append(b, "community "...)
	if e.High.Glob == "" && e.Low.Glob == "" && e.High.First == e.High.Last && e.Low.First == e.Low.Last {
		if name := route.Community(e.High.First<<16 | e.Low.First).Name(); name != "" {
			return append(b, name...)
		}
	}
	return e.Low.appendText(append(e.High.appendText(b, max16), ':'), max16)
}

// tableAfter is how many communities are compared one by one before tables are made, which
// pay for a scan and not for a lookup.
const tableAfter = 1 << 14

// test makes the test of the condition. Digits with wildcards become a table of
// all numbers of 16 bits, so that deciding costs the same for every pattern.
func (e Community) test() setTest {
	var high, low table.Bits
	compared := 0
	has := func(p Part, t table.Bits, n uint64) bool {
		if t != nil {
			return t.Has(uint32(n))
		}
		return p.matches(n)
	}
	return func(a route.Attrs) bool {
		list := a.Communities()
		if before := compared; before <= tableAfter {
			if compared += list.Len(); compared > tableAfter {
				high, low = e.High.table(), e.Low.table()
			}
		}
		for i := range list.Len() {
			c := list.At(i)
			if has(e.High, high, uint64(c>>16)) && has(e.Low, low, uint64(c&max16)) {
				return true
			}
		}
		return false
	}
}

// table returns the numbers below 65536 that digits with wildcards match, nil
// for a part that is a range.
func (p Part) table() table.Bits {
	if p.Glob == "" {
		return nil
	}
	b := table.NewBits(max16 + 1)
	for n := range uint32(max16 + 1) {
		if p.matches(uint64(n)) {
			b.Add(n)
		}
	}
	return b
}

// LargeCommunity is met by routes with a large community that all parts match.
type LargeCommunity struct{ Global, Local1, Local2 Part }

func (e LargeCommunity) appendText(b []byte) []byte {
	b = e.Global.appendText(append(b, "large-community "...), max32)
	b = e.Local1.appendText(append(b, ':'), max32)
	return e.Local2.appendText(append(b, ':'), max32)
}

func (e LargeCommunity) in(a route.Attrs) bool {
	list := a.LargeCommunities()
	for i := range list.Len() {
		c := list.At(i)
		if e.Global.matches(uint64(c.Global)) && e.Local1.matches(uint64(c.Local1)) && e.Local2.matches(uint64(c.Local2)) {
			return true
		}
	}
	return false
}

// ExtCommunity is met by routes with an extended community of the kind, "rt",
// "ro", "rpki", "redirect" and the others of [extKind] ("*": any of them), whose text behind the kind is
// the pattern, in which each "*" stands for any characters and each "?" for one.
type ExtCommunity struct{ Kind, Pattern string }

func (e ExtCommunity) appendText(b []byte) []byte {
	return append(append(append(append(b, "ext-community "...), e.Kind...), ':'), e.Pattern...)
}

func (e ExtCommunity) in(a route.Attrs) bool {
	var text [80]byte
	for c := range a.ExtCommunities() {
		b, _ := c.AppendText(text[:0])
		kind, rest, _ := strings.Cut(string(b), ":")
		if (e.Kind == "*" || e.Kind == kind) && globs(e.Pattern, []byte(rest)) {
			return true
		}
		if e.Kind == "generic" && kind != e.Kind && e.Pattern == hex.EncodeToString(c) {
			return true // the octets of one that has a name
		}
	}
	return false
}

// parseCommunity reads a community of any kind by its shape.
func parseCommunity(s string) (Expr, bool) {
	name := normalized(s)
	if other, ok := map[string]string{"noexport": "no-export", "noadvertise": "no-advertise", "rtbh": "blackhole", "gshut": "graceful-shutdown"}[name]; ok {
		name = other
	}
	for c := range namedCommunities() {
		if c.Name() == name {
			return exactCommunity(c), true
		}
	}
	s = ofRouters(s)
	if kind, rest, ok := strings.Cut(s, ":"); ok && extKind(strings.ToLower(kind)) {
		return parseExtCommunity(strings.ToLower(kind), strings.ToLower(rest))
	}
	parts := strings.Split(s, ":")
	switch len(parts) {
	case 2:
		high, ok1 := parsePart(parts[0], max16)
		low, ok2 := parsePart(parts[1], max16)
		return Community{high, low}, ok1 && ok2
	case 3:
		global, ok1 := parsePart(parts[0], max32)
		local1, ok2 := parsePart(parts[1], max32)
		local2, ok3 := parsePart(parts[2], max32)
		return LargeCommunity{global, local1, local2}, ok1 && ok2 && ok3
	}
	return nil, false
}

// ofRouters puts a community as routers and their tools write it into the form of the
// language: "65535,666" and "200000,101,0" (BIRD, within parentheses),
// "target:64500:1", "origin:64500:1" and "large:200000:101:0" (Junos), and
// "generic:0x43000000:0x2" (BIRD).
func ofRouters(s string) string {
	if !strings.Contains(s, ":") {
		return strings.ReplaceAll(s, ",", ":")
	}
	kind, rest, _ := strings.Cut(s, ":")
	kind = strings.ToLower(kind)
	switch kind {
	case "target", "rt":
		return "rt:" + plainASN(rest)
	case "origin", "ro", "soo":
		return "ro:" + plainASN(rest)
	case "large", "lc":
		return rest
	case "generic":
		high, low, two := strings.Cut(rest, ":")
		h, err1 := strconv.ParseUint(strings.TrimPrefix(high, "0x"), 16, 32)
		l, err2 := strconv.ParseUint(strings.TrimPrefix(low, "0x"), 16, 32)
		if two && err1 == nil && err2 == nil {
			return fmt.Sprintf("generic:%08x%08x", h, l)
		}
	}
	return s
}

// plainASN takes the L off that Junos marks an AS number of four octets with.
func plainASN(s string) string {
	asn, rest, two := strings.Cut(s, ":")
	if !two {
		return s
	}
	if digits := strings.TrimRight(asn, "Ll"); isDigits(digits) {
		asn = digits
	}
	return asn + ":" + rest
}

func exactCommunity(c route.Community) Community {
	return Community{exactly(uint32(c) >> 16), exactly(uint32(c) & max16)}
}

// namedCommunities yields the standard communities that have a name.
func namedCommunities() func(func(route.Community) bool) {
	return func(yield func(route.Community) bool) {
		for _, low := range []uint32{0, 1, 6, 7, 0x29a, 0xff01, 0xff02, 0xff03, 0xff04} {
			high := uint32(0xffff0000)
			if c := route.Community(high | low); c.Name() != "" && !yield(c) {
				return
			}
		}
	}
}

func extKind(s string) bool {
	switch s {
	case "rt", "ro", "rpki", "generic", "traffic-rate", "traffic-rate-packets", "traffic-action", "redirect", "traffic-marking":
		return true
	}
	return false
}

func parseExtCommunity(kind, rest string) (Expr, bool) {
	if rest == "" || len(rest) > 64 || strings.Trim(rest, "0123456789abcdefghijklmnopqrstuvwxyz.:-*?") != "" {
		return nil, false
	}
	if (kind == "rt" || kind == "ro") && !strings.ContainsAny(rest, ":*") {
		return nil, false
	}
	if kind == "generic" && !strings.Contains(rest, "*") {
		if _, err := hex.DecodeString(rest); err != nil {
			return nil, false
		}
	}
	return ExtCommunity{kind, rest}, true
}
