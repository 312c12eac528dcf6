package query

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A target is what a word means as an address or a prefix.
type target struct {
	in    In             // its Match is Any for a word that is neither
	more  []netip.Prefix // a range of addresses is these too
	loose bool           // it is not in the form of the language, and a note tells the form
}

// readTarget tells what a word means as an address or prefix, also in the forms of
// routers and registries, or what is wrong with it.
func readTarget(word string) (t target, problem string) {
	if t.in.Match, t.in.Prefix, problem = readPrefix(word); t.in.Match != Any {
		return t, ""
	}
	t.loose = true
	plain := unwrapped(word)
	if t.in.Match, t.in.Prefix, _ = readPrefix(plain); t.in.Match != Any && plain != word {
		return t, ""
	}
	for _, read := range []func(string) (In, bool){readPort, readShort, readMask, readPart4, readPart6, readSuffix} {
		if in, ok := read(plain); ok {
			t.in = in
			return t, ""
		}
	}
	if list, ok := readRange(plain); ok {
		t.in, t.more = In{Match: OrLonger, Prefix: list[0]}, list[1:]
		return t, ""
	}
	return target{}, problem
}

// readPrefix tells what a word means as an address or prefix in the form of the
// language, Any when it is neither, and then what is wrong with it.
func readPrefix(word string) (m Match, prefix netip.Prefix, problem string) {
	if addr, err := netip.ParseAddr(word); err == nil {
		if addr.Zone() != "" {
			return Any, prefix, "an address to look up has no zone"
		}
		addr = addr.Unmap() // mapped to IPv6 as programs log it; see noteMapped
		return Longest, netip.PrefixFrom(addr, addr.BitLen()), ""
	}
	prefix, err := netip.ParsePrefix(word)
	switch {
	case err != nil:
		return Any, prefix, fmt.Sprintf("%q is no address or prefix", clip(word))
	case prefix.Masked() != prefix:
		return Any, prefix, fmt.Sprintf("%q has bits set behind its length; did you mean %s or %s?", word, prefix.Masked(), prefix.Addr())
	}
	return Exact, prefix, ""
}

// unwrapped takes off what mails, logs and URLs put around an address.
func unwrapped(word string) string {
	if rest, ok := strings.CutPrefix(word, "["); ok && strings.HasSuffix(rest, "]") {
		word = strings.TrimSuffix(rest, "]")
	}
	if strings.Count(word, ".") == 4 || strings.Contains(word, "/") {
		word = strings.TrimSuffix(word, ".")
	}
	return word
}

// readPort reads an address with a port, which is left out.
func readPort(word string) (In, bool) {
	at, err := netip.ParseAddrPort(word)
	if err != nil || at.Addr().Zone() != "" {
		return In{}, false
	}
	addr := at.Addr().Unmap()
	return In{Match: Longest, Prefix: netip.PrefixFrom(addr, addr.BitLen())}, true
}

var shortPrefix = regexp.MustCompile(`^(\d{1,3}(?:\.\d{1,3}){0,2})/(\d{1,2})$`)

// readShort reads 10/8, in which octets of zero are left out.
func readShort(word string) (In, bool) {
	m := shortPrefix.FindStringSubmatch(word)
	if m == nil {
		return In{}, false
	}
	match, prefix, _ := readPrefix(m[1] + strings.Repeat(".0", 3-strings.Count(m[1], ".")) + "/" + m[2])
	return In{Match: match, Prefix: prefix}, match != Any
}

// readMask reads 203.0.113.0/255.255.255.0, also with a wildcard mask.
func readMask(word string) (In, bool) {
	addr, mask, ok := strings.Cut(word, "/")
	a, err := netip.ParseAddr(addr)
	bits, isMask := maskBits(mask)
	if !ok || err != nil || !isMask || !a.Is4() {
		return In{}, false
	}
	p := netip.PrefixFrom(a, bits)
	return In{Match: Exact, Prefix: p}, p == p.Masked()
}

// maskBits returns the length that a netmask or a wildcard mask of IPv4 stands for.
func maskBits(text string) (bits int, ok bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return 0, false
	}
	b := a.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	for bits := range 33 {
		mask := ^uint32(0) << (32 - bits)
		if n == mask || n == ^mask && bits > 0 && bits < 32 {
			return bits, true
		}
	}
	return 0, false
}

var part4 = regexp.MustCompile(`^(\d{1,3}(?:\.\d{1,3}){0,2})\.(?:[*x](?:\.[*x])*)?$`)

// readPart4 reads the first octets of an address, such as 203.0. and 1.1.1.*.
func readPart4(word string) (In, bool) {
	m := part4.FindStringSubmatch(word)
	if m == nil {
		return In{}, false
	}
	octets := strings.Count(m[1], ".") + 1
	match, prefix, _ := readPrefix(fmt.Sprintf("%s%s/%d", m[1], strings.Repeat(".0", 4-octets), 8*octets))
	return In{Match: OrLonger, Prefix: prefix}, match == Exact
}

