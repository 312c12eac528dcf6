package route

import (
	"fmt"
	"strings"
)

// View says which table of a router the routes of a [Peer] come from. Routes of
// different views are never compared: a route before a router's import policy
// and the same route after it are two statements about one announcement.
type View uint8

// The views. The zero value is a BGP session of the collector itself; the
// others are what a router tells about its own tables over BMP.
const (
	AdjRIBIn   View = iota // sent to the collector over BGP
	PrePolicy              // a router's Adj-RIB-In before its import policy (RFC 7854)
	PostPolicy             // a router's Adj-RIB-In after its import policy (RFC 7854)
	LocRIB                 // what a router chose (RFC 9069)
	AdjRIBOut              // what a router announces to a neighbor (RFC 8671)
	NumViews
)

var viewNames = [NumViews]string{"adj-rib-in", "pre-policy", "post-policy", "loc-rib", "adj-rib-out"} //nolint:gochecknoglobals // constant: an array cannot be one

// Views returns all views in order.
func Views() []View { return []View{AdjRIBIn, PrePolicy, PostPolicy, LocRIB, AdjRIBOut} }

// String returns the name of the view, such as "post-policy".
func (v View) String() string {
	if v < NumViews {
		return viewNames[v]
	}
	return fmt.Sprintf("view(%d)", uint8(v))
}

// ParseView returns the view with a name. It does not mind the case of letters.
func ParseView(name string) (View, bool) {
	for v, n := range viewNames {
		if strings.EqualFold(n, name) {
			return View(v), true
		}
	}
	return 0, false
}
