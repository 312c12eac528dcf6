package wire

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"ribglass/ribstore/route"
)

// The oracle is GoBGP's packet library: it reads every message too, and where the
// two disagree the class of the difference must be in this list, with its reason.
func differences() map[string]string {
	return map[string]string{
		"oracle panics":                                          "GoBGP 3.37 indexes out of range on SAFI 85 (mobile user plane), which is not kept here",
		"oracle refuses a family not kept":                       "GoBGP reads the prefixes of every family it knows; a family not negotiated does not concern us",
		"oracle refuses an attribute we discard":                 "RFC 7606 attribute discard, and reported",
		"oracle rewrites link bandwidth":                         "GoBGP writes the extended community 0x0004 as the non-transitive 0x4004; we keep octets",
		"oracle guesses AS numbers of four octets":               "GoBGP guesses their size from the octets; the MRT record says two",
		"we withdraw: attribute 2 (AS_PATH): AS 0":               "RFC 7607",
		"we withdraw: attribute 35 (OTC): AS 0":                  "RFC 7607, as FRR does",
		"we withdraw: attribute 14 (MP_REACH_NLRI): next hop ::": "nobody's address; in dumps of 2007 only",

		// Rules that GoBGP 3.37 lacks.
		"we withdraw: attribute 8 (COMMUNITIES): length 0, want a multiple of 4":           "RFC 7606 section 7.8",
		"we withdraw: attribute 10 (CLUSTER_LIST): length 0, want a multiple of 4":         "RFC 7606 section 7.10",
		"we withdraw: attribute 16 (EXTENDED COMMUNITIES): length 0, want a multiple of 8": "RFC 7606 section 7.14",
		"we withdraw: attribute 23 (TUNNEL_ENCAPSULATION): malformed":                      "RFC 9012 section 13",
		"we withdraw: attribute 35 (OTC): length 5, want 4":                                "RFC 9234 section 5; GoBGP does not know OTC",
		"we withdraw: attribute 35 (OTC): flags 0x80":                                      "RFC 7606 section 3 (c); GoBGP does not know OTC",
		"oracle refuses: invalid nexthop address":                                          "NEXT_HOP beside MP_REACH_NLRI alone is ignored (RFC 4760 section 3)",
	}
}

// sample is a message whose session is known in part.
type sample struct {
	id      string
	message []byte
	four    size // of the AS numbers
	ibgp    bool
	addPath bool
}

type size uint8

const (
	sizeUnknown size = iota
	sizeTwo
	sizeFour
)

// oracle reads a message with GoBGP; a panic is an error.
func oracle(s sample) (m *bgp.BGPMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errOraclePanic
		}
	}()
	var options []*bgp.MarshallingOption
	if s.addPath {
		modes := map[bgp.RouteFamily]bgp.BGPAddPathMode{}
		for _, f := range route.Families() {
			modes[bgp.AfiSafiToRouteFamily(f.AFI(), f.SAFI())] = bgp.BGP_ADD_PATH_BOTH
		}
		options = append(options, &bgp.MarshallingOption{AddPath: modes})
	}
	return bgp.ParseBGPMessage(slices.Clone(s.message), options...)
}

var errOraclePanic = errors.New("oracle panics")

// TestUpdatesAgreeWithGoBGP compares every UPDATE there is.
func TestUpdatesAgreeWithGoBGP(t *testing.T) {
	seen := map[string]int{}
	first := map[string]sample{}
	compared := 0
	forEachSample(t, func(s sample) {
		if len(s.message) < HeaderLen || Type(s.message[18]) != TypeUpdate {
			return
		}
		if _, length, err := ParseHeader(s.message, MaxExtendedLen); err != nil || length != len(s.message) {
			return // the framing has tests of its own
		}
		compared++
		for _, class := range compareUpdate(s) {
			if seen[class]++; seen[class] == 1 {
				first[class] = s
			}
		}
	})
	explained := differences()
	for class, n := range seen {
		if _, ok := explained[class]; !ok {
			message := hex.EncodeToString(first[class].message)
			t.Errorf("%s: %d UPDATEs, first %s: %s", class, n, first[class].id, message[:min(len(message), 1200)])
		}
	}
	t.Logf("%d UPDATEs compared, differences: %v", compared, seen)
	if compared < 300 {
		t.Errorf("only %d UPDATEs compared", compared)
	}
}

