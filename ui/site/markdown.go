package site

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Bounds of a page of Markdown.
const (
	maxMarkdown = 32 << 10  // bytes of the file: packed, about what a page may weigh
	maxHTML     = 128 << 10 // bytes of what becomes of it: references can make much of little
	maxNesting  = 50        // elements in each other
)

// Document is a page that the operator wrote.
type Document struct {
	Title  string
	Path   string // the last part of its URL
	Source string // as it was written, for terminals
	HTML   template.HTML
	// Version changes with the text.
	Version string
}

func readDocument(file string) (*Document, error) {
	content, err := readFile(file, maxMarkdown)
	if err != nil {
		return nil, err
	}
	d, err := newDocument(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

func newDocument(content []byte) (*Document, error) {
	if !utf8.Valid(content) {
		return nil, errors.New("is not UTF-8 text")
	}
	source := strings.ReplaceAll(strings.TrimPrefix(string(content), "\ufeff"), "\r\n", "\n")
	if strings.TrimSpace(source) == "" {
		return nil, errors.New("has nothing to read in it")
	}
	for line := range strings.Lines(source) {
		if nesting(line) > maxNesting {
			return nil, errTooDeep // found before the parser takes the square of it in time
		}
	}
	html, err := toHTML([]byte(strings.Map(visible, source)))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	return &Document{Source: source, HTML: html, Version: hex.EncodeToString(sum[:8])}, nil
}

// visible puts a mark in the place of a character that would drive a terminal.
func visible(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' {
		return unicode.ReplacementChar
	}
	return r
}

var errTooDeep = fmt.Errorf("is nested more than %d deep", maxNesting)

// nesting returns how many quotations and lists a line begins.
func nesting(line string) (n int) {
	for ; ; n++ {
		line = strings.TrimLeft(line, " \t")
		marker := strings.TrimLeft(line, "0123456789")
		switch {
		case strings.HasPrefix(line, ">"):
			line = line[1:]
		case len(marker) > 1 && strings.IndexByte("-+*.)", marker[0]) >= 0 && (marker[1] == ' ' || marker[1] == '\t'):
			line = marker[2:]
		default:
			return n
		}
	}
}

// toHTML renders CommonMark with tables. What it writes has the elements of text
// and few attributes: the href of links, the start of lists, the language of code,
// and those around a table.
func toHTML(source []byte) (template.HTML, error) {
	table := extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone)) // the policy forbids style attributes
	md := goldmark.New(goldmark.WithExtensions(table),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(plain{}, 100))))
	root := md.Parser().Parse(text.NewReader(source))
	if err := lower(root); err != nil {
		return "", err
	}
	out := bounded{left: maxHTML}
	if err := md.Renderer().Render(&out, source, root); err != nil {
		return "", fmt.Errorf("cannot be rendered: %w", err)
	}
	return template.HTML(out.String()), nil //nolint:gosec // plain and the renderer's safe mode made it
}

// lower makes the headings stand below the page's own, which is of the first
// level, and refuses what is nested beyond what a browser lays out.
func lower(root ast.Node) error {
	depth := 0
	return ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			depth--
			return ast.WalkContinue, nil
		}
		if depth++; depth > maxNesting {
			return ast.WalkStop, errTooDeep
		}
		if h, ok := n.(*ast.Heading); ok {
			h.Level = min(6, h.Level+1)
		}
		return ast.WalkContinue, nil
	})
}

// bounded is a text with a greatest length.
type bounded struct {
	strings.Builder
	left int
}

var errTooLong = fmt.Errorf("would be more than %d bytes of HTML", maxHTML)

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errTooLong
	}
	return b.Builder.Write(p)
}

// plain renders what could do more than be read.
type plain struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (plain) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindLink, renderLink)
	r.Register(ast.KindAutoLink, renderAutoLink)
	r.Register(ast.KindImage, renderImage)
	r.Register(ast.KindRawHTML, renderRawHTML)
	r.Register(ast.KindHTMLBlock, renderHTMLBlock)
	r.Register(tables.KindTable, renderTable)
}

// renderLink writes a link that leads to where links may lead, and only the text of
// another.
func renderLink(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n, ok := node.(*ast.Link)
	if !ok || len(n.Destination) > maxURL {
		return ast.WalkContinue, nil
	}
	dest := string(util.URLEscape(n.Destination, true)) // what a browser will read: references are resolved
	switch {
	case !leads(dest):
	case entering:
		_, _ = w.WriteString(`<a href="` + template.HTMLEscapeString(dest) + `">`)
	default:
		_, _ = w.WriteString("</a>")
	}
	return ast.WalkContinue, nil
}

func renderAutoLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n, ok := node.(*ast.AutoLink)
	if !ok || !entering {
		return ast.WalkContinue, nil
	}
	dest, label := string(util.URLEscape(n.URL(source), false)), template.HTMLEscapeString(string(n.Label(source)))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(dest), "mailto:") {
		dest = "mailto:" + dest
	}
	if leads(dest) {
		label = `<a href="` + template.HTMLEscapeString(dest) + `">` + label + "</a>"
	}
	_, _ = w.WriteString(label)
	return ast.WalkContinue, nil
}

// renderImage leaves the description, which are the node's children: nobody is
// asked for pictures.
func renderImage(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) {
	return ast.WalkContinue, nil
}

// renderRawHTML shows HTML as the text that it is, but for comments, which their
// author did not mean to be read.
func renderRawHTML(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if n, ok := node.(*ast.RawHTML); ok && entering {
		writeRaw(w, "", n.Segments.Value(source), "")
	}
	return ast.WalkSkipChildren, nil
}

func renderHTMLBlock(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n, ok := node.(*ast.HTMLBlock)
	if !ok || !entering {
		return ast.WalkContinue, nil
	}
	raw := n.Lines().Value(source)
	if n.HasClosure() {
		raw = append(slices.Clip(raw), n.ClosureLine.Value(source)...)
	}
	writeRaw(w, "<pre>", raw, "</pre>\n")
	return ast.WalkContinue, nil
}

// renderTable lets a table be wider than the page: what scrolls must be reached
// by the keyboard.
func renderTable(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString("<div class=\"wide\" tabindex=\"0\">\n<table>\n")
	} else {
		_, _ = w.WriteString("</table>\n</div>\n")
	}
	return ast.WalkContinue, nil
}

func writeRaw(w util.BufWriter, before string, raw []byte, after string) {
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "<!--") {
		return
	}
	_, _ = w.WriteString(before + template.HTMLEscapeString(string(raw)) + after)
}
