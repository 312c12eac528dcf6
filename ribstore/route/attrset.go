package route

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// AttrAttrSet is ATTR_SET (RFC 6368), the attributes of a customer's route on its way
// through a provider. It is kept unknown: nothing is decided by what is in it.
const AttrAttrSet AttrCode = 128

// AttrSet returns what is in an ATTR_SET: the AS of the customer and the attributes of
// its route, a copy. It reports false for another attribute, and for one that cannot
// be read.
func (u UnknownAttr) AttrSet() (asn ASN, attrs Attrs, ok bool) {
	const extendedLength, meaning = 0x10, 0xe0 // bits of flags
	if u.Code != AttrAttrSet || len(u.Value) < 4 {
		return 0, nil, false
	}
	type attribute struct {
		code  AttrCode
		value []byte
	}
	var list []attribute
	for rest := u.Value[4:]; len(rest) > 0; {
		start := 3
		if rest[0]&extendedLength != 0 {
			start = 4
		}
		if len(rest) < start {
			return 0, nil, false
		}
		length := int(rest[2])
		if start == 4 {
			length = int(binary.BigEndian.Uint16(rest[2:]))
		}
		if start+length > len(rest) {
			return 0, nil, false
		}
		a := attribute{AttrCode(rest[1]), rest[start : start+length]}
		if !a.code.Known() {
			a.value = append([]byte{rest[0] & meaning}, a.value...)
		}
		list, rest = append(list, a), rest[start+length:]
	}
	slices.SortStableFunc(list, func(a, b attribute) int { return int(a.code) - int(b.code) })
	for i, a := range list {
		if i == 0 || list[i-1].code != a.code {
			attrs = attrs.AppendAttr(a.code, a.value)
		}
	}
	return ASN(binary.BigEndian.Uint32(u.Value)), attrs, true
}

// Text puts an attribute that is kept unknown, and whose form is known all the same,
// into words: "AS64500: ORIGIN igp, AS_PATH 65001, LOCAL_PREF 100" for an ATTR_SET. It
// returns "" for the others.
func (u UnknownAttr) Text() string {
	asn, attrs, ok := u.AttrSet()
	if !ok {
		return ""
	}
	var parts []string
	for code, value := range attrs.All() {
		parts = append(parts, strings.TrimSpace(attrs.describe(code, value)))
	}
	return fmt.Sprintf("AS%s: %s", asn, strings.Join(parts, ", "))
}

// describe names an attribute of the set and its value.
func (a Attrs) describe(code AttrCode, value []byte) string {
	name := code.Name()
	if name == "" {
		name = "attribute " + strconv.Itoa(int(code))
	}
	var words []string
	switch code {
	case AttrOrigin:
		words = []string{a.Origin().String()}
	case AttrASPath:
		words = []string{a.ASPath().String()}
	case AttrMED, AttrLocalPref, AttrOTC:
		n, _ := a.uint32(code)
		words = []string{strconv.FormatUint(uint64(n), 10)}
	case AttrCommunities:
		for c := range a.Communities().All() {
			words = append(words, c.String())
		}
	case AttrLargeCommunities:
		for c := range a.LargeCommunities().All() {
			words = append(words, c.String())
		}
	case AttrExtCommunities:
		for ; len(value) >= 8; value = value[8:] {
			words = append(words, ExtCommunity(value[:8]).String())
		}
	case AttrOriginatorID:
		words = []string{a.OriginatorID().String()}
	default:
		words = []string{hex.EncodeToString(value)}
	}
	return name + " " + strings.Join(words, " ")
}
