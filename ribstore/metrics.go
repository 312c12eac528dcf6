package ribstore

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore/route"
)

// metrics are the store's counters and, at scrape time, the sizes of the table.
type metrics struct {
	batches              prometheus.Counter
	announced, withdrawn [route.NumFamilies]prometheus.Counter
	seconds              prometheus.Histogram
	unkept, relieved     prometheus.Counter
}

func newMetrics(s *Store, r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		batches: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ribglass_ribstore_batches_total", Help: "Batches applied to the table.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ribglass_ribstore_apply_seconds", Help: "Time to apply one batch.",
			Buckets: prometheus.ExponentialBuckets(1e-6, 10, 7),
		}),
	}
	m.unkept = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ribglass_ribstore_unkept_routes_total", Help: "Routes announced and not kept because the memory limit was near.",
	})
	m.relieved = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ribglass_ribstore_relieved_peers_total", Help: "Peers whose routes were removed because the memory limit was reached.",
	})
	changes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ribglass_ribstore_changes_total", Help: "Prefixes announced and withdrawn, as applied to the table.",
	}, []string{"family", "change"})
	for _, f := range route.Families() {
		m.announced[f] = changes.WithLabelValues(f.String(), "announce")
		m.withdrawn[f] = changes.WithLabelValues(f.String(), "withdraw")
	}
	for _, c := range []prometheus.Collector{m.batches, changes, m.seconds, m.unkept, m.relieved, sizes{s}} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) applied(b *route.Batch, took time.Duration) {
	m.batches.Inc()
	m.seconds.Observe(took.Seconds())
	var announced, withdrawn [route.NumFamilies]int
	for i := range b.Updates {
		u := &b.Updates[i]
		if u.Withdraw() {
			withdrawn[u.Family] += len(u.NLRI)
		} else {
			announced[u.Family] += len(u.NLRI)
		}
	}
	for f := range announced {
		m.announced[f].Add(float64(announced[f]))
		m.withdrawn[f].Add(float64(withdrawn[f]))
	}
}

// sizes reads the sizes of the table when they are asked for.
type sizes struct{ store *Store }

func (sizes) descs() (routes, stale, prefixes, sets, memory, refused, peers, octets, notKept *prometheus.Desc) {
	family := []string{"family"}
	describe := func(name, help string, labels []string) *prometheus.Desc {
		return prometheus.NewDesc("ribglass_ribstore_"+name, help, labels, nil)
	}
	return describe("routes", "Routes in the table.", family),
		describe("stale_routes", "Routes that no session confirms at the moment.", family),
		describe("prefixes", "Distinct prefixes in the table.", family),
		describe("attribute_sets", "Distinct sets of path attributes.", nil),
		describe("table_bytes", "Memory of prefixes, routes and attribute sets.", nil),
		describe("refused_routes_total", "Routes not kept because a limit of the table was reached.", nil),
		describe("peer_routes", "Routes in the table by peer.", []string{"peer", "family"}),
		describe("peer_attribute_bytes", "Memory of the attribute sets that a peer is charged for.", []string{"peer"}),
		describe("peer_refused_routes_total", "Routes of a peer not kept because a limit of the table was reached.", []string{"peer"})
}

// Describe implements prometheus.Collector.
func (s sizes) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(s, ch) }

// Collect implements prometheus.Collector.
func (s sizes) Collect(ch chan<- prometheus.Metric) {
	routes, stale, prefixes, sets, memory, refused, peers, octets, notKept := s.descs()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	c := s.store.table().Counts()
	for _, f := range route.Families() {
		gauge(routes, float64(c.Routes[f]), f.String())
		gauge(stale, float64(c.Stale[f]), f.String())
		gauge(prefixes, float64(c.Prefixes[f]), f.String())
	}
	gauge(sets, float64(c.AttributeSets))
	gauge(memory, float64(c.Bytes))
	ch <- prometheus.MustNewConstMetric(refused, prometheus.CounterValue, float64(s.store.table().Refused()))
	s.collectMemory(ch)
	s.collectTap(ch)
	for _, p := range s.store.table().Peers() {
		gauge(octets, float64(s.store.table().AttributeBytes(p.Peer.Name)), p.Peer.Name)
		if n := s.store.table().NotKept(p.Peer.Name); n > 0 {
			ch <- prometheus.MustNewConstMetric(notKept, prometheus.CounterValue, float64(n), p.Peer.Name)
		}
		for _, f := range route.Families() {
			if p.Routes[f] > 0 {
				gauge(peers, float64(p.Routes[f]), p.Peer.Name, f.String())
			}
		}
	}
}

// collectMemory sends how near the memory limit is.
func (s sizes) collectMemory(ch chan<- prometheus.Metric) {
	send := func(name, help string, v float64) {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("ribglass_ribstore_memory_"+name, help, nil, nil), prometheus.GaugeValue, v)
	}
	notice := prometheus.NewDesc("ribglass_ribstore_notice", "1 while routes of the peer, or the program, need attention, by limit.", []string{"peer", "kind"}, nil)
	for peer, list := range s.store.Notices() {
		for _, one := range list {
			ch <- prometheus.MustNewConstMetric(notice, prometheus.GaugeValue, 1, peer, string(one.Kind))
		}
	}
	m := s.store.deps.Budget.Memory()
	send("used_bytes", "Memory in use, without garbage, as it is compared with the limit.", float64(m.Used()))
	send("limit_bytes", "The limit of memory; 0: none.", float64(m.Limit()))
	send("strain", "What is given up near the limit: 0 nothing, 1 tables of the past, 2 questions over the whole table, 3 new routes of the largest peer, 4 its session.", float64(m.Strain()))
}

// collectTap sends what became of the events that subscribers wanted.
func (s sizes) collectTap(ch chan<- prometheus.Metric) {
	send := func(name, help string, t prometheus.ValueType, v float64) {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("ribglass_ribstore_"+name, help, nil, nil), t, v)
	}
	n := s.store.tap.Stats()
	send("subscriptions", "Subscriptions to changes of the table.", prometheus.GaugeValue, float64(n.Subscriptions))
	send("subscribed_events_total", "Events put into subscriptions.", prometheus.CounterValue, float64(n.Delivered))
	send("lost_events_total", "Events that a subscription had no room for, because its reader was slow or only wanted to be woken.", prometheus.CounterValue, float64(n.Lost))
}