// compareUpdate returns the classes of the differences between the two readings.
func compareUpdate(s sample) []string {
	theirs, theirErr := oracle(s)
	if errors.Is(theirErr, errOraclePanic) {
		return []string{"oracle panics"}
	}
	var update *bgp.BGPUpdate
	if theirs != nil {
		update, _ = theirs.Body.(*bgp.BGPUpdate)
	}
	if theirErr == nil {
		theirErr = validate(s, update)
	}
	session := sessionOf(s, update)
	var b Builder
	report, err := NewDecoder(session).Update(s.message[HeaderLen:], &b)
	refused := err != nil || report.TreatedAsWithdraw != nil
	switch {
	case theirErr != nil && refused:
		return nil
	case theirErr != nil:
		return []string{classOfOracleError(theirErr, report)}
	case err != nil:
		return []string{"we reset: " + err.Error()}
	case report.TreatedAsWithdraw != nil:
		return []string{"we withdraw: " + report.TreatedAsWithdraw.Error()}
	}
	return compareGood(session, update, b.Updates(), report)
}

// validate is the second half of GoBGP's checks. It must not change update, of
// which it drops duplicate attributes.
func validate(s sample, update *bgp.BGPUpdate) error {
	families := map[bgp.RouteFamily]bgp.BGPAddPathMode{}
	for _, a := range update.PathAttributes {
		switch a := a.(type) {
		case *bgp.PathAttributeMpReachNLRI:
			families[bgp.AfiSafiToRouteFamily(a.AFI, a.SAFI)] = 0
		case *bgp.PathAttributeMpUnreachNLRI:
			families[bgp.AfiSafiToRouteFamily(a.AFI, a.SAFI)] = 0
		}
	}
	families[bgp.RF_IPv4_UC] = 0
	body := *update
	_, err := bgp.ValidateUpdateMsg(&body, families, !s.ibgp, false, true)
	return err
}

// shorten takes the figures out of a reason, so that classes are few.
func shorten(reason string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '#'
		}
		return r
	}, reason)
}

func classOfOracleError(err error, report Report) string {
	if len(report.Discarded) > 0 {
		if strings.Contains(errors.Join(report.Discarded...).Error(), "was not negotiated") {
			return "oracle refuses a family not kept"
		}
		return "oracle refuses an attribute we discard"
	}
	if strings.Contains(err.Error(), "unknown route family") {
		return "oracle refuses a family not kept"
	}
	return "oracle refuses: " + shorten(err.Error())
}

// sessionOf is a session in which the message makes sense. Where the capture does
// not say how large AS numbers are, GoBGP's guess is taken.
func sessionOf(s sample, update *bgp.BGPUpdate) Session {
	four := s.four != sizeTwo
	if s.four == sizeUnknown && update != nil {
		for _, a := range update.PathAttributes {
			if p, ok := a.(*bgp.PathAttributeAsPath); ok && len(p.Value) > 0 {
				_, four = p.Value[0].(*bgp.As4PathParam)
			}
		}
	}
	return testSession(func(session *Session) {
		session.FourOctetAS, session.IBGP, session.LoopbackNextHop = four, s.ibgp, true
		for _, f := range route.Families() {
			session.AddPath[f], session.ExtendedNextHop[f] = s.addPath, !f.IsIPv6()
		}
	})
}

func compareGood(s Session, theirs *bgp.BGPUpdate, ours []route.Update, report Report) []string {
	var classes []string
	if diff := cmp.Diff(oracleRoutes(theirs), ourRoutes(ours)); diff != "" {
		classes = append(classes, "routes differ:\n"+diff)
	}
	for _, u := range ours {
		if !u.Withdraw() {
			classes = append(classes, compareAttrs(s, theirs, u.Attrs, report)...)
		}
	}
	return classes
}

