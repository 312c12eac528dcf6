package wire

import (
	"encoding/binary"
	"fmt"
	"math"

	"ribglass/ribstore/route"
)

// pathFault says what is wrong with a path of AS numbers of size octets, or "":
// RFC 7606 section 7.2, AS 0 by RFC 7607.
func pathFault(v []byte, size int) string {
	for len(v) > 0 {
		if len(v) < 2 {
			return "segment cut short"
		}
		kind, count := route.SegmentType(v[0]), int(v[1])
		if kind < route.ASSet || kind > route.ASConfedSet {
			return fmt.Sprintf("segment of type %d", kind)
		}
		if count == 0 {
			return "empty segment"
		}
		end := 2 + count*size
		if end > len(v) {
			return fmt.Sprintf("segment of %d AS numbers in %d octets", count, len(v)-2)
		}
		if hasASZero(v[2:end], size) {
			return "AS 0"
		}
		v = v[end:]
	}
	return ""
}

func hasASZero(v []byte, size int) bool {
	for ; len(v) >= size; v = v[size:] {
		if v[0] == 0 && v[1] == 0 && (size == 2 || v[2] == 0 && v[3] == 0) {
			return true
		}
	}
	return false
}

// checkASPath checks AS_PATH and widens two-octet AS numbers. Confederation
// segments from outside the confederation are malformed, and so is a path of another
// member AS that does not begin with a sequence of them (RFC 5065 section 5).
func (d *Decoder) checkASPath(a *attribute) (verdict, *attributeError) {
	size := 4
	if !d.session.FourOctetAS {
		size = 2
	}
	if reason := pathFault(a.value, size); reason != "" {
		return withdraw, a.fault(UpdateMalformedASPath, reason)
	}
	if size == 2 {
		a.value = d.widen(a.value)
		if len(a.value) > math.MaxUint16 {
			return withdraw, a.fault(UpdateMalformedASPath, "too long")
		}
	}
	switch {
	case !d.session.internal() && hasConfederation(a.value):
		return withdraw, a.fault(UpdateMalformedASPath, "confederation segment from an external peer")
	case d.session.Confederation && !d.session.IBGP && !leadsConfederation(a.value):
		return withdraw, a.fault(UpdateMalformedASPath, "no confederation sequence first, from another member AS")
	}
	return keep, nil
}

// widen returns a checked path of two-octet AS numbers with four octets each.
func (d *Decoder) widen(v []byte) []byte {
	start := len(d.scratch)
	for len(v) > 0 {
		end := 2 + 2*int(v[1])
		d.scratch = append(d.scratch, v[0], v[1])
		for i := 2; i < end; i += 2 {
			d.scratch = append(d.scratch, 0, 0, v[i], v[i+1])
		}
		v = v[end:]
	}
	return d.scratch[start:len(d.scratch):len(d.scratch)]
}

func isConfederation(t route.SegmentType) bool {
	return t == route.ASConfedSequence || t == route.ASConfedSet
}

// leadsConfederation reports whether the first segment is an AS_CONFED_SEQUENCE.
func leadsConfederation(v []byte) bool {
	return len(v) > 0 && route.SegmentType(v[0]) == route.ASConfedSequence
}

func hasConfederation(v []byte) bool {
	for ; len(v) > 0; v = v[2+4*int(v[1]):] {
		if isConfederation(route.SegmentType(v[0])) {
			return true
		}
	}
	return false
}

// checkAggregator discards a malformed AGGREGATOR (RFC 7606 section 7.7) and
// widens its AS number.
func (d *Decoder) checkAggregator(a *attribute) (verdict, *attributeError) {
	want, text := 8, "8"
	if !d.session.FourOctetAS {
		want, text = 6, "6"
	}
	if len(a.value) != want {
		return discard, a.badLength(text)
	}
	if hasASZero(a.value[:want-4], want-4) {
		return discard, a.fault(UpdateOptionalAttribute, "AS 0")
	}
	if want == 6 {
		start := len(d.scratch)
		d.scratch = append(append(d.scratch, 0, 0), a.value...)
		a.value = d.scratch[start:len(d.scratch):len(d.scratch)]
	}
	return keep, nil
}

// checkAS4Path is RFC 6793 section 6: a malformed one is discarded.
func (a *attribute) checkAS4Path() (verdict, *attributeError) {
	if len(a.value) < 6 {
		return discard, a.badLength("at least 6")
	}
	if reason := pathFault(a.value, 4); reason != "" {
		return discard, a.fault(UpdateOptionalAttribute, reason)
	}
	return keep, nil
}

