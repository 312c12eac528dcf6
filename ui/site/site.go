package site

import (
	"cmp"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"ribglass/setting"
)

// Bounds of the texts, in characters, and of lists.
const (
	maxName   = 60
	maxNotice = 300
	maxTitle  = 60
	maxURL    = 500
	maxLinks  = 12
	maxPages  = 20
)

// Product is the name of a looking glass that has no other.
const Product = "Ribglass"

// Config is what the configuration says of a site. The zero value is a site that
// says nothing of itself.
type Config struct {
	Name       string       `yaml:"name"`
	Logo       string       `yaml:"logo"` // a file, SVG or PNG
	Colour     Colour       `yaml:"colour"`
	DarkColour Colour       `yaml:"dark_colour"`
	Contact    string       `yaml:"contact"` // a mail address or an https URL
	Notice     string       `yaml:"notice"`
	Links      []Link       `yaml:"links"`
	Terms      string       `yaml:"terms"` // a Markdown file
	Pages      []PageConfig `yaml:"pages"`
}

// Link is a link of the menu.
type Link struct {
	Text string `yaml:"text" json:"text"`
	URL  string `yaml:"url"  json:"url"`
}

// PageConfig is a page made of a Markdown file.
type PageConfig struct {
	Title string `yaml:"title"`
	Path  string `yaml:"path"` // the last part of its URL
	File  string `yaml:"file"`
}

// Site is what an operator says of a looking glass, read and checked. The zero
// value says nothing. It is not changed after Load made it, so it may be read by
// many goroutines at once.
type Site struct {
	Name               string // "" when it has no other than the product's
	Logo               *Logo
	Colour, DarkColour Colour // of links; "" is the one of the style sheet
	Contact            string // as it is shown
	ContactURL         string // where it leads
	Notice             string
	Links              []Link
	Terms              *Document
	Pages              []*Document
}

// Title returns the name to show.
func (s *Site) Title() string { return cmp.Or(s.Name, Product) }

// Page returns the page with a path, nil when there is none.
func (s *Site) Page(path string) *Document {
	for _, p := range s.Pages {
		if p.Path == path {
			return p
		}
	}
	return nil
}

// Load reads the files that cfg names. What is wrong comes back as [setting.Errors].
func Load(cfg Config) (*Site, error) {
	l := loader{site: Site{Name: cfg.Name, Colour: cfg.Colour, DarkColour: cfg.DarkColour, Notice: cfg.Notice, Links: cfg.Links}}
	l.text("name", cfg.Name, maxName)
	l.text("notice", cfg.Notice, maxNotice)
	l.report("colour", cfg.Colour.check(lightSurfaces()))
	l.report("dark_colour", cfg.DarkColour.check(darkSurfaces()))
	l.contact(cfg.Contact)
	l.links(cfg.Links)
	if cfg.Logo != "" {
		l.site.Logo = read(&l, "logo", cfg.Logo, readLogo)
	}
	if cfg.Terms != "" {
		l.site.Terms = read(&l, "terms", cfg.Terms, readDocument)
	}
	l.pages(cfg.Pages)
	if len(l.errors) > 0 {
		return nil, l.errors
	}
	return &l.site, nil
}

// loader collects a site and what is wrong with it.
type loader struct {
	site   Site
	errors setting.Errors
}

func (l *loader) report(key string, err error) {
	if err != nil {
		l.errors = append(l.errors, setting.Errorf(key, "%s", err))
	}
}

// read reads a file of the key.
func read[T any](l *loader, key, file string, as func(string) (*T, error)) *T {
	v, err := as(file)
	l.report(key, err)
	return v
}

// text checks a text that stands in one line of a page. An empty one is none.
func (l *loader) text(key, text string, most int) {
	n := utf8.RuneCountInString(text)
	switch {
	case n > most:
		l.report(key, fmt.Errorf("has %d characters; at most %d are shown", n, most))
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		l.report(key, errors.New("is one line of text, without control characters"))
	case text != "" && strings.TrimSpace(text) == "":
		l.report(key, errors.New("has nothing to read in it"))
	}
}

