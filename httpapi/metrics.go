package httpapi

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"ribglass/ribstore/query"
)

// metrics count requests by route template, never by URL, so that their number
// is bounded by the program and not by its visitors.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	streamed prometheus.Counter
	panics   prometheus.Counter
	searches map[query.Method]prometheus.Observer
	refused  *prometheus.CounterVec

	violations *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	f := promauto.With(r)
	searches := f.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "ribglass_httpapi_search_duration_seconds",
		Help:    "Time the store took to answer one page, by the method of the plan.",
		Buckets: []float64{.00001, .0001, .001, .0025, .005, .01, .025, .1, .5, 2.5, 10},
	}, []string{"method"})
	m := &metrics{
		searches: map[query.Method]prometheus.Observer{},
		refused: f.NewCounterVec(prometheus.CounterOpts{
			Name: "ribglass_httpapi_refused_searches_total",
			Help: "Searches beyond the budget: too many at a time (busy), too slow (too_long) or too much to touch (too_costly).",
		}, []string{"reason"}),
		violations: f.NewCounterVec(prometheus.CounterOpts{
			Name: "ribglass_httpapi_policy_violations_total",
			Help: "Reports of browsers that the content security policy kept a page from something, by directive.",
		}, []string{"directive"}),
		requests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "ribglass_httpapi_requests_total",
			Help: "Requests answered, by route template and status code.",
		}, []string{"route", "code"}),
		seconds: f.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "ribglass_httpapi_request_duration_seconds",
			Help:    "Time from the request's header to the end of its answer, by route template.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, .5, 2.5, 10},
		}, []string{"route"}),
		inFlight: f.NewGauge(prometheus.GaugeOpts{
			Name: "ribglass_httpapi_requests_in_flight",
			Help: "Requests being answered.",
		}),
		streamed: f.NewCounter(prometheus.CounterOpts{
			Name: "ribglass_httpapi_streamed_routes_total",
			Help: "Routes sent in NDJSON and CSV streams.",
		}),
		panics: f.NewCounter(prometheus.CounterOpts{
			Name: "ribglass_httpapi_panics_total",
			Help: "Requests that ended in a panic, which was caught.",
		}),
	}
	for _, method := range []query.Method{query.LongestMatch, query.ExactMatch, query.Covering, query.Walk, query.Scan} {
		m.searches[method] = searches.WithLabelValues(string(method))
	}
	return m
}

// searched counts a page that the store answered.
func (m *metrics) searched(method query.Method, took time.Duration) {
	if o, ok := m.searches[method]; ok {
		o.Observe(took.Seconds())
	}
}

// observe counts an answer. An empty template is a URL that no route has.
func (m *metrics) observe(template string, status int, took time.Duration) {
	if template == "" {
		template = "none"
	}
	m.requests.WithLabelValues(template, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(template).Observe(took.Seconds())
}
