package v1

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ui/site"
)

// API answers the calls. Make it with [New].
type API struct {
	desk     *ask.Desk
	site     func() *site.Site
	streamed prometheus.Counter
}

// New returns the API over a desk. What the operator says of the site is asked of
// current for every answer, since it may change.
func New(desk *ask.Desk, registerer prometheus.Registerer, current func() *site.Site) *API {
	return &API{desk: desk, site: current, streamed: promauto.With(registerer).NewCounter(prometheus.CounterOpts{
		Name: "ribglass_httpapi_streamed_routes_total",
		Help: "Routes sent in NDJSON and CSV streams.",
	})}
}

// asked is one call being answered.
type asked struct {
	*web.Exchange

	reader *ask.Reader
	list   web.Params
	form   string // the media type of the answer
}

// call is the row of one call that is asked as an R.
type call[R any] struct {
	path   string
	params []web.Known
	forms  []string // of the answer; nil: JSON
	read   func(q *asked) (R, error)
	answer func(q *asked, r R) error
}

// nothing is what a call without parameters is asked as.
type nothing struct{}

func noParams(*asked) (nothing, error) { return nothing{}, nil }

// handler makes a handler of the row.
func (c call[R]) handler(a *API) web.Handler {
	forms := c.forms
	if forms == nil {
		forms = []string{web.TypeJSON}
	}
	return func(x *web.Exchange) error {
		form, err := x.Negotiate(forms...)
		if err != nil {
			return err
		}
		q := &asked{Exchange: x, form: form}
		if q.list, err = x.Params(c.params); err != nil {
			return err
		}
		if q.reader, err = a.desk.Reader(x.Audience()); err != nil {
			return fmt.Errorf("find the reader: %w", err)
		}
		r, err := c.read(q)
		if err != nil {
			return err
		}
		if len(forms) > 1 {
			x.Header().Set("Vary", "Accept")
		}
		return c.answer(q, r)
	}
}

func (c call[R]) get(a *API) web.Route { return web.Get(c.path, c.handler(a)) }

// sendJSON makes an answer of a call out of what is its JSON.
func sendJSON[R any](of func(*asked) (any, error)) func(*asked, R) error {
	return func(q *asked, _ R) error {
		value, err := of(q)
		if err != nil {
			return err
		}
		return q.SendJSON(value)
	}
}

var noQuery query.Query //nolint:gochecknoglobals // constant: the question for every route

func readScene(q *asked) (ask.Request, error) { return q.reader.PageRequest(q.list, noQuery) }
