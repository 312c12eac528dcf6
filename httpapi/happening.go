package httpapi

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/activity"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
)

// How many of the busiest there are.
const (
	defaultBusiest = 10
	maxBusiest     = 100
	homePrefixes   = 10
	homePeers      = 5
)

// busiestAnswer is the answer of GET /api/v1/busiest.
type busiestAnswer struct {
	At       time.Time       `json:"at"`
	Rate     rateAnswer      `json:"rate"` // of all peers
	Peers    []peerChanges   `json:"peers"`
	From     time.Time       `json:"from"`   // of what is counted of prefixes
	Missed   int             `json:"missed"` // changes that the count of a prefix may lack
	Prefixes []prefixChanges `json:"prefixes"`
}

type peerChanges struct {
	Name    string `json:"name"`
	Changes int    `json:"changes"`
}

type prefixChanges struct {
	Prefix  string `json:"prefix"`
	Family  string `json:"family"`
	Changes int    `json:"changes"`
}

// rateAnswer is how many changes there were in the last hour.
type rateAnswer struct {
	From    time.Time `json:"from"`
	Last    int       `json:"last_minute"`
	Peak    int       `json:"peak_minute"`
	Total   int       `json:"total"`
	Minutes []int     `json:"minutes"`
}

func rateAnswerOf(r activity.Rate) rateAnswer {
	return rateAnswer{r.From, r.Last(), r.Peak(), r.Total(), r.Changes}
}

// busiest answers GET /api/v1/busiest.
func (s *Server) busiest(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	list, err := readParams(c.Request.URL.RawQuery, []known{{"limit", false}})
	if err != nil {
		return err
	}
	most := defaultBusiest
	if text, ok := get(list, "limit"); ok {
		if most, err = strconv.Atoi(text); err != nil || most < 1 || most > maxBusiest {
			return problemf(codeInvalidParameter, "limit %q is not a number from 1 to %d.", clip(text), maxBusiest)
		}
	}
	prefixes := s.deps.Store.Busiest()
	answer := busiestAnswer{
		At: s.now().UTC(), Rate: rateAnswerOf(s.deps.Store.RateOfAll()), Peers: []peerChanges{},
		From: prefixes.From.UTC(), Missed: prefixes.Missed, Prefixes: []prefixChanges{},
	}
	for _, p := range s.busiestPeers(most) {
		answer.Peers = append(answer.Peers, peerChanges{p.name, p.rate.Total()})
	}
	for _, p := range prefixes.Prefixes[:min(most, len(prefixes.Prefixes))] {
		answer.Prefixes = append(answer.Prefixes, prefixChanges{p.Prefix.String(), p.Family.String(), p.Changes})
	}
	return s.sendJSON(c, answer)
}

// peerRate is what happened to a peer.
type peerRate struct {
	name string
	rate activity.Rate
}

// busiestPeers returns the peers that changed something in the last hour, the
// busiest first.
func (s *Server) busiestPeers(most int) []peerRate {
	var list []peerRate
	for _, session := range s.deps.Sessions.Sessions() {
		if r := s.deps.Store.Rate(session.Peer.Name); r.Total() > 0 {
			list = append(list, peerRate{session.Peer.Name, r})
		}
	}
	slices.SortFunc(list, func(a, b peerRate) int {
		return cmp.Or(cmp.Compare(b.rate.Total(), a.rate.Total()), cmp.Compare(a.name, b.name))
	})
	return list[:min(most, len(list))]
}

// rateOf puts a rate into the form of a page: its total leads to the changes that
// were counted, where they are kept.
func (s *Server) rateOf(r activity.Rate, q query.Query) ui.Rate {
	return ui.Rate{From: r.From, Changes: r.Changes, Last: r.Last(), Peak: r.Peak(), Total: r.Total(), URL: s.changesSince(r.From, q)}
}

// changesSince returns the URL of the changes from a moment until now, "" where
// they are not kept.
func (s *Server) changesSince(from time.Time, q query.Query) string {
	if s.deps.History == nil {
		return ""
	}
	values := url.Values{"between": {query.Moment{Time: from.UTC().Truncate(time.Second)}.String() + "/now"}}
	if text := q.String(); text != "" {
		values.Set("q", text)
	}
	return withValues("/changes", values)
}

// happening puts what happened in the last hour on the first page.
func (s *Server) happening(page *ui.Home) {
	page.Rate = s.rateOf(s.deps.Store.RateOfAll(), query.Query{})
	for _, p := range s.busiestPeers(homePeers) {
		q := query.Lookup{Peers: []string{p.name}}.Query()
		page.BusyPeers = append(page.BusyPeers, ui.Busy{Text: p.name, URL: scene{}.peer(p.name), Rate: s.rateOf(p.rate, q)})
	}
	busiest := s.deps.Store.Busiest()
	for _, p := range busiest.Prefixes[:min(homePrefixes, len(busiest.Prefixes))] {
		q := query.Lookup{Match: query.Exact, Prefix: p.Prefix, Families: notUnicast(p.Family)}.Query()
		page.BusyPrefixes = append(page.BusyPrefixes, ui.Busy{
			Text: p.Prefix.String(), URL: scene{}.lookup(q), Rate: ui.Rate{From: busiest.From, Total: p.Changes, URL: s.changesSince(busiest.From, q)},
		})
	}
	page.BusyMissed = busiest.Missed
}

// notUnicast returns the family when a prefix alone does not say it.
func notUnicast(f route.Family) []route.Family {
	if f == route.IPv4Unicast || f == route.IPv6Unicast {
		return nil
	}
	return []route.Family{f}
}
