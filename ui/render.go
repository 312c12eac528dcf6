package ui

import (
	"embed"
	"fmt"
	"html/template"
	"io"

	"ribglass/ui/graph"
)

//go:embed templates/*.html
var templates embed.FS

// Renderer writes pages. Make it with [New]; it may be used by many goroutines
// at once.
type Renderer struct {
	pages  map[string]*template.Template
	assets *assetSet
	words  words
}

// New parses the templates that are built into the program. Pages say what names
// knows; nil knows nothing.
func New(names Names) (*Renderer, error) {
	r := &Renderer{pages: map[string]*template.Template{}, words: words{names}}
	var err error
	if r.assets, err = newAssetSet(map[string]string{"style.css": graph.StyleSheet()}); err != nil {
		return nil, err
	}
	for _, name := range []string{"home", "lookup", "as", "peers", "peer", "problem", "changes", "timeline", "diff", "history", "graph", "help", "about"} {
		t, err := template.New("frame.html").Funcs(r.funcs()).
			ParseFS(templates, "templates/frame.html", "templates/parts.html", "templates/past.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
		r.pages[name] = t
	}
	return r, nil
}

func (r *Renderer) funcs() template.FuncMap {
	return template.FuncMap{
		"age": age, "utc": utc, "machine": machine, "clean": clean, "hops": hops, "originMark": originMark,
		"familyLabel": familyLabel, "perFamily": perFamily,
		"plural": plural, "count": count[int], "count64": count[uint64], "endsOfRIB": endsOfRIB,
		"asset": r.assets.path, "modules": r.assets.modules,
		"in":    func(now, item any) within { return within{Now: now, Item: item} },
		"at":    func(f Frame, item any) within { return within{f.Now, item, f.Moment.Keep} },
		"keep":  func(keep string, item any) within { return within{Item: item, Keep: keep} },
		"bytes": byteSize, "span": span, "precise": precise, "sides": sides, "attrChanges": Changed, "asns": asns,
		"fold": fold, "asName": r.words.as, "hopName": r.words.hop, "meaning": r.words.meaning, "legend": r.words.legend,
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
	a, ok := r.assets.byPath[path]
	return a, ok
}

// HTML writes p for a browser. The writer gets all of the page or, when an
// error is returned, nothing that it should show.
func (r *Renderer) HTML(w io.Writer, p Page) error {
	if err := r.pages[p.template()].Execute(w, p); err != nil {
		return fmt.Errorf("render page %s: %w", p.template(), err)
	}
	return nil
}

// Text writes p for a terminal.
func (r *Renderer) Text(w io.Writer, p Page) error {
	t := textWriter{now: p.frame().Now, words: r.words}
	p.text(&t)
	if _, err := w.Write(t.buf.Bytes()); err != nil {
		return fmt.Errorf("write page %s: %w", p.template(), err)
	}
	return nil
}

func (*Home) template() string    { return "home" }
func (*Lookup) template() string  { return "lookup" }
func (*AS) template() string      { return "as" }
func (*Peers) template() string   { return "peers" }
func (*Peer) template() string    { return "peer" }
func (*Problem) template() string { return "problem" }

func (*Changes) template() string  { return "changes" }
func (*Timeline) template() string { return "timeline" }
func (*Diff) template() string     { return "diff" }
func (*History) template() string  { return "history" }