var part6 = regexp.MustCompile(`^([0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6}):\*?$`)

// readPart6 reads the first groups of an address, such as 2001:db8: and 2001:db8:*. One
// group of digits could be half a community.
func readPart6(word string) (In, bool) {
	m := part6.FindStringSubmatch(word)
	if m == nil || !strings.ContainsAny(m[1], ":abcdefABCDEF") {
		return In{}, false
	}
	groups := strings.Count(m[1], ":") + 1
	if groups == 2 && strings.HasSuffix(word, "*") && strings.Trim(m[1], "0123456789:") == "" {
		return In{}, false // a large community
	}
	match, prefix, _ := readPrefix(fmt.Sprintf("%s::/%d", m[1], 16*groups))
	return In{Match: OrLonger, Prefix: prefix}, match == Exact
}

var suffixed = regexp.MustCompile(`^([0-9a-fA-F.:]+(?:/\d{1,3})?)(?:(\+|-|\^\+|\^-)|\^(\d{1,3})(?:-(\d{1,3}))?|\{(\d{1,3}),(\d{1,3})\})$`)

// readSuffix reads prefix sets of BIRD (P+, P-, P{24,28}) and RPSL (P^+, P^-, P^24,
// P^24-28).
func readSuffix(word string) (In, bool) {
	m := suffixed.FindStringSubmatch(word)
	if m == nil {
		return In{}, false
	}
	match, prefix, _ := readPrefix(m[1])
	if match == Any {
		in, ok := readShort(m[1])
		if !ok {
			return In{}, false
		}
		prefix = in.Prefix
	}
	in := In{Match: OrLonger, Prefix: prefix}
	switch {
	case m[2] == "-":
		in.Match = OrShorter
		return in, true
	case m[2] == "^-":
		m[3], m[4] = strconv.Itoa(prefix.Bits()+1), strconv.Itoa(prefix.Addr().BitLen())
	case m[2] != "":
		return in, true
	case m[5] != "":
		m[3], m[4] = m[5], m[6]
	case m[4] == "":
		m[4] = m[3]
	}
	ge, _ := strconv.Atoi(m[3])
	le, _ := strconv.Atoi(m[4])
	most := prefix.Addr().BitLen()
	if ge > le || ge < prefix.Bits() || le > most {
		return In{}, false
	}
	if ge > prefix.Bits() {
		in.Ge = uint8(ge)
	}
	if le < most {
		in.Le = uint8(le)
	}
	return in, true
}

// readRange reads a range of addresses, as registries write it, as the few prefixes that
// it is.
func readRange(word string) ([]netip.Prefix, bool) {
	const most = 16 // prefixes
	first, last, _ := strings.Cut(word, "-")
	a, errA := netip.ParseAddr(first)
	b, errB := netip.ParseAddr(last)
	if errA != nil || errB != nil || a.Zone() != "" || a.BitLen() != b.BitLen() || b.Less(a) {
		return nil, false
	}
	var list []netip.Prefix
	for ; len(list) < most; a = lastOf(list[len(list)-1]).Next() {
		p := netip.PrefixFrom(a, a.BitLen())
		for p.Bits() > 0 {
			wider := netip.PrefixFrom(a, p.Bits()-1)
			if wider.Masked() != wider || b.Less(lastOf(wider)) {
				break
			}
			p = wider
		}
		if list = append(list, p); lastOf(p) == b {
			return list, true
		}
	}
	return nil, false
}