// ourRoutes is the state that the updates lead to: prefix to next hop, or
// "withdrawn".
func ourRoutes(updates []route.Update) map[string]string {
	routes := map[string]string{}
	for _, u := range updates {
		for _, n := range u.NLRI {
			key := fmt.Sprintf("%v %v#%d", u.Family, n.Prefix, n.PathID)
			routes[key] = "withdrawn"
			if !u.Withdraw() {
				routes[key] = "via " + u.Attrs.NextHop().Unmap().String()
			}
		}
	}
	return routes
}

func oracleRoutes(u *bgp.BGPUpdate) map[string]string {
	routes := map[string]string{}
	put := func(n bgp.AddrPrefixInterface, afi uint16, safi uint8, value string) {
		f, ok := route.FamilyOf(afi, safi) // those of n are unicast even in SAFI 2
		if !ok {
			return
		}
		// The address as text lacks the host bits that GoBGP keeps.
		p, err := netip.ParsePrefix(n.String())
		if err != nil {
			value = err.Error()
		}
		routes[fmt.Sprintf("%v %v#%d", f, p.Masked(), n.PathIdentifier())] = value
	}
	for _, n := range u.WithdrawnRoutes {
		put(n, 1, 1, "withdrawn")
	}
	for _, a := range u.PathAttributes {
		if a, ok := a.(*bgp.PathAttributeMpUnreachNLRI); ok {
			for _, n := range a.Value {
				put(n, a.AFI, a.SAFI, "withdrawn")
			}
		}
	}
	for _, a := range u.PathAttributes {
		switch a := a.(type) {
		case *bgp.PathAttributeNextHop:
			for _, n := range u.NLRI {
				put(n, 1, 1, "via "+a.Value.String())
			}
		case *bgp.PathAttributeMpReachNLRI:
			hop := a.Nexthop
			if hop.IsUnspecified() && a.LinkLocalNexthop != nil {
				hop = a.LinkLocalNexthop
			}
			for _, n := range a.Value {
				put(n, a.AFI, a.SAFI, "via "+hop.String())
			}
		}
	}
	return routes
}

// compareAttrs compares the set with what GoBGP writes of each attribute.
func compareAttrs(s Session, theirs *bgp.BGPUpdate, ours route.Attrs, report Report) []string {
	var classes []string
	want := oracleAttrs(s, theirs)
	for _, err := range report.Discarded {
		var fault *attributeError
		if errors.As(err, &fault) && !strings.Contains(fault.reason, "a second time") {
			delete(want, fault.code)
		}
	}
	got := map[route.AttrCode]string{}
	for code, value := range ours.All() {
		switch code {
		case route.AttrNextHop:
		case route.AttrASPath:
			got[code] = strings.Join(pathTokens(value), " ")
		default:
			got[code] = hex.EncodeToString(value)
		}
	}
	for code := range want {
		switch {
		case got[code] == want[code]:
		case code == route.AttrExtCommunities && linkBandwidth(got[code]) == linkBandwidth(want[code]):
			classes = append(classes, "oracle rewrites link bandwidth")
		case code == route.AttrASPath && guessedFour(s, theirs):
			classes = append(classes, "oracle guesses AS numbers of four octets")
		default:
			classes = append(classes, fmt.Sprintf("attribute %d: have %s, oracle %s", code, got[code], want[code]))
		}
		delete(got, code)
	}
	for code := range got {
		classes = append(classes, fmt.Sprintf("attribute %d: have %s, oracle has none", code, got[code]))
	}
	return classes
}

// linkBandwidth writes the extended communities of hex octets with link bandwidth
// in its one defined form.
func linkBandwidth(octets string) string {
	var list []string
	for c := range slices.Chunk([]byte(octets), 16) {
		list = append(list, strings.Replace(string(c), "0004", "4004", 1))
	}
	return strings.Join(list, " ")
}

