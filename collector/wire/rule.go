package wire

import (
	"errors"
	"fmt"

	"ribglass/ribstore/route"
)

// RuleOf returns the rule that what is wrong with an UPDATE was judged by, such as
// "RFC 7606 section 7.2", and "" when it is not known. The error is one of a
// [Report], or the one of [Decoder.Update].
func RuleOf(err error) string {
	var fault *attributeError
	var n *Notification
	switch {
	case errors.As(err, &fault):
		return fault.rule()
	case errors.As(err, &n) && n.Code == CodeUpdate:
		switch n.Subcode {
		case UpdateInvalidNetwork:
			return "RFC 7606 section 5.3"
		case UpdateOptionalAttribute:
			return "RFC 4760 section 7"
		case UpdateUnrecognizedWellKnown:
			return "RFC 4271 section 6.3"
		}
		return "RFC 7606 section 3"
	case errors.As(err, &n):
		return map[uint8]string{CodeHeader: "RFC 4271 section 6.1", CodeOpen: "RFC 4271 section 6.2", CodeFSM: "RFC 6608"}[n.Code]
	}
	return ""
}

// FaultOf returns what is wrong with an attribute, when the error of a [Report] is
// about one.
func FaultOf(err error) (f route.Fault, ok bool) {
	var fault *attributeError
	if ok = errors.As(err, &fault); ok {
		f = fault.forPeople()
	}
	return f, ok
}

// rule returns the rule that the attribute was judged by.
func (e *attributeError) rule() string {
	switch e.subcode {
	case UpdateMissingWellKnown:
		return "RFC 7606 section 3 (d)"
	case UpdateAttributeFlags:
		return "RFC 7606 section 3 (c)"
	case UpdateUnrecognizedWellKnown:
		return "RFC 4271 section 6.3"
	case UpdateMalformedAttributes:
		if e.reason == repeatedAttribute {
			return "RFC 7606 section 3 (g)"
		}
		return "RFC 7606 section 4"
	}
	switch c := e.code; {
	case c >= route.AttrOrigin && c <= route.AttrClusterList:
		return fmt.Sprintf("RFC 7606 section 7.%d", c)
	case c == attrMPReach || c == attrMPUnreach:
		return "RFC 4760 section 7"
	}
	return map[route.AttrCode]string{
		route.AttrExtCommunities: "RFC 7606 section 7.14", route.AttrIPv6ExtCommunity: "RFC 7606 section 7.15",
		route.AttrLargeCommunities: "RFC 8092 section 6", route.AttrAIGP: "RFC 7311 section 3", route.AttrOTC: "RFC 9234 section 5",
		attrAS4Path: "RFC 6793 section 6", attrAS4Aggregator: "RFC 6793 section 6", attrPMSITunnel: "RFC 6514 section 5",
		attrTunnelEncap: "RFC 9012 section 13", attrAttrSet: "RFC 7606 section 7.16", attrLinkState: "RFC 9552 section 8.2.2",
		attrPrefixSID: "RFC 8669 section 6",
	}[e.code]
}
