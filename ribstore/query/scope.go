package query

import (
	"strings"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Scope says which views of routers a question asks, see [route.View]. The zero
// Scope is FirstView.
type Scope uint8

// The scopes that are no single view. [OfView] makes those that are.
const (
	// FirstView asks of each router the first view that it has of adj-rib-in,
	// post-policy, pre-policy, loc-rib and adj-rib-out, so that a route of which a
	// router tells in several views counts once. A router of which the query names
	// peers is asked by the views of those peers instead.
	FirstView Scope = iota
	// AnyView asks all views.
	AnyView
	ofViews // and the views behind it
)

// anyView is the word for AnyView.
const anyView = "any"

// OfView returns the scope that asks one view.
func OfView(v route.View) Scope { return ofViews + Scope(v) }

// ScopeNames lists what may stand behind the word view.
func ScopeNames() []string {
	names := []string{anyView}
	for _, v := range route.Views() {
		names = append(names, v.String())
	}
	return names
}

// ParseScope returns the scope with a name of [ScopeNames]. It does not mind the
// case of letters.
func ParseScope(name string) (Scope, bool) {
	if strings.EqualFold(name, anyView) {
		return AnyView, true
	}
	v, ok := route.ParseView(name)
	return OfView(v), ok
}

// View returns the one view that is asked, when it is one.
func (s Scope) View() (route.View, bool) {
	if s < ofViews {
		return 0, false
	}
	return route.View(s - ofViews), true
}

// Has reports whether routes of a view are asked whatever else the table has. For
// FirstView these are those of adj-rib-in alone: whether another view is the first
// of its router depends on the table.
func (s Scope) Has(v route.View) bool {
	switch s {
	case FirstView:
		return v == route.AdjRIBIn
	case AnyView:
		return true
	default:
		return s == OfView(v)
	}
}

// String returns the scope as it stands behind the word view: "post-policy", "any",
// and "" for FirstView.
func (s Scope) String() string {
	switch s {
	case FirstView:
		return ""
	case AnyView:
		return anyView
	default:
		return route.View(s - ofViews).String()
	}
}

// choose returns the peers of a view that are in the scope, nil for all. Peers
// that the query names are named.
func (s Scope) choose(v *table.View, named []string) table.Select {
	switch s {
	case FirstView:
		return v.FirstViews(named)
	case AnyView:
		return nil
	default:
		return v.OfView(route.View(s - ofViews))
	}
}

// parseView reads which view the query asks. It is no condition, so the expression
// is nil.
func parseView(p *parser, of token) (Expr, error) {
	if p.scoped.kind != endToken {
		return nil, p.fail(of, "view: a query asks one view, or any, and has a view already")
	}
	p.scoped = of
	if p.depth > 1 {
		return nil, p.outermost()
	}
	v, err := p.value(of, "the name of a view, such as post-policy, or any")
	if err != nil {
		return nil, err
	}
	scope, ok := ParseScope(v.text)
	if !ok {
		return nil, p.fail(v, "%q is no view: %s or %s", clip(v.text), viewNames(), anyView)
	}
	p.scope = scope
	return nil, nil //nolint:nilnil // a view is no condition
}

// viewNames lists the views for people.
func viewNames() string { return strings.Join(ScopeNames()[1:], ", ") }
