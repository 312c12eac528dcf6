package site

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/setting"
)

// write puts a file into a directory and returns its name.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func picture(t *testing.T, width, height int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><path d="M0 0h40v10z" fill="#0b6e75"/></svg>`

func TestASiteIsWhatItsFilesSay(t *testing.T) {
	dir := t.TempDir()
	s, err := Load(Config{
		Name: "Example Net", Logo: write(t, dir, "logo.svg", drawing), Colour: "#7a1f5c", DarkColour: "#f0a3d8",
		Contact: "noc@example.net", Notice: "Maintenance on Sunday.",
		Links: []Link{{"Website", "https://www.example.net/"}, {"Our AS", "/as/64500"}, {"Mail", "mailto:noc@example.net"}},
		Terms: write(t, dir, "terms.md", "Be *kind*."),
		Pages: []PageConfig{{"Peering", "peering", write(t, dir, "peering.md", "# Policy")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Title() != "Example Net" || s.ContactURL != "mailto:noc@example.net" || s.Contact != "noc@example.net" {
		t.Errorf("site = %+v", s)
	}
	if s.Logo.Width != 1000 || s.Logo.Height != 250 || s.Logo.Extension != ".svg" {
		t.Errorf("logo = %d by %d, %s", s.Logo.Width, s.Logo.Height, s.Logo.Extension)
	}
	if s.Terms.HTML != "<p>Be <em>kind</em>.</p>\n" || s.Terms.Source != "Be *kind*." {
		t.Errorf("terms = %+v", s.Terms)
	}
	if p := s.Page("peering"); p == nil || p.Title != "Peering" || p.HTML != "<h2>Policy</h2>\n" {
		t.Errorf("page = %+v", p)
	}
	if s.Page("terms") != nil || s.Page("") != nil {
		t.Error("there is a page that nobody wrote")
	}
}

func TestASiteThatSaysNothingHasTheProductsName(t *testing.T) {
	s, err := Load(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Site{}, s); diff != "" || s.Title() != "Ribglass" {
		t.Errorf("title %q; site (-want +got):\n%s", s.Title(), diff)
	}
}

func TestContactsLead(t *testing.T) {
	for contact, want := range map[string]string{
		"noc@example.net":              "mailto:noc@example.net",
		"https://example.net/contact/": "https://example.net/contact/",
	} {
		s, err := Load(Config{Contact: contact})
		if err != nil || s.ContactURL != want {
			t.Errorf("Load of contact %q = %+v, %v; want it to lead to %s", contact, s, err, want)
		}
	}
}

// TestMistakesAreToldWithTheirKey has a row for each kind of mistake.
func TestMistakesAreToldWithTheirKey(t *testing.T) {
	dir := t.TempDir()
	page, logo := write(t, dir, "page.md", "text"), write(t, dir, "logo.svg", drawing)
	write(t, dir, "large.md", strings.Repeat("text ", 20000))
	write(t, dir, "large.svg", strings.Replace(drawing, "<path", strings.Repeat(" ", maxLogo)+"<path", 1))
	write(t, dir, "bytes.md", "\xff")
	write(t, dir, "wide.png", picture(t, maxPixels+1, 1))
	write(t, dir, "damaged.png", picture(t, 10, 10)[:60])
	write(t, dir, "logo.gif", "GIF89a")
	one := func(p PageConfig) Config { return Config{Pages: []PageConfig{p}} }
	links := func(url string) Config { return Config{Links: []Link{{"x", url}}} }
	for _, row := range []struct {
		name string
		cfg  Config
		key  string
		want string
	}{
		{"a name that is too long", Config{Name: strings.Repeat("ä", 61)}, "name", "has 61 characters; at most 60"},
		{"a name of two lines", Config{Name: "a\nb"}, "name", "one line"},
		{"a name of blanks", Config{Name: "  "}, "name", "nothing to read"},
		{"a notice that drives a terminal", Config{Notice: "\x1b[2J"}, "notice", "control characters"},
		{"a notice that is too long", Config{Notice: strings.Repeat("a", 301)}, "notice", "has 301 characters; at most 300"},
		{"a colour nobody reads", Config{Colour: "#ffff00"}, "colour", "#ffff00 has a contrast of 1.05:1 with #fdfdfc"},
		{"a colour hardly readable", Config{Colour: "#767676"}, "colour", "a contrast of 4.46:1 with #fdfdfc"},
		{"a colour that fails on a field only", Config{Colour: "#747474"}, "colour", "with #f4f4f1"},
		{"a dark colour in the dark", Config{DarkColour: "#0b6e75"}, "dark_colour", "with #14181a"},
		{"a contact that is none", Config{Contact: "call us"}, "contact", "neither a mail address"},
		{"a contact with a name", Config{Contact: "NOC <noc@example.net>"}, "contact", "neither a mail address"},
		{"a contact in the open", Config{Contact: "http://example.net"}, "contact", "nor an https URL"},
		{"a contact that runs", Config{Contact: "javascript:alert(1)"}, "contact", "nor an https URL"},
		{"a link that runs", links("javascript:alert(1)"), "links[0].url", "is not an http, https or mailto URL"},
		{"a link that runs, with a tab in it", links("java\tscript:alert(1)"), "links[0].url", "is not an http, https or mailto URL"},
		{"a link of data", links("data:text/html,x"), "links[0].url", "is not an http, https or mailto URL"},
		{"a link to another host by //", links("//evil.example"), "links[0].url", "is not an http, https or mailto URL"},
		{"a link to another host by a backslash", links(`/\evil.example`), "links[0].url", "is not an http, https or mailto URL"},
		{"a link without /", links("peering"), "links[0].url", "a path of this server"},
		{"a link without a host", links("https:"), "links[0].url", "is not an http, https or mailto URL"},
		{"a link without URL", links(""), "links[0].url", "is missing"},
		{"a link without text", Config{Links: []Link{{"", "/"}}}, "links[0].text", "is missing"},
		{"a long link", links("/" + strings.Repeat("x", 500)), "links[0].url", "has 501 bytes"},
		{"too many links", Config{Links: make([]Link, 13)}, "links", "has 13 links; a menu has at most 12"},
		{"terms that are not there", Config{Terms: filepath.Join(dir, "gone.md")}, "terms", "no such file"},
		{"terms that are a directory", Config{Terms: dir}, "terms", "is not a regular file"},
		{"terms that are too large", Config{Terms: filepath.Join(dir, "large.md")}, "terms", "has more than 32768 bytes"},
		{"terms that are no text", Config{Terms: filepath.Join(dir, "bytes.md")}, "terms", "is not UTF-8"},
		{"a page without title", one(PageConfig{"", "a", page}), "pages[0].title", "is missing"},
		{"a page without path", one(PageConfig{"A", "", page}), "pages[0].path", "is missing"},
		{"a page without file", one(PageConfig{"A", "a", ""}), "pages[0].file", "is missing"},
		{"a path with a slash", one(PageConfig{"A", "a/b", page}), "pages[0].path", "use small letters"},
		{"a path out of the folder", one(PageConfig{"A", "..", page}), "pages[0].path", "use small letters"},
		{"a path that chooses a form", one(PageConfig{"A", "a.txt", page}), "pages[0].path", "use small letters"},
		{"a path twice", Config{Pages: []PageConfig{{"A", "a", page}, {"B", "a", page}}}, "pages[1].path", `"a" is the path of pages[0] too`},
		{"too many pages", Config{Pages: make([]PageConfig, 21)}, "pages", "has 21 pages; at most 20"},
		{"a logo that is not there", Config{Logo: logo + "x"}, "logo", "no such file"},
		{"a logo that is too large", Config{Logo: filepath.Join(dir, "large.svg")}, "logo", "has more than 131072 bytes"},
		{"a logo with too many pixels", Config{Logo: filepath.Join(dir, "wide.png")}, "logo", "has 2049 by 1 pixels; at most 2048"},
		{"a damaged logo", Config{Logo: filepath.Join(dir, "damaged.png")}, "logo", "damaged PNG"},
		{"a logo of another kind", Config{Logo: filepath.Join(dir, "logo.gif")}, "logo", "neither SVG nor PNG"},
		{"a page for a logo", Config{Logo: page}, "logo", "neither SVG nor PNG"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Load(row.cfg)
			all, ok := errors.AsType[setting.Errors](err)
			if !ok {
				t.Fatalf("error = %v, want one with a key", err)
			}
			if found := all[0]; found.Key != row.key || !strings.Contains(found.Reason, row.want) {
				t.Errorf("error of %s: %s\nwant of %s: %s", found.Key, found.Reason, row.key, row.want)
			}
		})
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	_, err := Load(Config{Name: "a\nb", Contact: "x", Logo: "/does/not/exist"})
	if got := strings.Count(err.Error(), "\n"); got != 2 {
		t.Errorf("errors:\n%v\nwant three of them", err)
	}
}

func TestColoursAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]Colour{
		"#0b6e75": "#0b6e75", "0B6E75": "#0b6e75", "#abc": "#aabbcc", "112233": "#112233",
		"": "", "teal": "", "#12345": "", "#1234567": "", "#+12345": "", "#0b6e7g": "", "rgb(0,0,0)": "", "#ää": "", "url(x)": "",
	} {
		var c Colour
		if err := c.UnmarshalText([]byte(text)); c != want || (err == nil) == (want == "") {
			t.Errorf("UnmarshalText(%q) = %q, %v; want %q", text, c, err, want)
		}
	}
}

func TestContrastIsThatOfTheStandard(t *testing.T) {
	for _, row := range []struct {
		a, b Colour
		want float64
	}{{"#000000", "#ffffff", 21}, {"#ffffff", "#ffffff", 1}, {"#767676", "#ffffff", 4.54}, {"#0000ff", "#ffffff", 8.59}} {
		if got := contrast(row.a, row.b); got < row.want-0.01 || got > row.want+0.01 || got != contrast(row.b, row.a) {
			t.Errorf("contrast(%s, %s) = %.3f, want %.2f", row.a, row.b, got, row.want)
		}
	}
}

func TestSurfacesAreThoseOfTheStyleSheet(t *testing.T) {
	styleSheet, err := os.ReadFile("../assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"paper", "paper-2", "amber-wash"} {
		want := "--" + name + ": light-dark(" + string(lightSurfaces()[i]) + ", " + string(darkSurfaces()[i]) + ");"
		if !strings.Contains(string(styleSheet), want) {
			t.Errorf("the style sheet has no %q", want)
		}
	}
}

func TestLogosAreMeasured(t *testing.T) {
	dir := t.TempDir()
	svg := func(attributes string) string { return `<svg xmlns="http://www.w3.org/2000/svg" ` + attributes + `/>` }
	for name, row := range map[string]struct {
		content       string
		width, height int
		want          string
	}{
		"a PNG image":              {picture(t, 30, 20), 30, 20, ""},
		"a drawing with a box":     {svg(`viewBox="-5,-5 20 10"`), 1000, 500, ""},
		"a drawing with a size":    {svg(`width="10px" height="40" viewBox="0 0 1 1"`), 250, 1000, ""},
		"a size in percent":        {svg(`width="100%" height="100%" viewBox="0 0 3 3"`), 1000, 1000, ""},
		"a drawing without a size": {svg(``), 0, 0, "how large it is"},
		"a box of three":           {svg(`viewBox="0 0 1"`), 0, 0, "not four numbers"},
		"a box of words":           {svg(`viewBox="0 0 a b"`), 0, 0, "not four numbers"},
		"a box without an extent":  {svg(`viewBox="0 0 0 10"`), 0, 0, "how large it is"},
		"a box that is no number":  {svg(`viewBox="0 0 NaN Inf"`), 0, 0, "how large it is"},
		"a thread":                 {svg(`viewBox="0 0 1 1000"`), 0, 0, "how large it is"},
		"another document":         {"<html/>", 0, 0, "neither SVG nor PNG"},
		"svg of no namespace":      {`<svg viewBox="0 0 1 1"/>`, 0, 0, "neither SVG nor PNG"},
		"half a drawing":           {svg(`viewBox="0 0 1 1"`) + "<g>", 0, 0, "not SVG"},
		"an empty file":            {"", 0, 0, "neither SVG nor PNG"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := readLogo(write(t, dir, "logo", row.content))
			switch {
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Errorf("error %v, want %q", err, row.want)
			case row.want == "" && err != nil:
				t.Error(err)
			case row.want == "" && (l.Width != row.width || l.Height != row.height):
				t.Errorf("%d by %d, want %d by %d", l.Width, l.Height, row.width, row.height)
			}
		})
	}
}

func TestDrawingsThatCouldDoMoreAreRefused(t *testing.T) {
	dir := t.TempDir()
	inside := func(s string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 1 1">` + s + `</svg>`
	}
	for name, row := range map[string]struct{ content, want string }{
		"a script":                    {inside(`<script>alert(1)</script>`), "line 1, column 102: <script> is not taken"},
		"a script in capitals":        {inside(`<SCRIPT>alert(1)</SCRIPT>`), "<SCRIPT> is not taken"},
		"a script by another name":    {inside(`<s:script xmlns:s="http://www.w3.org/2000/svg">1</s:script>`), "<script> is not taken"},
		"a script that is loaded":     {inside(`<script href="x.js"/>`), "<script> is not taken"},
		"a handler":                   {inside(`<path onload="alert(1)"/>`), "<path>: onload is not taken"},
		"a handler of the root":       {`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" onload="alert(1)"/>`, "<svg>: onload is not taken"},
		"a page in it":                {inside(`<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>`), "<foreignObject> is not taken"},
		"a link that runs":            {inside(`<a href="javascript:alert(1)"><path/></a>`), "<a>: href leads out"},
		"a link of the old kind":      {inside(`<a xlink:href=" javascript:alert(1)"><path/></a>`), "<a>: href leads out"},
		"a picture from elsewhere":    {inside(`<image href="https://evil.example/a.png"/>`), "<image>: href leads out"},
		"a drawing in the drawing":    {inside(`<image href="data:image/svg+xml;base64,PHN2Zz4="/>`), "<image>: href leads out"},
		"a link that becomes one":     {inside(`<a><set attributeName="xlink:href" to="javascript:alert(1)"/></a>`), "animation of href"},
		"a style sheet":               {`<?xml-stylesheet href="x.css"?>` + drawing, "<?xml-stylesheet?> is not taken"},
		"an import":                   {inside(`<style>@import "https://evil.example/x.css";</style>`), "@import"},
		"a style that asks":           {inside(`<style>path { fill: url( 'https://evil.example/x') }</style>`), "asks for another file"},
		"an attribute that asks":      {inside(`<path style="fill:url(//evil.example)"/>`), "<path>: style asks for another file"},
		"a paint from elsewhere":      {inside(`<path fill="url(x.svg#a)"/>`), "<path>: fill asks for another file"},
		"declarations":                {`<!DOCTYPE svg [<!ENTITY a "b">]>` + drawing, "declarations"},
		"an entity":                   {inside(`<text>&a;</text>`), "not SVG"},
		"another encoding":            {`<?xml version="1.0" encoding="UTF-16"?>` + drawing, "neither SVG nor PNG"},
		"harmless: a gradient":        {inside(`<defs><linearGradient id="a"/></defs><path fill="url(#a)" style="stroke:url('#a')"/><use href="#b" xlink:href="#b"/>`), ""},
		"harmless: a document type":   {`<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">` + drawing, ""},
		"harmless: pixels in it":      {inside(`<image href="data:image/png;base64,AAAA"/>`), ""},
		"harmless: a style":           {inside(`<style>.a { fill: red }</style><path class="a"/>`), ""},
		"harmless: an editor's marks": {inside(`<n:view xmlns:n="http://www.inkscape.org/namespaces/inkscape" n:zoom="1"/>`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readLogo(write(t, dir, "logo.svg", row.content))
			if row.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("error %v, want %q", err, row.want)
			}
		})
	}
}

func FuzzLogo(f *testing.F) {
	f.Add([]byte(drawing))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		l := &Logo{Content: content}
		if l.readSVG() == nil && (l.Width < 1 || l.Height < 1 || l.Width > 1000 || l.Height > 1000) {
			t.Errorf("%q is %d by %d", content, l.Width, l.Height)
		}
	})
}
