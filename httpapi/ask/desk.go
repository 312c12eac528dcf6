package ask

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Desk gives out readers. Make it with [New]; anyone may use it at any time.
type Desk struct {
	cfg     Config
	sources Sources
	metrics *metrics
}

// New returns a desk over the sources.
func New(cfg Config, sources Sources) *Desk {
	return &Desk{cfg: cfg, sources: sources, metrics: newMetrics(sources.Registerer)}
}

// Reader returns the reader of an audience, for one request: what is asked of it shares a
// budget.
func (d *Desk) Reader(to route.Audience) (*Reader, error) {
	r := &Reader{Audience: to, desk: d, store: d.sources.Store, spent: new(spent), texts: &query.Allowance{Turn: d.sources.Budget.Turn}}
	switch {
	case d.sources.For != nil:
		r.store = d.sources.For(to)
	case !to.SeesAll():
		return nil, fmt.Errorf("audience %q: this store has one audience, which sees everything", to.Name)
	}
	return r, nil
}

// metrics count searches by what the store did for them.
type metrics struct {
	searches map[query.Method]prometheus.Observer
	refused  *prometheus.CounterVec
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
