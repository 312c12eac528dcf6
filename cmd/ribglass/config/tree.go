package config

import (
	"maps"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// entry is one key of a mapping with its value.
type entry struct {
	key   string
	at    *token.Position
	value ast.Node
}

// entries lists the keys of a mapping, its own before those merged with "<<",
// and reports the ones that come twice. It says no when n is no mapping.
func (d *decoder) entries(n ast.Node, depth int) ([]entry, bool) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return nil, false
	}
	var own, merged []entry
	lines := make(map[string]int)
	for _, value := range values {
		if _, isMerge := value.Key.(*ast.MergeKeyNode); isMerge {
			merged = append(merged, d.merged(value.Value, depth+1)...)
			continue
		}
		e := entry{key: value.Key.GetToken().Value, at: position(value.Key), value: value.Value}
		if line, twice := lines[e.key]; twice {
			d.report(e.at, "key %q stands here twice: first in line %d", e.key, line)
			continue
		}
		lines[e.key] = e.at.Line
		own = append(own, e)
	}
	for _, e := range merged {
		if _, overridden := lines[e.key]; !overridden {
			lines[e.key] = e.at.Line
			own = append(own, e)
		}
	}
	return own, true
}

// merged lists what "<<: *anchor" or "<<: [*a, *b]" brings.
func (d *decoder) merged(n ast.Node, depth int) []entry {
	if depth > maxDepth {
		d.report(position(n), "nested too deeply")
		return nil
	}
	at := position(n)
	if n = d.resolve(n); n == nil {
		return nil
	}
	if list, ok := n.(*ast.SequenceNode); ok {
		var all []entry
		for _, element := range list.Values {
			all = append(all, d.merged(element, depth+1)...)
		}
		return all
	}
	entries, ok := d.entries(n, depth)
	if !ok {
		d.report(at, "<< merges keys and values, not a %s", kindOf(n))
	}
	return entries
}

// resolve follows aliases and takes anchors and tags off a node. It returns nil
// after it has reported an alias without an anchor.
func (d *decoder) resolve(n ast.Node) ast.Node {
	for range maxDepth {
		switch node := n.(type) {
		case *ast.AnchorNode:
			n = node.Value
		case *ast.TagNode:
			n = node.Value
		case *ast.AliasNode:
			name := node.Value.GetToken().Value
			target, ok := d.anchors[name]
			if !ok {
				d.report(position(node), "there is no anchor &%s for this alias", name)
				return nil
			}
			n = target
		default:
			return n
		}
	}
	d.report(position(n), "an alias that leads to itself")
	return nil
}

// anchorVisitor collects the nodes that have an anchor, by its name.
type anchorVisitor map[string]ast.Node

// Visit implements ast.Visitor.
func (v anchorVisitor) Visit(n ast.Node) ast.Visitor {
	if anchor, ok := n.(*ast.AnchorNode); ok {
		v[anchor.Name.GetToken().Value] = anchor.Value
	}
	return v
}

// position returns where a node begins; the library's token of a mapping is its
// first colon.
func position(n ast.Node) *token.Position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return position(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return position(n.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position
	}
	return &token.Position{Line: 1, Column: 1}
}

// kindOf names the kind of a node for people.
func kindOf(n ast.Node) string {
	switch n.Type() {
	case ast.MappingType, ast.MappingValueType:
		return "mapping"
	case ast.SequenceType:
		return "list"
	default:
		return "single value"
	}
}

// fields are the settable fields of a struct by their keys, and the keys in
// the order of the struct.
type fields struct {
	byKey map[string]reflect.Value
	keys  []string
}

// fieldsOf returns the fields with a yaml tag; an inlined struct's are its own.
func fieldsOf(v reflect.Value) fields {
	fs := fields{byKey: make(map[string]reflect.Value)}
	for i := range v.NumField() {
		key, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			inner := fieldsOf(v.Field(i))
			fs.keys = append(fs.keys, inner.keys...)
			maps.Copy(fs.byKey, inner.byKey)
		case key != "" && key != "-":
			fs.keys = append(fs.keys, key)
			fs.byKey[key] = v.Field(i)
		}
	}
	return fs
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// lastKey returns the last key of a path: "families" of neighbors[0].families[1].
func lastKey(path string) string {
	key := path[strings.LastIndexByte(path, '.')+1:]
	key, _, _ = strings.Cut(key, "[")
	return key
}