func (a *attribute) checkAS4Aggregator() (verdict, *attributeError) {
	if len(a.value) != 8 {
		return discard, a.badLength("8")
	}
	if hasASZero(a.value[:4], 4) {
		return discard, a.fault(UpdateOptionalAttribute, "AS 0")
	}
	return keep, nil
}

// mergeAS4 takes AS4_PATH and AS4_AGGREGATOR out of found and puts what they know
// into AS_PATH and AGGREGATOR (RFC 6793 section 4.2.3).
func (d *Decoder) mergeAS4(u *update) {
	if !u.seen.has(attrAS4Path) && !u.seen.has(attrAS4Aggregator) {
		return
	}
	path, aggregator := d.find(route.AttrASPath), d.find(route.AttrAggregator)
	path4, aggregator4 := d.find(attrAS4Path), d.find(attrAS4Aggregator)
	// An AGGREGATOR that is not AS_TRANS was put on by a speaker of two octets
	// after the AS4 attributes: both are out of date.
	current := aggregator != nil && aggregator4 != nil &&
		route.ASN(binary.BigEndian.Uint32(aggregator.value)) != route.ASTrans
	if !current {
		if aggregator != nil && aggregator4 != nil {
			aggregator.value = aggregator4.value
		}
		if path != nil && path4 != nil {
			d.mergePath(u, path, path4.value)
		}
	}
	kept := d.found[:0]
	for _, a := range d.found {
		if a.code != attrAS4Path && a.code != attrAS4Aggregator {
			kept = append(kept, a)
		}
	}
	d.found = kept
}

// find returns the attribute with the code among those kept, or nil.
func (d *Decoder) find(code route.AttrCode) *attribute {
	for i := range d.found {
		if d.found[i].code == code {
			return &d.found[i]
		}
	}
	return nil
}

// mergePath replaces the end of path by path4, which counts as many AS numbers;
// a path4 that counts more is ignored.
func (d *Decoder) mergePath(u *update, path *attribute, path4 []byte) {
	lead := route.ASPath(path.value).Len() - route.ASPath(path4).Len()
	if lead < 0 {
		return
	}
	b := pathBuilder{octets: d.scratch, start: len(d.scratch), last: -1}
	b.appendLead(path.value, lead)
	b.seam = true
	for ; len(path4) > 0; path4 = path4[2+4*int(path4[1]):] {
		// RFC 6793 section 6: confederation segments do not belong here.
		if kind := route.SegmentType(path4[0]); !isConfederation(kind) {
			b.appendSegment(kind, path4[2:2+4*int(path4[1])])
			b.seam = false
		}
	}
	d.scratch = b.octets
	path.value = b.octets[b.start:len(b.octets):len(b.octets)]
	if len(path.value) > math.MaxUint16 {
		u.withdrawFor(path.fault(UpdateMalformedASPath, "too long"))
	}
}

// pathBuilder appends a path of four-octet AS numbers to octets.
type pathBuilder struct {
	octets      []byte
	start, last int  // where the path and its last segment begin; last is -1 before the first
	seam        bool // between AS_PATH and AS4_PATH
}

// appendSegment appends a segment. At the seam it joins two sequences that fit
// into one: the speakers of two octets in between prepended to one.
func (b *pathBuilder) appendSegment(kind route.SegmentType, asns []byte) {
	count := len(asns) / 4
	if count == 0 {
		return
	}
	joins := b.seam && b.last >= 0 && kind == route.ASSequence && b.octets[b.last] == byte(kind) &&
		int(b.octets[b.last+1])+count <= math.MaxUint8
	if joins {
		b.octets[b.last+1] += byte(count)
	} else {
		b.last = len(b.octets)
		b.octets = append(b.octets, byte(kind), byte(count))
	}
	b.octets = append(b.octets, asns...)
}

// appendLead appends the first segments of path that count lead, and the
// confederation segments that lead them or adjoin them.
func (b *pathBuilder) appendLead(path []byte, lead int) {
	for len(path) > 0 {
		kind, asns := route.SegmentType(path[0]), path[2:2+4*int(path[1])]
		path = path[2+len(asns):]
		switch {
		case isConfederation(kind):
			b.appendSegment(kind, asns)
		case lead == 0:
			return
		case kind == route.ASSet:
			b.appendSegment(kind, asns)
			lead--
		default:
			taken := min(len(asns)/4, lead)
			b.appendSegment(kind, asns[:4*taken])
			lead -= taken
			if 4*taken < len(asns) {
				return
			}
		}
	}
}
