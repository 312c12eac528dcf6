package query

import (
	"errors"
	"fmt"
	"strings"

	"ribglass/ribstore/query/pathexpr"
	"ribglass/ribstore/route"
)

// IsName reports whether a text can be the name of a peer, router or group: it
// has letters, digits, '.', '_', ':' and '-' only.
func IsName(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool { return !nameRune(r) }) < 0
}

// Validate says what is wrong with a span, nil when a question can be about it.
func (s Span) Validate() error {
	switch {
	case s.From.IsZero():
		return errors.New("a span does not begin now")
	case s.backwards():
		return fmt.Errorf("the span %s ends before it begins", s)
	}
	return nil
}

// exactPath is met by routes whose AS path prints as the text, nil for a text
// that no expression can be made of.
func exactPath(text string) Expr {
	literally := strings.NewReplacer(" ", "_", "{", `\{`, "}", `\}`, "(", `\(`, ")", `\)`, "[", `\[`, "]", `\]`)
	pattern, err := pathexpr.Compile("^"+literally.Replace(text)+"$", pathexpr.Cisco)
	if err != nil {
		return nil
	}
	return Path{pattern}
}

// facetPeer is met by routes of a peer, nil for a name that cannot be asked for.
func facetPeer(name string) Expr {
	if !IsName(name) {
		return nil
	}
	return Named{Peer, name}
}

func facetCommunity(c route.Community) Expr { return exactCommunity(c) }

func facetLargeCommunity(c route.LargeCommunity) Expr {
	return LargeCommunity{exactly(c.Global), exactly(c.Local1), exactly(c.Local2)}
}

// exactly is the part of a community that is one number.
func exactly(n uint32) Part { return Part{First: uint64(n), Last: uint64(n)} }
