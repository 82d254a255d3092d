package avro

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parser reads a schema that goavro accepted. What it finds wrong all the same is
// an error, never a panic.
type parser struct {
	named map[string]*node
	// records are those that were found, for their defaults: they can be encoded
	// only when all types are known.
	records []*node
}

func parse(text string) (*node, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the schema")
	}
	p := parser{named: map[string]*node{}}
	root, err := p.node(v, "")
	if err != nil {
		return nil, err
	}
	for _, r := range p.records {
		if err := encodeDefaults(r); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func (p *parser) node(v any, namespace string) (*node, error) {
	switch v := v.(type) {
	case string:
		if k, ok := primitive(v); ok {
			return &node{kind: k}, nil
		}
		if n := p.named[fullName(v, namespace)]; n != nil {
			return n, nil
		}
		if n := p.named[v]; n != nil { // of no namespace
			return n, nil
		}
		return nil, fmt.Errorf("type %q is not known", v)
	case []any:
		return p.union(v, namespace)
	case map[string]any:
		return p.object(v, namespace)
	default:
		return nil, fmt.Errorf("a schema is a string, a list or an object, not %T", v)
	}
}

func (p *parser) union(list []any, namespace string) (*node, error) {
	n := &node{kind: kindUnion}
	seen := map[string]bool{}
	for _, v := range list {
		b, err := p.node(v, namespace)
		if err != nil {
			return nil, err
		}
		if b.kind == kindUnion {
			return nil, errors.New("a union contains a union")
		}
		if seen[b.String()] {
			return nil, fmt.Errorf("a union contains %s twice", b)
		}
		seen[b.String()] = true
		n.branches = append(n.branches, b)
	}
	if len(n.branches) == 0 {
		return nil, errors.New("a union is empty")
	}
	return n, nil
}

func (p *parser) object(o map[string]any, namespace string) (*node, error) {
	name, ok := o["type"].(string)
	if !ok {
		return p.node(o["type"], namespace) // {"type": {…}}
	}
	switch name {
	case "record":
		return p.record(o, namespace)
	case "enum":
		return p.enum(o, namespace)
	case "fixed":
		return p.fixed(o, namespace)
	case "array", "map":
		n, of := &node{kind: kindArray}, "items"
		if name == "map" {
			n, of = &node{kind: kindMap}, "values"
		}
		var err error
		n.items, err = p.node(o[of], namespace)
		return n, err
	}
	n, err := p.node(name, namespace)
	if err == nil && n.full == "" {
		n.logical = logicalOf(o, n)
	}
	return n, err
}

// define makes a named type known, and returns the namespace of what it contains.
func (p *parser) define(n *node, o map[string]any, namespace string) (string, error) {
	name, _ := o["name"].(string)
	if name == "" {
		return "", fmt.Errorf("a %s has no name", n.kind)
	}
	if ns, ok := o["namespace"].(string); ok && !strings.Contains(name, ".") {
		namespace = ns
	}
	n.full = fullName(name, namespace)
	namespace = ""
	n.name = n.full
	if dot := strings.LastIndexByte(n.full, '.'); dot >= 0 {
		namespace, n.name = n.full[:dot], n.full[dot+1:]
	}
	if _, ok := primitive(n.full); ok {
		return "", fmt.Errorf("a %s has the name %s of a type", n.kind, n.full)
	}
	if p.named[n.full] != nil {
		return "", fmt.Errorf("type %s is defined twice", n.full)
	}
	p.named[n.full] = n
	aliases, err := texts(o, "aliases")
	if err != nil {
		return "", fmt.Errorf("%s: %w", n.full, err)
	}
	for _, a := range aliases {
		n.aliases = append(n.aliases, fullName(a, namespace))
	}
	return namespace, nil
}

// fullName returns name in the namespace, unless it has one of its own.
func fullName(name, namespace string) string {
	if namespace == "" || strings.Contains(name, ".") {
		return strings.TrimPrefix(name, ".")
	}
	return namespace + "." + name
}

func (p *parser) record(o map[string]any, namespace string) (*node, error) {
	n := &node{kind: kindRecord}
	namespace, err := p.define(n, o, namespace)
	if err != nil {
		return nil, err
	}
	fields, ok := o["fields"].([]any)
	if !ok {
		return nil, fmt.Errorf("record %s has no list of fields", n.full)
	}
	for _, v := range fields {
		f, err := p.field(v, namespace)
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", n.full, err)
		}
		n.fields = append(n.fields, f)
	}
	p.records = append(p.records, n)
	return n, nil
}

func (p *parser) field(v any, namespace string) (field, error) {
	o, ok := v.(map[string]any)
	if !ok {
		return field{}, fmt.Errorf("a field is an object, not %T", v)
	}
	var f field
	if f.name, _ = o["name"].(string); f.name == "" {
		return field{}, errors.New("a field has no name")
	}
	var err error
	if f.aliases, err = texts(o, "aliases"); err != nil {
		return field{}, fmt.Errorf("field %s: %w", f.name, err)
	}
	if f.node, err = p.node(o["type"], namespace); err != nil {
		return field{}, fmt.Errorf("field %s: %w", f.name, err)
	}
	f.initial, f.hasDefault = o["default"]
	return f, nil
}

func (p *parser) enum(o map[string]any, namespace string) (*node, error) {
	n := &node{kind: kindEnum, enumDefault: -1, symbol: map[string]int{}}
	if _, err := p.define(n, o, namespace); err != nil {
		return nil, err
	}
	var err error
	if n.symbols, err = texts(o, "symbols"); err != nil {
		return nil, fmt.Errorf("enum %s: %w", n.full, err)
	}
	for i, s := range n.symbols {
		if _, ok := n.symbol[s]; ok {
			return nil, fmt.Errorf("enum %s has the symbol %s twice", n.full, s)
		}
		n.symbol[s] = i
	}
	if initial, ok := o["default"]; ok {
		s, _ := initial.(string)
		if n.enumDefault, ok = n.symbol[s]; !ok {
			return nil, fmt.Errorf("enum %s: its default %v is not one of its symbols", n.full, initial)
		}
	}
	return n, nil
}

func (p *parser) fixed(o map[string]any, namespace string) (*node, error) {
	n := &node{kind: kindFixed}
	if _, err := p.define(n, o, namespace); err != nil {
		return nil, err
	}
	size, ok := integer(o["size"])
	if !ok || size < 0 || size > MaxSchema {
		return nil, fmt.Errorf("fixed %s: its size is %v, and can be from 0 to %d", n.full, o["size"], MaxSchema)
	}
	n.size = int(size)
	n.logical = logicalOf(o, n)
	return n, nil
}

// texts returns a list of strings of o, which may be absent.
func texts(o map[string]any, name string) ([]string, error) {
	v, ok := o[name]
	if !ok || v == nil {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is %T, not a list", name, v)
	}
	out := make([]string, len(list))
	for i := range list {
		if out[i], ok = list[i].(string); !ok {
			return nil, fmt.Errorf("%s contains %T, not only strings", name, list[i])
		}
	}
	return out, nil
}

func integer(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}
