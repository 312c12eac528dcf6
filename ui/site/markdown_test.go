package site

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
)

// elements lists the elements of a page of Markdown, with the attributes that
// each may have.
func elements() map[string][]string {
	list := map[string][]string{"a": {"href"}, "ol": {"start"}, "code": {"class"}, "div": {"class", "tabindex"}}
	for _, tag := range []string{
		"h2", "h3", "h4", "h5", "h6", "p", "ul", "li", "blockquote", "pre", "em", "strong", "br", "hr", "table", "thead", "tbody", "tr", "th", "td",
	} {
		list[tag] = nil
	}
	return list
}

// checkHTML reads HTML as a browser does and checks that nothing but text and
// harmless links is in it.
func checkHTML(t *testing.T, source, text string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader("<!doctype html><html><head></head><body><main>" + text + "</main></body></html>"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("%q has the comment %q", source, n.Data)
		}
		if n.Type != html.ElementNode || slices.Contains([]string{"html", "head", "body", "main"}, n.Data) && n.Parent != nil && len(n.Attr) == 0 {
			continue
		}
		allowed, known := elements()[n.Data]
		if !known {
			t.Errorf("%q becomes <%s>:\n%s", source, n.Data, text)
		}
		for _, a := range n.Attr {
			if !slices.Contains(allowed, a.Key) {
				t.Errorf("%q becomes <%s %s=%q>", source, n.Data, a.Key, a.Val)
			}
			if a.Key == "href" && !safeLink(a.Val) {
				t.Errorf("%q leads to %q", source, a.Val)
			}
		}
	}
}

// safeLink is a stupid twin of leads: it reads a link as the URL standard has
// browsers do, without blanks at the ends, line breaks and tabs.
func safeLink(href string) bool {
	href = strings.TrimFunc(href, func(r rune) bool { return r <= ' ' })
	href = strings.ToLower(strings.NewReplacer("\n", "", "\r", "", "\t", "", `\`, "/").Replace(href))
	scheme, _, found := strings.Cut(href, ":")
	if found && scheme != "" && unicode.IsLetter(rune(scheme[0])) && strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == "" {
		return scheme == "http" || scheme == "https" || scheme == "mailto"
	}
	return !strings.HasPrefix(href, "//")
}

// hostileMarkdown lists what someone would like a reader's browser to do.
func hostileMarkdown() []string {
	return []string{
		"<script>alert(1)</script>",
		"text <script>alert(1)</script> text",
		"<img src=x onerror=alert(1)>",
		"a <img src=x onerror=alert(1)> b",
		"<svg onload=alert(1)>\n\n</svg>",
		"<iframe src=//evil.example></iframe>",
		"<style>body{display:none}</style>",
		"<base href=//evil.example>",
		"<form action=//evil.example><input name=q></form>",
		"</main></body><script>alert(1)</script>",
		"<!-- --><script>alert(1)</script>",
		"<!-- secret -->",
		"<!--> <script>alert(1)</script> -->",
		"<?php alert(1) ?>",
		"<![CDATA[<script>alert(1)</script>]]>",
		"[x](javascript:alert(1))",
		"[x](JaVaScRiPt:alert(1))",
		"[x](javascript&colon;alert(1))",
		"[x](&#106;avascript:alert(1))",
		"[x](&#x6a&#x61;vascript:alert(1))",
		"[x](java\\script:alert(1))",
		"[x](<java\tscript:alert(1)>)",
		"[x](java&Tab;script:alert(1))",
		"[x](java&NewLine;script:alert(1))",
		"[x](&#1;javascript:alert(1))",
		"[x]( javascript:alert(1) )",
		"[x](vbscript:msgbox(1))",
		"[x](data:text/html,<script>alert(1)</script>)",
		"[x](data:image/svg+xml;base64,PHN2Zz4=)",
		"[x](file:///etc/passwd)",
		"[x](blob:https://evil.example/1)",
		"[x](//evil.example/)",
		"[x](/\\evil.example/)",
		"[x](\\\\evil.example/)",
		"[x](&sol;&sol;evil.example/)",
		"[x](/&bsol;evil.example/)",
		"[x](https://ok.example/\" onmouseover=\"alert(1))",
		"[x](https://ok.example/ \"a\" onmouseover=alert(1)\")",
		"[x](https://ok.example/ '\"><script>alert(1)</script>')",
		"[x][1]\n\n[1]: javascript:alert(1)",
		"[<img src=x onerror=alert(1)>](https://ok.example/)",
		"<javascript:alert(1)>",
		"<data:text/html,x>",
		"<JAVASCRIPT:alert(1)>",
		"![x](https://evil.example/track.png)",
		"![x](javascript:alert(1))",
		"![<script>](data:image/svg+xml,<svg/onload=alert(1)>)",
		"![x\" onerror=\"alert(1)](y)",
		"[![x](https://evil.example/a.png)](javascript:alert(1))",
		"# head {onclick=alert(1)}",
		"# head {#id .class style=\"x\"}",
		"```\"onclick=alert(1)\n</pre><script>alert(1)</script>\n```",
		"```html <script>\nx\n```",
		"`</code><script>alert(1)</script>`",
		"| a | b |\n|:-:|--:|\n| <script>alert(1)</script> | [x](javascript:alert(1)) |",
		"&lt;script&gt;alert(1)&lt;/script&gt;",
		"\x00<script>\x00",
		"\x1b[2J\x07",
	}
}

func TestB5NothingInMarkdownRuns(t *testing.T) {
	for _, source := range hostileMarkdown() {
		for _, form := range []string{source, "> " + source, "- " + source, "# " + source, "*" + source + "*"} {
			d, err := newDocument([]byte(form))
			if err != nil {
				t.Errorf("newDocument(%q) = %v", form, err)
				continue
			}
			checkHTML(t, form, string(d.HTML))
		}
	}
}

func TestMarkdownBecomesText(t *testing.T) {
	for name, row := range map[string]struct{ source, want string }{
		"a paragraph":               {"one\ntwo", "<p>one\ntwo</p>\n"},
		"headings, one level lower": {"# one\n\n###### six", "<h2>one</h2>\n<h6>six</h6>\n"},
		"a list with a start":       {"3. three", "<ol start=\"3\">\n<li>three</li>\n</ol>\n"},
		"a link":                    {"[as](/as/64500)", "<p><a href=\"/as/64500\">as</a></p>\n"},
		"a link without its title":  {"[a](https://a.example \"title\")", "<p><a href=\"https://a.example\">a</a></p>\n"},
		"a mail address":            {"<noc@example.net>", "<p><a href=\"mailto:noc@example.net\">noc@example.net</a></p>\n"},
		"a URL":                     {"<https://a.example/?a=1&b=2>", "<p><a href=\"https://a.example/?a=1&amp;b=2\">https://a.example/?a=1&amp;b=2</a></p>\n"},
		"a link that leads nowhere": {"[text](javascript:1)", "<p>text</p>\n"},
		"a picture's description":   {"![our *network*](map.png)", "<p>our <em>network</em></p>\n"},
		"HTML as text":              {"a <b>c</b>", "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n"},
		"a block of HTML as text":   {"<div>\nx\n</div>", "<pre>&lt;div&gt;\nx\n&lt;/div&gt;</pre>\n"},
		"no comments":               {"<!-- for ourselves -->\n\na <!-- b --> c", "<p>a  c</p>\n"},
		"a table": {
			"| a |\n|:-:|\n| b |",
			"<div class=\"wide\" tabindex=\"0\">\n<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>b</td>\n</tr>\n</tbody>\n</table>\n</div>\n",
		},
		"line ends of Windows": {"\ufeffone\r\n\r\ntwo\r\n", "<p>one</p>\n<p>two</p>\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := newDocument([]byte(row.source))
			if err != nil {
				t.Fatal(err)
			}
			if string(d.HTML) != row.want {
				t.Errorf("%q becomes\n%s\nwant\n%s", row.source, d.HTML, row.want)
			}
		})
	}
}

