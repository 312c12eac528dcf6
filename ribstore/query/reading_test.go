package query

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ribglass/ribstore/route"
)

// A second reading of the language, slow and obvious, after docs/query.md and on the text
// of a query: it calls nothing of the package.

// meaning decides whether a route is found, given all routes that are asked.
type meaning struct {
	meets func(h heard, all []heard) bool
	peers []string // that it names where it confines the query to them
	bare  bool     // it is a peer, or an or of peers
}

func ofRoute(meets func(h heard) bool) meaning {
	return meaning{meets: func(h heard, _ []heard) bool { return meets(h) }}
}

// reading reads a query by its words.
type reading struct {
	words   []string
	address string // of a longest match; "": none
	scope   string // the view asked; "": the first of each router
}

// readTwice reads a text and finds the routes that meet it among those of a world.
func readTwice(text string, w *world) (found []heard) {
	r := reading{words: regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\[=.*?=\]|\S+`).FindAllString(text, -1)}
	m := meaning{meets: func(heard, []heard) bool { return true }}
	if len(r.words) > 0 {
		m = r.or()
	}
	var asked []heard
	for _, h := range w.heard {
		if viewAsked(r.scope, m.peers, w.peers, h.peer) {
			asked = append(asked, h)
		}
	}
	longest := -1
	for _, h := range asked {
		if r.address != "" && !h.prefix.Contains(netip.MustParseAddr(r.address)) || !m.meets(h, asked) {
			continue
		}
		found = append(found, h)
		longest = max(longest, h.prefix.Bits())
	}
	if r.address != "" {
		found = slices.DeleteFunc(found, func(h heard) bool { return h.prefix.Bits() < longest })
	}
	return found
}

// viewAsked tells whether the routes of a peer are asked.
func viewAsked(scope string, named []string, peers []*route.Peer, of *route.Peer) bool {
	if scope != "" {
		return scope == "any" || of.View.String() == scope
	}
	var views, ofNamed []string
	for _, p := range peers {
		if p.Router == of.Router {
			views = append(views, p.View.String())
			if slices.Contains(named, p.Name) {
				ofNamed = append(ofNamed, p.View.String())
			}
		}
	}
	if ofNamed != nil {
		return slices.Contains(ofNamed, of.View.String())
	}
	for _, first := range []string{"adj-rib-in", "post-policy", "pre-policy", "loc-rib", "adj-rib-out"} {
		if slices.Contains(views, first) {
			return of.View.String() == first
		}
	}
	return false
}

func (r *reading) peek() string {
	if len(r.words) == 0 {
		return ""
	}
	return r.words[0]
}

// keyword is the next word of the language, which is read in any case.
func (r *reading) keyword() string { return strings.ToLower(r.peek()) }

func (r *reading) next() string {
	w := r.peek()
	r.words = r.words[1:]
	return w
}

func (r *reading) or() meaning {
	m := r.and()
	for r.keyword() == "or" {
		r.next()
		a, b := m, r.and()
		m = meaning{meets: func(h heard, all []heard) bool { return a.meets(h, all) || b.meets(h, all) }, bare: a.bare && b.bare}
		if m.bare {
			m.peers = append(slices.Clone(a.peers), b.peers...)
		}
	}
	return m
}

func (r *reading) and() meaning {
	m := r.not()
	for w := r.keyword(); w != "" && w != "or" && w != ")"; w = r.keyword() {
		if w == "and" {
			r.next()
		}
		a, b := m, r.not()
		m = meaning{meets: func(h heard, all []heard) bool { return a.meets(h, all) && b.meets(h, all) }}
		m.peers = append(slices.Clone(a.peers), b.peers...)
	}
	return m
}

func (r *reading) not() meaning {
	switch r.keyword() {
	case "not":
		r.next()
		of := r.not()
		return meaning{meets: func(h heard, all []heard) bool { return !of.meets(h, all) }}
	case "(":
		r.next()
		m := r.or()
		r.next()
		return m
	}
	return r.condition()
}

func (r *reading) condition() meaning {
	switch word := strings.ToLower(r.next()); word {
	case "origin", "neighbor-as", "neighbour-as":
		return r.end(word == "origin")
	case "via":
		return r.via()
	case "path", "as-path":
		return r.path()
	case "length", "path-length", "path-hops", "med", "local-pref", "path-id":
		return r.number(word)
	case "community", "large-community", "ext-community":
		return r.community(word)
	case "peer", "peer-as", "peer-address", "router", "group":
		return r.label(word)
	case "since", "older-than":
		return r.age(word == "older-than")
	case "nexthop", "next-hop":
		return r.nextHop()
	case "otc":
		return r.otc()
	case "view":
		r.scope = strings.ToLower(r.next())
		return ofRoute(func(heard) bool { return true })
	case "family":
		six := strings.HasPrefix(strings.ToLower(r.next()), "ipv6")
		return ofRoute(func(h heard) bool { return h.prefix.Addr().Is6() == six })
	case "origin-code":
		code := slices.Index([]string{"igp", "egp", "incomplete"}, strings.ToLower(r.next()))
		return ofRoute(func(h heard) bool { return int(h.attrs.Origin()) == code })
	case "prepended", "private-as", "moas", "stale", "best", "bogon":
		return flag(word)
	default:
		return r.prefix(word)
	}
}

func flag(word string) meaning {
	switch word {
	case "prepended":
		return ofRoute(func(h heard) bool {
			return len(compacted(h.path)) < len(strings.Fields(confederation.ReplaceAllString(h.path, "")))
		})
	case "private-as":
		return ofRoute(func(h heard) bool {
			return slices.ContainsFunc(numbersOf(h.path), func(n string) bool { return within("64512-65534", n) || within("4200000000-4294967294", n) })
		})
	case "stale":
		return ofRoute(func(h heard) bool { return h.stale })
	case "bogon":
		return ofRoute(func(h heard) bool { return documentedBogon(h.prefix) })
	case "best":
		return meaning{meets: isBestByDocs}
	}
	return meaning{meets: func(h heard, all []heard) bool {
		ends := map[string]bool{}
		for _, o := range all {
			if o.prefix == h.prefix {
				for _, n := range endOf(o.path, true) {
					ends[n] = true
				}
			}
		}
		return len(ends) > 1
	}}
}

// plainNumber reads AS64500, 64500 and 0.64500.
func plainNumber(text string) int {
	text = strings.TrimPrefix(strings.ToUpper(text), "AS")
	high, low, dotted := strings.Cut(text, ".")
	n, _ := strconv.Atoi(high)
	if dotted {
		m, _ := strconv.Atoi(low)
		n = n<<16 + m
	}
	return n
}

// within reports whether a number is "5", or in "5-9".
func within(text, number string) bool {
	first, last, isRange := strings.Cut(text, "-")
	lo := plainNumber(first)
	hi := lo
	if isRange {
		hi = plainNumber(last)
	}
	n, _ := strconv.Atoi(number)
	return lo <= n && n <= hi
}

// numbersOf returns all AS numbers of a printed path.
func numbersOf(path string) []string { return regexp.MustCompile(`\d+`).FindAllString(path, -1) }

func (r *reading) end(last bool) meaning {
	of := r.next()
	return ofRoute(func(h heard) bool {
		ends := endOf(h.path, last)
		if of == "none" {
			return len(ends) == 0
		}
		return slices.ContainsFunc(ends, func(n string) bool { return within(of, n) })
	})
}

func (r *reading) via() meaning {
	var of []string
	for asn := regexp.MustCompile(`^(?:AS)?\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?$`); asn.MatchString(r.peek()); {
		of = append(of, r.next())
	}
	if len(of) == 1 {
		return ofRoute(func(h heard) bool {
			return slices.ContainsFunc(numbersOf(h.path), func(n string) bool { return within(of[0], n) })
		})
	}
	return ofRoute(func(h heard) bool {
		for _, run := range sets.Split(strings.ReplaceAll(h.path, ") (", " "), -1) {
			fields := strings.Fields(run)
			for i := range fields {
				if nextTo(fields[i:], of) {
					return true
				}
			}
		}
		return false
	})
}

// nextTo tries every way to leave out repetitions.
func nextTo(fields, of []string) bool {
	if len(of) == 0 {
		return true
	}
	if len(fields) == 0 || !within(of[0], fields[0]) {
		return false
	}
	for i := 1; i <= len(fields) && fields[i-1] == fields[0]; i++ {
		if nextTo(fields[i:], of[1:]) {
			return true
		}
	}
	return false
}

// number reads a comparison. A route without the number meets none.
func (r *reading) number(word string) meaning {
	op := "="
	if regexp.MustCompile(`^[=!<>]+$`).MatchString(r.peek()) {
		op = r.next()
	} else if regexp.MustCompile(`^[0-9]+$`).FindString(r.peek()) == "" { // the word alone: the route has one
		return ofRoute(func(h heard) bool { _, ok := numberOf(word, h); return ok })
	}
	n, _ := strconv.Atoi(r.next())
	return ofRoute(func(h heard) bool {
		m, ok := numberOf(word, h)
		return ok && map[string]bool{"=": m == n, "!=": m != n, "<": m < n, "<=": m <= n, ">": m > n, ">=": m >= n}[op]
	})
}

func numberOf(word string, h heard) (int, bool) {
	n, ok := uint32(0), true
	switch word {
	case "length":
		n = uint32(h.prefix.Bits())
	case "path-length":
		n = uint32(len(strings.Fields(confederation.ReplaceAllString(h.path, ""))))
	case "path-hops":
		n = uint32(len(compacted(h.path)))
	case "med":
		n, ok = h.attrs.MED()
	case "local-pref":
		n, ok = h.attrs.LocalPref()
	case "path-id":
		n, ok = h.pathID, h.peer.AddPath[map[bool]route.Family{false: route.IPv4Unicast, true: route.IPv6Unicast}[h.prefix.Addr().Is6()]]
	}
	return int(n), ok
}

// wellKnown are the communities with a name that are drawn, by the registry of IANA.
var wellKnown = map[string]string{
	"blackhole": "65535:666", "graceful-shutdown": "65535:0", "no-export": "65535:65281", "llgr-stale": "65535:6",
}

// community reads a community: numbers with wildcards and ranges, or a text with wildcards.
func (r *reading) community(word string) meaning {
	of := cmp.Or(wellKnown[r.peek()], strings.Trim(r.peek(), "()"))
	r.next()
	if word == "ext-community" {
		of = regexp.MustCompile(`^target:`).ReplaceAllString(of, "rt:")
		pattern := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "?", ".", ".", `\.`).Replace(of) + "$")
		return ofRoute(func(h heard) bool {
			for c := range h.attrs.ExtCommunities() {
				if pattern.MatchString(c.String()) {
					return true
				}
			}
			return false
		})
	}
	parts := strings.FieldsFunc(of, func(r rune) bool { return r == ':' || r == ',' })
	fits := func(c string) bool {
		numbers := strings.Split(c, ":")
		for i, part := range parts {
			digits := regexp.MustCompile("^" + strings.NewReplacer("*", "[0-9]*", "?", "[0-9]").Replace(part) + "$")
			if !digits.MatchString(numbers[i]) && (!strings.Contains(part, "-") || !within(part, numbers[i])) {
				return false
			}
		}
		return true
	}
	return ofRoute(func(h heard) bool {
		var have []string
		for c := range h.attrs.Communities().All() {
			have = append(have, fmt.Sprintf("%d:%d", uint32(c)>>16, uint32(c)&0xffff))
		}
		if word == "large-community" {
			have = nil
			for c := range h.attrs.LargeCommunities().All() {
				have = append(have, fmt.Sprintf("%d:%d:%d", c.Global, c.Local1, c.Local2))
			}
		}
		return slices.ContainsFunc(have, fits)
	})
}

func (r *reading) label(word string) meaning {
	name := strings.Trim(r.next(), `"`)
	m := ofRoute(func(h heard) bool {
		p := h.peer
		return name == map[string]string{
			"peer": p.Name, "peer-as": fmt.Sprint(uint32(p.ASN)), "peer-address": p.Address.String(), "router": p.Router, "group": p.Group,
		}[word]
	})
	if word == "peer" {
		m.peers, m.bare = []string{name}, true
	}
	return m
}

// age reads how long ago, or a moment.
func (r *reading) age(older bool) meaning {
	text := r.next()
	limit := now
	if regexp.MustCompile(`^\d{4}-`).MatchString(text) {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
			if at, err := time.Parse(layout, text); err == nil {
				limit = at
			}
		}
	} else {
		for _, part := range regexp.MustCompile(`(\d+)([smhdw])`).FindAllStringSubmatch(text, -1) {
			n, _ := strconv.Atoi(part[1])
			unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
			limit = limit.Add(-time.Duration(n) * unit[part[2]])
		}
	}
	return ofRoute(func(h heard) bool { return h.at.Before(limit) == older })
}

