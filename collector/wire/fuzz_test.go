package wire

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// seeds adds the bodies of all messages of type t in testdata.
func seeds(f *testing.F, t Type, add func(body []byte)) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		f.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		for _, s := range vectorSamples(f, file) {
			if len(s.message) > HeaderLen && Type(s.message[18]) == t {
				add(s.message[HeaderLen:])
			}
		}
	}
}

// FuzzOpen holds: an OPEN that is accepted is written back and means the same.
func FuzzOpen(f *testing.F) {
	seeds(f, TypeOpen, func(body []byte) { f.Add(body) })
	f.Add(fullOpen(4200000000).Append(nil)[HeaderLen:])
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := ParseOpen(body)
		if err != nil {
			var n *Notification
			if !errors.As(err, &n) || n.Code != CodeOpen {
				t.Fatalf("ParseOpen(%x): %v, want a NOTIFICATION of code 2", body, err)
			}
			return
		}
		o.Describe()
		Negotiate(fullOpen(64500), o)
		if len(body) > MaxLen-HeaderLen {
			return
		}
		again, err := ParseOpen(o.Append(nil)[HeaderLen:])
		if err != nil {
			t.Fatalf("ParseOpen of what was written of %x: %v", body, err)
		}
		if diff := cmp.Diff(o, again, compareNetip()); diff != "" {
			t.Fatalf("%x (-first +second):\n%s", body, diff)
		}
	})
}

// FuzzNotification holds: it is written back as it was, and its text is printable.
func FuzzNotification(f *testing.F) {
	seeds(f, TypeNotification, func(body []byte) { f.Add(body) })
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := ParseNotification(body)
		if err != nil {
			return
		}
		if text := n.Error(); printable([]byte(text)) != text {
			t.Fatalf("%x: text %q is not printable", body, text)
		}
		if len(body) <= MaxLen-HeaderLen && !bytes.Equal(n.Append(nil)[HeaderLen:], body) {
			t.Fatalf("%x is written as %x", body, n.Append(nil))
		}
	})
}

// FuzzFrames holds: a stream is cut into messages or ends in a NOTIFICATION, and
// every message is accepted or refused by its parser without a panic.
func FuzzFrames(f *testing.F) {
	var stream []byte
	for t := TypeOpen; t <= TypeRouteRefresh; t++ {
		seeds(f, t, func(body []byte) {
			b, start := beginMessage(nil, t)
			message := endMessage(append(b, body...), start)
			f.Add(message, false)
			if len(stream) < 2000 {
				stream = append(stream, message...)
			}
		})
	}
	f.Add(stream, true)
	f.Fuzz(func(t *testing.T, stream []byte, extended bool) {
		limit := MaxLen
		if extended {
			limit = MaxExtendedLen
		}
		d := NewDecoder(testSession())
		var b Builder
		for len(stream) >= HeaderLen {
			kind, length, err := ParseHeader(stream, limit)
			if err != nil {
				var n *Notification
				if !errors.As(err, &n) || n.Code != CodeHeader {
					t.Fatalf("ParseHeader: %v, want a NOTIFICATION of code 1", err)
				}
				return
			}
			if length < HeaderLen || length > limit {
				t.Fatalf("ParseHeader: length %d", length)
			}
			if length > len(stream) {
				return
			}
			parse(t, kind, stream[HeaderLen:length], d, &b)
			stream = stream[length:]
		}
	})
}

func parse(t *testing.T, kind Type, body []byte, d *Decoder, b *Builder) {
	t.Helper()
	var err error
	code := uint8(0)
	switch kind {
	case TypeOpen:
		_, err = ParseOpen(body)
		code = CodeOpen
	case TypeUpdate:
		_, err = d.Update(body, b)
		code = CodeUpdate
	case TypeNotification:
		_, err = ParseNotification(body)
	case TypeRouteRefresh:
		_, err = ParseRouteRefresh(body)
		code = CodeRouteRefresh
	case TypeKeepalive:
	}
	var n *Notification
	if err != nil && (!errors.As(err, &n) || n.Code != code) {
		t.Fatalf("%v: %v, want a NOTIFICATION of code %d", kind, err, code)
	}
}

// fuzzSession makes a session out of the bits of one number.
func fuzzSession(bits uint16) Session {
	return testSession(func(s *Session) {
		s.FourOctetAS, s.IBGP, s.LoopbackNextHop = bits&1 != 0, bits&2 != 0, bits&4 != 0
		for _, f := range route.Families() {
			s.Families[f] = bits>>(4+f)&1 == 0
			s.AddPath[f] = bits>>(8+f)&1 != 0
			s.ExtendedNextHop[f] = bits&8 != 0 && !f.IsIPv6()
		}
		s.AddPathSend = s.AddPath
	})
}

