package web

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics count requests by route template, never by URL, so that their number
// is bounded by the program and not by its visitors.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	panics   prometheus.Counter

	violations *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	f := promauto.With(r)
	return &metrics{
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
		panics: f.NewCounter(prometheus.CounterOpts{
			Name: "ribglass_httpapi_panics_total",
			Help: "Requests that ended in a panic, which was caught.",
		}),
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
