package wire

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

func header(t Type, length int) []byte {
	h, _ := beginMessage(nil, t)
	putUint16(h[16:], length)
	return h
}

func TestParseHeader(t *testing.T) {
	broken := header(TypeKeepalive, 19)
	broken[7] = 0xfe
	tests := []struct {
		name   string
		h      []byte
		limit  int
		length int
		want   *Notification
	}{
		{"a KEEPALIVE", header(TypeKeepalive, 19), MaxLen, 19, nil},
		{"an UPDATE of the largest size", header(TypeUpdate, 4096), MaxLen, 4096, nil},
		{"an extended UPDATE", header(TypeUpdate, 65535), MaxExtendedLen, 65535, nil},
		{"an extended NOTIFICATION", header(TypeNotification, 5000), MaxExtendedLen, 5000, nil},
		{"the marker is not all ones", broken, MaxLen, 0, &Notification{Code: 1, Subcode: 1}},
		{"shorter than a header", header(TypeKeepalive, 18), MaxLen, 0, &Notification{Code: 1, Subcode: 2, Data: []byte{0, 18}}},
		{"a KEEPALIVE with a body", header(TypeKeepalive, 20), MaxLen, 0, &Notification{Code: 1, Subcode: 2, Data: []byte{0, 20}}},
		{"an OPEN too short", header(TypeOpen, 28), MaxLen, 0, &Notification{Code: 1, Subcode: 2, Data: []byte{0, 28}}},
		{"an UPDATE too short", header(TypeUpdate, 22), MaxLen, 0, &Notification{Code: 1, Subcode: 2, Data: []byte{0, 22}}},
		{"a NOTIFICATION too short", header(TypeNotification, 20), MaxLen, 0, &Notification{Code: 1, Subcode: 2, Data: []byte{0, 20}}},
		{"a ROUTE-REFRESH too short", header(TypeRouteRefresh, 22), MaxLen, 0, &Notification{Code: 1, Subcode: 2, Data: []byte{0, 22}}},
		{"an extended UPDATE that was not negotiated", header(TypeUpdate, 4097), MaxLen, 0, &Notification{Code: 1, Subcode: 2, Data: []byte{0x10, 1}}},
		{"an OPEN is never extended", header(TypeOpen, 4097), MaxExtendedLen, 0, &Notification{Code: 1, Subcode: 2, Data: []byte{0x10, 1}}},
		{"type 0", header(0, 19), MaxLen, 0, &Notification{Code: 1, Subcode: 3, Data: []byte{0}}},
		{"type 6", header(6, 19), MaxLen, 0, &Notification{Code: 1, Subcode: 3, Data: []byte{6}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kind, length, err := ParseHeader(tt.h, tt.limit)
			var got *Notification
			errors.As(err, &got)
			wantKind := Type(0)
			if tt.want == nil {
				wantKind = Type(tt.h[18])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || length != tt.length || kind != wantKind {
				t.Errorf("ParseHeader(%x) = %v, %d, want %v, length %d; error (-want +got):\n%s", tt.h, kind, length, wantKind, tt.length, diff)
			}
		})
	}
}

func TestNotificationText(t *testing.T) {
	shutdown := ShutdownCommunication
	tests := []struct {
		name string
		n    Notification
		want string
	}{
		{"a code alone", Notification{Code: CodeHoldTimer}, "Hold Timer Expired"},
		{"code and subcode", Notification{Code: CodeUpdate, Subcode: UpdateMalformedASPath}, "UPDATE Message Error: Malformed AS_PATH"},
		{"our own reason", *openError(OpenBadPeerAS, nil, "AS %d", 0), "OPEN Message Error: Bad Peer AS: AS 0"},
		{"role mismatch (RFC 9234)", Notification{Code: CodeOpen, Subcode: 11}, "OPEN Message Error: Role Mismatch"},
		{"BFD (RFC 9384)", Notification{Code: CodeCease, Subcode: 10}, "Cease: BFD Down"},
		{"send hold timer (RFC 9687)", Notification{Code: 8}, "Send Hold Timer Expired"},
		{"FSM (RFC 6608)", Notification{Code: 5, Subcode: 3}, "Finite State Machine Error: Unexpected Message in Established State"},
		{"unknown code", Notification{Code: 99, Subcode: 7}, "error code 99: subcode 7"},
		{"unknown subcode", Notification{Code: CodeCease, Subcode: 77}, "Cease: subcode 77"},
		{"a deprecated hole in the list", Notification{Code: CodeOpen, Subcode: 9}, "OPEN Message Error: subcode 9"},
		{
			"shutdown communication (RFC 9003)",
			Notification{Code: CodeCease, Subcode: CeaseAdminShutdown, Data: shutdown("[TICKET-1] upgrade, back at 02:00")},
			`Cease: Administrative Shutdown: "[TICKET-1] upgrade, back at 02:00"`,
		},
		{
			"a communication that lies about its length",
			Notification{Code: CodeCease, Subcode: CeaseAdminReset, Data: []byte{200, 'h', 'i'}},
			`Cease: Administrative Reset: "hi"`,
		},
		{
			"a communication with control characters",
			Notification{Code: CodeCease, Subcode: CeaseAdminShutdown, Data: shutdown("a\x1b[31m\r\nb\u202ec")},
			"Cease: Administrative Shutdown: \"a\uFFFD[31m\uFFFD\uFFFDb\uFFFDc\"",
		},
		{
			"a hard reset and what it hides (RFC 8538)",
			Notification{Code: CodeCease, Subcode: CeaseHardReset, Data: append([]byte{6, 2}, shutdown("bye")...)},
			`Cease: Hard Reset (Cease: Administrative Shutdown: "bye")`,
		},
		{
			"what FRR says of a role",
			Notification{Code: CodeOpen, Subcode: OpenRoleMismatch, Data: []byte("Strict mode. Please set the role on your side.")},
			`OPEN Message Error: Role Mismatch: "Strict mode. Please set the role on your side."`,
		},
		{
			"the limit of prefixes (RFC 4486)",
			Notification{Code: CodeCease, Subcode: CeaseMaxPrefixes, Data: []byte{0, 2, 1, 0, 0, 1, 0}},
			"Cease: Maximum Number of Prefixes Reached: ipv6-unicast, limit 256",
		},
		{
			"the limit of an unknown family",
			Notification{Code: CodeCease, Subcode: CeaseMaxPrefixes, Data: []byte{0, 25, 70, 0, 0, 0, 9}},
			"Cease: Maximum Number of Prefixes Reached: limit 9",
		},
		{
			"the message that was unexpected (RFC 6608)",
			Notification{Code: CodeFSM, Subcode: 1, Data: []byte{4}},
			"Finite State Machine Error: Unexpected Message in OpenSent State: KEEPALIVE",
		},
		{"a bad length", Notification{Code: CodeHeader, Subcode: HeaderBadLength, Data: []byte{0x10, 0x01}}, "Message Header Error: Bad Message Length: length 4097"},
		{"a bad type", Notification{Code: CodeHeader, Subcode: HeaderBadType, Data: []byte{9}}, "Message Header Error: Bad Message Type: type 9"},
		{"the version that is supported", Notification{Code: CodeOpen, Subcode: OpenUnsupportedVersion, Data: []byte{0, 3}}, "OPEN Message Error: Unsupported Version Number: version 3"},
		{
			"an attribute",
			Notification{Code: CodeUpdate, Subcode: UpdateAttributeLength, Data: []byte{0x40, 1, 2, 0, 0}},
			"UPDATE Message Error: Attribute Length Error: data 4001020000",
		},
		{
			"octets beyond the bound",
			Notification{Code: CodeUpdate, Subcode: UpdateMalformedAttributes, Data: make([]byte, 4000)},
			"UPDATE Message Error: Malformed Attribute List: data " + strings.Repeat("00", 32) + " and 3968 octets more",
		},
		{
			"text beyond the bound",
			Notification{Code: CodeOpen, Subcode: OpenUnsupportedCap, Data: []byte(strings.Repeat("x", 4000))},
			`OPEN Message Error: Unsupported Capability: "` + strings.Repeat("x", 255) + `"`,
		},
		{
			"text with control characters",
			Notification{Code: CodeOpen, Subcode: OpenUnsupportedCap, Data: []byte("set the role\r\n\u202e")},
			"OPEN Message Error: Unsupported Capability: \"set the role\uFFFD\uFFFD\uFFFD\"",
		},
		{
			"data inside a hard reset",
			Notification{Code: CodeCease, Subcode: CeaseHardReset, Data: []byte{2, 7, 65, 4}},
			"Cease: Hard Reset (OPEN Message Error: Unsupported Capability: data 4104)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.n.Error(); got != tt.want {
				t.Errorf("Error() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNotificationOverTheWire(t *testing.T) {
	n := &Notification{Code: 6, Subcode: 2, Data: ShutdownCommunication("bye")}
	got, err := ParseNotification(n.Append(nil)[HeaderLen:])
	if diff := cmp.Diff(n, got); err != nil || diff != "" {
		t.Errorf("ParseNotification: %v (-want +got):\n%s", err, diff)
	}
	if _, err := ParseNotification([]byte{6}); err == nil {
		t.Error("ParseNotification of one octet: no error")
	}
	long := &Notification{Code: 1, Subcode: 2, Data: make([]byte, 70000)}
	if b := long.Append(nil); len(b) != MaxLen {
		t.Errorf("a NOTIFICATION with 70,000 octets of data has %d, want it cut to %d", len(b), MaxLen)
	}
}

func TestShutdownCommunicationIsCutAtARune(t *testing.T) {
	data := ShutdownCommunication(strings.Repeat("é", 200))
	if len(data) != 255 || int(data[0]) != 254 || !utf8.Valid(data[1:]) {
		t.Errorf("%d octets, length octet %d, want 254 of text, cut between runes", len(data), data[0])
	}
}

// openBytes builds the body of an OPEN around its optional parameters.
func openBytes(parameters ...byte) []byte {
	return append([]byte{4, 0xfb, 0xf4, 0, 90, 192, 0, 2, 1}, parameters...)
}

func TestParseOpenRefuses(t *testing.T) {
	set := func(b []byte, at int, octets ...byte) []byte {
		copy(b[at:], octets)
		return b
	}
	tests := []struct {
		name    string
		body    []byte
		subcode uint8
	}{
		{"a body cut short", openBytes(), OpenUnspecific},
		{"version 3", set(openBytes(0), 0, 3), OpenUnsupportedVersion},
		{"AS 0 (RFC 7607)", set(openBytes(0), 1, 0, 0), OpenBadPeerAS},
		{"AS 0 in the capability", openBytes(8, 2, 6, 65, 4, 0, 0, 0, 0), OpenBadPeerAS},
		{"two AS numbers that differ", openBytes(8, 2, 6, 65, 4, 0, 0, 0xfb, 0xf5), OpenBadPeerAS},
		{"a hold time of one second", set(openBytes(0), 3, 0, 1), OpenUnacceptableHoldTime},
		{"a hold time of two seconds", set(openBytes(0), 3, 0, 2), OpenUnacceptableHoldTime},
		{"router id zero (RFC 6286)", set(openBytes(0), 5, 0, 0, 0, 0), OpenBadRouterID},
		{"octets after the parameters", openBytes(0, 1), OpenUnspecific},
		{"parameters that end before they say", openBytes(9, 2, 6, 65, 4, 0, 0, 0xfb, 0xf4), OpenUnspecific},
		{"a parameter header cut short", openBytes(1, 2), OpenUnspecific},
		{"a parameter that overruns", openBytes(2, 2, 9), OpenUnspecific},
		{"an unknown parameter", openBytes(2, 1, 0), OpenUnsupportedParameter},
		{"a capability header cut short", openBytes(3, 2, 1, 65), OpenUnspecific},
		{"a capability that overruns its parameter", openBytes(4, 2, 2, 65, 4), OpenUnspecific},
		{"a capability that overruns into the next parameter", openBytes(8, 2, 2, 70, 4, 2, 2, 2, 0), OpenUnspecific},
		{"a multiprotocol capability of three octets", openBytes(7, 2, 5, 1, 3, 0, 1, 0), OpenUnspecific},
		{"a four-octet AS capability of two octets", openBytes(6, 2, 4, 65, 2, 0, 0), OpenUnspecific},
		{"an add-path capability of three octets", openBytes(7, 2, 5, 69, 3, 0, 1, 1), OpenUnspecific},
		{"a graceful restart capability of one octet", openBytes(5, 2, 3, 64, 1, 0), OpenUnspecific},
		{"a graceful restart capability with half a family", openBytes(8, 2, 6, 64, 4, 0, 120, 0, 1), OpenUnspecific},
		{"a long-lived capability of six octets", openBytes(10, 2, 8, 71, 6, 0, 1, 1, 0, 0, 0), OpenUnspecific},
		{"an extended next hop capability of five octets", openBytes(9, 2, 7, 5, 5, 0, 1, 0, 1, 0), OpenUnspecific},
		{"two different roles (RFC 9234)", openBytes(8, 2, 6, 9, 1, 0, 9, 1, 3), OpenRoleMismatch},
		{"two four-octet AS numbers that differ", openBytes(14, 2, 12, 65, 4, 0, 0, 0xfb, 0xf4, 65, 4, 0, 0, 0xfb, 0xf5), OpenBadPeerAS},
		{"two that differ behind AS_TRANS", append([]byte{4, 0x5b, 0xa0, 0, 0, 1, 1, 1, 1}, 14, 2, 12, 65, 4, 0, 0, 0xfb, 0xf4, 65, 4, 0, 0, 0xfb, 0xf5), OpenBadPeerAS},
		{"extended parameters that overrun (RFC 9072)", openBytes(255, 255, 0, 5, 2, 0, 0), OpenUnspecific},
		{"extended parameters with octets after them", openBytes(255, 255, 0, 0, 0), OpenUnspecific},
		{"extended parameters with a header cut short", openBytes(255, 255, 0, 2, 2, 0), OpenUnspecific},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := ParseOpen(tt.body)
			var n *Notification
			if !errors.As(err, &n) || n.Code != CodeOpen || n.Subcode != tt.subcode || o != nil {
				t.Errorf("ParseOpen(%x) = %v, %v, want NOTIFICATION 2/%d", tt.body, o, err, tt.subcode)
			}
		})
	}
}

func TestParseOpenAccepts(t *testing.T) {
	tests := []struct {
		name string
		body []byte
		asn  route.ASN
		caps int
	}{
		{"no parameters", openBytes(0), 64500, 0},
		{"a parameter without capabilities", openBytes(2, 2, 0), 64500, 0},
		{"a capability in each parameter", openBytes(8, 2, 2, 2, 0, 2, 2, 70, 0), 64500, 2},
		{"the same capability twice (RFC 5492 section 4)", openBytes(6, 2, 4, 2, 0, 2, 0), 64500, 2},
		{"an unknown capability", openBytes(5, 2, 3, 200, 1, 7), 64500, 1},
		{"the same role twice", openBytes(8, 2, 6, 9, 1, 3, 9, 1, 3), 64500, 2},
		{"the same four-octet AS number twice", openBytes(14, 2, 12, 65, 4, 0, 0, 0xfb, 0xf4, 65, 4, 0, 0, 0xfb, 0xf4), 64500, 2},
		{"route refresh with padding", openBytes(6, 2, 4, 2, 2, 0, 0), 64500, 1},
		{"extended parameters (RFC 9072)", openBytes(255, 255, 0, 5, 2, 0, 2, 2, 0), 64500, 1},
		{"extended parameters of a length not 255", openBytes(1, 255, 0, 5, 2, 0, 2, 2, 0), 64500, 1},
		{"AS_TRANS and a four-octet number", append([]byte{4, 0x5b, 0xa0, 0, 0, 1, 1, 1, 1}, 8, 2, 6, 65, 4, 0xfa, 0x56, 0xea, 0), 4200000000, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := ParseOpen(tt.body)
			if err != nil || o.ASN != tt.asn || len(o.Capabilities) != tt.caps {
				t.Errorf("ParseOpen(%x) = %+v, %v, want AS %d and %d capabilities", tt.body, o, err, tt.asn, tt.caps)
			}
		})
	}
}

// fullOpen announces everything there is.
func fullOpen(asn route.ASN) *Open {
	families := [route.NumFamilies]bool{true, true, true, true}
	o := &Open{ASN: asn, HoldTime: 90, RouterID: netip.MustParseAddr("192.0.2.1")}
	for _, f := range route.Families() {
		o.Capabilities = append(o.Capabilities, MultiprotocolCapability(f))
	}
	o.Capabilities = append(
		o.Capabilities, RouteRefreshCapability(), EnhancedRefreshCapability(), ExtendedMessageCapability(),
		FourOctetASCapability(asn),
		ExtendedNextHopCapability([route.NumFamilies]bool{route.IPv4Unicast: true}),
		AddPathCapability([route.NumFamilies]AddPathMode{AddPathReceive, AddPathBoth, 0, AddPathSend}),
		GracefulRestartCapability(GracefulRestart{
			Restarting: true, Notification: true, Time: 120 * time.Second, Families: families,
			Forwarding: [route.NumFamilies]bool{true},
		}),
		LongLivedCapability(LongLived{
			Families: [route.NumFamilies]bool{true, true}, Forwarding: [route.NumFamilies]bool{true},
			Time: [route.NumFamilies]time.Duration{time.Hour, 24 * time.Hour},
		}),
		Capability{CapRole, []byte{3}},
		Capability{CapFQDN, []byte("\x04edge\x0bexample.net")},
		Capability{CapSoftwareVersion, []byte("\x08<b>\x1b1.0\n")},
		Capability{99, []byte{1, 0xab}},
	)
	return o
}

func TestOpenOverTheWire(t *testing.T) {
	long := fullOpen(4200000000)
	for range 20 {
		long.Capabilities = append(long.Capabilities, Capability{99, make([]byte, 100)})
	}
	for _, want := range []*Open{fullOpen(64500), fullOpen(4200000000), long, {ASN: 1, RouterID: netip.MustParseAddr("1.1.1.1")}} {
		message := want.Append(nil)
		if _, length, err := ParseHeader(message, MaxLen); err != nil || length != len(message) {
			t.Fatalf("ParseHeader: %d of %d octets, %v", length, len(message), err)
		}
		got, err := ParseOpen(message[HeaderLen:])
		if err != nil {
			t.Fatalf("ParseOpen(%x): %v", message, err)
		}
		for i := range got.Capabilities {
			if len(got.Capabilities[i].Value) == 0 {
				got.Capabilities[i].Value = nil
			}
		}
		if diff := cmp.Diff(want, got, compareNetip()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestOpenParametersAreExtendedOnlyWhereNeeded(t *testing.T) {
	for _, tt := range []struct {
		value    int
		extended bool
	}{{0, false}, {249, false}, {250, false}, {251, true}, {255, true}} {
		o := &Open{ASN: 1, RouterID: netip.MustParseAddr("1.1.1.1"), Capabilities: []Capability{{99, make([]byte, tt.value)}}}
		message := o.Append(nil)
		if extended := message[HeaderLen+10] == parameterExtended; extended != tt.extended {
			t.Errorf("a capability of %d octets: extended is %v, want %v", tt.value, extended, tt.extended)
		}
		if _, err := ParseOpen(message[HeaderLen:]); err != nil {
			t.Errorf("a capability of %d octets: %v", tt.value, err)
		}
	}
}

func TestNegotiate(t *testing.T) {
	ours, theirs := fullOpen(64500), fullOpen(4200000000)
	theirs.HoldTime = 30
	theirs.RouterID = netip.MustParseAddr("192.0.2.2")
	got := Negotiate(ours, theirs)
	want := Session{
		FourOctetAS: true, ExtendedMessage: true, RouteRefresh: true, EnhancedRefresh: true,
		Families:        [route.NumFamilies]bool{true, true, true, true},
		AddPath:         [route.NumFamilies]bool{false, true, false, false},
		AddPathSend:     [route.NumFamilies]bool{false, true, false, false},
		ExtendedNextHop: [route.NumFamilies]bool{true},
		LocalASN:        64500, PeerASN: 4200000000, PeerRouterID: theirs.RouterID, HoldTime: 30 * time.Second,
		MaxReceive: MaxExtendedLen, MaxSend: MaxExtendedLen,
	}
	want.GracefulRestart, _ = theirs.GracefulRestart()
	want.LongLived, _ = theirs.LongLived()
	if diff := cmp.Diff(want, got, compareNetip()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if g := got.GracefulRestart; !g.Restarting || !g.Notification || g.Time != 2*time.Minute || !g.Families[1] || g.Forwarding[1] {
		t.Errorf("graceful restart %+v", g)
	}
	if l := got.LongLived; l.Time[1] != 24*time.Hour || l.Families[2] || !l.Forwarding[0] {
		t.Errorf("long-lived graceful restart %+v", l)
	}
}

func TestNegotiateWithAPeerThatSaysNothing(t *testing.T) {
	theirs := &Open{ASN: 64500, HoldTime: 0, RouterID: netip.MustParseAddr("192.0.2.2")}
	got := Negotiate(fullOpen(64500), theirs)
	want := Session{
		IBGP: true, Families: [route.NumFamilies]bool{true}, LocalASN: 64500, PeerASN: 64500,
		PeerRouterID: theirs.RouterID, MaxReceive: MaxExtendedLen, MaxSend: MaxLen,
	}
	if diff := cmp.Diff(want, got, compareNetip()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCapabilityCorners(t *testing.T) {
	open := func(c ...Capability) *Open { return &Open{Capabilities: c} }
	t.Run("a multiprotocol capability for a family not kept is not IPv4 unicast", func(t *testing.T) {
		if got := open(Capability{CapMultiprotocol, []byte{0, 25, 0, 70}}).Families(); len(got) != 0 {
			t.Errorf("Families() = %v, want none", got)
		}
	})
	t.Run("an add-path capability with an undefined direction is ignored whole", func(t *testing.T) {
		o := open(Capability{CapAddPath, []byte{0, 1, 1, 3, 0, 2, 1, 4}})
		if got := o.AddPath(); got != [route.NumFamilies]AddPathMode{} {
			t.Errorf("AddPath() = %v, want none", got)
		}
	})
	t.Run("of two graceful restart capabilities the last counts", func(t *testing.T) {
		o := open(GracefulRestartCapability(GracefulRestart{Time: time.Second}), GracefulRestartCapability(GracefulRestart{Time: time.Minute}))
		if got, ok := o.GracefulRestart(); !ok || got.Time != time.Minute {
			t.Errorf("GracefulRestart() = %+v, %v, want one minute", got, ok)
		}
	})
	t.Run("long-lived without graceful restart is ignored", func(t *testing.T) {
		if got, ok := open(LongLivedCapability(LongLived{Families: [route.NumFamilies]bool{true}})).LongLived(); ok {
			t.Errorf("LongLived() = %+v, want none", got)
		}
	})
	t.Run("times are cut to their fields", func(t *testing.T) {
		o := open(
			GracefulRestartCapability(GracefulRestart{Time: 1000 * time.Hour}),
			LongLivedCapability(LongLived{Families: [route.NumFamilies]bool{true}, Time: [route.NumFamilies]time.Duration{1 << 62}}),
		)
		g, _ := o.GracefulRestart()
		l, _ := o.LongLived()
		if g.Restarting || g.Time != 4095*time.Second || l.Time[0] != (1<<24-1)*time.Second {
			t.Errorf("times %v and %v", g, l.Time[0])
		}
	})
	t.Run("a time below zero is none", func(t *testing.T) {
		c := LongLivedCapability(LongLived{Families: [route.NumFamilies]bool{true}, Time: [route.NumFamilies]time.Duration{-time.Hour}})
		if want := []byte{0, 1, 1, 0, 0, 0, 0}; !bytes.Equal(c.Value, want) {
			t.Errorf("LongLivedCapability = %x, want %x", c.Value, want)
		}
	})
	t.Run("an IPv6 next hop for IPv6 prefixes says nothing", func(t *testing.T) {
		o := open(Capability{CapExtendedNextHop, []byte{0, 2, 0, 1, 0, 2, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 2}})
		if got := o.ExtendedNextHop(); got != [route.NumFamilies]bool{} {
			t.Errorf("ExtendedNextHop() = %v, want none", got)
		}
	})
}

// TestGracefulRestartFlags writes and reads each flag alone (RFC 4724 section 3, RFC 8538
// section 2).
func TestGracefulRestartFlags(t *testing.T) {
	both := [route.NumFamilies]bool{true, true}
	for _, row := range []struct {
		name   string
		g      GracefulRestart
		octets []byte
	}{
		{"no flag, no family", GracefulRestart{Time: 4095 * time.Second}, []byte{0x0f, 0xff}},
		{"R", GracefulRestart{Restarting: true}, []byte{0x80, 0}},
		{"N", GracefulRestart{Notification: true, Time: time.Second}, []byte{0x40, 1}},
		{"F of no family", GracefulRestart{Time: 300 * time.Second, Families: both}, []byte{0x01, 0x2c, 0, 1, 1, 0, 0, 2, 1, 0}},
		{
			"F of IPv4",
			GracefulRestart{Families: both, Forwarding: [route.NumFamilies]bool{true}},
			[]byte{0, 0, 0, 1, 1, 0x80, 0, 2, 1, 0},
		},
		{
			"F of IPv6",
			GracefulRestart{Families: both, Forwarding: [route.NumFamilies]bool{false, true}},
			[]byte{0, 0, 0, 1, 1, 0, 0, 2, 1, 0x80},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if c := GracefulRestartCapability(row.g); !bytes.Equal(c.Value, row.octets) {
				t.Errorf("GracefulRestartCapability = %x, want %x", c.Value, row.octets)
			}
			o := &Open{Capabilities: []Capability{{CapGracefulRestart, row.octets}}}
			if got, ok := o.GracefulRestart(); !ok || got != row.g {
				t.Errorf("GracefulRestart() = %+v, %v, want %+v", got, ok, row.g)
			}
		})
	}
}

// TestCodesAreThoseOfTheRegistry holds names that tests and code share to the numbers
// of IANA.
func TestCodesAreThoseOfTheRegistry(t *testing.T) {
	for _, row := range []struct {
		name      string
		got, want []int
	}{
		{"error codes", []int{CodeHeader, CodeOpen, CodeUpdate, CodeHoldTimer, CodeFSM, CodeCease}, []int{1, 2, 3, 4, 5, 6}},
		{"of the header", []int{HeaderNotSynchronized, HeaderBadLength, HeaderBadType}, []int{1, 2, 3}},
		{
			"of OPEN",
			[]int{OpenUnspecific, OpenUnsupportedVersion, OpenBadPeerAS, OpenBadRouterID, OpenUnsupportedParameter, OpenUnacceptableHoldTime, OpenUnsupportedCap, OpenRoleMismatch},
			[]int{0, 1, 2, 3, 4, 6, 7, 11},
		},
		{
			"of UPDATE",
			[]int{
				UpdateMalformedAttributes, UpdateUnrecognizedWellKnown, UpdateMissingWellKnown, UpdateAttributeFlags, UpdateAttributeLength,
				UpdateInvalidOrigin, UpdateInvalidNextHop, UpdateOptionalAttribute, UpdateInvalidNetwork, UpdateMalformedASPath,
			},
			[]int{1, 2, 3, 4, 5, 6, 8, 9, 10, 11},
		},
		{"of Cease", []int{CeaseMaxPrefixes, CeaseAdminShutdown, CeasePeerDeconfigured, CeaseAdminReset}, []int{1, 2, 3, 4}},
	} {
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Errorf("%s (-registry +wire): %s", row.name, diff)
		}
	}
}

func TestDescribe(t *testing.T) {
	want := []route.Capability{
		{Code: 1, Name: "multiprotocol", Value: "ipv4-unicast, ipv6-unicast, ipv4-multicast, ipv6-multicast"},
		{Code: 2, Name: "route-refresh"},
		{Code: 70, Name: "enhanced-route-refresh"},
		{Code: 6, Name: "extended-message"},
		{Code: 65, Name: "4-octet-as", Value: "4200000000"},
		{Code: 5, Name: "extended-next-hop", Value: "ipv4-unicast by AFI 2"},
		{Code: 69, Name: "add-path", Value: "ipv4-unicast receive, ipv6-unicast send/receive, ipv6-multicast send"},
		{
			Code: 64, Name: "graceful-restart",
			Value: "120 s, restarting, notification, ipv4-unicast (forwarding kept), ipv6-unicast, ipv4-multicast, ipv6-multicast",
		},
		{Code: 71, Name: "llgr", Value: "ipv4-unicast 3600 s (forwarding kept), ipv6-unicast 86400 s"},
		{Code: 9, Name: "bgp-role", Value: "customer"},
		{Code: 73, Name: "fqdn", Value: "edge.example.net"},
		{Code: 75, Name: "software-version", Value: "<b>\uFFFD1.0\uFFFD"},
		{Code: 99, Name: "capability-99", Value: "01ab"},
	}
	if diff := cmp.Diff(want, fullOpen(4200000000).Describe()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDescribeNeverShowsControlCharacters(t *testing.T) {
	for code := range 256 {
		var list []Capability
		for length := range 20 {
			value := bytes.Repeat([]byte{0x1b}, length)
			if length > 0 {
				value[0] = byte(length)
			}
			list = append(list, Capability{uint8(code), value})
		}
		for _, c := range (&Open{Capabilities: list}).Describe() {
			if strings.ContainsFunc(c.Value, unicode.IsControl) {
				t.Errorf("capability %d: %q", code, c.Value)
			}
		}
	}
}

func TestRouteRefresh(t *testing.T) {
	for _, f := range route.Families() {
		for _, subtype := range []RefreshSubtype{RefreshNormal, RefreshBegin, RefreshEnd} {
			want := RouteRefresh{Family: f, Known: true, Subtype: subtype}
			got, err := ParseRouteRefresh(want.Append(nil)[HeaderLen:])
			if err != nil || got != want {
				t.Errorf("ParseRouteRefresh = %+v, %v, want %+v", got, err, want)
			}
		}
	}
	if got, err := ParseRouteRefresh([]byte{0, 25, 0, 70}); err != nil || got.Known {
		t.Errorf("a family not kept: %+v, %v, want it unknown", got, err)
	}
	if _, err := ParseRouteRefresh([]byte{0, 1, 0, 1, 1, 128, 0, 0}); err != nil {
		t.Errorf("outbound route filters: %v, want them ignored", err)
	}
	for _, body := range [][]byte{{0, 1, 0}, {0, 1, 1, 1, 0}, {0, 1, 2, 1, 0}} {
		var n *Notification
		if _, err := ParseRouteRefresh(body); !errors.As(err, &n) || n.Code != CodeRouteRefresh || n.Subcode != 1 {
			t.Errorf("ParseRouteRefresh(%x): %v, want NOTIFICATION 7/1", body, err)
		}
	}
}

func TestKeepalive(t *testing.T) {
	kind, length, err := ParseHeader(AppendKeepalive(nil), MaxLen)
	if err != nil || kind != TypeKeepalive || length != HeaderLen {
		t.Errorf("ParseHeader = %v, %d, %v", kind, length, err)
	}
}
