package query

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// parsePeer reads the name of a session. Its address and its AS number name it too, but in
// quotes.
func parsePeer(p *parser, of token) (Expr, error) {
	v, err := p.asnValue(of, "a name")
	switch {
	case err != nil:
		return nil, err
	case v.quoted:
		return named(p, Peer, v)
	}
	if a, err := netip.ParseAddr(unwrapped(v.text)); err == nil && a.Zone() == "" {
		e := Named{PeerAddress, a.Unmap().String()}
		p.note(v, string(e.appendText(nil)), `peer "`+v.text+`"`)
		return e, nil
	}
	if n, err := parseASN(v.text); err == nil && strings.Trim(v.text, "0123456789.") != "" {
		e := Named{PeerAS, n.String()}
		p.note(v, string(e.appendText(nil)), `peer "`+v.text+`"`)
		return e, nil
	}
	return named(p, Peer, v)
}

// parsePeerAS reads the AS number of sessions.
func parsePeerAS(p *parser, of token) (Expr, error) {
	v, err := p.asnValue(of, "an AS number, such as 64500")
	if err != nil {
		return nil, err
	}
	n, err := parseASN(v.text)
	if err != nil {
		return nil, p.fail(v, "%v", err)
	}
	return Named{PeerAS, n.String()}, nil
}

// parsePeerAddress reads the address of a session.
func parsePeerAddress(p *parser, of token) (Expr, error) {
	v, err := p.value(of, "an address, such as 192.0.2.1")
	if err != nil {
		return nil, err
	}
	a, err := netip.ParseAddr(v.text)
	if err != nil {
		return nil, p.fail(v, "%q is no address", clip(v.text))
	}
	return Named{PeerAddress, a.Unmap().String()}, nil
}

func parseLabel(l Label) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		v, err := p.value(of, "a name")
		if err != nil {
			return nil, err
		}
		return named(p, l, v)
	}
}

// named returns the condition that a label of the peer has the name, or one of those with
// commas between them.
func named(p *parser, l Label, v token) (Expr, error) {
	free := v.quoted && l != Peer // routers are named by their operators
	if !free && strings.Contains(v.text, ",") && !v.quoted {
		return p.list(v, func(text string) (Expr, string) {
			if !IsName(text) {
				return nil, nameProblem(l)
			}
			return Named{l, text}, ""
		})
	}
	if i := strings.IndexFunc(v.text, func(r rune) bool { return !nameRune(r) && (!free || unicode.IsControl(r)) }); i >= 0 || v.text == "" {
		return nil, &Error{Column: v.column + max(i, 0), Message: nameProblem(l)}
	}
	return Named{l, v.text}, nil
}

func nameProblem(l Label) string {
	problem := fmt.Sprintf("the name of a %s has letters, digits, '.', '_', ':' and '-' only", l)
	if l != Peer {
		problem += "; another one stands in quotes"
	}
	return problem
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:-", r)
}
