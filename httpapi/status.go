package httpapi

import (
	"bytes"
	"os"
	runtimemetrics "runtime/metrics"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/route"
)

// statusAnswer is the answer of GET /api/v1/status.
type statusAnswer struct {
	Version       string       `json:"version"`
	StartedAt     time.Time    `json:"started_at"`
	Now           time.Time    `json:"now"`
	ASN           route.ASN    `json:"asn"`
	RouterID      string       `json:"router_id"`
	Routes        familyCounts `json:"routes"`
	Stale         familyCounts `json:"stale"`
	Prefixes      familyCounts `json:"prefixes"`
	AttributeSets int          `json:"attribute_sets"`
	Peers         peerTotals   `json:"peers"`
	Memory        memoryInUse  `json:"memory"`

	History *historyAnswer `json:"history,omitempty"`
}

// familyCounts holds a count for each family.
type familyCounts struct {
	IPv4Unicast   int `json:"ipv4_unicast"`
	IPv6Unicast   int `json:"ipv6_unicast"`
	IPv4Multicast int `json:"ipv4_multicast"`
	IPv6Multicast int `json:"ipv6_multicast"`
}

func countsOf(n [route.NumFamilies]int) familyCounts {
	return familyCounts{n[route.IPv4Unicast], n[route.IPv6Unicast], n[route.IPv4Multicast], n[route.IPv6Multicast]}
}

type peerTotals struct {
	Configured  int `json:"configured"`
	Established int `json:"established"`
}

type memoryInUse struct {
	TableBytes uint64 `json:"table_bytes"`
	HeapBytes  uint64 `json:"heap_bytes"`
	RSSBytes   uint64 `json:"rss_bytes,omitempty"` // absent where the system does not say
}

// status answers GET /api/v1/status.
func (s *Server) status(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	return s.sendJSON(c, s.statusNow())
}

func (s *Server) statusNow() statusAnswer {
	stats, info := s.deps.Store.Stats(), s.deps.Info
	answer := statusAnswer{
		Version:       info.Version,
		StartedAt:     info.StartedAt.UTC(),
		Now:           s.now().UTC(),
		ASN:           info.ASN,
		RouterID:      info.RouterID.String(),
		Routes:        countsOf(stats.Routes),
		Stale:         countsOf(stats.Stale),
		Prefixes:      countsOf(stats.Prefixes),
		AttributeSets: stats.AttributeSets,
		Peers:         peerCounts(s.deps.Sessions.Sessions()),
		Memory:        memoryInUse{stats.TableBytes, heapBytes(), rssBytes()},
	}
	if s.deps.History != nil {
		kept := historyAnswerOf(s.deps.History.Stats())
		answer.History = &kept
	}
	return answer
}

func peerCounts(sessions []route.Session) peerTotals {
	totals := peerTotals{Configured: len(sessions)}
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