// lastOf returns the last address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// prefix reads a condition that begins with an address or a prefix, and what may
// follow it.
func (p *parser) prefix(of token, t target) (Expr, error) {
	e := t.in
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.netmask(of, &t); err != nil {
		return nil, err
	}
	e = t.in
	b := bounds{ge: -1, le: -1}
	for {
		word := p.normal()
		how, ok := behindPrefix[word]
		if !ok {
			break
		}
		if how == 0 {
			if err := p.bound(word, &e, &b); err != nil {
				return nil, err
			}
			continue
		}
		if b.match != Any && (b.match != how || b.strict != strict[word]) {
			return nil, p.fail(p.ahead, "%s: the prefix has another of these words already", p.ahead.text)
		}
		b.match, b.strict = how, strict[word]
		t.loose = t.loose || word != how.String()
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if err := b.apply(p, of, &e); err != nil {
		return nil, err
	}
	if len(t.more) > 0 {
		return p.ranged(of, e, t)
	}
	if t.loose {
		p.note(of, string(e.appendText(nil)), "")
	}
	return e, nil
}

// ranged returns the condition of a range of addresses that is several prefixes.
func (p *parser) ranged(of token, e In, t target) (Expr, error) {
	all := Or{e}
	for _, more := range t.more {
		e.Prefix = more
		all = append(all, e)
	}
	p.note(of, string(all.appendText(nil)), "")
	return all, nil
}

// behindPrefix are the words behind a prefix: of the language, Cisco, Junos and
// registries. Zero: a bound of the length.
var behindPrefix = map[string]Match{ //nolint:gochecknoglobals // constant
	"or-longer": OrLonger, "orlonger": OrLonger, "longer-prefixes": OrLonger, "longer": OrLonger, "more-specifics": OrLonger,
	"more-specific": OrLonger, "subnets": OrLonger, "or-shorter": OrShorter, "orshorter": OrShorter, "shorter-prefixes": OrShorter,
	"less-specifics": OrShorter, "less-specific": OrShorter, "covering": OrShorter, "supernets": OrShorter, "exact": Exact,
	"ge": 0, "le": 0, "upto": 0, "prefix-length-range": 0,
}

// strict are the words that leave out the prefix itself.
var strict = map[string]bool{"longer": true} //nolint:gochecknoglobals // constant

// netmask reads a netmask that stands behind an address as a word of its own.
func (p *parser) netmask(of token, t *target) error {
	if t.in.Match != Longest || !t.in.Prefix.Addr().Is4() || p.ahead.kind != wordToken || p.ahead.quoted {
		return nil
	}
	bits, ok := maskBits(p.ahead.text)
	if first, _, _ := strings.Cut(p.ahead.text, "."); !ok || first != "0" && len(first) < 3 {
		return nil // an address that is a mask by chance
	}
	prefix := netip.PrefixFrom(t.in.Prefix.Addr(), bits)
	if prefix.Masked() != prefix {
		return p.fail(of, "%s has bits set behind the netmask %s; did you mean %s or %s?", prefix.Addr(), p.ahead.text, prefix.Masked(), prefix.Addr())
	}
	t.in, t.loose = In{Match: Exact, Prefix: prefix}, true
	return p.advance()
}

// bounds are what the words behind a prefix say.
type bounds struct {
	match  Match // Any: nothing
	strict bool
	ge, le int // -1: none
}

// bound reads "ge 24", "le 24", "upto /24" or "prefix-length-range /24-/28".
func (p *parser) bound(word string, e *In, b *bounds) error {
	p.assignment()
	of := p.ahead
	v, err := p.value(of, "a length in bits")
	if err != nil {
		return err
	}
	first, last, isRange := strings.Cut(strings.ReplaceAll(v.text, "/", ""), "-")
	most := e.Prefix.Addr().BitLen()
	n, err := strconv.ParseUint(first, 10, 8)
	m := n
	if isRange && err == nil {
		m, err = strconv.ParseUint(last, 10, 8)
	}
	if err != nil || int(max(n, m)) > most || isRange != (word == "prefix-length-range") {
		return p.fail(v, "%q is no length from 0 to %d", clip(v.text), most)
	}
	switch word {
	case "ge":
		b.ge = int(n)
	case "le", "upto":
		b.le = int(n)
	default:
		b.ge, b.le = int(n), int(m)
	}
	return nil
}

// apply confines the prefix as the words say.
func (b *bounds) apply(p *parser, of token, e *In) error {
	own, most := e.Prefix.Bits(), e.Prefix.Addr().BitLen()
	if b.match != Any {
		e.Match = b.match
	}
	if b.strict {
		b.ge = max(b.ge, own+1)
	}
	if b.ge < 0 && b.le < 0 {
		return nil
	}
	if e.Match != OrShorter {
		e.Match = OrLonger // as prefix lists of routers have it
	}
	least := max(b.ge, 0)
	if e.Match == OrLonger {
		least = max(least, own)
	} else {
		most = own
	}
	if b.le >= 0 {
		most = min(most, b.le)
	}
	switch {
	case least > most && b.ge >= 0 && b.le >= 0:
		return p.fail(p.ahead, "ge %d and le %d leave no length of %s", b.ge, b.le, e.Prefix)
	case least > most:
		return p.fail(of, "the bounds leave no length of %s", e.Prefix)
	case most == 0: // a bound of zero is none in In
		*e = In{Match: Exact, Prefix: netip.PrefixFrom(e.Prefix.Addr(), 0).Masked()}
		return nil
	}
	e.Ge, e.Le = uint8(max(b.ge, 0)), uint8(max(b.le, 0))
	return nil
}

// prefixesIn returns the prefixes that stand in a text, each once, in order.
func prefixesIn(text string) (list []netip.Prefix) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF.:/", r) }) {
		if m, p, _ := readPrefix(strings.Trim(word, ":.")); m == Exact && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}
