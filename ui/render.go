package ui

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"sync/atomic"

	"ribglass/ui/catalogue"
	"ribglass/ui/graph"
	"ribglass/ui/site"
)

//go:embed templates/*.html
var templates embed.FS

// Renderer writes pages. Make it with [New]; it may be used by many goroutines
// at once.
type Renderer struct {
	pages  map[*catalogue.Language]map[string]*template.Template
	texts  *catalogue.Set
	assets *assetSet
	words  words
	look   atomic.Pointer[Look] // what SetSite stored last
}

// New parses the templates that are built into the program, for each language of
// texts; nil is those that are built in. Pages say what names knows; nil knows
// nothing. They are of a site that says nothing of itself, until [Renderer.SetSite].
func New(names Names, texts *catalogue.Set) (*Renderer, error) {
	var err error
	if texts == nil {
		if texts, err = catalogue.Load("", nil); err != nil {
			return nil, fmt.Errorf("built-in texts: %w", err)
		}
	}
	r := &Renderer{pages: map[*catalogue.Language]map[string]*template.Template{}, texts: texts, words: words{names}}
	if r.assets, err = newAssetSet(map[string]string{"style.css": graph.StyleSheet()}); err != nil {
		return nil, err
	}
	for _, l := range texts.All() {
		if err := r.parse(l); err != nil {
			return nil, err
		}
	}
	return r, r.SetSite(new(site.Site))
}

// parse parses the pages in a language.
func (r *Renderer) parse(l *catalogue.Language) error {
	script, err := r.assets.addTexts(l)
	if err != nil {
		return err
	}
	r.pages[l] = map[string]*template.Template{}
	for _, name := range pageNames() {
		t, err := template.New("frame.html").Funcs(r.funcs()).Funcs(tongue{l}.funcs()).
			Funcs(template.FuncMap{"scriptTexts": func() string { return script }, "bodies": tongue{l}.bodiesOf(r.words), "path": tongue{l}.pathOf(r.words)}).
			ParseFS(templates, "templates/frame.html", "templates/parts.html", "templates/past.html", "templates/"+name+".html")
		if err != nil {
			return fmt.Errorf("parse page %s: %w", name, err)
		}
		r.pages[l][name] = t
	}
	return nil
}

func pageNames() []string {
	return []string{"home", "lookup", "as", "peers", "peer", "refused", "problem", "changes", "timeline", "diff", "history", "graph", "help", "about", "document"}
}

func (r *Renderer) funcs() template.FuncMap {
	return template.FuncMap{
		"utc": utc, "machine": machine, "clean": clean,
		"familyLabel": familyLabel, "rated": rated, "pointers": pointers, "number": countedBy, "perFamily": perFamily, "plural": plural, "endsOfRIB": endsOfRIB,
		"asset": r.assets.path, "modules": r.assets.modules, "languages": r.texts.All,
		"in":      func(now, item any) within { return within{Now: now, Item: item} },
		"at":      func(f Frame, item any) within { return within{f.Now, item, f.Moment.Keep} },
		"precise": precise, "sides": sides, "attrChanges": Changed, "asns": asns,
		"asName": r.words.as, "legend": r.words.legend,
	}
}

// within hands a part of a page the item it shows and the page's moment: for ages,
// and for links.
type within struct {
	Now, Item any
	Keep      string
}

// Asset returns the asset served under path.
func (r *Renderer) Asset(path string) (Asset, bool) {
	look := r.look.Load()
	for _, assets := range []map[string]Asset{r.assets.byPath, look.own, look.before} {
		if a, ok := assets[path]; ok {
			return a, true
		}
	}
	return Asset{}, false
}

// HTML writes p for a browser, in the language of its frame. The writer gets all of the page or, when an
// error is returned, nothing that it should show.
func (r *Renderer) HTML(w io.Writer, p Page) error {
	f := p.frame()
	l := f.Language
	if r.pages[l] == nil {
		l = r.texts.All()[0]
	}
	f.Look = r.look.Load()
	var page bytes.Buffer
	if err := r.pages[l][p.template()].Execute(&page, p); err != nil {
		return fmt.Errorf("render page %s: %w", p.template(), err)
	}
	body := page.Bytes()
	if f.KeepLanguage {
		body = keepLanguage(body, l.Tag())
	}
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("write page %s: %w", p.template(), err)
	}
	return nil
}

// Text writes p for a terminal, in English whatever the language of its frame:
// programs read it too.
func (r *Renderer) Text(w io.Writer, p Page) error {
	t, look := textWriter{now: p.frame().Now, words: r.words, english: r.texts.English()}, r.look.Load()
	p.frame().Look = look
	if look.Notice != "" {
		t.line("! %s", look.Notice)
	}
	p.text(&t)
	if _, err := w.Write(t.buf.Bytes()); err != nil {
		return fmt.Errorf("write page %s: %w", p.template(), err)
	}
	return nil
}

func (*Home) template() string   { return "home" }
func (*Lookup) template() string { return "lookup" }
func (*AS) template() string     { return "as" }
func (*Peers) template() string  { return "peers" }
func (*Peer) template() string   { return "peer" }

func (*RefusedConnections) template() string { return "refused" }

func (*Problem) template() string { return "problem" }

func (*Changes) template() string  { return "changes" }
func (*Timeline) template() string { return "timeline" }
func (*Diff) template() string     { return "diff" }
func (*History) template() string  { return "history" }
