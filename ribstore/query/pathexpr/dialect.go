package pathexpr

import (
	"fmt"
	"regexp"
	"strings"
)

// Dialect is the form in which an expression is written.
type Dialect uint8

// The dialects.
const (
	Auto  Dialect = iota // recognised by the rules of the package comment
	Cisco                // our form; also FRR, Quagga, Arista
	Junos
	BIRD
)

// String returns the name that [ParseDialect] reads.
func (d Dialect) String() string {
	switch d {
	case Auto:
		return "auto"
	case Cisco:
		return "cisco"
	case Junos:
		return "junos"
	case BIRD:
		return "bird"
	}
	return fmt.Sprintf("dialect(%d)", uint8(d))
}

// ParseDialect reads the name of a dialect or of a router that speaks it, in
// any case.
func ParseDialect(s string) (Dialect, error) {
	switch strings.ToLower(s) {
	case "auto":
		return Auto, nil
	case "cisco", "frr", "quagga", "arista":
		return Cisco, nil
	case "junos", "juniper":
		return Junos, nil
	case "bird":
		return BIRD, nil
	}
	return Auto, fmt.Errorf("dialect %q: want auto, cisco (frr, quagga, arista), junos or bird", s)
}

// junosSigns is rule 3 of the package comment, one sign a line.
var junosSigns = regexp.MustCompile(strings.Join([]string{
	`^\(\)$`,
	`(?:^|[ (|])\.\{`,
	`(?:^|[ (|])\.[*+?]? `,
	` \.[*+?]?(?:[ )|]|$)`,
	`(?:^|[ (|])[0-9]{2,}[*+?{]`,
	`[0-9] *- *[0-9]`,
	`\([^()]*\|[^()]*\)(?:[*+?]|\{[0-9,]*\})? `,
	` \([^()]*\|`,
}, "|"))

// Recognize returns the dialect that Compile takes a text for when none is named.
func Recognize(text string) Dialect {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "[="):
		return BIRD
	case strings.ContainsAny(text, `_^$\[]`):
		return Cisco
	case junosSigns.MatchString(text):
		return Junos
	}
	return Cisco
}
