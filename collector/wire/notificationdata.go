package wire

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"ribglass/ribstore/route"
)

// Bounds of what is shown of the data of a NOTIFICATION.
const (
	maxDataText = 255 // octets of text, as many as a shutdown communication has
	maxDataHex  = 32  // octets in hexadecimal
	minDataText = 4   // a shorter run of letters may be a number
)

// dataText returns what the data of the peer's NOTIFICATION says, for people: the
// fields that an RFC gives it, or text that the peer wrote, such as how to mend a
// role, or its octets. It returns "" when there is none, or when Communication and
// hardReset tell it.
func (n *Notification) dataText() string {
	told := n.Code == CodeCease && (n.Subcode == CeaseAdminShutdown || n.Subcode == CeaseAdminReset || n.Subcode == CeaseHardReset)
	if len(n.Data) == 0 || n.Reason != "" || told {
		return ""
	}
	if text := n.fieldText(); text != "" {
		return text
	}
	switch {
	case isText(n.Data):
		return fmt.Sprintf("%q", printable(n.Data[:min(len(n.Data), maxDataText)]))
	case len(n.Data) > maxDataHex:
		return fmt.Sprintf("data %s and %d octets more", hex.EncodeToString(n.Data[:maxDataHex]), len(n.Data)-maxDataHex)
	}
	return "data " + hex.EncodeToString(n.Data)
}

// fieldText returns the fields that an RFC gives the data, "" when it gives none or the
// data is not of that length.
func (n *Notification) fieldText() string {
	type kind struct {
		code, subcode uint8
		octets        int
	}
	of := kind{n.Code, n.Subcode, len(n.Data)}
	if n.Code == CodeFSM {
		of.subcode = 0 // RFC 6608 section 3: the same for all
	}
	switch of {
	case kind{CodeCease, CeaseMaxPrefixes, 7}: // RFC 4486 section 4
		return prefixLimit(n.Data)
	case kind{CodeFSM, 0, 1}:
		return Type(n.Data[0]).String()
	case kind{CodeHeader, HeaderBadLength, 2}:
		return fmt.Sprintf("length %d", binary.BigEndian.Uint16(n.Data))
	case kind{CodeHeader, HeaderBadType, 1}:
		return fmt.Sprintf("type %d", n.Data[0])
	case kind{CodeOpen, OpenUnsupportedVersion, 2}:
		return fmt.Sprintf("version %d", binary.BigEndian.Uint16(n.Data))
	}
	return ""
}

func prefixLimit(data []byte) string {
	limit := binary.BigEndian.Uint32(data[3:])
	f, ok := route.FamilyOf(binary.BigEndian.Uint16(data), data[2])
	if !ok {
		return fmt.Sprintf("limit %d", limit)
	}
	return fmt.Sprintf("%s, limit %d", f, limit)
}

// isText reports whether data is meant to be read by people: UTF-8 in which most
// characters are printable.
func isText(data []byte) bool {
	if len(data) < minDataText || !utf8.Valid(data) {
		return false
	}
	odd := 0
	for _, r := range printable(data) {
		if r == utf8.RuneError {
			odd++
		}
	}
	return odd*4 <= len(data)
}
