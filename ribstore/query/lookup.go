package query

import (
	"net/netip"
	"strings"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Lookup is the plain question that most queries are: a prefix or all, of some
// peers and families or of any.
type Lookup struct {
	Match    Match
	Prefix   netip.Prefix // of Match; for Longest a host prefix
	Peers    []string
	Families []route.Family
}

// ParseTarget reads a text that is an address or a prefix and no more, in any form that
// [Parse] understands. It costs next to nothing. ok is false for other texts.
func ParseTarget(text string) (l Lookup, ok bool) {
	t, _ := readTarget(strings.TrimRight(strings.TrimSpace(text), ",;"))
	in := t.in
	return Lookup{Match: in.Match, Prefix: in.Prefix}, in.Match != Any && in.Ge == 0 && in.Le == 0 && len(t.more) == 0
}

// Query returns the lookup as a query.
func (l Lookup) Query() Query {
	var parts And
	if l.Match != Any {
		parts = append(parts, In{Match: l.Match, Prefix: l.Prefix})
	}
	if e := AnyPeer(l.Peers...); e != nil {
		parts = append(parts, e)
	}
	if e := AnyFamily(l.Families...); e != nil {
		parts = append(parts, e)
	}
	return Query{Expr: join(parts)}
}

// Decisions lists the steps of the decision process, as routes name them.
func Decisions() []string { return table.Decisions()[1:] }

// AnyPeer is met by routes of any of the peers; it is nil without names.
func AnyPeer(names ...string) Expr {
	var options Or
	for _, n := range names {
		options = append(options, Named{Peer, n})
	}
	return either(options)
}

// AnyFamily is met by routes of any of the families; it is nil without families.
func AnyFamily(families ...route.Family) Expr {
	var options Or
	for _, f := range families {
		options = append(options, InFamily{f})
	}
	return either(options)
}

func either(options Or) Expr {
	switch len(options) {
	case 0:
		return nil
	case 1:
		return options[0]
	}
	return options
}

// Lookup returns the query as a lookup, and whether it is no more than that. A
// query about the past, or one that names a view, is more.
func (q Query) Lookup() (Lookup, bool) {
	l, plain := lookupOf(q.Expr)
	return l, plain && q.Scope == FirstView && q.At.IsZero() && q.Between.IsZero()
}

func lookupOf(e Expr) (Lookup, bool) {
	var l Lookup
	for _, part := range conjuncts(e) {
		if in, ok := part.(In); ok && l.Match == Any && in.Ge == 0 && in.Le == 0 {
			l.Match, l.Prefix = in.Match, in.Prefix
			continue
		}
		if names, ok := alternatives(part, Peer); ok && l.Peers == nil {
			l.Peers = names
			continue
		}
		families, ok := familyAlternatives(part)
		if !ok || l.Families != nil {
			return Lookup{}, false
		}
		l.Families = families
	}
	return l, true
}

// familyAlternatives returns the families when e is one or an or of them.
func familyAlternatives(e Expr) ([]route.Family, bool) {
	parts, ok := e.(Or)
	if !ok {
		parts = Or{e}
	}
	var families []route.Family
	for _, part := range parts {
		in, ok := part.(InFamily)
		if !ok {
			return nil, false
		}
		families = append(families, in.Family)
	}
	return families, true
}
