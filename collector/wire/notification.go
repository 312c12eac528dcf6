package wire

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error codes of NOTIFICATION messages (RFC 4271 section 4.5, RFC 7313, RFC 9687).
const (
	CodeHeader       = 1
	CodeOpen         = 2
	CodeUpdate       = 3
	CodeHoldTimer    = 4
	CodeFSM          = 5
	CodeCease        = 6
	CodeRouteRefresh = 7
	CodeSendHold     = 8
)

// Subcodes of CodeHeader.
const (
	HeaderNotSynchronized = 1
	HeaderBadLength       = 2
	HeaderBadType         = 3
)

// Subcodes of CodeOpen.
const (
	OpenUnspecific           = 0
	OpenUnsupportedVersion   = 1
	OpenBadPeerAS            = 2
	OpenBadRouterID          = 3
	OpenUnsupportedParameter = 4
	OpenUnacceptableHoldTime = 6
	OpenUnsupportedCap       = 7
	OpenRoleMismatch         = 11
)

// Subcodes of CodeUpdate.
const (
	UpdateMalformedAttributes   = 1
	UpdateUnrecognizedWellKnown = 2
	UpdateMissingWellKnown      = 3
	UpdateAttributeFlags        = 4
	UpdateAttributeLength       = 5
	UpdateInvalidOrigin         = 6
	UpdateInvalidNextHop        = 8
	UpdateOptionalAttribute     = 9
	UpdateInvalidNetwork        = 10
	UpdateMalformedASPath       = 11
)

// Subcodes of CodeCease (RFC 4486, RFC 8538, RFC 9384).
const (
	CeaseMaxPrefixes        = 1
	CeaseAdminShutdown      = 2
	CeasePeerDeconfigured   = 3
	CeaseAdminReset         = 4
	CeaseConnectionRejected = 5
	CeaseConfigChange       = 6
	CeaseCollision          = 7
	CeaseOutOfResources     = 8
	CeaseHardReset          = 9
	CeaseBFDDown            = 10
)

// RefreshInvalidLength is the subcode of CodeRouteRefresh (RFC 7313 section 5).
const RefreshInvalidLength = 1

// Notification is a NOTIFICATION message, and the error that demands that one be
// sent. It is never modified once made.
//
//nolint:errname // a message first, named by RFC 4271
type Notification struct {
	Code, Subcode uint8
	Data          []byte

	// Reason is the detail for our own log. It does not travel.
	Reason string
}

// ParseNotification reads the body of a NOTIFICATION. Data is a copy.
func ParseNotification(body []byte) (*Notification, error) {
	if len(body) < 2 {
		return nil, fmt.Errorf("parse NOTIFICATION: %d octets, want at least 2", len(body))
	}
	return &Notification{Code: body[0], Subcode: body[1], Data: append([]byte(nil), body[2:]...)}, nil
}

// Append appends the whole message. Data that would not fit MaxLen is cut.
func (n *Notification) Append(b []byte) []byte {
	b, start := beginMessage(b, TypeNotification)
	b = append(b, n.Code, n.Subcode)
	b = append(b, n.Data[:min(len(n.Data), MaxLen-HeaderLen-2)]...)
	return endMessage(b, start)
}

// Error returns what the message says, for people: the names of code and subcode,
// then the communication of RFC 9003, what other data says, or our own reason. It is
// bounded and holds no control character, whatever a peer wrote.
func (n *Notification) Error() string {
	text := codeName(n.Code)
	if sub := subcodeName(n.Code, n.Subcode); sub != "" {
		text += ": " + sub
	}
	if said := n.Communication(); said != "" {
		text += fmt.Sprintf(": %q", said)
	}
	if data := n.dataText(); data != "" {
		text += ": " + data
	}
	if inner := n.hardReset(); inner != nil {
		text += " (" + inner.Error() + ")"
	}
	if n.Reason != "" {
		text += ": " + n.Reason
	}
	return text
}