func TestMarkdownHasBounds(t *testing.T) {
	for name, row := range map[string]struct{ source, want string }{
		"nothing":             {" \n\n", "nothing to read"},
		"bytes of no text":    {"\xff\xfe", "not UTF-8"},
		"quotes in quotes":    {strings.Repeat(">", 30000) + " x", "nested more than 50 deep"},
		"lists in lists":      {strings.Repeat("- ", 30000) + " x", "nested more than 50 deep"},
		"lists, numbered":     {strings.Repeat("1. >\t", 6000) + " x", "nested more than 50 deep"},
		"deep by lines":       {strings.Repeat(" >", 50) + "\n" + strings.Repeat("> - ", 30) + "x", "nested more than 50 deep"},
		"a ruler":             {strings.Repeat("- ", 50) + "\n\n" + strings.Repeat("-", 300), ""},
		"a very long link":    {"[a](/" + strings.Repeat("x", 20000) + ")", ""},
		"brackets":            {strings.Repeat("[", 30000), ""},
		"brackets and images": {strings.Repeat("![", 13000) + strings.Repeat("](a)", 1000), ""},
		"stars":               {strings.Repeat("*a_b", 8000), ""},
		"backticks":           {strings.Repeat("`a``b", 6000), ""},
		"open angles":         {strings.Repeat("<a ", 10000), ""},
		"much of little":      {strings.Repeat("[a]", 10000) + "\n\n[a]: /" + strings.Repeat("x", 400), "more than 131072 bytes of HTML"},
		"escapes":             {strings.Repeat("&", 30000), "more than 131072 bytes of HTML"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := newDocument([]byte(row.source))
			switch {
			case row.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case row.want == "":
				checkHTML(t, name, string(d.HTML))
			case err == nil || !strings.Contains(err.Error(), row.want):
				t.Errorf("error %v, want %q", err, row.want)
			}
		})
	}
}

func TestTheVersionChangesWithTheText(t *testing.T) {
	version := func(source string) string {
		d, err := newDocument([]byte(source))
		if err != nil {
			t.Fatal(err)
		}
		return d.Version
	}
	one, same, other := version("a"), version("a"), version("b")
	if one != same || one == other || len(one) != 16 {
		t.Errorf("versions of a text, the same and another: %q, %q, %q", one, same, other)
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, source := range hostileMarkdown() {
		f.Add([]byte(source))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		if len(source) > 8<<10 {
			return
		}
		if d, err := newDocument(source); err == nil {
			checkHTML(t, string(source), string(d.HTML))
		}
	})
}