func (r *reading) nextHop() meaning {
	text := r.next()
	if p, err := netip.ParsePrefix(text); err == nil {
		return ofRoute(func(h heard) bool { return p.Contains(h.attrs.NextHop()) })
	}
	return ofRoute(func(h heard) bool { return h.attrs.NextHop() == netip.MustParseAddr(text) })
}

func (r *reading) otc() meaning {
	of := "0-4294967295"
	if regexp.MustCompile(`^[0-9]`).MatchString(r.peek()) && !strings.ContainsAny(r.peek(), "./:") {
		of = r.next()
	}
	return ofRoute(func(h heard) bool {
		n, ok := h.attrs.OTC()
		return ok && within(of, fmt.Sprint(uint32(n)))
	})
}

func (r *reading) prefix(word string) meaning {
	how := ""
	if w := r.keyword(); w == "or-longer" || w == "or-shorter" {
		how = r.next()
	}
	p, err := netip.ParsePrefix(word)
	if err != nil {
		a := netip.MustParseAddr(word).Unmap() // mapped into IPv6 it is the IPv4 address
		if p = netip.PrefixFrom(a, a.BitLen()); how == "" {
			r.address = a.String()
			return ofRoute(func(heard) bool { return true })
		}
	}
	how = strings.ToLower(how)
	ge, le := 0, 128
	for r.keyword() == "ge" || r.keyword() == "le" {
		how = cmp.Or(how, "or-longer")
		bound := &ge
		if strings.ToLower(r.next()) == "le" {
			bound = &le
		}
		*bound, _ = strconv.Atoi(r.next())
	}
	return ofRoute(func(h heard) bool {
		bits, own := h.prefix.Bits(), p.Bits()
		if h.prefix.Addr().Is4() != p.Addr().Is4() || bits < ge || bits > le {
			return false
		}
		switch how {
		case "or-longer":
			return bits >= own && netip.PrefixFrom(h.prefix.Addr(), own).Masked() == p
		case "or-shorter":
			return bits <= own && netip.PrefixFrom(p.Addr(), bits).Masked() == h.prefix
		}
		return h.prefix == p
	})
}

