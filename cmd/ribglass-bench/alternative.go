package main

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"ribglass/ribstore/route"
)

// alternative returns another attribute set for a prefix of the feed that has a:
// what its routers would announce after something changed somewhere. Half of the
// alternatives differ in path and communities, a fifth in the path, a quarter in
// communities, the rest in the MED.
func (k *announced) alternative(random *rand.Rand, a route.Attrs) route.Attrs {
	switch n := random.IntN(100); {
	case n < 50:
		return k.otherCommunities(random, k.otherPath(random, a), true)
	case n < 68:
		return k.otherPath(random, a)
	case n < 95:
		return k.otherCommunities(random, a, false)
	default:
		med, _ := a.MED()
		return withAttr(a, route.AttrMED, binary.BigEndian.AppendUint32(nil, med+1+uint32(random.IntN(100))))
	}
}

// otherPath takes the way to the same origin that another of its prefixes has, or
// that of any prefix, up to its origin; or prepends.
func (k *announced) otherPath(random *rand.Rand, a route.Attrs) route.Attrs {
	path := a.ASPath()
	origin, ok := path.Origin()
	if _, plain := path.Sequence(); !ok || !plain {
		return a
	}
	if random.IntN(4) == 0 {
		return withPath(a, append(slices.Collect(path.All()), origin))
	}
	if same := k.byOrigin[origin]; len(same) > 1 {
		if other := k.runs[same[random.IntN(len(same))]].Attrs.ASPath(); string(other) != string(path) {
			return withAttr(a, route.AttrASPath, other)
		}
	}
	const tries = 10
	for range tries {
		run, _ := k.draw(random)
		other := k.runs[run].Attrs.ASPath()
		if _, plain := other.Sequence(); !plain || other.Has(origin) {
			continue
		}
		asns := slices.Collect(other.All())
		last := asns[len(asns)-1]
		for len(asns) > 1 && asns[len(asns)-1] == last {
			asns = asns[:len(asns)-1]
		}
		return withPath(a, append(asns, origin))
	}
	return a
}

// otherCommunities takes the communities of another prefix of the feed, as those
// of another way, or changes one value.
func (k *announced) otherCommunities(random *rand.Rand, a route.Attrs, way bool) route.Attrs {
	if way {
		run, _ := k.draw(random)
		if other := k.runs[run].Attrs.Communities(); len(other) > 0 {
			return withAttr(a, route.AttrCommunities, other)
		}
	}
	values := slices.Clone([]byte(a.Communities()))
	if len(values) == 0 {
		asn, _ := a.ASPath().First()
		values = binary.BigEndian.AppendUint16(nil, uint16(asn))
		values = append(values, 0, 0)
	}
	at := random.IntN(len(values)/4)*4 + 2
	binary.BigEndian.PutUint16(values[at:], binary.BigEndian.Uint16(values[at:])+1+uint16(random.IntN(50)))
	return withAttr(a, route.AttrCommunities, values)
}

func withPath(a route.Attrs, asns []route.ASN) route.Attrs {
	const most = 255
	return withAttr(a, route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, asns[:min(len(asns), most)]...))
}

// withAttr returns a copy of a in which an attribute has a value.
func withAttr(a route.Attrs, code route.AttrCode, value []byte) route.Attrs {
	b := make(route.Attrs, 0, len(a)+len(value)+3)
	done := false
	for c, v := range a.All() {
		if c >= code && !done {
			b, done = b.AppendAttr(code, value), true
		}
		if c != code {
			b = b.AppendAttr(c, v)
		}
	}
	if !done {
		b = b.AppendAttr(code, value)
	}
	return b
}

// outage is the loss of a network upstream: the runs with so many prefixes, those
// through the AS that carries most, go another way and come back.
func (k *announced) outage(random *rand.Rand, prefixes int) (away, back []route.Update) {
	lost := k.upstream()
	for _, through := range []bool{true, false} {
		for i := range k.runs {
			u := k.runs[i]
			if prefixes <= 0 {
				return away, back
			}
			if u.Attrs.ASPath().Has(lost) != through {
				continue
			}
			u.NLRI = u.NLRI[:min(len(u.NLRI), prefixes)]
			prefixes -= len(u.NLRI)
			back = append(back, u)
			u.Attrs = k.otherPath(random, u.Attrs)
			away = append(away, u)
		}
	}
	return away, back
}

// upstream returns the AS next to the feed's own that carries the most prefixes.
func (k *announced) upstream() route.ASN {
	carried := make(map[route.ASN]int)
	var most route.ASN
	for i := range k.runs {
		path, ok := k.runs[i].Attrs.ASPath().Sequence()
		if !ok || path.Len() < 3 {
			continue
		}
		asn := path.At(1)
		carried[asn] += len(k.runs[i].NLRI)
		if carried[asn] > carried[most] {
			most = asn
		}
	}
	return most
}
