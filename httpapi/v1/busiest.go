package v1

import (
	"strconv"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
)

// How many of the busiest peers and prefixes an answer has.
const (
	defaultBusiest = 10
	maxBusiest     = 100
)

func rateOf(r ask.Rate) answer.Rate {
	return answer.Rate{From: r.From, Last: r.Last(), Peak: r.Peak(), Total: r.Total(), Minutes: r.Changes}
}

// busiest answers with what changed most in the last hour.
func busiest(q *asked) (any, error) {
	most := defaultBusiest
	if text, ok := q.list.Get("limit"); ok {
		var err error
		if most, err = strconv.Atoi(text); err != nil || most < 1 || most > maxBusiest {
			return nil, web.Problemf(web.CodeInvalidParameter, "limit %q is not a number from 1 to %d.", web.Clip(text), maxBusiest)
		}
	}
	prefixes := q.reader.BusiestPrefixes()
	a := answer.Busiest{
		At: q.reader.Now().UTC(), Rate: rateOf(q.reader.RateOfAll()), Peers: []answer.PeerChanges{},
		From: prefixes.From.UTC(), Missed: prefixes.Missed, Prefixes: []answer.PrefixChanges{},
	}
	for _, p := range q.reader.BusiestPeers(most) {
		a.Peers = append(a.Peers, answer.PeerChanges{Name: p.Name, Changes: p.Rate.Total()})
	}
	for _, p := range prefixes.Prefixes[:min(most, len(prefixes.Prefixes))] {
		a.Prefixes = append(a.Prefixes, answer.PrefixChanges{Prefix: p.Prefix.String(), Family: p.Family.String(), Changes: p.Changes})
	}
	return a, nil
}

// growth answers with how large the table was: samples since the program started,
// and before that the snapshots, which count routes alone.
func growth(q *asked) (any, error) {
	a := answer.Growth{At: q.reader.Now().UTC(), Snapshots: []answer.Snapshot{}, Samples: []answer.Sample{}}
	samples := q.reader.Growth()
	for _, one := range q.reader.SnapshotsBefore(samples) {
		a.Snapshots = append(a.Snapshots, answer.Snapshot{At: one.At.UTC(), Routes: one.Routes})
	}
	for i := range samples {
		a.Samples = append(a.Samples, answer.Sample{At: samples[i].At, Routes: countsOf(samples[i].Routes), Prefixes: countsOf(samples[i].Prefixes)})
	}
	return a, nil
}
