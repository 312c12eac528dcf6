package bgp

import (
	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore/route"
)

// metrics reads the sessions when it is collected: the path of the routes does no
// work for it, and a removed neighbor leaves no series behind. The only labels are
// peers, families, states and reasons.
type metrics struct {
	c       *Collector
	refused *prometheus.CounterVec
	yielded prometheus.Counter

	state, endOfRIB, handshakes, notice *prometheus.Desc
	md5                                 *prometheus.Desc
	counters                            []counterMetric
}

type counterMetric struct {
	desc  *prometheus.Desc
	value func(*neighbor) uint64
}

func newMetrics(c *Collector) *metrics {
	name := func(s string) string { return "ribglass_collector_" + s }
	m := &metrics{
		c: c,
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("connections_refused_total"), Help: "Connections that got no session, by reason.",
		}, []string{"reason"}),
		yielded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: name("neighbors_yielded_total"), Help: "Dynamic neighbors that were down and forgotten to make room for another.",
		}),
		state: prometheus.NewDesc(name("session_state"),
			"1 for the state that the peer's session is in.", []string{"peer", "state"}, nil),
		endOfRIB: prometheus.NewDesc(name("end_of_rib"),
			"1 when the peer has sent all its routes of the family in this session.", []string{"peer", "family"}, nil),
		notice: prometheus.NewDesc(name("notice"),
			"1 while the peer needs attention, by limit or fault.", []string{"peer", "kind"}, nil),
		md5: prometheus.NewDesc(name("tcp_md5_errors_total"),
			"TCP segments that the kernel dropped because of TCP-MD5 in this network namespace: missing, unexpected or wrong.", []string{"reason"}, nil),
		handshakes: prometheus.NewDesc(name("handshakes"), "Connections whose session is not established yet.", nil, nil),
	}
	for _, r := range refusals() {
		m.refused.WithLabelValues(string(r))
	}
	count := func(s, help string, value func(*neighbor) uint64) {
		m.counters = append(m.counters, counterMetric{prometheus.NewDesc(name(s), help, []string{"peer"}, nil), value})
	}
	count("messages_received_total", "BGP messages from the peer.", func(n *neighbor) uint64 { return n.counters.messagesIn.Load() })
	count("messages_sent_total", "BGP messages to the peer.", func(n *neighbor) uint64 { return n.counters.messagesOut.Load() })
	count("received_bytes_total", "Bytes from the peer.", func(n *neighbor) uint64 { return n.counters.bytesIn.Load() })
	count("sent_bytes_total", "Bytes to the peer.", func(n *neighbor) uint64 { return n.counters.bytesOut.Load() })
	count("updates_received_total", "UPDATE messages from the peer.", func(n *neighbor) uint64 { return n.counters.updatesIn.Load() })
	count("prefixes_announced_total", "Prefixes announced by the peer.", func(n *neighbor) uint64 { return n.counters.announced.Load() })
	count("prefixes_withdrawn_total", "Prefixes withdrawn by the peer.", func(n *neighbor) uint64 { return n.counters.withdrawn.Load() })
	count("treated_as_withdraw_total", "UPDATE messages treated as withdraw (RFC 7606).", func(n *neighbor) uint64 { return n.counters.treatedAsWithdraw.Load() })
	count("attributes_discarded_total", "Path attributes discarded (RFC 7606).", func(n *neighbor) uint64 { return n.counters.discarded.Load() })
	count("peer_connections_refused_total", "Connections of the peer that got no session.", func(n *neighbor) uint64 { return n.counters.refused.Load() })
	count("notifications_received_total", "NOTIFICATION messages from the peer.", func(n *neighbor) uint64 { return n.counters.notificationsIn.Load() })
	count("notifications_sent_total", "NOTIFICATION messages to the peer.", func(n *neighbor) uint64 { return n.counters.notificationsOut.Load() })
	count("sessions_established_total", "Sessions that reached Established.", func(n *neighbor) uint64 { return n.counters.established.Load() })
	count("outgoing_updates_dropped_total", "Outgoing UPDATE messages with prefixes, all of which are dropped.", func(n *neighbor) uint64 { return n.counters.droppedOut.Load() })
	count("session_panics_total", "Sessions ended because of a mistake in this program.", func(n *neighbor) uint64 { return n.counters.panics.Load() })
	return m
}

func (m *metrics) register(r prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{m.refused, m.yielded} {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return r.Register(m)
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.state
	out <- m.endOfRIB
	out <- m.handshakes
	out <- m.md5
	out <- m.notice
	for _, c := range m.counters {
		out <- c.desc
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(m.handshakes, float64(m.c.handshakes.Load()))
	errs := m.c.md5.errors()
	for reason, n := range map[string]uint64{"missing": errs.Missing, "unexpected": errs.Unexpected, "wrong": errs.Wrong} {
		out <- prometheus.MustNewConstMetric(m.md5, prometheus.CounterValue, float64(n), reason)
	}
	for _, n := range m.c.neighbors() {
		for _, c := range m.counters {
			out <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(c.value(n)), n.name)
		}
		s := n.snapshot()
		gauge(m.state, 1, n.name, string(s.State))
		for _, one := range s.Notices {
			gauge(m.notice, 1, n.name, string(one.Kind))
		}
		for _, f := range s.Families {
			complete := 0.0
			if s.State == route.StateEstablished && !s.EndOfRIB[f].IsZero() {
				complete = 1
			}
			gauge(m.endOfRIB, complete, n.name, f.String())
		}
	}
}
