package names

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"ribglass/ribstore/route"
)

// Community is a community of any kind, as a [Dictionary] is asked about it. Make
// it with [Standard], [Large] or [Extended]; it may be a key.
type Community struct {
	kind  kind
	parts [3]uint32
}

// Standard returns a standard community.
func Standard(c route.Community) Community {
	return Community{standard, [3]uint32{uint32(c >> 16), uint32(c & 0xffff)}}
}

// Large returns a large community.
func Large(c route.LargeCommunity) Community {
	return Community{large, [3]uint32{c.Global, c.Local1, c.Local2}}
}

// Extended returns an extended community that belongs to an AS: a route target
// or origin. Of others, ok is false.
func Extended(c route.ExtCommunity) (ext Community, ok bool) {
	if len(c) != 8 {
		return Community{}, false
	}
	switch c[1] {
	case 2:
		ext.kind = routeTarget
	case 3:
		ext.kind = routeOrigin
	default:
		return Community{}, false
	}
	const transitiveBit = 0x40
	switch c[0] &^ transitiveBit {
	case 0:
		ext.parts = [3]uint32{uint32(binary.BigEndian.Uint16(c[2:])), binary.BigEndian.Uint32(c[4:])}
	case 2:
		ext.parts = [3]uint32{binary.BigEndian.Uint32(c[2:]), uint32(binary.BigEndian.Uint16(c[6:]))}
	default:
		return Community{}, false
	}
	return ext, true
}

// Dictionary says what communities mean, by the AS that defines them. The zero
// value and nil know the well-known ones only.
type Dictionary struct {
	by map[route.ASN]*definitions
}

// definitions are what one AS says of communities.
type definitions struct {
	exact    map[Community]string
	patterns map[Community][]pattern // of several, by the first number when that is one, which stands alone in the key
	wide     []pattern               // of several, the first number too
	// In both the narrowest is first.
}

// newDefinitions takes patterns in the order of their file. Of two that are the
// same, the first counts.
func newDefinitions(list []pattern) *definitions {
	d := &definitions{exact: make(map[Community]string), patterns: make(map[Community][]pattern)}
	for i := range list {
		p := &list[i]
		first := Community{p.kind, [3]uint32{p.parts[0].lo}}
		switch {
		case p.parts[0].groups > 0:
			d.wide = append(d.wide, *p)
		case !p.literal():
			d.patterns[first] = append(d.patterns[first], *p)
		default:
			c := Community{p.kind, [3]uint32{p.parts[0].lo, p.parts[1].lo, p.parts[2].lo}}
			if _, there := d.exact[c]; !there {
				d.exact[c] = p.text
			}
		}
	}
	for _, some := range d.patterns {
		narrowestFirst(some)
	}
	narrowestFirst(d.wide)
	return d
}

func narrowestFirst(list []pattern) {
	slices.SortStableFunc(list, func(a, b pattern) int { return cmp.Compare(a.size(), b.size()) })
}

// explain returns what the AS says of c, "" when it says nothing.
func (d *definitions) explain(c Community) string {
	if text, ok := d.exact[c]; ok {
		return text
	}
	narrow := d.patterns[Community{c.kind, [3]uint32{c.parts[0]}}]
	if len(narrow)+len(d.wide) == 0 {
		return ""
	}
	var numbers [3]number
	for i, n := range c.parts {
		numbers[i] = numberOf(n)
	}
	p, other := firstMatch(narrow, c.kind, &numbers), firstMatch(d.wide, c.kind, &numbers)
	if p == nil || other != nil && narrower(other, p) {
		p = other
	}
	if p == nil {
		return ""
	}
	groups := make([]string, 0, 8)
	for j := range p.parts {
		groups = p.parts[j].appendGroups(groups, &numbers[j])
	}
	return fill(p.text, groups)
}

// narrower reports whether a is to be taken before b.
func narrower(a, b *pattern) bool {
	if a.size() == b.size() {
		return a.line < b.line
	}
	return a.size() < b.size()
}

// firstMatch returns the first pattern that numbers are of, nil when there is none.
func firstMatch(list []pattern, k kind, numbers *[3]number) *pattern {
	for i := range list {
		p := &list[i]
		if p.kind == k && p.parts[1].match(&numbers[1]) && p.parts[0].match(&numbers[0]) && p.parts[2].match(&numbers[2]) {
			return p
		}
	}
	return nil
}

// Len returns how many ASes have definitions, and how many these are together.
func (d *Dictionary) Len() (ases, definitions int) {
	if d == nil {
		return 0, 0
	}
	for _, defs := range d.by {
		definitions += len(defs.exact) + len(defs.wide)
		for _, list := range defs.patterns {
			definitions += len(list)
		}
	}
	return len(d.by), definitions
}

// Explain returns what c means on a route that was heard from and by way of the
// ASes heard, "" when nobody says. A well-known community means the same
// everywhere; one that begins with an AS number means what that AS says; others,
// such as 65001:64500 at a route server, mean what an AS of heard says, which
// then stands behind it.
func (d *Dictionary) Explain(c Community, heard []route.ASN) string {
	if text := wellKnown(c); text != "" {
		return text
	}
	if d == nil {
		return ""
	}
	owner := route.ASN(c.parts[0])
	if defs := d.by[owner]; defs != nil {
		if text := defs.explain(c); text != "" {
			return text
		}
	}
	for _, asn := range heard[:min(len(heard), maxHeard)] {
		defs := d.by[asn]
		if defs == nil || asn == owner {
			continue
		}
		if text := defs.explain(c); text != "" {
			return fmt.Sprintf("%s (AS%d)", text, asn)
		}
	}
	return ""
}

// maxHeard bounds the ASes of a path that are asked: paths may be long, and those
// who put communities on a route are near its ends.
const maxHeard = 32

// Heard returns the ASes that may have put communities on a route, in the order
// in which they are asked: its peer, then its path.
func Heard(r *route.Route) []route.ASN {
	list := make([]route.ASN, 0, 8)
	if r.Peer != nil {
		list = append(list, r.Peer.ASN)
	}
	for asn := range r.Attrs.ASPath().All() {
		if len(list) == maxHeard {
			break
		}
		if !slices.Contains(list, asn) {
			list = append(list, asn)
		}
	}
	return list
}