// FuzzUpdate holds: an UPDATE is refused with a NOTIFICATION that leaves the
// Builder as it was, or gives well-formed routes that are written back and mean
// the same.
func FuzzUpdate(f *testing.F) {
	seeds(f, TypeUpdate, func(body []byte) {
		for _, bits := range []uint16{1, 3, 7, 0, 0xf03, 0x10b} {
			f.Add(body, bits)
		}
	})
	f.Fuzz(func(t *testing.T, body []byte, bits uint16) {
		if len(body) > MaxExtendedLen-HeaderLen {
			return
		}
		s := fuzzSession(bits)
		d := NewDecoder(s)
		var b Builder
		report, err := d.Update(body, &b)
		if err != nil {
			var n *Notification
			if !errors.As(err, &n) || n.Code != CodeUpdate || b.Len() != 0 || b.Bytes() != 0 {
				t.Fatalf("Update(%x): %v, %d prefixes left", body, err, b.Len())
			}
			return
		}
		if report.IsEndOfRIB && len(b.Updates()) > 0 {
			t.Fatalf("Update(%x): both routes and End-of-RIB", body)
		}
		for _, u := range b.Updates() {
			checkUpdate(t, s, u)
			checkRoundTrip(t, s, u)
		}
	})
}

// checkUpdate verifies what the types of package route promise.
func checkUpdate(t *testing.T, s Session, u route.Update) {
	t.Helper()
	if !s.Families[u.Family] || len(u.NLRI) == 0 {
		t.Fatalf("%v: negotiated %v, %d prefixes", u.Family, s.Families[u.Family], len(u.NLRI))
	}
	for _, n := range u.NLRI {
		if !n.Prefix.IsValid() || n.Prefix != n.Prefix.Masked() || n.Prefix.Addr().BitLen() != u.Family.Bits() {
			t.Fatalf("%v prefix %v", u.Family, n.Prefix)
		}
		if n.PathID != 0 && !s.AddPath[u.Family] {
			t.Fatalf("path identifier %d without ADD-PATH", n.PathID)
		}
	}
	if len(u.Attrs) == 0 {
		return
	}
	checkCanonical(t, u.Attrs)
	if u.Withdraw() {
		return
	}
	if !u.Attrs.NextHop().IsValid() {
		t.Fatalf("%x: no next hop", u.Attrs)
	}
	for _, code := range []route.AttrCode{attrMPReach, attrMPUnreach} {
		if _, ok := u.Attrs.Get(code); ok {
			t.Fatalf("%x: attribute %d", u.Attrs, code)
		}
	}
}

// checkCanonical takes the set apart, puts it together again in order, and wants
// the same octets.
func checkCanonical(t *testing.T, a route.Attrs) {
	t.Helper()
	var again route.Attrs
	previous := -1
	for code, value := range a.All() {
		if int(code) <= previous {
			t.Fatalf("%x: attribute %d after %d", a, code, previous)
		}
		if got, ok := a.Get(code); !ok || !bytes.Equal(got, value) {
			t.Fatalf("%x: Get(%d) = %x, %v, All gives %x", a, code, got, ok, value)
		}
		previous = int(code)
		again = again.AppendAttr(code, value)
	}
	if !slices.Equal(a, again) {
		t.Fatalf("%x is not canonical, %x is", a, again)
	}
}

// checkRoundTrip writes the update and reads it again. A path of four-octet
// numbers cannot be told whole to a speaker of two when AS_TRANS is in it, or
// confederation segments are; then it is left out.
func checkRoundTrip(t *testing.T, s Session, u route.Update) {
	t.Helper()
	if !s.FourOctetAS && !u.Withdraw() {
		return
	}
	stream := AppendUpdate(nil, s, u, MaxExtendedLen)
	if len(stream) == 0 {
		return // no room
	}
	if u.Withdraw() {
		u.Attrs = nil // why it is one is not written
	}
	var nlri []route.NLRI
	for _, again := range decodeAll(t, s, stream, MaxExtendedLen) {
		if again.Family != u.Family || !slices.Equal(again.Attrs, u.Attrs) {
			t.Fatalf("%v %x is read back as %v %x", u.Family, u.Attrs, again.Family, again.Attrs)
		}
		nlri = append(nlri, again.NLRI...)
	}
	if !slices.Equal(nlri, u.NLRI) {
		t.Fatalf("%v is read back as %v", u.NLRI, nlri)
	}
}