// guessedFour reports whether GoBGP took a path of two octets for one of four.
func guessedFour(s Session, u *bgp.BGPUpdate) bool {
	path, _ := findAttr[*bgp.PathAttributeAsPath](u)
	if path == nil || len(path.Value) == 0 {
		return false
	}
	_, four := path.Value[0].(*bgp.As4PathParam)
	return four && !s.FourOctetAS
}

func oracleAttrs(s Session, u *bgp.BGPUpdate) map[route.AttrCode]string {
	attrs := map[route.AttrCode]string{}
	for _, a := range u.PathAttributes {
		code := route.AttrCode(a.GetType())
		if _, duplicate := attrs[code]; duplicate {
			continue
		}
		octets, err := a.Serialize()
		if err != nil {
			attrs[code] = err.Error()
			continue
		}
		parsed, _, fault := cutAttribute(octets, 0)
		switch {
		case fault != nil:
			attrs[code] = fault.Error()
		case code == attrMPReach, code == attrMPUnreach, code == route.AttrNextHop, code == attrAS4Path, code == attrAS4Aggregator:
		case code == route.AttrASPath:
			attrs[code] = strings.Join(oraclePath(s, u), " ")
		case code == route.AttrAggregator:
			attrs[code] = oracleAggregator(s, u)
		case code.Known():
			attrs[code] = hex.EncodeToString(parsed.value)
		default:
			attrs[code] = fmt.Sprintf("%02x%x", parsed.flags&0xe0, parsed.value)
		}
	}
	return attrs
}

// findAttr returns the first attribute of type T.
func findAttr[T bgp.PathAttributeInterface](u *bgp.BGPUpdate) (attr T, ok bool) {
	for _, a := range u.PathAttributes {
		if a, ok := a.(T); ok {
			return a, true
		}
	}
	return attr, false
}

func oracleAggregator(s Session, u *bgp.BGPUpdate) string {
	a, _ := findAttr[*bgp.PathAttributeAggregator](u)
	asn, addr := a.Value.AS, a.Value.Address
	if a4, ok := findAttr[*bgp.PathAttributeAs4Aggregator](u); ok && !s.FourOctetAS && asn == uint32(route.ASTrans) {
		asn, addr = a4.Value.AS, a4.Value.Address
	}
	return fmt.Sprintf("%08x%x", asn, []byte(addr.To4()))
}

// pathTokens writes a path as its counted parts: AS numbers of a sequence one by
// one, a set as one, confederation segments in parentheses.
func pathTokens(p route.ASPath) []string {
	var tokens []string
	for s := range p.Segments() {
		var asns []uint32
		for i := range s.Len() {
			asns = append(asns, uint32(s.At(i)))
		}
		tokens = append(tokens, segmentTokens(uint8(s.Type), asns)...)
	}
	return tokens
}

func segmentTokens(kind uint8, asns []uint32) []string {
	text := strings.Trim(fmt.Sprint(asns), "[]")
	switch route.SegmentType(kind) {
	case route.ASSequence:
		return strings.Fields(text)
	case route.ASSet:
		return []string{"{" + strings.ReplaceAll(text, " ", ",") + "}"}
	case route.ASConfedSequence, route.ASConfedSet:
	}
	return []string{"(" + strings.ReplaceAll(text, " ", ",") + ")"}
}

