package page

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/route"
	"ribglass/ui"
)

// byChanges is the order of peers by the changes of the last hour.
const byChanges = "changes"

// pagePeers is how many peers a page lists.
const pagePeers = 100

// peerList is what a page of peers is asked for.
type peerList struct {
	find  string // in names, descriptions, addresses or AS numbers
	group string // "": any
	state string // "up", "down", or "" for any
	sort  string // "name" or one of the others; "" is name
	page  int    // from 1
}

// readPeerList reads the parameters of a page of peers. Those of a form may be
// empty.
func readPeerList(list web.Params) (l peerList, err error) {
	l.page = 1
	for _, p := range list {
		switch p.Name {
		case "find":
			l.find = strings.ToLower(strings.TrimSpace(p.Value))
		case "group":
			l.group = p.Value
		case "state":
			l.state, err = p.OneOf("", "up", "down")
		case "sort":
			l.sort, err = p.OneOf("", "name", "as", "routes", "since", byChanges)
		case "page":
			if l.page, err = strconv.Atoi(p.Value); err != nil || l.page < 1 {
				err = web.Problemf(web.CodeInvalidParameter, "page %q is not a number from 1.", web.Clip(p.Value))
			}
		}
		if err != nil {
			return l, err
		}
	}
	return l, nil
}

// values returns the list as parameters.
func (l peerList) values() url.Values {
	values := url.Values{}
	put := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	put("find", l.find)
	put("group", l.group)
	put("state", l.state)
	put("sort", l.sort)
	if l.page > 1 {
		values.Set("page", strconv.Itoa(l.page))
	}
	return values
}

// url returns the URL of another page of the list.
func (l peerList) url(s ask.Scene) string { return ask.More(s.Link("/peers"), l.values()) }

// wants reports whether the list has a peer.
func (l peerList) wants(n *ui.Neighbour) bool {
	p := n.Peer
	found := l.find == ""
	for _, text := range []string{p.Name, p.Description, p.Address.String(), "as" + p.ASN.String()} {
		found = found || strings.Contains(strings.ToLower(text), l.find)
	}
	up := n.State == route.StateEstablished
	return found && (l.group == "" || p.Group == l.group) && (l.state == "" || (l.state == "up") == up)
}

// show fills a page with its part of the peers.
func (l peerList) show(page *ui.Peers, all []ui.Neighbour, s ask.Scene) {
	var groups []string
	for i := range all {
		if g := all[i].Peer.Group; g != "" && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	slices.Sort(groups)
	wanted := slices.DeleteFunc(slices.Clone(all), func(n ui.Neighbour) bool { return !l.wants(&n) })
	slices.SortStableFunc(wanted, l.compare)
	first := min((l.page-1)*pagePeers, len(wanted))
	page.All, page.Total = len(all), len(wanted)
	page.Neighbours = wanted[first:min(first+pagePeers, len(wanted))]
	page.Find, page.Group, page.State, page.Groups = l.find, l.group, l.state, groups
	page.Fields = fieldsBut(s.Values())
	for _, order := range []string{"name", "as", "routes", "since", byChanges} {
		other := l
		other.sort, other.page = order, 1
		page.Orders = append(page.Orders, ui.Choice{Text: order, URL: other.url(s), Chosen: order == cmp.Or(l.sort, "name")})
	}
	other := l
	if other.page = l.page - 1; l.page > 1 {
		page.Previous = other.url(s)
	}
	if other.page = l.page + 1; first+pagePeers < len(wanted) {
		page.Next = other.url(s)
	}
}

// compare orders peers: most routes and newest sessions first.
func (l peerList) compare(a, b ui.Neighbour) int {
	switch l.sort {
	case "as":
		return cmp.Compare(a.Peer.ASN, b.Peer.ASN)
	case "routes":
		return b.Total() - a.Total()
	case byChanges:
		return b.Rate.Total - a.Rate.Total
	case "since":
		return b.Since.Compare(a.Since)
	}
	return natural(a.Peer.Name, b.Peer.Name)
}

// natural compares names as people order them: numbers in them by what they are, so that
// rs2 is before rs10. Names that differ in leading zeros only are ordered as texts.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		n, m := digits(x), digits(y)
		if n == 0 || m == 0 {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		left, right := strings.TrimLeft(x[:n], "0"), strings.TrimLeft(y[:m], "0")
		if c := cmp.Or(cmp.Compare(len(left), len(right)), cmp.Compare(left, right)); c != 0 {
			return c
		}
		x, y = x[n:], y[m:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits returns how many digits a text begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
