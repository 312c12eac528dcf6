package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"ribglass/ribstore/query"
)

// decoder turns the tree of a YAML document into Go values. The library's own
// decoder stops at the first mistake and forgets where a value stood; this one
// goes on, so that all mistakes of a file are told at once, and keeps every
// position for the checks that follow.
type decoder struct {
	file    string
	lines   []string
	anchors map[string]ast.Node
	at      map[string]*token.Position // of values, by path such as neighbors[0].asn
	errors  Errors
	depth   int
}

// maxDepth bounds nesting, so that an anchor that contains its own alias ends.
const maxDepth = 32

// defaulter is an element of a list that has defaults of its own.
type defaulter interface{ setDefaults() }

func newDecoder(file string, text []byte) *decoder {
	return &decoder{
		file:    file,
		lines:   strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"),
		anchors: make(map[string]ast.Node),
		at:      make(map[string]*token.Position),
	}
}

// decode reads text into the struct that into points to.
func (d *decoder) decode(text []byte, into any) {
	if line := notUTF8(text); line > 0 {
		d.report(&token.Position{Line: line, Column: 1}, "the file is not UTF-8; save it as UTF-8")
		return
	}
	// Duplicate keys are reported by entries, all of them.
	tree, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err)
		return
	}
	docs := slices.DeleteFunc(tree.Docs, func(doc *ast.DocumentNode) bool { return doc.Body == nil })
	switch {
	case len(docs) == 0 || docs[0].Body.Type() == ast.NullType:
		d.report(&token.Position{Line: 1, Column: 1}, "the file is empty; asn, router_id and neighbors are wanted")
		return
	case len(docs) > 1:
		d.report(position(docs[1].Body), "a second YAML document; the configuration is one document")
	}
	ast.Walk(anchorVisitor(d.anchors), docs[0].Body)
	d.value("", docs[0].Body, reflect.ValueOf(into).Elem())
}

// notUTF8 returns the first line of a text that is not UTF-8, 0 when there is none.
// UTF-16 has zeros in it.
func notUTF8(text []byte) int {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return i + 1
		}
	}
	return 0
}

// syntax reports an error of the YAML parser.
func (d *decoder) syntax(err error) {
	at, message := &token.Position{Line: 1, Column: 1}, err.Error()
	if located, ok := errors.AsType[yaml.Error](err); ok {
		message = located.GetMessage()
		if t := located.GetToken(); t != nil {
			at = t.Position
		}
	}
	d.report(at, "not YAML: %s", message)
}

func (d *decoder) report(at *token.Position, format string, args ...any) {
	p := &Error{File: d.file, Line: at.Line, Column: max(1, at.Column), Message: fmt.Sprintf(format, args...)}
	if p.Line >= 1 && p.Line <= len(d.lines) {
		p.Source = d.lines[p.Line-1]
		p.Column = min(p.Column, utf8.RuneCountInString(p.Source)+1)
		p.Source, p.Column = conceal(p.Source, p.Column)
	}
	d.errors = append(d.errors, p)
}

// reportAt reports a problem of the value at path or, where the file does not
// have it, of what encloses it.
func (d *decoder) reportAt(path, format string, args ...any) {
	for {
		if at, ok := d.at[path]; ok {
			d.report(at, format, args...)
			return
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			d.report(&token.Position{Line: 1, Column: 1}, format, args...)
			return
		}
		path = path[:i]
	}
}

// reportOnce is reportAt but for a place that has an error already.
func (d *decoder) reportOnce(path, format string, args ...any) {
	before := len(d.errors)
	d.reportAt(path, format, args...)
	last := d.errors[len(d.errors)-1]
	for _, e := range d.errors[:before] {
		if e.Line == last.Line && e.Column == last.Column && e.Message == last.Message {
			d.errors = d.errors[:before]
			return
		}
	}
}

// has reports whether the file has a value at path.
func (d *decoder) has(path string) bool { _, ok := d.at[path]; return ok }

// value decodes n, which stands at path, into v.
func (d *decoder) value(path string, n ast.Node, v reflect.Value) {
	at := position(n)
	if n = d.resolve(n); n == nil {
		return
	}
	d.at[path] = at
	if d.depth++; d.depth > maxDepth {
		d.report(at, "nested too deeply")
		return
	}
	defer func() { d.depth-- }()
	switch {
	case isScalar(v):
		d.scalar(path, n, at, v)
	case v.Kind() == reflect.Struct:
		d.mapping(path, n, v)
	case v.Kind() == reflect.Slice:
		d.sequence(path, n, v)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(path, n, v.Elem())
	default:
		panic("config: field of type " + v.Type().String() + " cannot be configured")
	}
}

func (d *decoder) scalar(path string, n ast.Node, at *token.Position, v reflect.Value) {
	name := lastKey(path)
	var text string
	switch n := n.(type) {
	case *ast.NullNode:
		d.report(at, "%s has no value", name)
		return
	case *ast.LiteralNode:
		text = n.Value.Value
	case *ast.StringNode:
		text = n.Value
	case ast.ScalarNode:
		text = n.GetToken().Value // not GetValue: 1.10 is an AS number, not 1.1
	default:
		d.report(at, "%s is one value, not a %s", name, kindOf(n))
		return
	}
	if err := setScalar(v, text); err != nil {
		d.report(at, "%s: %s", name, err)
	}
}

func (d *decoder) sequence(path string, n ast.Node, v reflect.Value) {
	if n.Type() == ast.NullType {
		return // "neighbors:" with every entry commented out
	}
	var values []ast.Node
	switch n := n.(type) {
	case *ast.SequenceNode:
		values = n.Values
	case ast.ScalarNode: // "asn: 64500" is short for "asn: [64500]"
		values = []ast.Node{n}
	default:
		d.report(d.at[path], "%s is a list: one \"- …\" a line, or [a, b]", lastKey(path))
		return
	}
	elements := reflect.MakeSlice(v.Type(), len(values), len(values))
	for i, element := range values {
		if e, ok := reflect.TypeAssert[defaulter](elements.Index(i).Addr()); ok {
			e.setDefaults()
		}
		d.value(fmt.Sprintf("%s[%d]", path, i), element, elements.Index(i))
	}
	v.Set(elements)
}

func (d *decoder) mapping(path string, n ast.Node, v reflect.Value) {
	if n.Type() == ast.NullType {
		return // "http:" with every key commented out
	}
	entries, ok := d.entries(n, 0)
	if !ok {
		d.report(d.at[path], "%s wants keys and values, not a %s", cmp.Or(lastKey(path), "the file"), kindOf(n))
		return
	}
	fields := fieldsOf(v)
	for _, e := range entries {
		field, ok := fields.byKey[e.key]
		if !ok {
			d.unknownKey(e, path, fields.keys)
			continue
		}
		d.value(join(path, e.key), e.value, field)
	}
}

func (d *decoder) unknownKey(e entry, path string, known []string) {
	where := ""
	if path != "" {
		where = " in " + path
	}
	if isSecretKey(e.key) {
		d.report(e.at, "unknown key %q%s: a secret does not stand in the configuration; write the name of a file (password_file, key_file) or of a variable (password_env)", e.key, where)
		return
	}
	if near := query.Nearest(e.key, known); near != "" {
		d.report(e.at, "unknown key %q%s: did you mean %q?", e.key, where, near)
		return
	}
	d.report(e.at, "unknown key %q%s: have %s", e.key, where, strings.Join(known, ", "))
}