// required is text for one that must be there.
func (l *loader) required(key, text string, most int) {
	if text == "" {
		l.report(key, errors.New("is missing"))
	}
	l.text(key, text, most)
}

func (l *loader) contact(contact string) {
	if contact == "" {
		return
	}
	l.site.Contact = contact
	u, err := url.Parse(contact)
	if err == nil && u.Scheme == "https" && u.Host != "" && leads(contact) && len(contact) <= maxURL {
		l.site.ContactURL, l.site.Contact = contact, strings.TrimSuffix(u.Host+u.Path, "/")
		return
	}
	if a, err := mail.ParseAddress(contact); err == nil && a.Address == contact && leads("mailto:"+contact) && len(contact) <= maxURL {
		l.site.ContactURL = "mailto:" + contact
		return
	}
	l.report("contact", fmt.Errorf("%q is neither a mail address such as noc@example.net nor an https URL", contact))
}

func (l *loader) links(links []Link) {
	if len(links) > maxLinks {
		l.report("links", fmt.Errorf("has %d links; a menu has at most %d", len(links), maxLinks))
		return
	}
	for i, link := range links {
		key := fmt.Sprintf("links[%d]", i)
		l.required(key+".text", link.Text, maxTitle)
		switch relative := strings.HasPrefix(link.URL, "/"); {
		case link.URL == "":
			l.report(key+".url", errors.New("is missing"))
		case len(link.URL) > maxURL:
			l.report(key+".url", fmt.Errorf("has %d bytes; at most %d", len(link.URL), maxURL))
		case !leads(link.URL) || !relative && !strings.Contains(link.URL, ":"):
			l.report(key+".url", fmt.Errorf("%q is not an http, https or mailto URL, or a path of this server such as /as/64500", link.URL))
		}
	}
}

// leads reports whether a link may lead to dest: to the web, to mail, or to a
// place of this server.
func leads(dest string) bool {
	if strings.ContainsFunc(dest, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || r == '\\' || r == utf8.RuneError
	}) {
		return false // browsers take some of them out, or for others
	}
	u, err := url.Parse(dest)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != ""
	case "mailto":
		return u.Opaque != ""
	case "":
		return u.Host == "" && !strings.HasPrefix(dest, "//")
	}
	return false
}

func (l *loader) pages(pages []PageConfig) {
	if len(pages) > maxPages {
		l.report("pages", fmt.Errorf("has %d pages; at most %d", len(pages), maxPages))
		return
	}
	first := make(map[string]int)
	for i, p := range pages {
		key := fmt.Sprintf("pages[%d]", i)
		l.required(key+".title", p.Title, maxTitle)
		if j, twice := first[p.Path]; twice {
			l.report(key+".path", fmt.Errorf("%q is the path of pages[%d] too", p.Path, j))
		} else if err := checkPath(p.Path); err != nil {
			l.report(key+".path", err)
		}
		first[p.Path] = i
		if p.File == "" {
			l.report(key+".file", errors.New("is missing"))
			continue
		}
		if d := read(l, key+".file", p.File, readDocument); d != nil {
			d.Title, d.Path = p.Title, p.Path
			l.site.Pages = append(l.site.Pages, d)
		}
	}
}

// checkPath refuses what would have to be escaped in a URL. Pages have a folder
// of their own there, so that none takes the place of another page, now or after
// an upgrade.
func checkPath(path string) error {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	if path == "" {
		return errors.New("is missing")
	}
	if len(path) > maxTitle || strings.Trim(path, letters) != "" || path[0] == '-' {
		return fmt.Errorf("%q: use small letters, digits and -, as in peering-policy for /pages/peering-policy", path)
	}
	return nil
}