// oraclePath is the stupid twin of the merging of RFC 6793 section 4.2.3.
func oraclePath(s Session, u *bgp.BGPUpdate) []string {
	var path, path4 []string
	if a, ok := findAttr[*bgp.PathAttributeAsPath](u); ok {
		for _, p := range a.Value {
			path = append(path, segmentTokens(p.GetType(), p.GetAS())...)
		}
	}
	a, ok := findAttr[*bgp.PathAttributeAs4Path](u)
	if !ok || s.FourOctetAS {
		return path
	}
	aggregator, ok1 := findAttr[*bgp.PathAttributeAggregator](u)
	_, ok2 := findAttr[*bgp.PathAttributeAs4Aggregator](u)
	if ok1 && ok2 && aggregator.Value.AS != uint32(route.ASTrans) {
		return path
	}
	for _, p := range a.Value {
		if p.GetType() <= uint8(route.ASSequence) {
			path4 = append(path4, segmentTokens(p.GetType(), p.GetAS())...)
		}
	}
	counted := slices.DeleteFunc(slices.Clone(path), func(token string) bool { return token[0] == '(' })
	if len(path4) > len(counted) {
		return path
	}
	lead := len(path)
	for dropped := 0; dropped < len(path4); {
		lead--
		if path[lead][0] != '(' {
			dropped++
		}
	}
	return append(slices.Clone(path[:lead]), path4...)
}

// TestOpensAgreeWithGoBGP compares every OPEN there is.
func TestOpensAgreeWithGoBGP(t *testing.T) {
	compared := 0
	forEachSample(t, func(s sample) {
		if len(s.message) < HeaderLen || Type(s.message[18]) != TypeOpen {
			return
		}
		if _, length, err := ParseHeader(s.message, MaxLen); err != nil || length != len(s.message) {
			return
		}
		theirs, theirErr := oracle(s)
		ours, err := ParseOpen(s.message[HeaderLen:])
		if theirErr != nil || err != nil {
			if reason := explainOpen(err, theirErr); reason == "" {
				t.Errorf("%s: ours %v, oracle %v: %x", s.id, err, theirErr, s.message)
			}
			return
		}
		compared++
		if diff := cmp.Diff(oracleOpen(theirs.Body.(*bgp.BGPOpen)), ourOpen(ours)); diff != "" {
			t.Errorf("%s (-oracle +ours):\n%s", s.id, diff)
		}
	})
	t.Logf("%d OPENs compared", compared)
	if compared < 15 {
		t.Errorf("only %d OPENs compared", compared)
	}
}

// explainOpen says why one side may refuse what the other takes.
func explainOpen(ours, theirs error) string {
	switch {
	case ours != nil && theirs != nil:
		return "both refuse"
	case ours == nil && strings.Contains(theirs.Error(), "Not all BGP Open message bytes available"):
		return "GoBGP 3.37 does not know extended optional parameters (RFC 9072)"
	case ours == nil:
		return ""
	case strings.Contains(ours.Error(), "Bad BGP Identifier"), strings.Contains(ours.Error(), "Unacceptable Hold Time"):
		return "GoBGP checks values later, in its state machine"
	case strings.Contains(ours.Error(), "in the header"):
		return "GoBGP ignores the two-octet number beside a capability that contradicts it (RFC 6793 section 4.1)"
	}
	return ""
}

func oracleOpen(o *bgp.BGPOpen) []string {
	list := []string{fmt.Sprintf("hold %d id %v", o.HoldTime, o.ID)}
	asn := uint32(o.MyAS)
	for _, p := range o.OptParams {
		p, ok := p.(*bgp.OptionParameterCapability)
		if !ok {
			continue
		}
		for _, c := range p.Capability {
			if four, ok := c.(*bgp.CapFourOctetASNumber); ok {
				asn = four.CapValue
			}
			octets, err := c.Serialize()
			if c.Code() == CapSoftwareVersion {
				octets = octets[:2] // GoBGP loses the last octet of the text
			}
			list = append(list, fmt.Sprintf("%x %v", octets, err))
		}
	}
	return append(list, fmt.Sprintf("AS %d", asn))
}

func ourOpen(o *Open) []string {
	list := []string{fmt.Sprintf("hold %d id %v", o.HoldTime, o.RouterID)}
	for _, c := range o.Capabilities {
		if c.Code == CapSoftwareVersion {
			list = append(list, fmt.Sprintf("%02x%02x <nil>", c.Code, len(c.Value)))
			continue
		}
		list = append(list, fmt.Sprintf("%02x%02x%x <nil>", c.Code, len(c.Value), c.Value))
	}
	return append(list, fmt.Sprintf("AS %d", o.ASN))
}
