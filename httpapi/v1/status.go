package v1

import (
	"bytes"
	"os"
	runtimemetrics "runtime/metrics"
	"strconv"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
	"ribglass/ribstore/route"
)

func status(q *asked) (any, error) { return StatusOf(q.reader), nil }

// StatusOf describes the server and its table.
func StatusOf(r *ask.Reader) answer.Status {
	totals, info, memory := r.Totals(), r.Info(), r.Memory()
	status := answer.Status{
		Version:       info.Version,
		StartedAt:     info.StartedAt.UTC(),
		Now:           r.Now().UTC(),
		ASN:           info.ASN,
		RouterID:      info.RouterID.String(),
		Routes:        countsOf(totals.Routes),
		Stale:         countsOf(totals.Stale),
		Prefixes:      countsOf(totals.Prefixes),
		AttributeSets: totals.AttributeSets,
		Peers:         peerTotals(r.Sessions()),
		Memory:        answer.Memory{TableBytes: totals.TableBytes, HeapBytes: heapBytes(), RSSBytes: rssBytes(), UsedBytes: memory.Used(), LimitBytes: memory.Limit()},
	}
	status.Attention = []answer.Attention{}
	for _, one := range r.Attention() {
		status.Attention = append(status.Attention, answer.Attention{Peer: one.Peer, Notice: noticeOf(one.Notice)})
	}
	if kept, err := r.History(); err == nil {
		h := HistoryOf(kept)
		status.History = &h
	}
	return status
}

func countsOf(n [route.NumFamilies]int) answer.FamilyCounts {
	return answer.FamilyCounts{
		IPv4Unicast: n[route.IPv4Unicast], IPv6Unicast: n[route.IPv6Unicast],
		IPv4Multicast: n[route.IPv4Multicast], IPv6Multicast: n[route.IPv6Multicast],
	}
}

func peerTotals(sessions []route.Session) answer.PeerTotals {
	totals := answer.PeerTotals{Configured: len(sessions)}
	for i := range sessions {
		if sessions[i].State == route.StateEstablished {
			totals.Established++
		}
	}
	return totals
}

// heapBytes returns the memory of live and dead objects. Unlike
// runtime.ReadMemStats it stops nothing.
func heapBytes() uint64 {
	sample := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtimemetrics.Read(sample)
	if sample[0].Value.Kind() != runtimemetrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

// rssBytes returns the resident memory as Linux counts it, and 0 elsewhere.
func rssBytes() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}

// member returns the name of a family as the name of a JSON member.
func member(f route.Family) string {
	switch f {
	case route.IPv4Unicast:
		return "ipv4_unicast"
	case route.IPv6Unicast:
		return "ipv6_unicast"
	case route.IPv4Multicast:
		return "ipv4_multicast"
	case route.IPv6Multicast:
	}
	return "ipv6_multicast"
}