// Communication returns the text that came with an administrative shutdown or
// reset (RFC 9003), made printable, or "".
func (n *Notification) Communication() string {
	if n.Code != CodeCease || (n.Subcode != CeaseAdminShutdown && n.Subcode != CeaseAdminReset) {
		return ""
	}
	if len(n.Data) == 0 {
		return ""
	}
	length := min(int(n.Data[0]), len(n.Data)-1)
	return printable(n.Data[1 : 1+length])
}

// hardReset returns the NOTIFICATION that a hard reset encloses (RFC 8538
// section 3), nil when there is none. Only one level is looked at.
func (n *Notification) hardReset() *Notification {
	if n.Code != CodeCease || n.Subcode != CeaseHardReset || len(n.Data) < 2 {
		return nil
	}
	inner := &Notification{Code: n.Data[0], Subcode: n.Data[1], Data: n.Data[2:]}
	if inner.Code == CodeCease && inner.Subcode == CeaseHardReset {
		inner.Data = nil
	}
	return inner
}

// ShutdownCommunication returns the Data of an administrative shutdown or reset
// that carries text, cut to 255 octets at a rune boundary (RFC 9003 section 2).
func ShutdownCommunication(text string) []byte {
	text = strings.ToValidUTF8(text, "\uFFFD")
	for len(text) > 255 {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return append([]byte{byte(len(text))}, text...)
}

// printable returns what a peer wrote as text that is safe to log and show:
// invalid UTF-8, control and formatting characters become U+FFFD.
func printable(b []byte) string {
	clean := func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}
	return strings.Map(clean, strings.ToValidUTF8(string(b), "\uFFFD"))
}

// codeName names an error code as RFC 4271 section 4.5 does.
func codeName(code uint8) string {
	switch code {
	case CodeHeader:
		return "Message Header Error"
	case CodeOpen:
		return "OPEN Message Error"
	case CodeUpdate:
		return "UPDATE Message Error"
	case CodeHoldTimer:
		return "Hold Timer Expired"
	case CodeFSM:
		return "Finite State Machine Error"
	case CodeCease:
		return "Cease"
	case CodeRouteRefresh:
		return "ROUTE-REFRESH Message Error"
	case CodeSendHold:
		return "Send Hold Timer Expired"
	}
	return fmt.Sprintf("error code %d", code)
}

// subcodeName names a subcode, "" for an unspecific one.
func subcodeName(code, subcode uint8) string {
	var names []string
	switch code {
	case CodeHeader:
		names = []string{"Connection Not Synchronized", "Bad Message Length", "Bad Message Type"}
	case CodeOpen:
		names = []string{
			"Unsupported Version Number", "Bad Peer AS", "Bad BGP Identifier", "Unsupported Optional Parameter",
			"Authentication Failure", "Unacceptable Hold Time", "Unsupported Capability", "", "", "", "Role Mismatch",
		}
	case CodeUpdate:
		names = []string{
			"Malformed Attribute List", "Unrecognized Well-known Attribute", "Missing Well-known Attribute",
			"Attribute Flags Error", "Attribute Length Error", "Invalid ORIGIN Attribute", "AS Routing Loop",
			"Invalid NEXT_HOP Attribute", "Optional Attribute Error", "Invalid Network Field", "Malformed AS_PATH",
		}
	case CodeFSM:
		names = []string{
			"Unexpected Message in OpenSent State", "Unexpected Message in OpenConfirm State",
			"Unexpected Message in Established State",
		}
	case CodeCease:
		names = []string{
			"Maximum Number of Prefixes Reached", "Administrative Shutdown", "Peer De-configured",
			"Administrative Reset", "Connection Rejected", "Other Configuration Change",
			"Connection Collision Resolution", "Out of Resources", "Hard Reset", "BFD Down",
		}
	case CodeRouteRefresh:
		names = []string{"Invalid Message Length"}
	}
	switch {
	case subcode == 0:
		return ""
	case int(subcode) <= len(names) && names[subcode-1] != "":
		return names[subcode-1]
	}
	return fmt.Sprintf("subcode %d", subcode)
}
