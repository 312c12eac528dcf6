package page

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ui"
	"ribglass/ui/catalogue"
	"ribglass/ui/site"
)

// Pages answers with pages. Make it with [New].
type Pages struct {
	desk     *ask.Desk
	log      *slog.Logger
	renderer *ui.Renderer
	texts    *catalogue.Set
}

// New returns pages over a desk, in the languages of the texts.
func New(desk *ask.Desk, log *slog.Logger, renderer *ui.Renderer, texts *catalogue.Set) *Pages {
	return &Pages{desk: desk, log: log, renderer: renderer, texts: texts}
}

// Site returns what the operator says of the site now.
func (p *Pages) Site() *site.Site { return p.renderer.Site() }

// visit is one page being answered.
type visit struct {
	*web.Exchange

	pages  *Pages
	reader *ask.Reader
	list   web.Params
	path   string // of the URL, without suffix
	suffix string // ".txt", ".json" or ""
}

func (p *Pages) visit(x *web.Exchange) (*visit, error) {
	v := &visit{Exchange: x, pages: p}
	v.path, v.suffix = cutSuffix(x.Request.URL.Path)
	var err error
	if v.reader, err = p.desk.Reader(x.Audience()); err != nil {
		return v, fmt.Errorf("find the reader: %w", err)
	}
	return v, nil
}

// form returns the media type in which the page is wanted, "" when the client
// accepts none that there is.
func (v *visit) form() string { return pageForm(v.suffix, v.Accept(), v.Request.UserAgent()) }

// row is the row of one page, which is asked as an R and answered with an A.
type row[R, A any] struct {
	path   string
	params []web.Known
	read   func(v *visit) (R, error)
	ask    func(v *visit, r R) (A, error)
	json   func(v *visit, r R, a A) error // nil: there is no JSON form
	show   func(v *visit, r R, a A) ui.Page
}

// nothing is what a page without a question is asked and answered as.
type nothing struct{}

func readNothing(*visit) (nothing, error)         { return nothing{}, nil }
func askNothing(*visit, nothing) (nothing, error) { return nothing{}, nil }

// varyPage names the headers that decide about the form of a page.
const varyPage = "Accept, Accept-Encoding, Accept-Language, User-Agent"

// redirect is the error of a page whose answer is on another page.
type redirect struct{ to string }

// Error returns where the answer is.
func (r *redirect) Error() string { return "see " + r.to }

func (r row[R, A]) handler(p *Pages) web.Handler {
	return func(x *web.Exchange) error {
		v, err := p.visit(x)
		if err != nil {
			return err
		}
		x.Header().Set("Vary", varyPage)
		if v.list, err = x.Params(r.params); err != nil {
			return err
		}
		asked, err := r.read(v)
		if to, ok := errors.AsType[*redirect](err); ok {
			x.Redirect(v.keepLanguage(to.to))
			return nil
		}
		if err != nil {
			return err
		}
		form := v.form()
		if form == "" || form == web.TypeJSON && r.json == nil {
			return r.notAcceptable()
		}
		answer, err := r.ask(v, asked)
		switch {
		case err != nil:
			return err
		case form == web.TypeJSON:
			return r.json(v, asked, answer)
		}
		return v.render(http.StatusOK, form, r.show(v, asked, answer))
	}
}

func (r row[R, A]) notAcceptable() error {
	if r.json == nil {
		return web.Problemf(web.CodeNotAcceptable, "The page is %s or %s.", web.TypeHTML, web.TypeText)
	}
	return web.Problemf(web.CodeNotAcceptable, "The page is %s, %s or %s.", web.TypeHTML, web.TypeText, web.TypeJSON)
}

// routes returns the routes of the row. A path with a parameter holds the suffix
// of a form in it; of other paths each form has a route.
func (r row[R, A]) routes(p *Pages) []web.Route {
	h := r.handler(p)
	list := []web.Route{web.Get(r.path, h)}
	if strings.Contains(r.path, ":") {
		return list
	}
	own := r.path
	if own == "/" {
		own = "/index"
	}
	list = append(list, web.Get(own+".txt", h))
	if r.json != nil {
		list = append(list, web.Get(own+".json", h))
	}
	return list
}

// render writes a page as HTML or text.
func (v *visit) render(status int, form string, page ui.Page) error {
	var b bytes.Buffer
	var err error
	if form == web.TypeHTML {
		l, _ := v.language()
		v.Header().Set("Content-Language", l.Tag())
		err = v.pages.renderer.HTML(&b, page)
	} else {
		err = v.pages.renderer.Text(&b, page)
	}
	if err != nil {
		return fmt.Errorf("answer %s: %w", v.path, err)
	}
	v.Send(status, form, b.Bytes())
	return nil
}