// isBestByDocs takes the steps of docs/decision.md.
func isBestByDocs(h heard, all []heard) bool {
	var left []heard
	for _, o := range all {
		if o.prefix == h.prefix && o.peer.View == h.peer.View && (o.peer.View == route.AdjRIBIn || o.peer.Router == h.peer.Router) {
			left = append(left, o)
		}
	}
	keep := func(rank func(heard) int, among func(heard) string) {
		lowest := map[string]int{}
		for _, o := range left {
			if n, ok := lowest[among(o)]; !ok || rank(o) < n {
				lowest[among(o)] = rank(o)
			}
		}
		left = slices.DeleteFunc(left, func(o heard) bool { return rank(o) > lowest[among(o)] })
	}
	everybody := func(heard) string { return "" }
	for _, rank := range []func(heard) int{
		func(o heard) int { return oneIf(o.attrs.Communities().Has(0xffff0006)) },
		func(o heard) int { return oneIf(o.stale) },
		func(o heard) int {
			pref, ok := o.attrs.LocalPref()
			if !ok {
				pref = 100
			}
			return -int(pref)
		},
		func(o heard) int { return len(strings.Fields(confederation.ReplaceAllString(o.path, ""))) },
		func(o heard) int { return int(o.attrs.Origin()) },
	} {
		keep(rank, everybody)
	}
	keep(func(o heard) int { med, _ := o.attrs.MED(); return int(med) }, func(o heard) string {
		first := strings.Fields(confederation.ReplaceAllString(o.path, "") + " {")[0]
		return strings.SplitN(first, "{", 2)[0] // none, and sets, are of one kind
	})
	number := func(a netip.Addr) int { b := a.As4(); return int(b[0])<<24 + int(b[1])<<16 + int(b[2])<<8 + int(b[3]) }
	for _, rank := range []func(heard) int{
		func(o heard) int { return oneIf(o.peer.ASN == o.peer.LocalASN || o.peer.Confederation) },
		func(o heard) int {
			if id := o.attrs.OriginatorID(); id.IsValid() {
				return number(id)
			}
			return number(o.peer.RouterID)
		},
		func(o heard) int { return len(o.attrs.ClusterList()) },
		func(o heard) int { return number(o.peer.Address) },
		func(o heard) int { return int(o.pathID) },
	} {
		keep(rank, everybody)
	}
	return left[0].id == h.id
}

func oneIf(is bool) int {
	if is {
		return 1
	}
	return 0
}
